#pragma once

#include <sluice/application.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "apps/common/histogram.hpp"
#include "apps/perf/checker.hpp"
#include "apps/perf/control_messages.hpp"
#include "apps/perf/load.hpp"
#include "apps/perf/options.hpp"
#include "apps/perf/send_times.hpp"
#include "apps/perf/span_of_time.hpp"

namespace sluice::apps {

/// What a client has done so far; the counts are readable while its loop runs, the rest when it is done.
struct ClientTotals {
  explicit ClientTotals(SpanOfTime& active_) : active(active_) {}

  SpanOfTime& active;                      ///< of all loops: from the first association up to the last report or answer
  std::atomic<std::uint64_t> messages{0};  ///< sent; with latency: answered
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint32_t> associations{0};  ///< up at the moment
  std::atomic<std::uint32_t> established{0};   ///< that came up
  std::uint64_t lost = 0;
  Findings findings;  ///< of the server, or of the answers
  Histogram latency;  ///< nanoseconds
  std::vector<std::string> problems;
};

/// One application thread of a client: opens its associations, sends the load, waits for the reports, closes.
class ClientLoop {
 public:
  ClientLoop(Application& application, const PerfOptions& options, std::uint32_t associations, double rate,
             ClientTotals& totals);

  void connect();
  /// Takes one burst of events and sends what may be sent. False when there was nothing to do.
  bool turn();
  /// No more load from now on: what is under way is completed.
  void finish() { finishing_ = true; }
  /// An association came up.
  bool connected() const { return totals_.established > 0; }
  /// Every association came to its end.
  bool done() const { return ended_ == associations_; }
  /// Aborts what is still there.
  void give_up(const std::string& why);

 private:
  enum class Phase {
    greeting,
    sending,
    closing_load,
    awaiting_report,
    closing,
    completing,  // the peer shuts down while a message is begun
    ending,      // by the peer
  };
  struct Peer {
    explicit Peer(AssocId id_, const Content& content) : id(id_), load(id_, content) {}
    AssocId id;
    Load load;
    Phase phase = Phase::greeting;
    bool ready = false;      // stands in ready_
    bool blocked = false;    // waits for a writable event
    bool explained = false;  // why it ends was said
    // With latency: the answers are checked, and each request's time is kept until its answer.
    std::unique_ptr<Checker> answers;
    std::unique_ptr<SendTimes> sent_at;
    std::uint64_t answered = 0;  // 0 without latency
  };

  Peer* find(AssocId association);
  void on_event(const Event& event);
  void on_up(const Event& event);
  /// Throws Error when the association has too few streams for the load.
  void check_streams(const Event& event) const;
  void on_end(const Event& event);
  void count_lost(const Peer& peer);
  void on_message(const Event& event);
  void on_answer(Peer& peer, const Event& event);
  void on_report(Peer& peer, const Report& report);
  void on_own_hello(Peer& peer);
  void on_shutdown(Peer& peer);
  void stop_sending(Peer& peer);
  bool send_ready();
  /// Sends as much as goes for `peer` in one turn. True: it may go on in the next.
  bool advance(Peer& peer);
  bool send_load(Peer& peer);
  bool load_complete(const Peer& peer) const;
  bool send_control(Peer& peer, std::uint32_t ppid, std::span<const std::byte> bytes);
  void make_ready(Peer& peer);
  std::uint64_t allowance();
  void problem(const std::string& what);

  Application& application_;
  const PerfOptions& options_;
  const Content content_;
  ClientTotals& totals_;
  const std::uint32_t associations_;
  const double rate_;
  EndpointId endpoint_;
  std::vector<Event> events_ = std::vector<Event>(256);
  std::uint32_t opened_ = 0;
  std::uint32_t failed_ = 0;  // that did not come up
  std::uint32_t ended_ = 0;
  bool finishing_ = false;
  double started_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t turn_share_ = 0;  // messages that one association may send in this turn
  std::unordered_map<std::uint64_t, Peer> peers_;
  std::deque<Peer*> ready_;
  std::uint64_t latest_id_ = 0;
  Peer* latest_ = nullptr;
};

}  // namespace sluice::apps
