#include "drivers/pmd/device.hpp"

namespace sluice::drivers::pmd {

// A physical NIC, bound to vfio-pci (or left with its kernel driver where the PMD wants that, as mlx5's does).
Device describe_pci(const PortConfig& config) {
  if (config.interface.empty())
    refuse(config, "a PCI port needs its device's address; set interface, for example \"0000:03:00.0\"");
  Device device;
  device.bus = "pci";
  device.name = config.interface;
  device.may_interrupt = true;
  return device;
}

}  // namespace sluice::drivers::pmd
