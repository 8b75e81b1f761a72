#pragma once

#include <atomic>
#include <cstdint>

namespace sluice::endpoint {

/// Associations that peers have opened with one endpoint and of which the application has not taken the first event
/// yet. Counted once for all workers: the replicas of an endpoint share this, and it outlives them. The one thing in
/// this room that several threads touch, once an association.
class Backlog {
 public:
  explicit Backlog(std::uint32_t limit) : limit_(limit) {}
  Backlog(const Backlog&) = delete;
  Backlog& operator=(const Backlog&) = delete;

  /// One more waits; false, and nothing is counted, when as many wait as may.
  bool enter() {
    std::uint32_t waiting = waiting_.load(std::memory_order_relaxed);
    do {
      if (waiting >= limit_) return false;
    } while (!waiting_.compare_exchange_weak(waiting, waiting + 1, std::memory_order_relaxed));
    return true;
  }
  /// The application took it, or it ended before.
  void leave() { waiting_.fetch_sub(1, std::memory_order_relaxed); }

  bool full() const { return waiting() >= limit_; }
  std::uint32_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  std::uint32_t limit() const { return limit_; }

 private:
  const std::uint32_t limit_;
  std::atomic<std::uint32_t> waiting_{0};
};

}  // namespace sluice::endpoint
