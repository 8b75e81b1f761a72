#pragma once

#include <atomic>
#include <cstdint>

namespace sluice::apps {

/// From the first to the last moment that any thread noted.
class SpanOfTime {
 public:
  /// `nanoseconds` of the monotonic clock.
  void note(std::uint64_t nanoseconds) {
    for (std::uint64_t seen = first_; nanoseconds < seen && !first_.compare_exchange_weak(seen, nanoseconds);) {
    }
    for (std::uint64_t seen = last_; nanoseconds > seen && !last_.compare_exchange_weak(seen, nanoseconds);) {
    }
  }
  double seconds() const { return last_ > first_ ? 1e-9 * static_cast<double>(last_ - first_) : 0; }

 private:
  std::atomic<std::uint64_t> first_{UINT64_MAX};
  std::atomic<std::uint64_t> last_{0};
};

}  // namespace sluice::apps
