#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stack/base/mac_address.hpp"

namespace sluice::drivers {

/// The PMD families that Sluice knows how to set up.
enum class PortKind : std::uint8_t { af_packet, af_xdp, tap, memif, virtio_user, vhost, ring, pcap, null, pci };

/// Which end of a memif or vhost-user socket a port is: the server makes the socket and may start first.
enum class PortRole : std::uint8_t { server, client };

/// One port, as configured. Fields that its kind has no use for are ignored.
struct PortConfig {
  std::string name{};  ///< names the port to the user, and the DPDK device; unique, 1 to 32 of [A-Za-z0-9_-]
  PortKind kind = PortKind::af_packet;
  /// af_packet, af_xdp: the kernel interface, which should carry no address of its own, lest the kernel answer SCTP
  /// with ICMP protocol-unreachable; tap: the interface to make; pci: the device's address, "0000:03:00.0". ring, null:
  /// an Ethernet device that exists already (made by --vdev or by the program), or nothing to have one made.
  std::string interface {};
  /// memif, vhost, virtio_user: the socket; pcap: the file to read from.
  std::string path{};
  std::string transmit_path{};     ///< pcap: the file to write to
  std::optional<PortRole> role{};  ///< unset: memif and vhost are the server, virtio_user is the client
  std::string arguments{};   ///< more device arguments, "key=value,key=value", as DPDK's PMD documents them; they win
  std::uint16_t queues = 1;  ///< pairs wished for: one a worker; the port may have fewer
  std::uint16_t mtu = 1500;  ///< largest IP packet: 1280 to 9000
  std::uint16_t receive_descriptors = 1024;
  std::uint16_t transmit_descriptors = 1024;
  std::optional<base::MacAddress> mac{};  ///< instead of the port's own
  bool promiscuous = false;               ///< receive frames for other MAC addresses too
};

/// "af_packet" and so on.
std::string_view to_string(PortKind kind);
/// The kind called `text`; nothing when there is none.
std::optional<PortKind> parse_port_kind(std::string_view text);

}  // namespace sluice::drivers
