#include "apps/perf/client.hpp"

#include <cstdio>

#include "apps/common/json.hpp"
#include "apps/common/stop_signal.hpp"
#include "apps/common/table.hpp"
#include "apps/perf/client_loop.hpp"
#include "apps/perf/meter.hpp"
#include "apps/perf/runner.hpp"

namespace sluice::apps {
namespace {

/// After the load: how long nothing may arrive before the client gives up.
constexpr double kPatienceSeconds = 60;

/// What all loops of a client did, taken together.
struct Result {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t lost = 0;
  std::uint32_t associations = 0;
  Findings findings;
  Histogram latency;
  std::vector<std::string> problems;
  double load_seconds = 0;  // from the first association up to the last report
  double cpu_seconds = 0;
  double cycles = 0;
  std::uint64_t retransmissions = 0;
  std::uint16_t workers = 0;

  bool good() const {
    return problems.empty() && lost == 0 && findings.corrupted + findings.misordered + findings.duplicated == 0;
  }
  double per_second(std::uint64_t what) const {
    return load_seconds > 0 ? static_cast<double>(what) / load_seconds : 0;
  }
};

std::string number(double value, int digits = 0) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

double microseconds(const Histogram& histogram, double share) {
  return static_cast<double>(histogram.quantile(share)) / 1000;
}

void print_json(const PerfOptions& options, const Result& result) {
  Json json;
  json.begin_object()
      .add("role", "client")
      .add("mode", options.latency ? "latency" : "throughput")
      .add("messages", result.messages)
      .add("bytes", result.bytes)
      .add("seconds", result.load_seconds)
      .add("messages_per_second", result.per_second(result.messages))
      .add("bytes_per_second", result.per_second(result.bytes))
      .add("lost", result.lost)
      .add("corrupted", result.findings.corrupted)
      .add("misordered", result.findings.misordered)
      .add("duplicated", result.findings.duplicated)
      .begin_object("latency_us")
      .add("p50", microseconds(result.latency, 0.5))
      .add("p99", microseconds(result.latency, 0.99))
      .add("p999", microseconds(result.latency, 0.999))
      .end_object()
      .add("associations", result.associations)
      .add("workers", result.workers)
      .add("retransmissions", result.retransmissions)
      .add("cycles_per_message", result.messages > 0 ? result.cycles / static_cast<double>(result.messages) : 0)
      .add("cpu_seconds", result.cpu_seconds);
  if (options.histogram) {
    json.begin_array("latency_histogram_us");
    result.latency.for_each([&](std::uint64_t upper, std::uint64_t count) {
      json.begin_object().add("up_to", static_cast<double>(upper) / 1000).add("count", count).end_object();
    });
    json.end_array();
  }
  json.begin_array("problems");
  for (const auto& problem : result.problems) json.begin_object().add("what", problem).end_object();
  json.end_array().end_object();
  std::printf("%s\n", json.text().c_str());
}

void print_histogram(const Histogram& histogram) {
  std::uint64_t most = 1;
  histogram.for_each([&](std::uint64_t, std::uint64_t count) { most = std::max(most, count); });
  histogram.for_each([&](std::uint64_t upper, std::uint64_t count) {
    std::printf("%12.1f us  %10llu  %s\n", static_cast<double>(upper) / 1000, static_cast<unsigned long long>(count),
                std::string(1 + 49 * count / most, '#').c_str());
  });
}

void print_table(const PerfOptions& options, const Result& result) {
  Table table;
  table.add({"", "result"});
  table.add({"messages", std::to_string(result.messages)});
  table.add({"seconds", number(result.load_seconds, 2)});
  table.add({"messages/s", number(result.per_second(result.messages))});
  table.add({"MB/s", number(result.per_second(result.bytes) / 1e6, 2)});
  if (options.latency) {
    table.add({"latency p50 us", number(microseconds(result.latency, 0.5), 1)});
    table.add({"latency p99 us", number(microseconds(result.latency, 0.99), 1)});
    table.add({"latency p99.9 us", number(microseconds(result.latency, 0.999), 1)});
  }
  table.add({"lost", std::to_string(result.lost)});
  table.add({"corrupted", std::to_string(result.findings.corrupted)});
  table.add({"out of order", std::to_string(result.findings.misordered)});
  table.add({"duplicated", std::to_string(result.findings.duplicated)});
  table.add({"retransmissions", std::to_string(result.retransmissions)});
  table.add({"associations", std::to_string(result.associations)});
  table.add({"CPU seconds", number(result.cpu_seconds, 2)});
  std::printf("%s", table.text().c_str());
  if (options.histogram) print_histogram(result.latency);
  for (const auto& problem : result.problems) std::printf("problem: %s\n", problem.c_str());
}

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
      if (now_seconds() - last_activity > kPatienceSeconds) return loop.give_up("nothing happened for 60 s");
      application.wait(std::chrono::milliseconds(1));
    }
    if (progress != nullptr) progress->tick(meter.seconds());
  }
}

Result collect(const std::vector<std::unique_ptr<ClientTotals>>& totals) {
  Result result;
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
  Stack stack(options.stack.config());
  std::vector<std::unique_ptr<ClientTotals>> totals;
  const std::size_t loops = options.delivery == Delivery::rings ? 1 : stack.workers();
  for (std::size_t i = 0; i < loops; ++i) totals.push_back(std::make_unique<ClientTotals>());
  const Meter meter;
  run_applications(stack, options.delivery, [&](Application& application, std::size_t index, std::size_t count) {
    const auto share =
        static_cast<std::uint32_t>(options.associations / count + (index < options.associations % count ? 1 : 0));
    Progress progress(totals);
    ClientLoop loop(application, options, share, options.rate / static_cast<double>(count), *totals[index]);
    drive(loop, application, options, index == 0 && !options.quiet ? &progress : nullptr);
  });
  Result result = collect(totals);
  result.load_seconds = meter.seconds();
  result.cpu_seconds = meter.cpu_seconds();
  result.cycles = meter.cycles();
  result.retransmissions = counter(stack, "association.chunks_retransmitted");
  result.workers = stack.workers();
  if (options.json)
    print_json(options, result);
  else
    print_table(options, result);
  return result.good() && result.associations == options.associations ? 0 : 1;
}

}  // namespace sluice::apps
