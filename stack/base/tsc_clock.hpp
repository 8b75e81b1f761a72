#pragma once

#include <cstdint>

#include "stack/base/clock.hpp"

namespace sluice::base {

/// The CPU's time-stamp counter, measured once against CLOCK_MONOTONIC when made; on a CPU whose counter does not run
/// at one rate on all cores, CLOCK_MONOTONIC itself. Reading changes nothing, so that all workers may share one.
class TscClock final : public Clock {
 public:
  /// Measures for about 20 ms.
  TscClock();
  Timestamp now() noexcept override;
  /// False: each reading asks the kernel's clock.
  bool uses_tsc() const { return nanoseconds_per_tick_ != 0; }

 private:
  static constexpr unsigned kShift = 32;

  std::uint64_t nanoseconds_per_tick_ = 0;  // times 2^kShift; 0: the counter is of no use
  std::uint64_t start_ticks_ = 0;
  std::int64_t start_nanoseconds_ = 0;
};

}  // namespace sluice::base
