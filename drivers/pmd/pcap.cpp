#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "drivers/pmd/device.hpp"

namespace sluice::drivers::pmd {

// Frames from one capture file, to another one.
Device describe_pcap(const PortConfig& config) {
  if (config.path.empty() && config.transmit_path.empty())
    refuse(config, "pcap needs a file to read (path), one to write (transmit_path), or both");
  if (!config.path.empty() && access(config.path.c_str(), R_OK) != 0)
    refuse(config, fmt::format("capture file '{}' cannot be read: {}; name one that exists", config.path,
                               std::strerror(errno)));
  Device device;
  device.name = "net_pcap_" + config.name;
  if (!config.path.empty()) device.arguments = "rx_pcap=" + config.path;
  if (!config.transmit_path.empty())
    device.arguments += (device.arguments.empty() ? "tx_pcap=" : ",tx_pcap=") + config.transmit_path;
  return device;
}

}  // namespace sluice::drivers::pmd
