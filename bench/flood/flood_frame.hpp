#pragma once

#include <sluice/ip_address.hpp>

#include <cstdint>
#include <vector>

#include "stack/base/mac_address.hpp"

namespace sluice::bench {

/// What a flood consists of.
enum class FloodKind : std::uint8_t {
  init,    ///< INITs as Linux sends them: Supported Address Types, ECN Capable, Forward-TSN-Supported
  cookie,  ///< COOKIE ECHOs whose cookie is right in everything but its MAC
  udp,     ///< datagrams to a port where nobody listens
};

/// Where a flood comes from and goes to.
struct FloodRoute {
  base::MacAddress source_mac;
  base::MacAddress destination_mac;
  std::uint32_t first_source = 0;  ///< IPv4 address of frame 0; the others count upwards from it
  std::uint32_t destination = 0;   ///< IPv4 address
  std::uint16_t port = 0;          ///< of SCTP or UDP
};

/// The whole Ethernet frame number `number` of a flood, checksums included: from an address and a port, and with tags,
/// of its own. Those of UDP are as long as `udp_frame_bytes` says, at least kLeastUdpFrame; the others as long as they
/// are.
std::vector<std::byte> flood_frame(FloodKind kind, const FloodRoute& route, std::uint32_t number,
                                   std::uint32_t udp_frame_bytes);

inline constexpr std::uint32_t kLeastUdpFrame = 42;

}  // namespace sluice::bench
