#pragma once

#include <sluice/application.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "apps/common/echo_failures.hpp"
#include "apps/perf/checker.hpp"
#include "apps/perf/control_messages.hpp"
#include "apps/perf/span_of_time.hpp"

namespace sluice::apps {

/// Totals of a server, readable while its loops run.
class ServerTotals {
 public:
  SpanOfTime active;  ///< from the first to the last message
  std::atomic<std::uint64_t> messages{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> corrupted{0};
  std::atomic<std::uint64_t> misordered{0};
  std::atomic<std::uint64_t> duplicated{0};
  std::atomic<std::uint64_t> lost{0};  ///< that a client said it had sent, and that had not come when it went
  std::atomic<std::uint64_t> echoed{0};
  EchoFailures echo_failures;
  std::atomic<std::uint32_t> associations{0};  ///< up at the moment
  std::atomic<std::uint32_t> established{0};   ///< that came up
  std::atomic<std::uint32_t> ended{0};         ///< that were up and are gone

  void add_problem(std::string what) {
    const std::lock_guard lock(mutex_);
    if (problems_.size() < 10) problems_.push_back(std::move(what));
  }
  std::vector<std::string> problems() const {
    const std::lock_guard lock(mutex_);
    return problems_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> problems_;
};

/// One application thread of a server. An association that begins with a Hello sends a load one way, which is checked
/// and reported; on any other, each message is sent back on its stream with its PPID.
class ServerLoop {
 public:
  ServerLoop(Application& application, ServerTotals& totals) : application_(application), totals_(totals) {}

  /// Takes one burst of events. False when there was nothing to do.
  bool turn();

 private:
  struct Peer {
    std::unique_ptr<Content> content;  // null: echo
    std::unique_ptr<Checker> checker;
    bool finishing = false;
    Finish finish;
    bool reported = false;
    std::deque<Event> echoes;  // that there was no room for: kept, so that the receive window closes
  };

  /// True: the event is kept, to be released later.
  bool on_message(Peer& peer, const Event& event);
  void on_event(const Event& event);
  void on_end(const Event& event);
  /// What the peer was before is over; it may be something else now.
  void on_restart(const Event& event);
  bool echo(Peer& peer, const Event& event);
  /// False: there is no room.
  bool send_back(const Event& event);
  void send_waiting(AssocId association, Peer& peer);
  void report_if_complete(AssocId association, Peer& peer);
  void count(const Findings& before, const Findings& after);
  Peer* find(AssocId association);

  Application& application_;
  ServerTotals& totals_;
  std::vector<Event> events_ = std::vector<Event>(256);  // kept: making them anew costs as much as a message
  std::unordered_map<std::uint64_t, Peer> peers_;
  std::uint64_t latest_id_ = 0;
  Peer* latest_ = nullptr;
};

}  // namespace sluice::apps
