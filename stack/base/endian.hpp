#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>

namespace sluice::base {

/// The unsigned number that stands at `from` in network byte order; `from` needs no alignment.
template <std::unsigned_integral Value>
inline Value load_be(const std::byte* from) {
  Value value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (sizeof value == 2)
    return __builtin_bswap16(value);
  else if constexpr (sizeof value == 4)
    return __builtin_bswap32(value);
  else if constexpr (sizeof value == 8)
    return __builtin_bswap64(value);
  else
    return value;
}

/// Writes `value` at `to` in network byte order; `to` needs no alignment.
template <std::unsigned_integral Value>
inline void store_be(std::byte* to, Value value) {
  if constexpr (sizeof value == 2)
    value = __builtin_bswap16(value);
  else if constexpr (sizeof value == 4)
    value = __builtin_bswap32(value);
  else if constexpr (sizeof value == 8)
    value = __builtin_bswap64(value);
  std::memcpy(to, &value, sizeof value);
}

static_assert(std::endian::native == std::endian::little, "Sluice runs on little-endian machines");

}  // namespace sluice::base
