#include "apps/perf/client.hpp"

#include <sluice/error.hpp>

#include <cmath>
#include <cstdio>

#include "apps/common/stop_signal.hpp"
#include "apps/perf/client_loop.hpp"
#include "apps/perf/meter.hpp"
#include "apps/perf/result.hpp"
#include "apps/perf/runner.hpp"

namespace sluice::apps {
namespace {

/// How long nothing may arrive before the client gives up: while no association is up, later, and when somebody asked
/// it to stop.
constexpr double kPatienceToConnect = 30;
constexpr double kPatienceSeconds = 60;
constexpr double kPatienceWhenStopped = 3;

/// A line a second.
class Progress {
 public:
  explicit Progress(const std::vector<std::unique_ptr<ClientTotals>>& totals) : totals_(totals), last_(now_seconds()) {}

  void tick(double since_start) {
    const double now = now_seconds();
    if (now - last_ < 1) return;
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    std::uint32_t associations = 0;
    for (const auto& one : totals_) {
      messages += one->messages;
      bytes += one->bytes;
      associations += one->associations;
    }
    std::fprintf(stderr, "%4.0f s  %10.0f messages/s  %9.2f MB/s  %u associations\n", since_start,
                 static_cast<double>(messages - messages_) / (now - last_),
                 static_cast<double>(bytes - bytes_) / (now - last_) / 1e6, associations);
    messages_ = messages;
    bytes_ = bytes;
    last_ = now;
  }

 private:
  const std::vector<std::unique_ptr<ClientTotals>>& totals_;
  double last_;
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
};

/// Runs one loop to its end.
void drive(ClientLoop& loop, Application& application, const PerfOptions& options, Progress* progress) {
  const Meter meter;
  double last_activity = now_seconds();
  while (!loop.done()) {
    const bool stopping = stop_requested() || (options.duration > 0 && meter.seconds() > options.duration);
    if (stopping) loop.finish();
    if (loop.turn()) {
      last_activity = now_seconds();
    } else {
      const double patience = stop_requested()   ? kPatienceWhenStopped
                              : loop.connected() ? kPatienceSeconds
                                                 : kPatienceToConnect;
      if (now_seconds() - last_activity > patience)
        return loop.give_up((stop_requested() ? "stopped, and nothing happened for " : "nothing happened for ") +
                            number(std::floor(now_seconds() - last_activity)) + " s");
      application.wait(std::chrono::milliseconds(1));
    }
    if (progress != nullptr) progress->tick(meter.seconds());
  }
}

Result collect(const PerfOptions& options, const std::vector<std::unique_ptr<ClientTotals>>& totals) {
  Result result;
  result.role = "client";
  if (options.latency) result.mode = "latency";
  for (const auto& one : totals) {
    result.messages += one->messages;
    result.bytes += one->bytes;
    result.lost += one->lost;
    result.associations += one->established;
    result.findings.add(one->findings);
    result.latency.merge(one->latency);
    result.problems.insert(result.problems.end(), one->problems.begin(), one->problems.end());
  }
  return result;
}

}  // namespace

int run_client(const PerfOptions& options) {
  catch_stop_signals();
  const StackConfig config = options.stack.config();
  if (options.local_port != 0 && options.delivery == Delivery::run_to_completion && config.workers > 1)
    throw Error("--local-port does not go with --delivery run-to-completion and " + std::to_string(config.workers) +
                " workers: each worker's loop opens a port of its own; give --workers 1, or leave one of the two out");
  Stack stack(config);
  std::vector<std::unique_ptr<ClientTotals>> totals;
  SpanOfTime active;
  const std::size_t loops = options.delivery == Delivery::rings ? 1 : stack.workers();
  for (std::size_t i = 0; i < loops; ++i) totals.push_back(std::make_unique<ClientTotals>(active));
  const Meter meter;
  run_applications(stack, options.delivery, [&](Application& application, std::size_t index, std::size_t count) {
    const auto share =
        static_cast<std::uint32_t>(options.associations / count + (index < options.associations % count ? 1 : 0));
    Progress progress(totals);
    const double rate = options.rate * share / options.associations;
    ClientLoop loop(application, options, share, rate, *totals[index]);
    drive(loop, application, options, index == 0 && !options.quiet ? &progress : nullptr);
  });
  Result result = collect(options, totals);
  result.seconds = active.seconds();
  result.take(stack, meter);
  print(result, options);
  return result.all_right() && result.problems.empty() && result.associations == options.associations ? 0 : 1;
}

}  // namespace sluice::apps
