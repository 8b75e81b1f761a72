#pragma once

#include <array>
#include <bit>
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
    const Words of = words();
    return of.high == 0 && of.low >> 32 == 0xffff;
  }
  constexpr bool is_v6() const { return !is_v4(); }
  /// The IPv4 address in host byte order. Only for is_v4().
  constexpr std::uint32_t v4_value() const { return static_cast<std::uint32_t>(words().low); }
  /// Sixteen bytes in network order; IPv4 in its mapped form.
  constexpr const Bytes& bytes() const { return bytes_; }

  /// `0.0.0.0` or `::`.
  constexpr bool is_unspecified() const { return *this == IpAddress() || *this == v4(0); }
  /// 127.0.0.0/8 or `::1`.
  constexpr bool is_loopback() const { return is_v4() ? v4_value() >> 24 == 127 : words() == Words{0, 1}; }
  /// 169.254.0.0/16 or fe80::/10.
  constexpr bool is_link_local() const { return is_v4() ? v4_value() >> 16 == 0xa9fe : words().high >> 54 == 0x3fa; }
  /// 224.0.0.0/4 or ff00::/8.
  constexpr bool is_multicast() const { return is_v4() ? v4_value() >> 28 == 0xe : bytes_[0] == 0xff; }
  /// 255.255.255.255.
  constexpr bool is_broadcast() const { return *this == v4(0xffffffff); }

  /// The canonical text: dotted quad, or RFC 5952.
  std::string to_string() const;

  friend constexpr bool operator==(const IpAddress& a, const IpAddress& b) { return a.words() == b.words(); }
  friend constexpr std::strong_ordering operator<=>(const IpAddress& a, const IpAddress& b) {
    return a.words() <=> b.words();
  }

  /// The sixteen bytes as two numbers, the first bytes the most significant: what comparing is quickest with.
  struct Words {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    friend constexpr auto operator<=>(const Words&, const Words&) = default;  // NOLINT(modernize-use-nullptr)
  };
  constexpr Words words() const {
    const auto stored = std::bit_cast<Words>(bytes_);
    if constexpr (std::endian::native == std::endian::big) return stored;
    return {__builtin_bswap64(stored.high), __builtin_bswap64(stored.low)};
  }

 private:
  constexpr explicit IpAddress(const Bytes& bytes) : bytes_(bytes) {}
  Bytes bytes_{};
};

}  // namespace sluice
