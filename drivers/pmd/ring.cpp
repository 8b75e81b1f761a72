#include "drivers/pmd/device.hpp"

namespace sluice::drivers::pmd {

// DPDK's in-process devices: a pair of software rings, which by themselves loop what is sent back to the sender, and a
// device that swallows everything. For tests, and for programs that make devices of their own.
Device describe_ring(const PortConfig& config) {
  Device device;
  device.name = config.interface.empty() ? "net_ring_" + config.name : config.interface;
  return device;
}

Device describe_null(const PortConfig& config) {
  Device device;
  device.name = config.interface.empty() ? "net_null_" + config.name : config.interface;
  return device;
}

}  // namespace sluice::drivers::pmd
