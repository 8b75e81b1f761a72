#include <cstring>

#include "stack/wire/crc32c_kernels.hpp"

namespace sluice::wire {
namespace {

using crc32c_detail::kPolynomial;

/// tables[k][b]: what byte b leaves in the register when k zero bytes follow it.
constexpr auto kTables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = value;
  }
  for (std::size_t k = 1; k < tables.size(); ++k)
    for (std::size_t byte = 0; byte < 256; ++byte)
      tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xff];
  return tables;
}();

std::uint32_t eight_bytes(std::uint32_t state, const std::byte* from) {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  word ^= state;
  state = 0;
  for (unsigned i = 0; i < 8; ++i) state ^= kTables[7 - i][(word >> (8 * i)) & 0xff];
  return state;
}

std::uint32_t update(std::uint32_t state, const std::byte* from, std::size_t n) {
  for (; n >= 8; n -= 8, from += 8) state = eight_bytes(state, from);
  for (; n > 0; --n, ++from) state = (state >> 8) ^ kTables[0][(state ^ std::to_integer<std::uint32_t>(*from)) & 0xff];
  return state;
}

std::uint32_t copy(std::uint32_t state, std::byte* to, const std::byte* from, std::size_t n) {
  if (n == 0) return state;
  std::memcpy(to, from, n);
  return update(state, from, n);
}

std::uint32_t packet(const std::byte* packet, std::size_t n) {
  static constexpr std::byte kZeroField[kChecksumEnd - kChecksumOffset] = {};
  std::uint32_t state = update(kCrc32cInitial, packet, kChecksumOffset);
  state = update(state, kZeroField, sizeof kZeroField);
  return ~update(state, packet + kChecksumEnd, n - kChecksumEnd);
}

void packets(std::span<const std::span<const std::byte>> packets, std::uint32_t* checksums) {
  for (const auto& each : packets) *checksums++ = packet(each.data(), each.size());
}

}  // namespace

const Crc32c crc32c_portable = {"portable", update, copy, packet, packets};

}  // namespace sluice::wire
