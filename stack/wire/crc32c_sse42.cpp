#include "stack/wire/crc32c_x86.hpp"

namespace sluice::wire {
namespace {

using namespace crc32c_detail;

/// Appending a fixed number of zero bytes is linear in the register, so it is four look-ups, one for each of its bytes.
/// (CPUs that could do it by multiplication take the pclmul kernel instead of this one.)
template <std::size_t kBytes>
struct ZerosTable {
  std::array<std::array<std::uint32_t, 256>, 4> rows{};

  constexpr ZerosTable() {
    // A register with only bit 31-e set is x^e; kBytes zeros make it x^(e + 8·kBytes).
    std::uint32_t column = power_of_x(8 * kBytes);
    for (unsigned bit = 32; bit-- > 0;) {
      for (unsigned byte = 0; byte < 256; ++byte)
        if ((byte >> (bit % 8) & 1) != 0) rows[bit / 8][byte] ^= column;
      column = (column >> 1) ^ ((column & 1) != 0 ? kPolynomial : 0);
    }
  }
  constexpr std::uint32_t operator()(std::uint64_t state) const {
    return rows[0][state & 0xff] ^ rows[1][state >> 8 & 0xff] ^ rows[2][state >> 16 & 0xff] ^ rows[3][state >> 24];
  }
};

template <std::size_t kLane>
constexpr ZerosTable<kLane> kZeros;

/// Three chains abreast, each over its own kLane bytes, as often as they fit; then joined.
template <std::size_t kLane, bool kCopy>
__attribute__((target("sse4.2"))) inline std::uint32_t three_lanes(std::uint32_t state, std::byte*& to,
                                                                   const std::byte*& from, std::size_t& n) {
  for (; n >= 3 * kLane; n -= 3 * kLane, from += 3 * kLane) {
    std::uint64_t first = state;
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t at = 0; at < kLane; at += 8) {
      first = step(first, from + at);
      second = step(second, from + kLane + at);
      third = step(third, from + 2 * kLane + at);
    }
    if constexpr (kCopy) std::memcpy(to, from, 3 * kLane), to += 3 * kLane;
    state = kZeros<kLane>(kZeros<kLane>(first) ^ second) ^ static_cast<std::uint32_t>(third);
  }
  return state;
}

template <bool kCopy>
__attribute__((target("sse4.2"))) inline std::uint32_t run(std::uint32_t state, std::byte* to, const std::byte* from,
                                                           std::size_t n) {
  state = three_lanes<448, kCopy>(state, to, from, n);  // a full packet of 1 500 bytes is one such round
  state = three_lanes<64, kCopy>(state, to, from, n);
  return chain<kCopy>(state, to, from, n);
}

__attribute__((target("sse4.2"))) std::uint32_t update(std::uint32_t state, const std::byte* from, std::size_t n) {
  return run<false>(state, nullptr, from, n);
}

__attribute__((target("sse4.2"))) std::uint32_t copy(std::uint32_t state, std::byte* to, const std::byte* from,
                                                     std::size_t n) {
  return run<true>(state, to, from, n);
}

__attribute__((target("sse4.2"))) std::uint32_t packet(const std::byte* packet, std::size_t n) {
  return ~run<false>(common_header(packet), nullptr, packet + kChecksumEnd, n - kChecksumEnd);
}

__attribute__((target("sse4.2"))) void packets(std::span<const std::span<const std::byte>> packets,
                                               std::uint32_t* checksums) {
  burst(packets, checksums, 512, packet);
}

}  // namespace

const Crc32c crc32c_sse42 = {"sse4.2", update, copy, packet, packets};

}  // namespace sluice::wire
