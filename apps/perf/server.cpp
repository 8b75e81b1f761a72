#include "apps/perf/server.hpp"

#include <cstdio>

#include "apps/common/json.hpp"
#include "apps/common/stop_signal.hpp"
#include "apps/perf/meter.hpp"
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

void print_result(const PerfOptions& options, const ServerTotals& totals, const Stack& stack, const Meter& meter) {
  const std::uint64_t messages = totals.messages;
  const double seconds = meter.seconds();
  const double cycles = messages > 0 ? meter.cycles() / static_cast<double>(messages) : 0;
  if (options.json) {
    Json json;
    json.begin_object()
        .add("role", "server")
        .add("messages", messages)
        .add("bytes", totals.bytes.load())
        .add("seconds", seconds)
        .add("messages_per_second", static_cast<double>(messages) / seconds)
        .add("bytes_per_second", static_cast<double>(totals.bytes.load()) / seconds)
        .add("lost", totals.lost.load())
        .add("corrupted", totals.corrupted.load())
        .add("misordered", totals.misordered.load())
        .add("duplicated", totals.duplicated.load())
        .add("associations", totals.ended.load())
        .add("workers", stack.workers())
        .add("retransmissions", counter(stack, "association.chunks_retransmitted"))
        .add("cycles_per_message", cycles)
        .add("cpu_seconds", meter.cpu_seconds())
        .end_object();
    std::printf("%s\n", json.text().c_str());
    return;
  }
  std::printf("%llu messages, %llu bytes, %llu corrupted, %llu misordered, %llu duplicated, %u associations ended\n",
              static_cast<unsigned long long>(messages), static_cast<unsigned long long>(totals.bytes.load()),
              static_cast<unsigned long long>(totals.corrupted.load()),
              static_cast<unsigned long long>(totals.misordered.load()),
              static_cast<unsigned long long>(totals.duplicated.load()), totals.ended.load());
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
      if (!options.quiet) std::fprintf(stderr, "listening on port %u; Ctrl-C ends\n", options.port);
    }
    Progress progress(totals);
    while (!over()) {
      if (!loop.turn()) application.wait(std::chrono::milliseconds(10));
      if (index == 0 && !options.quiet) progress.tick();
    }
  });
  print_result(options, totals, stack, meter);
  return totals.corrupted + totals.misordered + totals.duplicated == 0 ? 0 : 1;
}

}  // namespace sluice::apps
