#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "stack/base/buffer.hpp"
#include "stack/ip/datagram.hpp"

namespace sluice::ip {

inline constexpr std::uint32_t kUdpHeaderLength = 8;

/// The header of a received UDP datagram (RFC 768).
struct UdpHeader {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint16_t length = 0;  ///< bytes, the header included
};

/// Checks the UDP datagram that is `payload`, what `datagram` carries. Nothing when a length or the checksum is wrong;
/// a checksum left out is right over IPv4 alone (RFC 8200 §8.1).
std::optional<UdpHeader> parse_udp(const Datagram& datagram, std::span<const std::byte> payload);

/// Puts a UDP header with its checksum in front of the SCTP packet in `packet` (RFC 6951 §5.3).
void encapsulate(base::Buffer& packet, const IpAddress& source, const IpAddress& destination, std::uint16_t source_port,
                 std::uint16_t destination_port);

}  // namespace sluice::ip
