#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stack/base/log.hpp"

namespace sluice::drivers {

enum class HugePages : std::uint8_t {
  automatic,  ///< when the system has enough of them free
  yes,        ///< or refuse to start
  no,
};

/// How DPDK's environment is to be started.
struct EalConfig {
  std::string program = "sluice";      ///< argv[0], for DPDK's messages
  std::vector<unsigned> cores;         ///< CPUs the process may run on; none: all that it may now
  std::uint32_t memory_megabytes = 0;  ///< 0: 512. All pools must fit
  HugePages huge_pages = HugePages::automatic;
  std::string file_prefix;  ///< tells processes apart; empty: made from the process id
  /// The physical devices to take, "0000:03:00.0", with arguments behind a comma; none: the PCI bus is left alone.
  std::vector<std::string> pci_devices;
  bool telemetry = true;                               ///< what sluice-ctl asks
  std::vector<std::string> arguments;                  ///< more EAL arguments, given last, so that they win
  base::LogLevel log_level = base::LogLevel::warning;  ///< which of DPDK's own messages reach our log
};

}  // namespace sluice::drivers
