#pragma once

#include <sluice/export.hpp>
#include <sluice/ip_address.hpp>
#include <sluice/parameters.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// An address and the length of its network's prefix: `198.18.0.1/24`, `2001:db8::1/64`.
struct InterfaceAddress {
  IpAddress address;
  std::uint8_t prefix_length = 0;
};

/// A way to a network that no port is on: `to` over the gateway `via`.
struct RouteConfig {
  InterfaceAddress to;  ///< `0.0.0.0/0` or `::/0` for the default route
  IpAddress via;        ///< a neighbour on one of the ports' networks
};

/// The family of poll-mode driver behind a port.
enum class PortDriver : std::uint8_t { af_packet, af_xdp, tap, memif, virtio_user, vhost, ring, pcap, pci };

/// One network port, [[port]] in the file.
struct PortConfig {
  std::string name;  ///< how messages and tables call it; the file's default is `port0`, `port1`, …
  PortDriver driver = PortDriver::af_packet;
  /// What the driver opens: a kernel interface (af_packet, af_xdp), the name of a new one (tap), a socket path (memif,
  /// virtio_user, vhost), a file to read frames from (pcap), a PCI address (pci), an Ethernet device that DPDK has
  /// already (ring; empty: one is made that loops what it is given back).
  std::string device;
  std::string transmit_device;  ///< pcap: the file to write frames to; empty: they are dropped
  std::string arguments;        ///< more driver arguments, comma separated, as DPDK documents them; mostly empty
  bool server = false;          ///< memif and vhost: create the socket instead of connecting to it
  std::uint16_t queues = 0;     ///< queue pairs; 0: one for each worker, as far as the driver has them
  std::uint16_t mtu = 1500;     ///< IP packet bytes, 1280 to 9000
  std::uint16_t vlan = 0;       ///< 802.1Q VLAN id, 0: untagged
  /// Frames that a receive and a transmit queue hold, at most 8192. 0: 256 on shared-memory links (memif, virtio_user,
  /// vhost), where the frames then stay in the processor's cache, else 1024.
  std::uint16_t rx_descriptors = 0;
  std::uint16_t tx_descriptors = 0;
  std::string mac;           ///< Ethernet address to use, `02:00:00:00:00:01`; empty: the device's own
  bool promiscuous = false;  ///< let frames for other Ethernet addresses in; they are counted and dropped
  /// Writes every frame in and out to `CAPTURE-N.pcap`, N being the queue, at a price: system calls for each burst.
  std::string capture;
  std::vector<InterfaceAddress> addresses;
};

enum class HugePages : std::uint8_t { automatic, always, never };

/// What a worker does when nothing is to do.
enum class IdleMode : std::uint8_t {
  busy,   ///< poll on: lowest latency, a core each
  yield,  ///< pause, then give the core away between polls
  sleep,  ///< pause, yield, then sleep up to `idle_sleep` or until woken
};

/// The caps on what a stack holds. What each refuses is counted under a name.
struct LimitsConfig {
  std::uint32_t associations = 16384;      ///< in the stack, all workers together
  std::uint32_t opening_attempts = 4096;   ///< associations of ours not yet established
  std::uint32_t endpoints = 1024;          ///< at most 65534
  std::uint32_t inits_per_second = 10000;  ///< that peers may send, each worker; further ones are dropped unread
  std::uint32_t receive_buffers = 16384;   ///< packets, each worker
  std::uint32_t transmit_buffers = 8192;   ///< packets, each worker
  std::uint64_t send_arena = 32 << 20;     ///< bytes of send memory, each application thread
  std::uint32_t events = 8192;             ///< entries of an event ring, each application thread and worker
};

/// All that a stack is started from: a TOML file's contents, or filled in by the program.
struct StackConfig {
  std::uint16_t workers = 1;
  std::vector<std::uint16_t> cpus;  ///< one for each worker, whose thread runs there alone, also when it is an
                                    ///< application's; empty: not pinned
  IdleMode idle = IdleMode::sleep;
  Duration idle_sleep = std::chrono::microseconds(50);
  HugePages huge_pages = HugePages::automatic;
  std::uint32_t memory_mb = 0;  ///< 0: derived from the limits
  std::string instance =
      "sluice";  ///< names the DPDK file prefix: two stacks on a host need two; sluice-ctl finds it by this
  std::string log_level = "info";          ///< trace, debug, info, warning, error or off
  std::vector<std::string> eal_arguments;  ///< passed to rte_eal_init as they are
  std::vector<PortConfig> ports;
  std::vector<RouteConfig> routes;
  LimitsConfig limits;
  Parameters parameters;  ///< the default of every endpoint
};

/// The parameters of a profile, a starting point for one's own: "rfc9260", the defaults, or "telecom", which notices a
/// dead path in a few hundred milliseconds; config/telecom.toml explains it. Throws Error for any other name.
SLUICE_API Parameters profile(std::string_view name);
/// Reads a TOML file. Throws Error naming the file, line, key and the allowed values; unknown keys are errors.
SLUICE_API StackConfig load_config(const std::string& path);
/// Reads TOML text; `name` stands for the file in errors.
SLUICE_API StackConfig parse_config(std::string_view text, const std::string& name);
/// Sets one value by its dotted key, as a command line does: `workers=2`, `port.0.mtu=9000`,
/// `parameters.rto_min=100ms`. Throws Error as load_config() does.
SLUICE_API void override_config(StackConfig& config, std::string_view assignment);

}  // namespace sluice
