#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::wire::test {

/// Bytes on the heap in a block of exactly their size, so that AddressSanitizer sees one byte too far.
class Octets {
 public:
  Octets() = default;
  explicit Octets(std::span<const std::byte> bytes) : bytes_(bytes.begin(), bytes.end()) {}
  std::span<const std::byte> span() const { return bytes_; }
  std::span<std::byte> span() { return bytes_; }
  std::byte& operator[](std::size_t i) { return bytes_[i]; }
  operator std::span<const std::byte>() const { return bytes_; }  // NOLINT: a view of it, wherever one is asked for

 private:
  std::vector<std::byte> bytes_;  // made at once at its size: nothing is allocated beyond it
};

/// Pairs of hexadecimal digits, blanks between them as one likes.
inline Octets hex(std::string_view text) {
  std::vector<std::byte> bytes;
  std::string digits;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    digits += c;
    if (digits.size() < 2) continue;
    bytes.push_back(static_cast<std::byte>(std::strtoul(digits.c_str(), nullptr, 16)));
    digits.clear();
  }
  if (!digits.empty()) std::abort();
  return Octets(bytes);
}

/// The form that hex() reads, without blanks.
inline std::string to_hex(std::span<const std::byte> bytes) {
  std::string text;
  char pair[3];
  for (const std::byte byte : bytes) {
    std::snprintf(pair, sizeof pair, "%02x", std::to_integer<unsigned>(byte));
    text += pair;
  }
  return text;
}

}  // namespace sluice::wire::test
