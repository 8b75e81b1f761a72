#pragma once

#include <sluice/ids.hpp>
#include <sluice/ip_address.hpp>

#include <cstdint>
#include <optional>

namespace sluice::assoc {

/// What an ICMP or ICMPv6 error says of a packet of ours (RFC 9260 §10). Plain data.
struct IcmpReport {
  enum class Kind : std::uint8_t {
    packet_too_big,        ///< Packet Too Big, or Fragmentation Needed (ICMP7)
    protocol_unreachable,  ///< Protocol Unreachable, or Unrecognized Next Header Type (ICMP8)
    other,                 ///< anything else
  };
  Kind kind = Kind::other;
  IpAddress destination;                  ///< of the quoted packet
  VTag tag = {};                          ///< the quoted verification tag
  std::optional<VTag> initiate_tag = {};  ///< when the quote is of an INIT chunk and long enough to tell
  std::uint32_t mtu = 0;                  ///< packet_too_big: bytes of the largest IP packet that gets through
};

}  // namespace sluice::assoc
