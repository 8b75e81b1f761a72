#include "apps/perf/server.hpp"

#include <cstdio>

#include "apps/common/stop_signal.hpp"
#include "apps/perf/meter.hpp"
#include "apps/perf/result.hpp"
#include "apps/perf/runner.hpp"
#include "apps/perf/server_loop.hpp"

namespace sluice::apps {
namespace {

/// A line a second while something happens.
class Progress {
 public:
  explicit Progress(const ServerTotals& totals) : totals_(totals), last_(now_seconds()) {}

  void tick() {
    const double now = now_seconds();
    if (now - last_ < 1) return;
    const std::uint64_t messages = totals_.messages;
    const std::uint64_t bytes = totals_.bytes;
    if (messages != messages_)
      std::fprintf(stderr, "%8.0f messages/s  %9.2f MB/s  %u associations  %llu corrupted\n",
                   static_cast<double>(messages - messages_) / (now - last_),
                   static_cast<double>(bytes - bytes_) / (now - last_) / 1e6, totals_.associations.load(),
                   static_cast<unsigned long long>(totals_.corrupted.load()));
    messages_ = messages;
    bytes_ = bytes;
    last_ = now;
  }

 private:
  const ServerTotals& totals_;
  double last_;
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
};

Result collect(ServerTotals& totals) {
  Result result;
  result.role = "server";
  if (totals.echoed > 0) result.mode = "latency";
  result.messages = totals.messages;
  result.bytes = totals.bytes;
  result.seconds = totals.active.seconds();
  result.lost = totals.lost + totals.echo_failures.missed();
  result.findings = {totals.messages, totals.bytes, totals.corrupted, totals.misordered, totals.duplicated};
  result.associations = totals.established;
  result.problems = totals.problems();
  for (auto& sentence : totals.echo_failures.sentences()) result.problems.push_back(std::move(sentence));
  return result;
}

}  // namespace

int run_server(const PerfOptions& options) {
  catch_stop_signals();
  Stack stack(options.stack.config());
  ServerTotals totals;
  const Meter meter;
  const auto over = [&] {
    return stop_requested() || (options.duration > 0 && meter.seconds() > options.duration) ||
           (options.exit_after > 0 && totals.ended >= options.exit_after && totals.associations == 0);
  };
  run_applications(stack, options.delivery, [&](Application& application, std::size_t index, std::size_t) {
    ServerLoop loop(application, totals);
    if (index == 0) {
      EndpointOptions endpoint;
      endpoint.port = options.port;
      endpoint.listen = true;
      application.open(endpoint);
      std::fprintf(stderr, "listening on port %u; Ctrl-C ends\n", options.port);
    }
    Progress progress(totals);
    while (!over()) {
      if (!loop.turn()) application.wait(std::chrono::milliseconds(10));
      if (index == 0 && !options.quiet) progress.tick();
    }
  });
  Result result = collect(totals);
  result.take(stack, meter);
  print(result, options);
  return result.all_right() ? 0 : 1;
}

}  // namespace sluice::apps
