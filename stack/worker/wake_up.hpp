#pragma once

#include <sluice/time.hpp>

#include <atomic>
#include <cstdint>

namespace sluice::worker {

/// How a thread that polls rings goes to sleep without missing what is published while it does. The sleeper:
/// announce(), look at every ring again, then sleep() if they are still empty, and withdraw() in any case. The
/// producer: publish, then wake_if_sleeping(), once a burst. Both sides put a sequentially consistent fence between
/// their store and their look, so that at least one of them sees the other (Dekker's handshake). One sleeper, any
/// number of producers.
class WakeUp {
 public:
  /// Throws Error when the process has no file descriptor left.
  WakeUp();
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;
  ~WakeUp();

  /// Sleeper: from now on producers will signal. Again before withdraw() it does nothing.
  void announce() noexcept {
    if (!announced_) sleeping_.store(1, std::memory_order_relaxed);
    announced_ = true;
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
  /// Sleeper, after announce(): waits for a signal or until `timeout` has passed. `other`
  /// is one more descriptor that ends the sleep when it is readable, -1 for none.
  void sleep(Duration timeout, int other = -1) noexcept;
  /// Sleeper: awake again. Takes a signal that is there off the descriptor; does nothing without announce().
  void withdraw() noexcept;

  /// Producer, after publishing: signals if the sleeper announced itself; at most one signal an announcement.
  void wake_if_sleeping() noexcept {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_relaxed) != 0) signal();
  }

  /// Readable while a signal waits, for event loops: announce(), look again, and give it to the loop.
  int descriptor() const noexcept { return descriptor_; }

 private:
  void signal() noexcept;

  std::atomic<std::uint32_t> sleeping_{0};  // whoever takes it down owes a signal, or is the sleeper
  // The sleeper's own.
  bool announced_ = false;
  std::uint64_t owed_ = 0;  // signals that producers owe, or that wait on the descriptor
  int descriptor_;
};

}  // namespace sluice::worker
