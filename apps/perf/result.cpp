#include "apps/perf/result.hpp"

#include <algorithm>
#include <cstdio>

#include "apps/common/json.hpp"
#include "apps/common/table.hpp"

namespace sluice::apps {
namespace {

double microseconds(const Histogram& histogram, double share) {
  return static_cast<double>(histogram.quantile(share)) / 1000;
}

double per_second(std::uint64_t what, const Result& result) {
  return result.seconds > 0 ? static_cast<double>(what) / result.seconds : 0;
}

void add_latency(Json& json, const Result& result, const PerfOptions& options) {
  json.begin_object("latency_us")
      .add("p50", microseconds(result.latency, 0.5))
      .add("p99", microseconds(result.latency, 0.99))
      .add("p999", microseconds(result.latency, 0.999))
      .add("max", microseconds(result.latency, 1))
      .end_object();
  if (!options.histogram) return;
  json.begin_array("latency_histogram_us");
  result.latency.for_each([&](std::uint64_t upper, std::uint64_t count) {
    json.begin_object().add("up_to", static_cast<double>(upper) / 1000).add("count", count).end_object();
  });
  json.end_array();
}

void print_json(const Result& result, const PerfOptions& options) {
  Json json;
  json.begin_object()
      .add("role", result.role)
      .add("mode", result.mode)
      .add("messages", result.messages)
      .add("bytes", result.bytes)
      .add("seconds", result.seconds)
      .add("messages_per_second", per_second(result.messages, result))
      .add("bytes_per_second", per_second(result.bytes, result))
      .add("lost", result.lost)
      .add("corrupted", result.findings.corrupted)
      .add("misordered", result.findings.misordered)
      .add("duplicated", result.findings.duplicated);
  add_latency(json, result, options);
  json.add("associations", result.associations)
      .add("workers", result.workers)
      .add("retransmissions", result.retransmissions)
      .add("packets_received", result.packets_received)
      .add("packets_sent", result.packets_sent)
      .add("cycles_per_message", result.messages > 0 ? result.cycles / static_cast<double>(result.messages) : 0)
      .add("cpu_seconds", result.cpu_seconds)
      .begin_array("problems");
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

void print_table(const Result& result, const PerfOptions& options) {
  Table table;
  table.add({"", "result"});
  table.add({"messages", std::to_string(result.messages)});
  table.add({"seconds", number(result.seconds, 2)});
  table.add({"messages/s", number(per_second(result.messages, result))});
  table.add({"MB/s", number(per_second(result.bytes, result) / 1e6, 2)});
  if (result.latency.total() > 0) {
    table.add({"latency p50 us", number(microseconds(result.latency, 0.5), 1)});
    table.add({"latency p99 us", number(microseconds(result.latency, 0.99), 1)});
    table.add({"latency p99.9 us", number(microseconds(result.latency, 0.999), 1)});
    table.add({"latency max us", number(microseconds(result.latency, 1), 1)});
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

}  // namespace

void Result::take(const Stack& stack, const Meter& meter) {
  cpu_seconds = meter.cpu_seconds();
  cycles = meter.cycles();
  workers = stack.workers();
  for (const CounterStatus& counter : stack.counters()) {
    if (counter.name == "association.chunks_retransmitted") retransmissions = counter.value;
    if (!counter.name.starts_with("port.")) continue;
    if (counter.name.ends_with(".rx_packets")) packets_received += counter.value;
    if (counter.name.ends_with(".tx_packets")) packets_sent += counter.value;
  }
}

void print(const Result& result, const PerfOptions& options) {
  if (options.json)
    print_json(result, options);
  else
    print_table(result, options);
}

std::string number(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

}  // namespace sluice::apps
