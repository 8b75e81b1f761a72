#pragma once

#include <sluice/ip_address.hpp>

#include <cstdint>
#include <optional>

namespace sluice::ip {

/// Protocol numbers (IPv4) and next-header values (IPv6) that the room knows.
inline constexpr std::uint8_t kProtocolHopByHop = 0;
inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolRouting = 43;
inline constexpr std::uint8_t kProtocolFragment = 44;
inline constexpr std::uint8_t kProtocolIcmpv6 = 58;
inline constexpr std::uint8_t kProtocolNoNext = 59;
inline constexpr std::uint8_t kProtocolDestinationOptions = 60;
inline constexpr std::uint8_t kProtocolSctp = 132;

/// Which piece of its datagram a packet is.
struct Fragment {
  std::uint32_t id = 0;
  std::uint32_t offset = 0;  ///< bytes; a multiple of 8
  bool more = false;         ///< it is not the last
};

/// What the headers of a received IP packet of either family say. Offsets count from the first byte of the IP header.
struct Datagram {
  IpAddress source;
  IpAddress destination;
  std::uint32_t payload_offset = 0;
  std::uint32_t payload_length = 0;
  std::uint32_t protocol_offset = 0;  ///< where the header stands that names `protocol`, at the byte that does
  std::uint8_t protocol = 0;          ///< of the payload
  std::uint8_t traffic_class = 0;     ///< DSCP and ECN
  std::uint8_t hop_limit = 0;
  std::optional<Fragment> fragment;  ///< nothing: the datagram is whole

  std::uint32_t total_length() const { return payload_offset + payload_length; }
};

/// Why a packet's headers were refused.
enum class HeaderFault : std::uint8_t {
  none,
  malformed,  ///< version or a length
  checksum,   ///< IPv4 header checksum
  options,    ///< IPv4 options or IPv6 extension headers
  source,     ///< the source address cannot be one
};

/// A datagram to send, but for its payload.
struct OutgoingHeader {
  IpAddress source;
  IpAddress destination;
  std::uint8_t protocol = 0;
  std::uint8_t traffic_class = 0;
  std::uint8_t hop_limit = 64;
  bool dont_fragment = true;
};

}  // namespace sluice::ip
