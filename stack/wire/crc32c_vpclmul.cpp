// gcc 12's own AVX-512 header starts from values that it leaves uninitialised on purpose, and warns of it.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "stack/wire/crc32c_x86.hpp"

#define SLUICE_VPCLMUL __attribute__((target("sse4.2,pclmul,avx512f,avx512bw,avx512dq,avx512vl,vpclmulqdq")))

namespace sluice::wire {
namespace {

using namespace crc32c_detail;

constexpr std::size_t kBlock = sizeof(__m512i);

constexpr long long low_constant(std::size_t bytes) {
  return static_cast<long long>(fold_low(static_cast<unsigned>(bytes) * 8));
}
constexpr long long high_constant(std::size_t bytes) {
  return static_cast<long long>(fold_high(static_cast<unsigned>(bytes) * 8));
}

/// Four 128-bit remainders side by side, brought `kBytes` further and added to `data`.
template <std::size_t kBytes>
SLUICE_VPCLMUL inline __m512i fold(__m512i remainders, __m512i data) {
  const __m512i constants = _mm512_broadcast_i32x4(_mm_set_epi64x(high_constant(kBytes), low_constant(kBytes)));
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(remainders, constants, 0x00),
                                   _mm512_clmulepi64_epi128(remainders, constants, 0x11), data, 0x96);
}

template <bool kCopy>
SLUICE_VPCLMUL inline __m512i take(std::byte* to, const std::byte* from, std::size_t block = 0) {
  const __m512i data = _mm512_loadu_si512(from + block * kBlock);
  if constexpr (kCopy) _mm512_storeu_si512(to + block * kBlock, data);
  return data;
}

/// The first block: n & 63 bytes behind as many zeros as complete it (leading zeros leave a zero register as it is), or
/// 64 bytes if that is none; `state` goes in where the bytes begin. `n` is a multiple of four.
template <bool kCopy>
SLUICE_VPCLMUL inline __m512i first_block(std::uint32_t state, std::byte*& to, const std::byte*& from, std::size_t& n) {
  const std::size_t bytes = (n - 1) % kBlock + 1;
  const std::size_t zeros = kBlock - bytes;
  const __mmask64 here = ~__mmask64{0} << zeros;
  const __m512i data = _mm512_maskz_loadu_epi8(here, from - zeros);
  if constexpr (kCopy) _mm512_mask_storeu_epi8(to - zeros, here, data), to += bytes;
  from += bytes, n -= bytes;
  const auto begin = static_cast<__mmask16>(1U << zeros / 4);
  return _mm512_xor_si512(data, _mm512_maskz_set1_epi32(begin, static_cast<int>(state)));
}

/// 64 bytes of remainder to 32 bits.
SLUICE_VPCLMUL inline std::uint32_t reduce(__m512i remainders) {
  const __m512i constants = _mm512_set_epi64(0, 0, high_constant(16), low_constant(16), high_constant(32),
                                             low_constant(32), high_constant(48), low_constant(48));
  const __m512i moved = _mm512_xor_si512(_mm512_clmulepi64_epi128(remainders, constants, 0x00),
                                         _mm512_clmulepi64_epi128(remainders, constants, 0x11));
  // The last of the four stands where it should already.
  const __m512i all = _mm512_mask_blend_epi64(0xc0, moved, remainders);
  const __m256i half = _mm256_xor_si256(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
  const __m128i joined = _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  const std::uint64_t wide = _mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_cvtsi128_si64(joined)));
  return static_cast<std::uint32_t>(_mm_crc32_u64(wide, static_cast<std::uint64_t>(_mm_extract_epi64(joined, 1))));
}

/// Short input goes through crc32q; the rest is a first, shorter block and then whole ones, four abreast while they
/// last.
template <bool kCopy>
SLUICE_VPCLMUL inline std::uint32_t run(std::uint32_t state, std::byte* to, const std::byte* from, std::size_t n) {
  if (n < 96) return chain<kCopy>(state, to, from, n);
  for (; n % 4 != 0; --n, ++from) {
    state = _mm_crc32_u8(state, std::to_integer<std::uint8_t>(*from));
    if constexpr (kCopy) *to++ = *from;
  }
  __m512i joined = first_block<kCopy>(state, to, from, n);
  if (n >= 7 * kBlock) {
    __m512i r[4] = {joined};
#pragma GCC unroll 4
    for (std::size_t i = 1; i < 4; ++i) r[i] = take<kCopy>(to, from, i - 1);
    from += 3 * kBlock, to += kCopy ? 3 * kBlock : 0, n -= 3 * kBlock;
    for (; n >= 4 * kBlock; from += 4 * kBlock, to += kCopy ? 4 * kBlock : 0, n -= 4 * kBlock)
#pragma GCC unroll 4
      for (std::size_t i = 0; i < 4; ++i) r[i] = fold<4 * kBlock>(r[i], take<kCopy>(to, from, i));
    joined = _mm512_xor_si512(fold<3 * kBlock>(r[0], r[3]), fold<2 * kBlock>(r[1], fold<kBlock>(r[2], __m512i{})));
  }
  for (; n > 0; from += kBlock, to += kCopy ? kBlock : 0, n -= kBlock)
    joined = fold<kBlock>(joined, take<kCopy>(to, from));
  return reduce(joined);
}

SLUICE_VPCLMUL std::uint32_t update(std::uint32_t state, const std::byte* from, std::size_t n) {
  return run<false>(state, nullptr, from, n);
}

SLUICE_VPCLMUL std::uint32_t copy(std::uint32_t state, std::byte* to, const std::byte* from, std::size_t n) {
  return run<true>(state, to, from, n);
}

SLUICE_VPCLMUL std::uint32_t packet(const std::byte* packet, std::size_t n) {
  return ~run<false>(common_header(packet), nullptr, packet + kChecksumEnd, n - kChecksumEnd);
}

SLUICE_VPCLMUL void packets(std::span<const std::span<const std::byte>> packets, std::uint32_t* checksums) {
  burst(packets, checksums, 192, packet);
}

}  // namespace

const Crc32c crc32c_vpclmul = {"vpclmul", update, copy, packet, packets};

}  // namespace sluice::wire
