// A peer on the Linux kernel's SCTP sockets, for a stack under test: runs in the guest that kernel-peer starts.
//
//   socket-peer echo PORT                            echoes every message on its stream with its PPID until the peers
//   are gone socket-peer client ADDRESS PORT MESSAGES STREAMS MAX_SIZE [WINDOW]
//                                                    sends self-describing messages of mixed sizes and checks each echo
//
// Exit status 0 when all that was to be checked was right; a line on standard output says what was.

#include <arpa/inet.h>
#include <linux/sctp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string& what) {
  std::printf("socket-peer: %s\n", what.c_str());
  std::exit(1);
}

int check(int result, const char* what) {
  if (result < 0) fail(std::string(what) + ": " + std::strerror(errno));
  return result;
}

struct Message {
  std::uint16_t stream = 0;
  std::uint32_t ppid = 0;
  bool end = false;
  std::vector<std::uint8_t> bytes;
};

void set_option(int fd, int name, const void* value, socklen_t size) {
  check(setsockopt(fd, IPPROTO_SCTP, name, value, size), "setsockopt");
}

int open_socket(int family, std::uint16_t streams) {
  const int fd = check(socket(family, SOCK_STREAM, IPPROTO_SCTP), "socket(IPPROTO_SCTP)");
  sctp_initmsg init{};
  init.sinit_num_ostreams = streams;
  init.sinit_max_instreams = 65535;
  set_option(fd, SCTP_INITMSG, &init, sizeof init);
  const int on = 1;
  set_option(fd, SCTP_RECVRCVINFO, &on, sizeof on);
  set_option(fd, SCTP_NODELAY, &on, sizeof on);
  const int buffer = 1 << 20;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  return fd;
}

void send_message(int fd, const Message& message) {
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
  const ssize_t sent = sendmsg(fd, &header, MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(message.bytes.size())) fail(std::string("sendmsg: ") + std::strerror(errno));
}

/// Reads one whole message; false at the end of the association.
bool receive_message(int fd, Message& message) {
  message.bytes.clear();
  message.end = false;
  static std::vector<std::uint8_t> buffer(1 << 20);
  while (!message.end) {
    iovec part{buffer.data(), buffer.size()};
    alignas(cmsghdr) char control[256];
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    const ssize_t got = recvmsg(fd, &header, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
      if (c->cmsg_level != IPPROTO_SCTP || c->cmsg_type != SCTP_RCVINFO) continue;
      sctp_rcvinfo info;
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      message.stream = info.rcv_sid;
      message.ppid = ntohl(info.rcv_ppid);
    }
    message.bytes.insert(message.bytes.end(), buffer.begin(), buffer.begin() + got);
    message.end = (header.msg_flags & MSG_EOR) != 0;
  }
  return true;
}

int echo(std::uint16_t port) {
  const int listener = open_socket(AF_INET6, 65535);
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(port);
  check(bind(listener, reinterpret_cast<sockaddr*>(&any), sizeof any), "bind");
  check(listen(listener, 64), "listen");
  for (;;) {
    const int fd = check(accept(listener, nullptr, nullptr), "accept");
    Message message;
    std::uint64_t count = 0;
    for (; receive_message(fd, message); ++count) send_message(fd, message);
    std::printf("echoed %llu messages\n", static_cast<unsigned long long>(count));
    std::fflush(stdout);
    close(fd);
  }
}

std::uint8_t pattern(std::uint32_t number, std::size_t at) {
  return static_cast<std::uint8_t>((number * 2654435761u + at * 40503u) >> 8);
}

Message make_message(std::uint32_t number, std::uint16_t streams, std::uint32_t max_size) {
  Message message;
  message.stream = static_cast<std::uint16_t>(number % streams);
  message.ppid = number;
  const std::uint32_t sizes[] = {1, 2, 3, 4, 5, 64, 100, 255, 256, 1000, 1400, 1452, 1453, 3000, 8192, 20000, 65536};
  std::uint32_t size = sizes[number % (sizeof sizes / sizeof *sizes)];
  if (size > max_size) size = 1 + number % max_size;
  message.bytes.resize(size);
  for (std::size_t i = 0; i < size; ++i) message.bytes[i] = pattern(number, i);
  return message;
}

void check_echo(const Message& got, const Message& expected) {
  if (got.stream != expected.stream || got.ppid != expected.ppid || got.bytes != expected.bytes)
    fail("echo differs: stream " + std::to_string(got.stream) + " ppid " + std::to_string(got.ppid) + " size " +
         std::to_string(got.bytes.size()) + ", expected stream " + std::to_string(expected.stream) + " ppid " +
         std::to_string(expected.ppid) + " size " + std::to_string(expected.bytes.size()));
}

int client(const std::string& address, std::uint16_t port, std::uint32_t messages, std::uint16_t streams,
           std::uint32_t max_size, std::uint32_t window) {
  const bool six = address.find(':') != std::string::npos;
  const int fd = open_socket(six ? AF_INET6 : AF_INET, streams);
  sockaddr_storage peer{};
  socklen_t length = sizeof(sockaddr_in);
  if (six) {
    auto& to = reinterpret_cast<sockaddr_in6&>(peer);
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(port);
    length = sizeof(sockaddr_in6);
    if (inet_pton(AF_INET6, address.c_str(), &to.sin6_addr) != 1) fail("not an address: " + address);
  } else {
    auto& to = reinterpret_cast<sockaddr_in&>(peer);
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    if (inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) fail("not an address: " + address);
  }
  check(connect(fd, reinterpret_cast<sockaddr*>(&peer), length), "connect");
  std::vector<std::deque<std::uint32_t>> awaited(streams);
  std::uint32_t sent = 0;
  Message got;
  for (std::uint32_t answered = 0; answered < messages;) {
    for (; sent < messages && sent - answered < window; ++sent) {
      send_message(fd, make_message(sent, streams, max_size));
      awaited[sent % streams].push_back(sent);
    }
    if (!receive_message(fd, got)) fail("the association ended after " + std::to_string(answered) + " echoes");
    if (got.stream >= streams || awaited[got.stream].empty()) fail("an echo that nothing was sent for");
    check_echo(got, make_message(awaited[got.stream].front(), streams, max_size));
    awaited[got.stream].pop_front();
    ++answered;
  }
  shutdown(fd, SHUT_WR);
  if (receive_message(fd, got)) fail("a message more than was sent");
  close(fd);
  std::printf("%u messages sent and echoed, all right\n", messages);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto number = [&](std::size_t i) {
    return static_cast<std::uint32_t>(std::strtoul(arguments[i].c_str(), nullptr, 10));
  };
  if (arguments.size() == 2 && arguments[0] == "echo") return echo(static_cast<std::uint16_t>(number(1)));
  if (arguments.size() >= 6 && arguments[0] == "client")
    return client(arguments[1], static_cast<std::uint16_t>(number(2)), number(3), static_cast<std::uint16_t>(number(4)),
                  number(5), arguments.size() > 6 ? number(6) : 64);
  std::printf("usage: socket-peer echo PORT | client ADDRESS PORT MESSAGES STREAMS MAX_SIZE [WINDOW]\n");
  return 2;
}
