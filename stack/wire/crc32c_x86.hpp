#pragma once

#include <immintrin.h>

#include <cstring>

#include "stack/wire/crc32c_kernels.hpp"

/// What the x86 kernels share: chains of the crc32 instruction, single or several packets abreast. Always inlined, so
/// that each kernel has them in its own instruction set.
#define SLUICE_CRC_INLINE __attribute__((target("sse4.2"), always_inline)) inline

namespace sluice::wire::crc32c_detail {

template <class Word>
SLUICE_CRC_INLINE Word load(const std::byte* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

template <class Word>
SLUICE_CRC_INLINE void store(std::byte* to, Word word) {
  std::memcpy(to, &word, sizeof word);
}

/// Eight bytes into a chain. Chains are kept 64 bits wide, as the instruction has them.
SLUICE_CRC_INLINE std::uint64_t step(std::uint64_t chain, const std::byte* from) {
  return _mm_crc32_u64(chain, load<std::uint64_t>(from));
}

/// The last n & 7 of `n` bytes.
template <bool kCopy>
SLUICE_CRC_INLINE std::uint32_t tail(std::uint32_t state, std::byte* to, const std::byte* from, std::size_t n) {
  if ((n & 4) != 0) {
    const auto word = load<std::uint32_t>(from);
    state = _mm_crc32_u32(state, word);
    if constexpr (kCopy) store(to, word), to += 4;
    from += 4;
  }
  if ((n & 2) != 0) {
    const auto word = load<std::uint16_t>(from);
    state = _mm_crc32_u16(state, word);
    if constexpr (kCopy) store(to, word), to += 2;
    from += 2;
  }
  if ((n & 1) != 0) {
    state = _mm_crc32_u8(state, std::to_integer<std::uint8_t>(*from));
    if constexpr (kCopy) *to = *from;
  }
  return state;
}

/// One chain over everything: for short input.
template <bool kCopy>
SLUICE_CRC_INLINE std::uint32_t chain(std::uint32_t state, std::byte* to, const std::byte* from, std::size_t n) {
  std::uint64_t wide = state;
  for (; n >= 8; n -= 8, from += 8) {
    const auto word = load<std::uint64_t>(from);
    wide = _mm_crc32_u64(wide, word);
    if constexpr (kCopy) store(to, word), to += 8;
  }
  return tail<kCopy>(static_cast<std::uint32_t>(wide), to, from, n);
}

/// The state after a common header whose checksum field counts as zero.
SLUICE_CRC_INLINE std::uint32_t common_header(const std::byte* packet) {
  return _mm_crc32_u32(static_cast<std::uint32_t>(step(kCrc32cInitial, packet)), 0);
}

/// crc32q takes three cycles and starts one each cycle: four packets abreast cost little more than one alone.
inline constexpr std::size_t kAbreast = 4;

/// Four packets, interleaved as far as the shortest reaches.
SLUICE_CRC_INLINE void packets_abreast(const std::span<const std::byte> (&packet)[kAbreast],
                                       std::uint32_t* const (&checksum)[kAbreast]) {
  const std::byte* from[kAbreast];
  std::uint64_t state[kAbreast];
  std::size_t shortest = SIZE_MAX;
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kAbreast; ++i) {
    state[i] = common_header(packet[i].data());
    from[i] = packet[i].data() + kChecksumEnd;
    shortest = packet[i].size() < shortest ? packet[i].size() : shortest;
  }
  const std::size_t common = (shortest - kChecksumEnd) & ~std::size_t{7};
  for (std::size_t at = 0; at < common; at += 8)
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kAbreast; ++i) state[i] = step(state[i], from[i] + at);
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kAbreast; ++i)
    *checksum[i] = ~chain<false>(static_cast<std::uint32_t>(state[i]), nullptr, from[i] + common,
                                 packet[i].size() - kChecksumEnd - common);
}

/// A burst: packets of up to `longest` bytes abreast, longer ones by `one` alone.
template <class One>
SLUICE_CRC_INLINE void burst(std::span<const std::span<const std::byte>> packets, std::uint32_t* checksums,
                             std::size_t longest, One one) {
  std::span<const std::byte> group[kAbreast];
  std::uint32_t* result[kAbreast];
  std::size_t waiting = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if (packets[i].size() > longest) {
      checksums[i] = one(packets[i].data(), packets[i].size());
      continue;
    }
    group[waiting] = packets[i];
    result[waiting] = &checksums[i];
    if (++waiting < kAbreast) continue;
    packets_abreast(group, result);
    waiting = 0;
  }
  for (std::size_t i = 0; i < waiting; ++i) *result[i] = one(group[i].data(), group[i].size());
}

}  // namespace sluice::wire::crc32c_detail
