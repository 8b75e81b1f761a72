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
    if (interval_ == Duration::zero()) return false;
    // The moment at which the bucket would be full again: a number that says both tokens and time.
    full_at_ = std::max(full_at_, now);
    if (full_at_ + interval_ > now + allowance_) return false;
    full_at_ += interval_;
    return true;
  }

 private:
  Duration interval_;
  Duration allowance_;
  Timestamp full_at_;
};

}  // namespace sluice::endpoint
