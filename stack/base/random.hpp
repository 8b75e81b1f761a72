#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice::base {

/// Where all randomness comes from. Production: a cryptographic generator, refilled in bulk; simulation: a seed.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) noexcept = 0;

  std::uint32_t u32() noexcept {
    std::uint32_t value;
    fill(std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }
  std::uint64_t u64() noexcept {
    std::uint64_t value;
    fill(std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }
  /// Uniform in [0, bound); `bound` is at least 1.
  std::uint32_t below(std::uint32_t bound) noexcept {
    // Lemire's method without the rejection: the bias is below 2^-32 and nothing here needs better.
    return static_cast<std::uint32_t>(static_cast<unsigned __int128>(u64()) * bound >> 64);
  }
};

}  // namespace sluice::base
