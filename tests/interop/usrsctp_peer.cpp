// A peer on usrsctp, the FreeBSD kernel's SCTP as a library, speaking through raw sockets over the addresses of the
// namespace that it runs in.

#include <unistd.h>
#include <usrsctp.h>

#include <cerrno>
#include <cstring>

#include "tests/interop/peer.hpp"

namespace interop {
namespace {

class UsrsctpAssociation final : public Association {
 public:
  explicit UsrsctpAssociation(struct socket* socket) : socket_(socket) {}
  UsrsctpAssociation(const UsrsctpAssociation&) = delete;
  UsrsctpAssociation& operator=(const UsrsctpAssociation&) = delete;
  ~UsrsctpAssociation() override { usrsctp_close(socket_); }

  bool send(const Message& message) override {
    return transmit(message, 0) == static_cast<ssize_t>(message.bytes.size());
  }

  Received receive(Message& message) override {
    message.bytes.clear();
    for (bool end = false; !end;) {
      sockaddr_storage from{};
      socklen_t from_length = sizeof from;
      sctp_rcvinfo info{};
      socklen_t info_length = sizeof info;
      unsigned info_type = 0;
      int flags = 0;
      const ssize_t got = usrsctp_recvv(socket_, buffer_.data(), buffer_.size(), reinterpret_cast<sockaddr*>(&from),
                                        &from_length, &info, &info_length, &info_type, &flags);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return got == 0 ? Received::closed : Received::lost;
      if (info_type == SCTP_RECVV_RCVINFO) {
        message.stream = info.rcv_sid;
        message.ppid = ntohl(info.rcv_ppid);
      }
      message.bytes.insert(message.bytes.end(), buffer_.begin(), buffer_.begin() + got);
      end = (flags & MSG_EOR) != 0;
    }
    return Received::message;
  }

  void shutdown() override { check(usrsctp_shutdown(socket_, SHUT_WR), "usrsctp_shutdown"); }

  void abort(const std::string& reason) override {
    Message message;
    message.bytes.assign(reason.begin(), reason.end());
    check(transmit(message, SCTP_ABORT), "usrsctp_sendv with SCTP_ABORT");
  }

  std::uint16_t streams_out() override { return status().sstat_outstrms; }

  /// usrsctp_connectx() does not wait for it.
  void await_establishment() {
    for (std::int32_t state = SCTP_CLOSED; state != SCTP_ESTABLISHED; state = status().sstat_state) usleep(1000);
  }

 private:
  sctp_status status() {
    sctp_status status{};
    socklen_t size = sizeof status;
    check(usrsctp_getsockopt(socket_, IPPROTO_SCTP, SCTP_STATUS, &status, &size), "SCTP_STATUS");
    return status;
  }

  ssize_t transmit(const Message& message, std::uint16_t flags) {
    sctp_sndinfo info{};
    info.snd_sid = message.stream;
    info.snd_flags = flags;
    info.snd_ppid = htonl(message.ppid);
    return usrsctp_sendv(socket_, message.bytes.data(), message.bytes.size(), nullptr, 0, &info, sizeof info,
                         SCTP_SENDV_SNDINFO, 0);
  }

  struct socket* const socket_;
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(1 << 16);
};

class UsrsctpSockets final : public Sockets {
 public:
  UsrsctpSockets() {
    usrsctp_init(0, nullptr, nullptr);  // 0: no UDP
    usrsctp_sysctl_set_sctp_no_csum_on_loopback(0);
  }

  std::unique_ptr<Association> connect(const Options& options) override {
    PackedAddresses peers(options.peers, options.port);
    set_pace(options.pace);
    struct socket* const socket = open(peers.six ? AF_INET6 : AF_INET, options.streams);
    if (!options.local.empty() || options.local_port != 0)
      bind_to(socket, options.local, options.local_port, peers.six);
    check(usrsctp_connectx(socket, peers.first(), peers.count, nullptr), "usrsctp_connectx");
    say("connecting");
    auto association = std::make_unique<UsrsctpAssociation>(socket);
    association->await_establishment();
    return association;
  }

  void listen(const Options& options) override {
    set_pace(options.pace);
    listener_ = open(AF_INET6, 65535);
    bind_to(listener_, options.local, options.port, true);
    check(usrsctp_listen(listener_, 64), "usrsctp_listen");
  }

  std::unique_ptr<Association> accept() override {
    struct socket* const accepted = usrsctp_accept(listener_, nullptr, nullptr);
    if (accepted == nullptr) fail(std::string("usrsctp_accept: ") + std::strerror(errno));
    return std::make_unique<UsrsctpAssociation>(accepted);
  }

 private:
  /// For the sockets that are opened from now on.
  static void set_pace(const std::vector<std::uint32_t>& pace) {
    if (pace.empty()) return;
    usrsctp_sysctl_set_sctp_rto_initial_default(pace[0]);
    usrsctp_sysctl_set_sctp_rto_min_default(pace[1]);
    usrsctp_sysctl_set_sctp_rto_max_default(pace[2]);
    usrsctp_sysctl_set_sctp_init_rto_max_default(pace[2]);
    usrsctp_sysctl_set_sctp_heartbeat_interval_default(pace[3]);
    usrsctp_sysctl_set_sctp_path_rtx_max_default(pace[4]);
    usrsctp_sysctl_set_sctp_init_rtx_max_default(250);
    usrsctp_sysctl_set_sctp_assoc_rtx_max_default(250);
  }

  static struct socket* open(int family, std::uint16_t streams) {
    struct socket* const socket = usrsctp_socket(family, SOCK_STREAM, IPPROTO_SCTP, nullptr, nullptr, 0, nullptr);
    if (socket == nullptr) fail(std::string("usrsctp_socket: ") + std::strerror(errno));
    const auto set = [socket](int level, int name, const auto& value) {
      check(usrsctp_setsockopt(socket, level, name, &value, sizeof value), "usrsctp_setsockopt");
    };
    sctp_initmsg init{};
    init.sinit_num_ostreams = streams;
    init.sinit_max_instreams = 65535;
    set(IPPROTO_SCTP, SCTP_INITMSG, init);
    set(IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
    set(IPPROTO_SCTP, SCTP_NODELAY, 1);
    set(SOL_SOCKET, SO_SNDBUF, 1 << 20);
    set(SOL_SOCKET, SO_RCVBUF, 1 << 20);
    return socket;
  }

  static void bind_to(struct socket* socket, const std::vector<std::string>& local, std::uint16_t port, bool six) {
    if (local.empty()) {
      PackedAddresses any({six ? "::" : "0.0.0.0"}, port);
      check(usrsctp_bind(socket, any.first(), static_cast<socklen_t>(any.bytes.size())), "usrsctp_bind");
    } else {
      PackedAddresses addresses(local, port);
      check(usrsctp_bindx(socket, addresses.first(), addresses.count, SCTP_BINDX_ADD_ADDR), "usrsctp_bindx");
    }
  }

  struct socket* listener_ = nullptr;
};

}  // namespace
}  // namespace interop

int main(int argc, char** argv) {
  interop::UsrsctpSockets sockets;
  return interop::run_peer("usrsctp-peer", sockets, argc, argv);
}
