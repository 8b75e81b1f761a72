// Floods a host with INITs, forged cookies or UDP datagrams from many addresses, over a kernel interface and at a given
// rate, and says how many frames the interface took.

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "bench/flood/flood_frame.hpp"

namespace sluice::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct FlooderOptions {
  FloodKind kind = FloodKind::udp;
  std::string interface;
  std::string destination_mac;
  std::string destination;
  std::string first_source = "198.19.0.1";
  std::uint16_t port = 5001;
  std::uint32_t sources = 16384;
  std::uint32_t bytes = 60;
  double rate = 0;
  double seconds = 1;
};

volatile std::sig_atomic_t stopped = 0;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::uint32_t ipv4(const std::string& text) {
  const auto address = IpAddress::parse(text);
  if (!address || !address->is_v4()) throw std::runtime_error("'" + text + "' is no IPv4 address");
  return address->v4_value();
}

/// A socket that sends whole frames over one interface, past the kernel's queueing.
class FrameSocket {
 public:
  explicit FrameSocket(const std::string& interface) : socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
    if (socket_ < 0) fail("a packet socket could not be made");
    const int on = 1;
    if (setsockopt(socket_, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) != 0) fail("PACKET_QDISC_BYPASS");
    ifreq request{};
    interface.copy(request.ifr_name, sizeof request.ifr_name - 1);
    if (ioctl(socket_, SIOCGIFHWADDR, &request) != 0) fail(interface);
    std::memcpy(mac_.octets.data(), request.ifr_hwaddr.sa_data, mac_.octets.size());
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail(interface);
  }
  FrameSocket(const FrameSocket&) = delete;
  FrameSocket& operator=(const FrameSocket&) = delete;
  ~FrameSocket() { close(socket_); }

  const base::MacAddress& mac() const { return mac_; }
  /// How many of `messages` were taken.
  std::size_t send(std::span<mmsghdr> messages) {
    const int sent = sendmmsg(socket_, messages.data(), static_cast<unsigned>(messages.size()), 0);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) fail("sendmmsg");
    return 0;
  }

 private:
  int socket_;
  base::MacAddress mac_;
};

/// All frames of a flood, ready to be sent round and round.
class Frames {
 public:
  Frames(const FlooderOptions& options, const base::MacAddress& source_mac) {
    FloodRoute route{source_mac, {}, ipv4(options.first_source), ipv4(options.destination), options.port};
    if (!base::parse_mac_address(options.destination_mac, route.destination_mac))
      throw std::runtime_error("'" + options.destination_mac + "' is no Ethernet address");
    for (std::uint32_t i = 0; i < options.sources; ++i)
      frames_.push_back(flood_frame(options.kind, route, i, options.bytes));
    for (std::vector<std::byte>& frame : frames_) pieces_.push_back({frame.data(), frame.size()});
    for (iovec& piece : pieces_) {
      messages_.emplace_back();
      messages_.back().msg_hdr.msg_iov = &piece;
      messages_.back().msg_hdr.msg_iovlen = 1;
    }
  }
  std::size_t frame_bytes() const { return frames_.front().size(); }
  /// Up to `most` frames, those behind the last ones that were sent.
  std::span<mmsghdr> next(std::size_t most) {
    if (at_ == messages_.size()) at_ = 0;
    return std::span(messages_).subspan(at_, std::min(most, messages_.size() - at_));
  }
  void sent(std::size_t count) { at_ += count; }

 private:
  std::vector<std::vector<std::byte>> frames_;
  std::vector<iovec> pieces_;
  std::vector<mmsghdr> messages_;
  std::size_t at_ = 0;
};

struct Outcome {
  std::uint64_t sent = 0;
  double seconds = 0;
};

// At the rate on average: what could not be sent in time is not made up for beyond a tick.
Outcome flood(FrameSocket& socket, Frames& frames, const FlooderOptions& options) {
  constexpr std::size_t kBurst = 64;
  constexpr auto kTick = std::chrono::microseconds(500);
  Outcome outcome;
  const Clock::time_point start = Clock::now();
  double allowance = 0;
  for (Clock::time_point last = start; stopped == 0;) {
    const Clock::time_point now = Clock::now();
    outcome.seconds = Seconds(now - start).count();
    if (outcome.seconds >= options.seconds) break;
    const double most = options.rate > 0 ? std::max(1.0, options.rate * Seconds(20 * kTick).count()) : kBurst;
    allowance = options.rate > 0 ? std::min(most, allowance + options.rate * Seconds(now - last).count()) : most;
    last = now;
    while (allowance >= 1) {
      const std::size_t sent = socket.send(frames.next(std::min(kBurst, static_cast<std::size_t>(allowance))));
      if (sent == 0) break;
      frames.sent(sent);
      outcome.sent += sent;
      allowance -= static_cast<double>(sent);
    }
    if (options.rate > 0) std::this_thread::sleep_for(kTick);
  }
  return outcome;
}

int flooder_main(int argc, char** argv) {
  FlooderOptions options;
  const std::map<std::string, FloodKind> kinds{
      {"init", FloodKind::init}, {"cookie", FloodKind::cookie}, {"udp", FloodKind::udp}};
  CLI::App app("Floods a host with frames from many addresses. Only for networks of one's own.");
  app.add_option("--kind", options.kind, "init, cookie or udp")->required()->transform(CLI::CheckedTransformer(kinds));
  app.add_option("--interface", options.interface, "the kernel interface to send over")->required();
  app.add_option("--to-mac", options.destination_mac, "Ethernet address of the host, or of the gateway there")
      ->required();
  app.add_option("--to", options.destination, "IPv4 address of the host")->required();
  app.add_option("--port", options.port, "its port")->capture_default_str();
  app.add_option("--from", options.first_source, "the first source address; the others follow it")
      ->capture_default_str();
  app.add_option("--sources", options.sources, "how many")->check(CLI::Range(1, 1 << 16))->capture_default_str();
  app.add_option("--bytes", options.bytes, "udp: bytes of a frame")->check(CLI::Range(60, 1514))->capture_default_str();
  app.add_option("--rate", options.rate, "frames a second; 0: as many as go")->capture_default_str();
  app.add_option("--seconds", options.seconds, "how long")->check(CLI::Range(0.0, 3600.0))->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { stopped = 1; });
  FrameSocket socket(options.interface);
  Frames frames(options, socket.mac());
  std::printf("ready\n");
  std::fflush(stdout);
  const Outcome outcome = flood(socket, frames, options);
  std::printf("{\"sent\": %llu, \"seconds\": %.6f, \"frame_bytes\": %zu}\n",
              static_cast<unsigned long long>(outcome.sent), outcome.seconds, frames.frame_bytes());
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  try {
    return sluice::bench::flooder_main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench-flooder: %s\n", error.what());
    return 1;
  }
}
