#pragma once

#include <array>

#include "stack/wire/crc32c.hpp"

namespace sluice::wire {

extern const Crc32c crc32c_portable;  ///< slicing-by-8, any CPU
#ifdef __x86_64__
extern const Crc32c crc32c_sse42;    ///< crc32q, three interleaved chains
extern const Crc32c crc32c_pclmul;   ///< 128-bit carry-less multiplication, crc32q for short input
extern const Crc32c crc32c_vpclmul;  ///< 512-bit carry-less multiplication, crc32q for short input
#endif

namespace crc32c_detail {

/// The polynomial with its bits reflected: bit 31 is the coefficient of x^0.
inline constexpr std::uint32_t kPolynomial = 0x82f63b78;

/// x^n modulo the polynomial, reflected.
constexpr std::uint32_t power_of_x(unsigned n) {
  std::uint32_t value = 0x80000000;
  while (n-- > 0) value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
  return value;
}

/// A 128-bit remainder R that stands `bits` ahead of the data is folded into them as
/// low64(R) · fold_low(bits) + high64(R) · fold_high(bits). In reflected order the low half holds the higher powers,
/// hence 64 more; the other 31 and -33 are 32, for the constant's own width, and the 1 by which a product of
/// reflected numbers is shifted (Gopal et al., "Fast CRC Computation … Using PCLMULQDQ", Intel 2009).
constexpr std::uint64_t fold_low(unsigned bits) {
  return power_of_x(bits + 31);
}
constexpr std::uint64_t fold_high(unsigned bits) {
  return power_of_x(bits - 33);
}

}  // namespace crc32c_detail
}  // namespace sluice::wire
