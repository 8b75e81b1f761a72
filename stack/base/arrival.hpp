#pragma once

#include <sluice/ip_address.hpp>
#include <sluice/time.hpp>

#include <array>
#include <cstdint>

#include "stack/base/buffer.hpp"

namespace sluice::base {

/// The two ECN bits of the IP header (RFC 3168 §5).
enum class Ecn : std::uint8_t { not_ect = 0, ect1 = 1, ect0 = 2, ce = 3 };

/// What is known of a received SCTP packet besides its bytes. Travels with the packet, across rings too.
struct Arrival {
  IpAddress source;
  IpAddress destination;
  Timestamp time;
  std::uint16_t port = 0;             ///< index of the stack's port (NIC) that received it
  std::uint16_t udp_source_port = 0;  ///< not 0: it came encapsulated in UDP, from this port (RFC 6951)
  Ecn ecn = Ecn::not_ect;
  std::uint8_t dscp = 0;  ///< 0 to 63
  Checksum checksum = Checksum::unknown;
};

/// An SCTP packet on its way in: `buffer` holds it from the common header to its last byte.
struct InboundPacket {
  Arrival arrival;
  Buffer buffer;
};

/// Where and how an SCTP packet leaves; filled in by a path, read by the ip layer.
///
/// It is copied once or twice a packet, right behind the stores of a payload that may miss every cache. Whole vectors,
/// and no field written between two copies, let the second be forwarded from the first instead of waiting for those
/// stores.
struct alignas(16) Departure {
  IpAddress source;
  IpAddress destination;
  std::uint32_t next_hop = 0;              ///< the ip layer's handle for the way to `destination`; 0: not resolved yet
  std::uint16_t udp_destination_port = 0;  ///< not 0: encapsulate in UDP to this port (RFC 6951)
  Ecn ecn = Ecn::not_ect;
  std::uint8_t dscp = 0;      ///< 0 to 63
  bool dont_fragment = true;  ///< false: the ip layer may fragment (a chunk was cut before the MTU fell)
  Checksum checksum = Checksum::unknown;
  std::array<std::uint8_t, 6> filler{};  ///< no tail padding: the compiler would leave it out of the copy
};
static_assert(sizeof(Departure) == 48);

/// An SCTP packet on its way out: `buffer` holds it whole, contiguous, with headroom for the headers below.
struct OutboundPacket {
  Departure departure;
  Buffer buffer;
};

/// Headroom that every packet built above the ip layer leaves: Ethernet with two VLAN tags, IPv6, a fragment header,
/// UDP.
inline constexpr std::uint32_t kLowerHeadroom = 96;

}  // namespace sluice::base
