#include <fmt/format.h>
#include <net/if.h>

#include "drivers/pmd/device.hpp"

namespace sluice::drivers::pmd {

// A TUN/TAP interface that the PMD makes and that vanishes with the port. The kernel spreads flows over its queues.
Device describe_tap(const PortConfig& config) {
  const std::string interface = config.interface.empty() ? config.name : config.interface;
  if (interface.size() >= IF_NAMESIZE)
    refuse(config, fmt::format("'{}' is too long for a kernel interface; use at most {} characters", interface,
                               IF_NAMESIZE - 1));
  Device device;
  device.name = "net_tap_" + config.name;
  device.arguments = "iface=" + interface;
  if (config.mac) device.arguments += ",mac=" + base::to_string(*config.mac);
  device.kernel_interface = interface;
  device.spreads_flows = true;
  return device;
}

}  // namespace sluice::drivers::pmd
