#include <sluice/names.hpp>
#include <sluice/stack.hpp>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <deque>
#include <unordered_map>
#include <vector>

#include "apps/common/echo_failures.hpp"
#include "apps/common/not_negative.hpp"
#include "apps/common/reason_text.hpp"
#include "apps/common/stack_options.hpp"
#include "apps/common/stop_signal.hpp"

namespace sluice::apps {
namespace {

struct EchoOptions {
  StackOptions stack;
  std::uint16_t port = 7;
  bool discard = false;
  bool verbose = false;
  double duration = 0;
};

/// Sends every message back on its stream with its PPID, piece by piece as it arrives.
class Echo {
 public:
  Echo(Application& application, const EchoOptions& options) : application_(application), options_(options) {}

  bool turn() {
    const std::size_t n = application_.poll(events_);
    for (std::size_t i = 0; i < n; ++i)
      if (!on_event(events_[i])) application_.release(std::span(&events_[i], 1));
    return n > 0;
  }
  unsigned long long messages() const { return messages_; }
  unsigned long long bytes() const { return bytes_; }
  const EchoFailures& failures() const { return failures_; }

 private:
  /// True: the event is kept, to be released later.
  bool on_event(const Event& event) {
    switch (event.type) {
      case EventType::message:
        messages_ += event.end ? 1 : 0;
        bytes_ += event.length;
        return !options_.discard && !send_back(event);
      case EventType::association_up:
        say(event, "up");
        break;
      case EventType::association_lost:
        say(event, "lost: " + end_text(event));
        forget(event.association);
        break;
      case EventType::closed:
        say(event, "closed");
        forget(event.association);
        break;
      case EventType::restarted:
        say(event, "restarted");
        forget(event.association);  // echoes of what the peer sent in its former life
        break;
      case EventType::shutdown_received:
        say(event, "shut down by the peer");
        break;
      case EventType::path_changed:
        say(event, std::string("path ") + std::to_string(event.path.value) + ' ' + name(event.path_state));
        break;
      case EventType::send_failed:
        failures_.add(event);
        if (event.end) not_echoed(event, failure_text(event));
        break;
      case EventType::writable:
        send_waiting(event.association);
        break;
      default:
        break;
    }
    return false;
  }

  void say(const Event& event, const std::string& what) const {
    if (options_.verbose)
      std::fprintf(stderr, "association %llu %s\n", static_cast<unsigned long long>(event.association.value),
                   what.c_str());
  }

  /// False: there is no room.
  bool send(const Event& event) {
    SendOptions options;
    options.unordered = event.unordered;
    options.end = event.end;
    const SendResult result = application_.send(event.association, event.stream, event.ppid, event.bytes(), options);
    if (event.end && result != SendResult::queued && result != SendResult::would_block) {
      failures_.add(result);
      not_echoed(event, text_of(result));
    }
    return result != SendResult::would_block;
  }

  void not_echoed(const Event& event, const std::string& why) const {
    const std::string what = event.sent ? "the echo of a message on stream " : "a message on stream ";
    say(event,
        what + std::to_string(event.stream.value) + (event.sent ? " not acknowledged: " : " not echoed: ") + why);
  }

  /// False: there is no room. The event is kept as it is, so that the receive window closes and the peer slows down.
  bool send_back(const Event& event) {
    const auto queue = waiting_.find(event.association.value);
    if (queue == waiting_.end() && send(event)) return true;
    waiting_[event.association.value].push_back(event);
    return false;
  }

  void send_waiting(AssocId association) {
    const auto queue = waiting_.find(association.value);
    if (queue == waiting_.end()) return;
    for (auto& events = queue->second; !events.empty(); events.pop_front()) {
      if (!send(events.front())) return;
      application_.release(std::span(&events.front(), 1));
    }
    waiting_.erase(queue);
  }

  void forget(AssocId association) {
    const auto queue = waiting_.find(association.value);
    if (queue == waiting_.end()) return;
    for (const Event& event : queue->second) {
      if (event.end) not_echoed(event, text_of(SendResult::not_connected));
      application_.release(std::span(&event, 1));
    }
    waiting_.erase(queue);
  }

  Application& application_;
  const EchoOptions& options_;
  std::vector<Event> events_ = std::vector<Event>(256);
  std::unordered_map<std::uint64_t, std::deque<Event>> waiting_;
  unsigned long long messages_ = 0;
  unsigned long long bytes_ = 0;
  EchoFailures failures_;
};

int echo_main(int argc, char** argv) {
  std::vector<char*> storage;
  EchoOptions options;
  options.stack.eal_arguments = split_eal_arguments(argc, argv, storage);
  CLI::App app(
      "Echoes every SCTP message on its stream with its PPID. DPDK's own arguments may stand in front: sluice-echo "
      "EAL-ARGUMENTS -- ...");
  add_version(app, "sluice-echo");
  app.add_option("--port", options.port, "SCTP port to listen on")->check(CLI::Range(1, 65535))->capture_default_str();
  app.add_flag("--discard", options.discard, "take messages and send nothing back");
  app.add_flag("-v,--verbose", options.verbose,
               "tell of associations and paths that come and go, and of messages that cannot be echoed");
  app.add_option("--duration", options.duration, "seconds after which to end; 0: when stopped")->check(not_negative());
  options.stack.add_to(app);
  CLI11_PARSE(app, argc, argv);

  catch_stop_signals();
  Stack stack(options.stack.config());
  const auto application = stack.attach();
  EndpointOptions endpoint;
  endpoint.port = options.port;
  endpoint.listen = true;
  application->open(endpoint);
  std::fprintf(stderr, "listening on port %u; Ctrl-C ends\n", options.port);
  Echo echo(*application, options);
  const auto begun = std::chrono::steady_clock::now();
  const std::chrono::duration<double> duration(options.duration);
  while (!stop_requested() && (options.duration <= 0 || std::chrono::steady_clock::now() - begun < duration))
    if (!echo.turn()) application->wait(std::chrono::milliseconds(100));
  std::printf("%llu messages, %llu bytes\n", echo.messages(), echo.bytes());
  for (const auto& sentence : echo.failures().sentences()) std::fprintf(stderr, "%s\n", sentence.c_str());
  return echo.failures().missed() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace sluice::apps

int main(int argc, char** argv) {
  return sluice::apps::run_program("sluice-echo", sluice::apps::echo_main, argc, argv);
}
