#pragma once

#include <atomic>
#include <cstdint>

namespace sluice::worker {

/// A limit that all workers of a stack share, for what is rare: associations, opening attempts.
class Quota {
 public:
  explicit Quota(std::uint32_t limit) : limit_(limit) {}
  Quota(const Quota&) = delete;
  Quota& operator=(const Quota&) = delete;

  /// Takes one; false when none is left.
  [[nodiscard]] bool take() {
    std::uint32_t taken = taken_.load(std::memory_order_relaxed);
    do {
      if (taken >= limit_) return false;
    } while (!taken_.compare_exchange_weak(taken, taken + 1, std::memory_order_relaxed));
    return true;
  }
  void give_back() { taken_.fetch_sub(1, std::memory_order_relaxed); }
  std::uint32_t taken() const { return taken_.load(std::memory_order_relaxed); }

 private:
  const std::uint32_t limit_;
  std::atomic<std::uint32_t> taken_{0};
};

}  // namespace sluice::worker
