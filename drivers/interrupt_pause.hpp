#pragma once

#include <atomic>

struct rte_intr_handle;

namespace sluice::drivers {

/// Holds DPDK's interrupt thread at rest for as long as it lives.
///
/// Drivers whose peer is another process (memif, vhost, virtio_user) take their connection down in the interrupt thread
/// when the peer leaves, without a lock against rte_eth_dev_close(): two processes that end together would free the
/// same queues twice. For shutdown only: it makes system calls and waits for the other thread.
class InterruptPause {
 public:
  InterruptPause() noexcept;
  ~InterruptPause();
  InterruptPause(const InterruptPause&) = delete;
  InterruptPause& operator=(const InterruptPause&) = delete;

 private:
  enum class Phase { asked, resting, over, left };

  static void rest(void* self);
  void move_on(Phase phase) noexcept;
  void release() noexcept;

  rte_intr_handle* handle_ = nullptr;
  int event_ = -1;
  std::atomic<Phase> phase_ = Phase::asked;
};

}  // namespace sluice::drivers
