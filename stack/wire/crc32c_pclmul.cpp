#include "stack/wire/crc32c_x86.hpp"

#define SLUICE_PCLMUL __attribute__((target("sse4.2,pclmul")))

namespace sluice::wire {
namespace {

using namespace crc32c_detail;

constexpr std::size_t kBlock = sizeof(__m128i);

template <unsigned kBytes>
SLUICE_PCLMUL inline __m128i fold(__m128i remainder, __m128i data) {
  const __m128i constants =
      _mm_set_epi64x(static_cast<long long>(fold_high(kBytes * 8)), static_cast<long long>(fold_low(kBytes * 8)));
  const __m128i low = _mm_clmulepi64_si128(remainder, constants, 0x00);
  const __m128i high = _mm_clmulepi64_si128(remainder, constants, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), data);
}

template <bool kCopy>
SLUICE_PCLMUL inline __m128i take(std::byte* to, const std::byte* from, std::size_t block = 0) {
  const __m128i data = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from) + block);
  if constexpr (kCopy) _mm_storeu_si128(reinterpret_cast<__m128i*>(to) + block, data);
  return data;
}

/// Four remainders of 16 bytes abreast; at the end they are joined and brought to 32 bits by crc32q, to which a
/// remainder is as good as the bytes that it stands for.
template <bool kCopy>
SLUICE_PCLMUL inline std::uint32_t run(std::uint32_t state, std::byte* to, const std::byte* from, std::size_t n) {
  if (n < 8 * kBlock) return chain<kCopy>(state, to, from, n);
  __m128i r[4];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) r[i] = take<kCopy>(to, from, i);
  r[0] = _mm_xor_si128(r[0], _mm_cvtsi32_si128(static_cast<int>(state)));
  from += 4 * kBlock, to += kCopy ? 4 * kBlock : 0, n -= 4 * kBlock;
  for (; n >= 4 * kBlock; from += 4 * kBlock, to += kCopy ? 4 * kBlock : 0, n -= 4 * kBlock)
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) r[i] = fold<4 * kBlock>(r[i], take<kCopy>(to, from, i));
  __m128i joined = fold<3 * kBlock>(r[0], r[3]);
  joined = _mm_xor_si128(joined, fold<2 * kBlock>(r[1], fold<kBlock>(r[2], _mm_setzero_si128())));
  for (; n >= kBlock; from += kBlock, to += kCopy ? kBlock : 0, n -= kBlock)
    joined = fold<kBlock>(joined, take<kCopy>(to, from));
  std::uint64_t wide = _mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_cvtsi128_si64(joined)));
  wide = _mm_crc32_u64(wide, static_cast<std::uint64_t>(_mm_extract_epi64(joined, 1)));
  return chain<kCopy>(static_cast<std::uint32_t>(wide), to, from, n);
}

SLUICE_PCLMUL std::uint32_t update(std::uint32_t state, const std::byte* from, std::size_t n) {
  return run<false>(state, nullptr, from, n);
}

SLUICE_PCLMUL std::uint32_t copy(std::uint32_t state, std::byte* to, const std::byte* from, std::size_t n) {
  return run<true>(state, to, from, n);
}

SLUICE_PCLMUL std::uint32_t packet(const std::byte* packet, std::size_t n) {
  return ~run<false>(common_header(packet), nullptr, packet + kChecksumEnd, n - kChecksumEnd);
}

SLUICE_PCLMUL void packets(std::span<const std::span<const std::byte>> packets, std::uint32_t* checksums) {
  burst(packets, checksums, 384, packet);
}

}  // namespace

const Crc32c crc32c_pclmul = {"pclmul", update, copy, packet, packets};

}  // namespace sluice::wire
