#include <fmt/format.h>

#include <algorithm>

#include "drivers/kernel_interface.hpp"
#include "drivers/pmd/device.hpp"

namespace sluice::drivers::pmd {

// An XDP socket for each queue of the interface, which takes every frame before the kernel's stack sees it. The PMD
// lets the kernel write straight into our pool's blocks.
Device describe_af_xdp(const PortConfig& config) {
  prepare_kernel_interface(config);
  const std::uint16_t queues = std::min(config.queues, kernel_interface_queues(config.interface));
  Device device;
  device.name = "net_af_xdp_" + config.name;
  device.arguments = fmt::format("iface={},start_queue=0,queue_count={}", config.interface, queues);
  device.kernel_interface = config.interface;
  device.spreads_flows = true;  // the NIC's own RSS, as the kernel has set it up
  return device;
}

}  // namespace sluice::drivers::pmd
