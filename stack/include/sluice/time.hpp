#pragma once

#include <chrono>

namespace sluice {

/// A length of time, in nanoseconds.
using Duration = std::chrono::nanoseconds;

/// The stack's clock: monotonic, its epoch has no meaning. Workers read it once a poll turn, simulations advance it.
struct StackClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<StackClock>;
  static constexpr bool is_steady = true;
};

/// A point on the stack's clock.
using Timestamp = StackClock::time_point;

/// Later than everything that is ever scheduled: "no deadline".
inline constexpr Timestamp kNever = Timestamp::max();

}  // namespace sluice
