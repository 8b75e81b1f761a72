#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sluice/export.hpp>
#include <string>
#include <string_view>

namespace sluice {

/// An IPv4 or IPv6 address. A value: cheap to copy, totally ordered, usable as a key. IPv4 is kept as the IPv4-mapped
/// IPv6 form (RFC 4291 §2.5.5.2), so comparing and hashing never branch on the family.
class SLUICE_API IpAddress {
 public:
  using Bytes = std::array<std::uint8_t, 16>;

  /// The unspecified IPv6 address `::`.
  constexpr IpAddress() = default;
  /// From 16 bytes in network order. An IPv4-mapped address is the IPv4 address.
  static constexpr IpAddress v6(const Bytes& bytes) { return IpAddress(bytes); }
  /// From a number in host byte order: 0xc6120001 is 198.18.0.1.
  static constexpr IpAddress v4(std::uint32_t address) {
    return IpAddress(Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, static_cast<std::uint8_t>(address >> 24),
                           static_cast<std::uint8_t>(address >> 16), static_cast<std::uint8_t>(address >> 8),
                           static_cast<std::uint8_t>(address)});
  }
  /// Reads dotted-quad IPv4 or any textual IPv6 form of RFC 4291 §2.2, without scope; nothing if `text` is neither.
  static std::optional<IpAddress> parse(std::string_view text);

  constexpr bool is_v4() const {
    for (std::size_t i = 0; i < 10; ++i)
      if (bytes_[i] != 0) return false;
    return bytes_[10] == 0xff && bytes_[11] == 0xff;
  }
  constexpr bool is_v6() const { return !is_v4(); }
  /// The IPv4 address in host byte order. Only for is_v4().
  constexpr std::uint32_t v4_value() const {
    return std::uint32_t{bytes_[12]} << 24 | std::uint32_t{bytes_[13]} << 16 | std::uint32_t{bytes_[14]} << 8 |
           bytes_[15];
  }
  /// Sixteen bytes in network order; IPv4 in its mapped form.
  constexpr const Bytes& bytes() const { return bytes_; }

  /// `0.0.0.0` or `::`.
  bool is_unspecified() const;
  /// 127.0.0.0/8 or `::1`.
  bool is_loopback() const;
  /// 169.254.0.0/16 or fe80::/10.
  bool is_link_local() const;
  /// 224.0.0.0/4 or ff00::/8.
  bool is_multicast() const;
  /// 255.255.255.255.
  bool is_broadcast() const;

  /// The canonical text: dotted quad, or RFC 5952.
  std::string to_string() const;

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  constexpr explicit IpAddress(const Bytes& bytes) : bytes_(bytes) {}
  Bytes bytes_{};
};

}  // namespace sluice
