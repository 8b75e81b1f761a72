#pragma once

#include <array>
#include <cstdint>

namespace sluice::ip {

/// An Ethernet address, as it stands on the wire.
using MacAddress = std::array<std::uint8_t, 6>;

inline constexpr MacAddress kBroadcastMac{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/// The group bit: broadcast or multicast (IEEE 802.3 §3.2.3).
constexpr bool is_group(const MacAddress& mac) {
  return (mac[0] & 1) != 0;
}

}  // namespace sluice::ip
