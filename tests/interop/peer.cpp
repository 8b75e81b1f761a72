#include "tests/interop/peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <thread>

namespace interop {
namespace {

constexpr char kUsage[] = R"(usage:
  %s echo PORT [OPTION VALUE]...             listen, and send every message back on its stream with its PPID
  %s echo-to ADDRESSES PORT [OPTION VALUE]...  connect, and do the same
  %s client ADDRESSES PORT [OPTION VALUE]...   send messages of many sizes, and check what comes back; then shut down
  %s burst ADDRESSES PORT [OPTION VALUE]...    send all, wait for --go, shut down, and only then read and check

  ADDRESSES and lists are separated by commas.
  --local ADDRESSES     bind to these of our addresses
  --local-port PORT     and to this port
  --streams N           offer N streams and use them all (10)
  --messages N          send N messages (10000)
  --until FILE          send until FILE exists
  --sizes LIST          bytes of the messages, in turn
  --window N            messages under way at once (64)
  --rate N              and no more than N a second
  --after N --then shutdown|abort|pause   what to do after the N-th message (client: abort, pause); a pause ends when --go exists
  --go FILE
  --pace LIST           initial, least and greatest RTO and heartbeat interval in ms, retransmissions on a path (usrsctp)
)";

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    parts.push_back(list.substr(at, comma - at));
    at = comma + 1;
  }
  return parts;
}

std::uint32_t number(const std::string& text, std::uint32_t most = UINT32_MAX) {
  char* end = nullptr;
  const unsigned long long value = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value > most) fail("'" + text + "' is no number up to " + std::to_string(most));
  return static_cast<std::uint32_t>(value);
}

void set(Options& options, const std::string& name, const std::string& value) {
  if (name == "--local")
    options.local = split(value);
  else if (name == "--local-port")
    options.local_port = static_cast<std::uint16_t>(number(value, 65535));
  else if (name == "--streams")
    options.streams = static_cast<std::uint16_t>(std::max(number(value, 65535), 1u));
  else if (name == "--messages")
    options.messages = number(value);
  else if (name == "--until")
    options.until = value;
  else if (name == "--window")
    options.window = number(value);
  else if (name == "--rate")
    options.rate = std::max(number(value), 1u);
  else if (name == "--after")
    options.after = number(value);
  else if (name == "--then" && (value == "shutdown" || value == "abort" || value == "pause"))
    options.then = value;
  else if (name == "--go")
    options.go = value;
  else if (name == "--sizes")
    for (const std::string& size : split(value)) options.sizes.push_back(std::max(number(size), 1u));
  else if (name == "--pace")
    for (const std::string& one : split(value)) options.pace.push_back(number(one));
  else
    fail("no such option: " + name + ' ' + value);
}

/// Nothing in `role` when it is not a command line.
Options parse(const std::vector<std::string>& arguments) {
  Options options;
  if (arguments.empty()) return options;
  const bool listens = arguments[0] == "echo";
  const std::size_t positional = listens ? 2 : 3;
  if (arguments.size() < positional || (arguments.size() - positional) % 2 != 0) return options;
  if (!listens) options.peers = split(arguments[1]);
  options.port = static_cast<std::uint16_t>(number(arguments[positional - 1], 65535));
  for (std::size_t i = positional; i < arguments.size(); i += 2) set(options, arguments[i], arguments[i + 1]);
  if (!options.pace.empty() && options.pace.size() != 5) fail("--pace wants five numbers");
  if (options.sizes.empty())
    options.sizes = {1, 2, 3, 4, 5, 64, 100, 255, 256, 1000, 1400, 1452, 1453, 3000, 8192, 20000, 65536};
  options.role = arguments[0];
  return options;
}

bool exists(const std::string& file) {
  return access(file.c_str(), F_OK) == 0;
}

void wait_for_go(const Options& options) {
  if (options.go.empty()) fail("--go FILE is missing");
  while (!exists(options.go)) usleep(20000);
}

const char* text_of(Received end) {
  return end == Received::closed ? "closed" : "lost";
}

/// Reads what still comes, up to the end of the association.
Received drain(Association& association) {
  Message message;
  Received received = Received::message;
  while (received == Received::message) received = association.receive(message);
  return received;
}

Received echo_on(Association& association, const Options& options) {
  Message message;
  for (std::uint64_t count = 1;; ++count) {
    const Received received = association.receive(message);
    if (received != Received::message || !association.send(message)) {
      say("echoed " + std::to_string(count - 1) + " messages");
      return received == Received::message ? Received::lost : received;
    }
    if (count != options.after) continue;
    say(options.then + " after " + std::to_string(count) + " messages");
    if (options.then == "pause") {
      wait_for_go(options);
      say("going on");
    } else if (options.then == "abort") {
      association.abort("enough of that");
      return Received::lost;
    } else {
      association.shutdown();
      return drain(association);
    }
  }
}

int serve(Sockets& sockets, const Options& options) {
  sockets.listen(options);
  say("ready");
  for (;;) {
    const auto association = sockets.accept();
    say(std::string("association ") + text_of(echo_on(*association, options)));
  }
}

std::uint8_t pattern(std::uint32_t number, std::size_t at) {
  return static_cast<std::uint8_t>((number * 2654435761u + at * 40503u) >> 8);
}

/// Sends messages that say what they are, and checks each one that comes back.
class Exchange {
 public:
  Exchange(Association& association, const Options& options)
      : association_(association),
        options_(options),
        streams_(std::min(options.streams, association.streams_out())),
        most_(options.until.empty() ? options.messages : UINT32_MAX) {
    say(std::to_string(association.streams_out()) + " streams granted");
    if (streams_ == 0) fail("no stream");
  }

  std::uint32_t under_way() const { return sent_ - answered_; }
  std::uint32_t answered() const { return answered_; }

  /// False: all is sent.
  bool may_send() {
    if (!options_.until.empty() && most_ == UINT32_MAX && exists(options_.until)) most_ = sent_;
    return sent_ < most_;
  }

  void send_next() {
    if (options_.rate > 0)
      std::this_thread::sleep_until(begun_ + std::chrono::microseconds{1000000} * sent_ / options_.rate);
    const Message message = make(sent_);
    if (!association_.send(message)) fail("the association ended after " + std::to_string(sent_) + " messages");
    awaited_[message.stream].push_back(sent_++);
  }

  void take_answer() {
    Message got;
    const Received received = association_.receive(got);
    if (received != Received::message)
      fail(std::string("the association is ") + text_of(received) + " after " + std::to_string(answered_) + " echoes");
    auto& awaited = awaited_[got.stream];
    if (awaited.empty()) fail("an echo on stream " + std::to_string(got.stream) + " that nothing was sent for");
    compare(got, make(awaited.front()));
    awaited.pop_front();
    ++answered_;
  }

 private:
  Message make(std::uint32_t number) const {
    Message message;
    // A prime, so that consecutive messages are on streams far apart and all streams have their turn.
    message.stream = static_cast<std::uint16_t>(std::uint64_t{number} * 7919 % streams_);
    message.ppid = number;
    message.bytes.resize(options_.sizes[number % options_.sizes.size()]);
    for (std::size_t i = 0; i < message.bytes.size(); ++i) message.bytes[i] = pattern(number, i);
    return message;
  }

  static void compare(const Message& got, const Message& expected) {
    if (got.stream == expected.stream && got.ppid == expected.ppid && got.bytes == expected.bytes) return;
    const auto describe = [](const Message& m) {
      return "stream " + std::to_string(m.stream) + " ppid " + std::to_string(m.ppid) + " size " +
             std::to_string(m.bytes.size());
    };
    fail("echo differs: " + describe(got) + ", expected " + describe(expected));
  }

  Association& association_;
  const Options& options_;
  const std::uint16_t streams_;
  std::uint32_t most_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::uint32_t sent_ = 0;
  std::uint32_t answered_ = 0;
  std::map<std::uint16_t, std::deque<std::uint32_t>> awaited_;  // by stream: the numbers that are due
};

int end(Association& association, const Exchange& exchange) {
  const Received received = drain(association);
  if (received == Received::lost) fail("the association was lost, not closed");
  say(std::to_string(exchange.answered()) + " messages sent and echoed, all right");
  return 0;
}

int client(Sockets& sockets, const Options& options) {
  const auto association = sockets.connect(options);
  Exchange exchange(*association, options);
  while (exchange.may_send() || exchange.under_way() > 0) {
    while (exchange.under_way() < options.window && exchange.may_send()) exchange.send_next();
    if (options.then == "abort" && exchange.answered() >= options.after) {
      association->abort("enough of that");
      say("aborted after " + std::to_string(exchange.answered()) + " echoes");
      return 0;
    }
    if (options.then == "pause" && exchange.answered() == options.after) {
      say("pause after " + std::to_string(exchange.answered()) + " echoes");
      wait_for_go(options);
      say("going on");
    }
    exchange.take_answer();
  }
  association->shutdown();
  return end(*association, exchange);
}

int burst(Sockets& sockets, const Options& options) {
  const auto association = sockets.connect(options);
  Exchange exchange(*association, options);
  while (exchange.may_send()) exchange.send_next();
  say("sent");
  wait_for_go(options);
  association->shutdown();
  while (exchange.under_way() > 0) exchange.take_answer();
  return end(*association, exchange);
}

int echo_to(Sockets& sockets, const Options& options) {
  const auto association = sockets.connect(options);
  return echo_on(*association, options) == Received::closed ? 0 : 1;
}

}  // namespace

PackedAddresses::PackedAddresses(const std::vector<std::string>& addresses, std::uint16_t port) {
  for (const std::string& text : addresses) {
    sockaddr_in four{};
    sockaddr_in6 large{};
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    large.sin6_family = AF_INET6;
    large.sin6_port = htons(port);
    const auto append = [&](const auto& address) {
      const auto* const from = reinterpret_cast<const std::uint8_t*>(&address);
      bytes.insert(bytes.end(), from, from + sizeof address);
      ++count;
    };
    if (inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
      append(four);
    } else if (inet_pton(AF_INET6, text.c_str(), &large.sin6_addr) == 1) {
      append(large);
      six = true;
    } else {
      fail("not an address: " + text);
    }
  }
}

void fail(const std::string& what) {
  say("failed: " + what);
  std::exit(1);
}

int check(long result, const char* what) {
  if (result < 0) fail(std::string(what) + ": " + std::strerror(errno));
  return static_cast<int>(result);
}

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
  fsync(STDOUT_FILENO);  // the guest's file system writes files of its host late
}

int run_peer(const char* name, Sockets& sockets, int argc, char** argv) {
  const Options options = parse(std::vector<std::string>(argv + 1, argv + argc));
  say("pid " + std::to_string(getpid()));
  if (options.role == "echo") return serve(sockets, options);
  if (options.role == "echo-to") return echo_to(sockets, options);
  if (options.role == "client") return client(sockets, options);
  if (options.role == "burst") return burst(sockets, options);
  std::printf(kUsage, name, name, name, name);
  return 2;
}

}  // namespace interop
