#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace sluice::ip {

/// The ones' complement checksum of IPv4, ICMP and UDP (RFC 1071), summed piece by piece. Every piece but the last has
/// an even number of bytes.
class InternetChecksum {
 public:
  void add(std::span<const std::byte> bytes) {
    const std::byte* at = bytes.data();
    std::size_t left = bytes.size();
    // Byte order does not matter to a ones' complement sum (RFC 1071 §2), so words are added as the CPU reads them.
    for (; left >= 4; at += 4, left -= 4) {
      std::uint32_t word;
      std::memcpy(&word, at, sizeof word);
      sum_ += word;
    }
    if (left == 0) return;
    std::uint32_t last = 0;
    std::memcpy(&last, at, left);
    sum_ += last;
  }
  /// Adds a number as it would stand in network byte order.
  void add_be32(std::uint32_t value) { sum_ += __builtin_bswap32(value); }

  /// The value for the checksum field, in host byte order; over data that holds a right checksum, 0.
  std::uint16_t value() const {
    std::uint64_t folded = (sum_ & 0xffffffff) + (sum_ >> 32);
    folded = (folded & 0xffff) + (folded >> 16 & 0xffff) + (folded >> 32);
    folded = (folded & 0xffff) + (folded >> 16);
    folded = (folded & 0xffff) + (folded >> 16);
    return __builtin_bswap16(static_cast<std::uint16_t>(~folded));
  }

 private:
  std::uint64_t sum_ = 0;
};

}  // namespace sluice::ip
