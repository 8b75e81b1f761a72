#include "stack/base/mac_address.hpp"

#include <charconv>

namespace sluice::base {

std::string to_string(const MacAddress& mac) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t octet : mac.octets) {
    if (!text.empty()) text += ':';
    text += kDigits[octet >> 4];
    text += kDigits[octet & 15];
  }
  return text;
}

bool parse_mac_address(std::string_view text, MacAddress& mac) {
  MacAddress parsed;
  if (text.size() != 17) return false;
  for (std::size_t i = 0; i < 6; ++i) {
    const char* const from = text.data() + 3 * i;
    if (i < 5 && from[2] != ':') return false;
    const auto [end, error] = std::from_chars(from, from + 2, parsed.octets[i], 16);
    if (error != std::errc{} || end != from + 2) return false;
  }
  mac = parsed;
  return true;
}

}  // namespace sluice::base
