#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::base {

/// An Ethernet address, in the order of the wire.
struct MacAddress {
  std::array<std::uint8_t, 6> octets{};

  static constexpr MacAddress broadcast() { return {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}; }
  /// The group bit: broadcast is multicast too.
  constexpr bool is_multicast() const { return (octets[0] & 1) != 0; }
  constexpr bool is_zero() const { return *this == MacAddress{}; }
  friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;  // NOLINT(modernize-use-nullptr)
};

/// "02:00:00:00:00:01".
std::string to_string(const MacAddress& mac);
/// Reads what to_string() writes, in either case. False when `text` is anything else; `mac` is then untouched.
bool parse_mac_address(std::string_view text, MacAddress& mac);

}  // namespace sluice::base
