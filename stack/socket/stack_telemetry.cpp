#include "stack/socket/stack_telemetry.hpp"

#include <sluice/names.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace sluice::socket {
namespace {

using drivers::TelemetryAnswer;

constexpr std::array<drivers::Telemetry::Command, 2> kCommands{{
    {"/sluice/counters", "Returns a page of counters. Parameter: number of the first"},
    {"/sluice/associations", "Returns a page of associations with their paths. Parameter: the id after which to begin"},
}};

// Pages stay below DPDK's limits: a counter is up to some 60 characters, an association with a path some 800, each
// further path 250.
constexpr std::size_t kCountersPage = 100;
constexpr std::size_t kAssociationsPage = 12;
constexpr std::size_t kPathsPage = 24;

std::uint64_t microseconds(Duration duration) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

void add_path(TelemetryAnswer::Group& group, const PathStatus& path) {
  const std::string prefix = "path" + std::to_string(path.id.value) + '_';
  const auto add = [&](const char* name, TelemetryAnswer::Value value) {
    group.values.emplace_back(prefix + name, std::move(value));
  };
  add("source", path.source.to_string());
  add("destination", path.destination.to_string());
  add("state", std::string(name(path.state)));
  add("primary", std::uint64_t{path.primary});
  add("rto_us", microseconds(path.rto));
  add("srtt_us", microseconds(path.srtt));
  add("cwnd", std::uint64_t{path.cwnd});
  add("ssthresh", std::uint64_t{path.ssthresh});
  add("outstanding", std::uint64_t{path.outstanding});
  add("errors", std::uint64_t{path.error_count});
  add("retransmitted", path.retransmitted);
  add("pmtu", std::uint64_t{path.pmtu});
}

TelemetryAnswer::Group group_of(const AssociationStatus& status) {
  TelemetryAnswer::Group group;
  group.name = std::to_string(status.id.value);
  const auto add = [&](const char* name, TelemetryAnswer::Value value) {
    group.values.emplace_back(name, std::move(value));
  };
  add("state", std::string(status.state));
  add("worker", std::uint64_t{status.worker});
  add("endpoint", std::uint64_t{status.endpoint.value});
  add("local_port", std::uint64_t{status.local_port});
  add("peer_port", std::uint64_t{status.peer_port});
  add("streams_in", std::uint64_t{status.streams_in});
  add("streams_out", std::uint64_t{status.streams_out});
  add("peer_window", std::uint64_t{status.peer_window});
  add("receive_window", std::uint64_t{status.receive_window});
  add("buffered_bytes", status.buffered_bytes);
  add("outstanding_bytes", std::uint64_t{status.outstanding_bytes});
  add("chunks_unacknowledged", std::uint64_t{status.chunks_unacknowledged});
  add("chunks_pending", std::uint64_t{status.chunks_pending});
  add("chunks_sent", status.chunks_sent);
  add("chunks_received", status.chunks_received);
  add("chunks_retransmitted", status.chunks_retransmitted);
  add("chunks_timed_out", std::uint64_t{status.chunks_timed_out});
  add("t1_expired", std::uint64_t{status.t1_expired});
  add("t2_expired", std::uint64_t{status.t2_expired});
  add("errors", std::uint64_t{status.error_count});
  add("failovers", std::uint64_t{status.failovers});
  add("paths", std::uint64_t{status.paths.size()});
  for (const PathStatus& path : status.paths) add_path(group, path);
  return group;
}

/// The name as DPDK allows it.
std::string telemetry_name(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; }, '/');
  return name;
}

}  // namespace

StackTelemetry::StackTelemetry(Counters counters, Associations associations)
    : counters_(std::move(counters)),
      associations_(std::move(associations)),
      telemetry_(kCommands, [this](std::string_view command, std::string_view parameters) {
        return answer(command, parameters);
      }) {}

TelemetryAnswer StackTelemetry::answer(std::string_view command, std::string_view parameters) const {
  std::uint64_t number = 0;
  std::from_chars(parameters.data(), parameters.data() + parameters.size(), number);
  return command == kCommands[0].name ? counter_page(number) : association_page(AssocId(number));
}

TelemetryAnswer StackTelemetry::counter_page(std::uint64_t from) const {
  const std::vector<CounterStatus> all = counters_();
  TelemetryAnswer answer;
  const std::size_t end = std::min<std::size_t>(all.size(), from + kCountersPage);
  answer.values.emplace_back("next", end < all.size() ? std::uint64_t{end} : 0);
  for (std::size_t i = from; i < end; ++i) answer.values.emplace_back(telemetry_name(all[i].name), all[i].value);
  return answer;
}

TelemetryAnswer StackTelemetry::association_page(AssocId after) const {
  const std::vector<AssociationStatus> found = associations_(after, kAssociationsPage + 1);
  TelemetryAnswer answer;
  std::size_t paths = 0;
  std::uint64_t last = 0;
  for (const AssociationStatus& status : found) {
    paths += status.paths.size();
    if (!answer.groups.empty() && (paths > kPathsPage || answer.groups.size() == kAssociationsPage)) break;
    answer.groups.push_back(group_of(status));
    last = status.id.value;
  }
  answer.values.emplace_back("next", answer.groups.size() < found.size() ? last : 0);
  return answer;
}

}  // namespace sluice::socket
