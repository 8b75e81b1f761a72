// A peer on the Linux kernel's SCTP sockets, for a stack under test: runs in the guest that kernel-peer starts.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

// After what it leaves to others to include.
#include <linux/sctp.h>

#include <cerrno>
#include <cstring>

#include "tests/interop/peer.hpp"

namespace interop {
namespace {

void set_option(int fd, int name, const void* value, std::size_t size) {
  check(setsockopt(fd, IPPROTO_SCTP, name, value, static_cast<socklen_t>(size)), "setsockopt");
}

class SocketAssociation final : public Association {
 public:
  explicit SocketAssociation(int fd) : fd_(fd) {}
  SocketAssociation(const SocketAssociation&) = delete;
  SocketAssociation& operator=(const SocketAssociation&) = delete;
  ~SocketAssociation() override {
    if (fd_ >= 0) close(fd_);
  }

  bool send(const Message& message) override { return transmit(message) == static_cast<ssize_t>(message.bytes.size()); }

  Received receive(Message& message) override {
    message.bytes.clear();
    for (bool end = false; !end;) {
      iovec part{buffer_.data(), buffer_.size()};
      alignas(cmsghdr) char control[256];
      msghdr header{};
      header.msg_iov = &part;
      header.msg_iovlen = 1;
      header.msg_control = control;
      header.msg_controllen = sizeof control;
      const ssize_t got = recvmsg(fd_, &header, 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return ended(got);
      for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != IPPROTO_SCTP || c->cmsg_type != SCTP_RCVINFO) continue;
        sctp_rcvinfo info;
        std::memcpy(&info, CMSG_DATA(c), sizeof info);
        message.stream = info.rcv_sid;
        message.ppid = ntohl(info.rcv_ppid);
      }
      message.bytes.insert(message.bytes.end(), buffer_.begin(), buffer_.begin() + got);
      end = (header.msg_flags & MSG_EOR) != 0;
    }
    return Received::message;
  }

  void shutdown() override { check(::shutdown(fd_, SHUT_WR), "shutdown"); }

  /// The reason stays here: sockets of this kind cannot send one (SO_LINGER does the rest).
  void abort(const std::string&) override {
    close(fd_);
    fd_ = -1;
  }

  std::uint16_t streams_out() override {
    sctp_status status{};
    socklen_t size = sizeof status;
    check(getsockopt(fd_, IPPROTO_SCTP, SCTP_STATUS, &status, &size), "SCTP_STATUS");
    return status.sstat_outstrms;
  }

 private:
  /// A socket whose association was shut down is no longer connected; one whose association was lost has an error. What
  /// is left of the shutdown is the kernel's affair: to close with SO_LINGER as it is would abort it.
  Received ended(ssize_t got) const {
    if (got == 0 || errno == ENOTCONN) {
      const linger patient{0, 0};
      check(setsockopt(fd_, SOL_SOCKET, SO_LINGER, &patient, sizeof patient), "SO_LINGER");
      return Received::closed;
    }
    say(std::string("recvmsg: ") + std::strerror(errno));
    return Received::lost;
  }

  ssize_t transmit(const Message& message) {
    iovec part{const_cast<std::uint8_t*>(message.bytes.data()), message.bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(sctp_sndinfo))] = {};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* const c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = IPPROTO_SCTP;
    c->cmsg_type = SCTP_SNDINFO;
    c->cmsg_len = CMSG_LEN(sizeof(sctp_sndinfo));
    sctp_sndinfo info{};
    info.snd_sid = message.stream;
    info.snd_ppid = htonl(message.ppid);
    std::memcpy(CMSG_DATA(c), &info, sizeof info);
    return sendmsg(fd_, &header, MSG_NOSIGNAL);
  }

  int fd_;
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(1 << 16);
};

class KernelSockets final : public Sockets {
 public:
  std::unique_ptr<Association> connect(const Options& options) override {
    PackedAddresses peers(options.peers, options.port);
    const int fd = open(peers.six ? AF_INET6 : AF_INET, options.streams);
    if (!options.local.empty() || options.local_port != 0) bind_to(fd, options.local, options.local_port, peers.six);
    set_option(fd, SCTP_SOCKOPT_CONNECTX, peers.bytes.data(), peers.bytes.size());
    return std::make_unique<SocketAssociation>(fd);
  }

  void listen(const Options& options) override {
    listener_ = open(AF_INET6, 65535);
    bind_to(listener_, options.local, options.port, true);
    check(::listen(listener_, 64), "listen");
  }

  std::unique_ptr<Association> accept() override {
    return std::make_unique<SocketAssociation>(check(::accept(listener_, nullptr, nullptr), "accept"));
  }

 private:
  static int open(int family, std::uint16_t streams) {
    const int fd = check(socket(family, SOCK_STREAM, IPPROTO_SCTP), "socket(IPPROTO_SCTP)");
    sctp_initmsg init{};
    init.sinit_num_ostreams = streams;
    init.sinit_max_instreams = 65535;
    set_option(fd, SCTP_INITMSG, &init, sizeof init);
    const int on = 1;
    set_option(fd, SCTP_RECVRCVINFO, &on, sizeof on);
    set_option(fd, SCTP_NODELAY, &on, sizeof on);
    const int buffer = 4 << 20;  // a message is never larger than this
    check(setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer), "SO_SNDBUFFORCE");
    const int receive_buffer = 1 << 20;
    check(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer), "SO_RCVBUFFORCE");
    const linger none{1, 0};  // whoever is killed leaves no association behind that tries to shut down
    check(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none), "SO_LINGER");
    return fd;
  }

  static void bind_to(int fd, const std::vector<std::string>& local, std::uint16_t port, bool six) {
    PackedAddresses addresses(local.empty() ? std::vector<std::string>{six ? "::" : "0.0.0.0"} : local, port);
    set_option(fd, SCTP_SOCKOPT_BINDX_ADD, addresses.bytes.data(), addresses.bytes.size());
  }

  int listener_ = -1;
};

}  // namespace
}  // namespace interop

int main(int argc, char** argv) {
  interop::KernelSockets sockets;
  return interop::run_peer("socket-peer", sockets, argc, argv);
}
