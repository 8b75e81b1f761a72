#pragma once

#include <sluice/status.hpp>

#include <functional>
#include <vector>

#include "drivers/telemetry.hpp"

namespace sluice::socket {

/// What a stack tells sluice-ctl through DPDK's telemetry socket. Numbers in names and parameters are decimal.
///
///   /sluice/counters,FROM       up to a page of counters from the FROM-th on; `next` is where the next page begins, 0:
///   none /sluice/associations,AFTER  a page of associations with ids above AFTER, each a group; `next` is its last id,
///   0: none follow
class StackTelemetry {
 public:
  using Counters = std::function<std::vector<CounterStatus>()>;
  using Associations = std::function<std::vector<AssociationStatus>(AssocId after, std::size_t limit)>;

  StackTelemetry(Counters counters, Associations associations);

 private:
  drivers::TelemetryAnswer answer(std::string_view command, std::string_view parameters) const;
  drivers::TelemetryAnswer counter_page(std::uint64_t from) const;
  drivers::TelemetryAnswer association_page(AssocId after) const;

  Counters counters_;
  Associations associations_;
  drivers::Telemetry telemetry_;
};

}  // namespace sluice::socket
