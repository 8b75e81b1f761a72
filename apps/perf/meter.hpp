#pragma once

#include <cstdint>

namespace sluice::apps {

/// What a run cost the process since the meter was made.
class Meter {
 public:
  Meter();
  double seconds() const;
  /// Processor time of all threads.
  double cpu_seconds() const;
  /// Cycles of the time-stamp counter that the processor time comes to.
  double cycles() const;

 private:
  std::uint64_t tsc_;
  double wall_;
  double cpu_;
};

/// Seconds of the monotonic clock.
double now_seconds();
/// Nanoseconds of the monotonic clock.
std::uint64_t now_nanoseconds();

}  // namespace sluice::apps
