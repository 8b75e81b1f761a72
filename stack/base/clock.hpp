#pragma once

#include <sluice/time.hpp>

namespace sluice::base {

/// Where a worker reads the time, once a poll turn. Real: the CPU's time-stamp counter; simulated: a number.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Never goes backwards.
  virtual Timestamp now() noexcept = 0;
};

}  // namespace sluice::base
