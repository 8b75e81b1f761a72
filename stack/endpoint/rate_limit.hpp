#pragma once

#include <sluice/time.hpp>

#include <algorithm>
#include <cstdint>

namespace sluice::endpoint {

/// A token bucket: `per_second` on average, `burst` at once. A rate of 0 lets nothing through.
class RateLimit {
 public:
  RateLimit(std::uint32_t per_second, std::uint32_t burst)
      : interval_(per_second == 0 ? Duration::zero() : Duration(std::chrono::seconds(1)) / per_second),
        allowance_(interval_ * burst) {}

  /// Takes one token; false if there is none.
  bool take(Timestamp now) {
    if (empty(now)) return false;
    full_at_ = std::max(full_at_, now) + interval_;
    return true;
  }
  /// Whether take() would find none.
  bool empty(Timestamp now) const {
    return interval_ == Duration::zero() || std::max(full_at_, now) + interval_ > now + allowance_;
  }

 private:
  Duration interval_;
  Duration allowance_;
  Timestamp full_at_;  // when the bucket would be full again: a number that says both tokens and time
};

}  // namespace sluice::endpoint
