#pragma once

#include <sluice/ids.hpp>

#include <array>
#include <cstdint>

#include "stack/base/siphash.hpp"
#include "stack/endpoint/shard_table.hpp"

namespace sluice::endpoint {

/// Verification tags that name their owner: a keyed permutation of 32 bits of (shard, 22 random bits). To whoever does
/// not know the key a tag is as random as RFC 9260 §5.3.1 asks; any worker that knows it reads the shard without a
/// look-up. The key is process-wide and part of the hand-over state.
///
/// A Feistel network of six rounds over 16-bit halves, its round function a keyed multiply-shift: some 40 cycles. It
/// hides which worker a tag belongs to, no more is asked of it; that a tag is hard to guess rests on the random bits
/// and on the shard being drawn at random.
class TagCodec {
 public:
  /// Values of the random part.
  static constexpr std::uint32_t kRandomBits = 22;

  explicit TagCodec(const base::SipKey& key);

  /// The tag of `shard` and the lower 22 bits of `random`; never zero (§3.3.2).
  VTag encode(Shard shard, std::uint32_t random) const {
    const std::uint32_t tag = permute(std::uint32_t{shard.value} << kRandomBits | (random & kRandomMask));
    // Exactly one input gives zero: its neighbour in the same shard stands in for it.
    return VTag(tag != 0 ? tag : permute(std::uint32_t{shard.value} << kRandomBits | ((random ^ 1) & kRandomMask)));
  }
  /// The shard that `tag` was made of. Every value decodes to some shard: it says who would own the tag, not that it
  /// is in use.
  Shard shard(VTag tag) const { return Shard(static_cast<std::uint16_t>(restore(tag.value) >> kRandomBits)); }

 private:
  static constexpr std::uint32_t kRandomMask = (1u << kRandomBits) - 1;
  struct RoundKey {
    std::uint32_t add;
    std::uint32_t multiply;  // odd
  };
  static constexpr int kRounds = 6;

  static std::uint32_t mix(std::uint32_t half, const RoundKey& key) {
    return static_cast<std::uint16_t>(((half + key.add) * key.multiply) >> 16);
  }
  std::uint32_t permute(std::uint32_t value) const {
    std::uint32_t left = value >> 16;
    std::uint32_t right = value & 0xffff;
    for (int i = 0; i < kRounds; i += 2) {
      left ^= mix(right, keys_[i]);
      right ^= mix(left, keys_[i + 1]);
    }
    return left << 16 | right;
  }
  std::uint32_t restore(std::uint32_t value) const {
    std::uint32_t left = value >> 16;
    std::uint32_t right = value & 0xffff;
    for (int i = kRounds; i > 0; i -= 2) {
      right ^= mix(left, keys_[i - 1]);
      left ^= mix(right, keys_[i - 2]);
    }
    return left << 16 | right;
  }

  std::array<RoundKey, kRounds> keys_;
};

}  // namespace sluice::endpoint
