#pragma once

#include <string>

#include "drivers/port_config.hpp"
#include "drivers/setup_error.hpp"

namespace sluice::drivers::pmd {

/// What DPDK is asked for: one Ethernet device, and what its driver needs from us around it.
struct Device {
  std::string bus = "vdev";
  std::string name{};              ///< DPDK's name for it; begins with the driver's name
  std::string arguments{};         ///< "key=value,key=value"
  std::string kernel_interface{};  ///< whose link state, MTU and multicast filter are the kernel's affair; or empty
  std::string socket{};            ///< the socket that it will make; a stale one is in the way
  bool knows_mtu = true;           ///< false: the driver states a limit that it does not have, and takes no MTU
  bool spreads_flows = false;      ///< with several queues, a flow keeps to one of them without RSS being set up
  bool may_interrupt = false;      ///< receive interrupts are worth asking for
};

// One file a family. They check what can be checked beforehand and throw SetupError.
Device describe_af_packet(const PortConfig& config);
Device describe_af_xdp(const PortConfig& config);
Device describe_tap(const PortConfig& config);
Device describe_memif(const PortConfig& config);
Device describe_virtio_user(const PortConfig& config);
Device describe_vhost(const PortConfig& config);
Device describe_ring(const PortConfig& config);
Device describe_null(const PortConfig& config);
Device describe_pcap(const PortConfig& config);
Device describe_pci(const PortConfig& config);

/// The device that `config` asks for, of whichever kind.
Device describe(const PortConfig& config);

/// Throws the SetupError of a client whose server is not there yet, when nothing has made the socket at `config.path`.
void need_server_socket(const PortConfig& config);

/// Throws a SetupError about a port: "port 'NAME': WHAT".
[[noreturn]] void refuse(const PortConfig& config, const std::string& what);

}  // namespace sluice::drivers::pmd
