// A descriptor of one's own in the interrupt thread: DPDK 22.11 has these functions, outside its stable ABI.
#define ALLOW_EXPERIMENTAL_API
#include "drivers/interrupt_pause.hpp"

#include <rte_interrupts.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace sluice::drivers {

InterruptPause::InterruptPause() noexcept
    : handle_(rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE)), event_(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)) {
  // Not an alarm: rte_eal_cleanup() would wait for its end.
  if (handle_ != nullptr && event_ >= 0 && rte_intr_fd_set(handle_, event_) == 0 &&
      rte_intr_type_set(handle_, RTE_INTR_HANDLE_EXT) == 0 && rte_intr_callback_register(handle_, rest, this) == 0)
    phase_.wait(Phase::asked, std::memory_order_acquire);
  else
    release();  // without memory or descriptors the port is closed as any DPDK program closes it
}

InterruptPause::~InterruptPause() {
  if (handle_ == nullptr) return;
  move_on(Phase::over);
  phase_.wait(Phase::over, std::memory_order_acquire);
  // Refused until the interrupt thread has come out of rest().
  while (rte_intr_callback_unregister(handle_, rest, this) == -EAGAIN) usleep(10);
  release();
}

// Runs in the interrupt thread.
void InterruptPause::rest(void* self) {
  auto& pause = *static_cast<InterruptPause*>(self);
  eventfd_t ignored;
  eventfd_read(pause.event_, &ignored);
  pause.move_on(Phase::resting);
  pause.phase_.wait(Phase::resting, std::memory_order_acquire);
  pause.move_on(Phase::left);
}

void InterruptPause::move_on(Phase phase) noexcept {
  phase_.store(phase, std::memory_order_release);
  phase_.notify_one();
}

void InterruptPause::release() noexcept {
  rte_intr_instance_free(handle_);
  handle_ = nullptr;
  if (event_ >= 0) ::close(event_);
  event_ = -1;
}

}  // namespace sluice::drivers
