#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "stack/base/mac_address.hpp"

namespace sluice::ip {

inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;
inline constexpr std::uint16_t kEtherTypeVlan = 0x8100;
inline constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;

/// The header of a received frame, an 802.1Q tag included.
struct EthernetHeader {
  base::MacAddress destination;
  base::MacAddress source;
  std::uint16_t ether_type = 0;       ///< of what follows
  std::optional<std::uint16_t> vlan;  ///< nothing: untagged, or a priority tag without VLAN
  std::uint8_t length = 0;            ///< bytes
};

/// Nothing when `frame` is shorter than its header.
std::optional<EthernetHeader> parse_ethernet(std::span<const std::byte> frame);

/// A complete Ethernet header, ready to be copied in front of packets.
struct LinkHeader {
  std::array<std::byte, 18> bytes{};
  std::uint8_t length = 0;
};

LinkHeader make_link_header(const base::MacAddress& destination, const base::MacAddress& source,
                            std::optional<std::uint16_t> vlan, std::uint16_t ether_type);

/// Where a ready header goes to.
base::MacAddress destination_of(const LinkHeader& header);

}  // namespace sluice::ip
