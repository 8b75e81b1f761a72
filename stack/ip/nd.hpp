#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "stack/base/mac_address.hpp"
#include "stack/ip/datagram.hpp"

namespace sluice::ip {

inline constexpr std::uint8_t kNdSolicitation = 135;
inline constexpr std::uint8_t kNdAdvertisement = 136;
inline constexpr std::uint32_t kNdLength = 32;  ///< of the messages that we send: with one link-layer address option
inline constexpr std::uint8_t kNdHopLimit = 255;

/// A neighbour solicitation or advertisement (RFC 4861 §4.3, §4.4).
struct NdMessage {
  bool advertisement = false;
  bool solicited = false;  ///< advertisement: it answers a solicitation
  bool override = false;   ///< advertisement: it replaces what is known
  bool router = false;     ///< advertisement: the sender forwards
  IpAddress target;
  std::optional<base::MacAddress> mac;  ///< the source (solicitation) or target (advertisement) link-layer address
};

/// The checks of RFC 4861 §7.1.1 and §7.1.2 on `message`, the ICMPv6 message that `datagram` carries, its checksum
/// already verified. Nothing when one fails.
std::optional<NdMessage> parse_nd(const Datagram& datagram, std::span<const std::byte> message);

/// Writes kNdLength bytes at `to`, the ICMPv6 checksum for these addresses included. `message.mac` is set.
void write_nd(std::byte* to, const NdMessage& message, const IpAddress& source, const IpAddress& destination);

/// ff02::1:ffXX:XXXX for `address` (RFC 4291 §2.7.1).
IpAddress solicited_node(const IpAddress& address);
/// ff02::1.
IpAddress all_nodes();
/// The Ethernet group that carries `group` (RFC 2464 §7).
base::MacAddress multicast_mac(const IpAddress& group);

}  // namespace sluice::ip
