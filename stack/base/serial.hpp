#pragma once

#include <cstdint>
#include <type_traits>

namespace sluice {

/// A number in serial-number arithmetic (RFC 1982): it wraps, and `a < b` means that b is ahead of a by less than half
/// the space. Numbers exactly half the space apart compare as neither less nor greater. Not a strict weak order: never
/// a key of a sorted container.
template <class Tag, class Value>
class Serial {
 public:
  using value_type = Value;
  using Difference = std::make_signed_t<Value>;

  constexpr Serial() = default;
  constexpr explicit Serial(Value value) : value_(value) {}
  constexpr Value value() const { return value_; }

  friend constexpr bool operator==(Serial a, Serial b) = default;
  friend constexpr bool operator<(Serial a, Serial b) {
    const Value ahead = static_cast<Value>(b.value_ - a.value_);
    return ahead != 0 && ahead < kHalf;
  }
  friend constexpr bool operator>(Serial a, Serial b) { return b < a; }
  friend constexpr bool operator<=(Serial a, Serial b) { return a == b || a < b; }
  friend constexpr bool operator>=(Serial a, Serial b) { return b <= a; }

  constexpr Serial& operator++() {
    ++value_;
    return *this;
  }
  friend constexpr Serial operator+(Serial a, Value n) { return Serial(static_cast<Value>(a.value_ + n)); }
  friend constexpr Serial operator-(Serial a, Value n) { return Serial(static_cast<Value>(a.value_ - n)); }
  /// How far `a` is ahead of `b`; negative when behind.
  friend constexpr Difference operator-(Serial a, Serial b) {
    return static_cast<Difference>(static_cast<Value>(a.value_ - b.value_));
  }

 private:
  static constexpr Value kHalf = Value{1} << (sizeof(Value) * 8 - 1);
  Value value_{};
};

/// Transmission sequence number (RFC 9260 §1.6, §3.3.1).
using Tsn = Serial<struct TsnTag, std::uint32_t>;
/// Stream sequence number of a DATA chunk (RFC 9260 §3.3.1).
using Ssn = Serial<struct SsnTag, std::uint16_t>;
/// Message identifier of an I-DATA chunk (RFC 8260 §2.1); also what tells the messages of one stream apart upwards.
using Mid = Serial<struct MidTag, std::uint32_t>;

}  // namespace sluice
