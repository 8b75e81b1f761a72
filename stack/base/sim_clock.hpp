#pragma once

#include "stack/base/check.hpp"
#include "stack/base/clock.hpp"

namespace sluice::base {

/// Virtual time: stands still until it is told to move.
class SimClock final : public Clock {
 public:
  explicit SimClock(Timestamp start = Timestamp(std::chrono::seconds(1))) : now_(start) {}
  Timestamp now() noexcept override { return now_; }
  void advance(Duration by) {
    SLUICE_CHECK(by >= Duration::zero());
    now_ += by;
  }
  /// Moves to `to`, which is not in the past.
  void advance_to(Timestamp to) { advance(to - now_); }

 private:
  Timestamp now_;
};

}  // namespace sluice::base
