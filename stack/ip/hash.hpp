#pragma once

#include <sluice/ip_address.hpp>

#include <cstdint>
#include <cstring>

namespace sluice::ip {

/// The 128-bit product of two numbers, folded: a quick mixer that keeps hostile keys apart as long as one factor holds
/// a secret.
inline std::uint64_t fold_multiply(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// A hash of an address and a number, keyed by `seed`.
inline std::uint64_t hash_address(const IpAddress& address, std::uint64_t salt, std::uint64_t seed) {
  std::uint64_t high;
  std::uint64_t low;
  std::memcpy(&high, address.bytes().data(), sizeof high);
  std::memcpy(&low, address.bytes().data() + 8, sizeof low);
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  return fold_multiply(fold_multiply(high ^ seed, low ^ kOdd) ^ salt, seed ^ kOdd);
}

}  // namespace sluice::ip
