#pragma once

#include <array>
#include <bit>
#include <cstring>

#include "stack/base/random.hpp"

namespace sluice::base {

/// The same bytes for the same seed, on every machine: xoshiro256** (Blackman and Vigna), its state filled by
/// splitmix64. For simulation, tests and fuzzing; never where a peer must not guess.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) {
    for (std::uint64_t& word : state_) word = split_mix(seed);
  }

  void fill(std::span<std::byte> out) noexcept override {
    while (!out.empty()) {
      const std::uint64_t value = next();
      const std::size_t n = out.size() < sizeof value ? out.size() : sizeof value;
      std::memcpy(out.data(), &value, n);
      out = out.subspan(n);
    }
  }

 private:
  static std::uint64_t split_mix(std::uint64_t& seed) {
    std::uint64_t z = seed += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace sluice::base
