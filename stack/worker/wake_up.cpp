#include "stack/worker/wake_up.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <sluice/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace sluice::worker {

WakeUp::WakeUp() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (descriptor_ < 0)
    throw Error(std::string("cannot make an event descriptor (") + std::strerror(errno) +
                "): raise the limit on open files (ulimit -n)");
}

WakeUp::~WakeUp() {
  close(descriptor_);
}

void WakeUp::sleep(Duration timeout, int other) noexcept {
  pollfd descriptors[2] = {{descriptor_, POLLIN, 0}, {other, POLLIN, 0}};
  const auto nanoseconds = std::clamp<std::int64_t>(timeout.count(), 0, 3600 * std::int64_t{1'000'000'000});
  const timespec wait{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  ppoll(descriptors, other >= 0 ? 2 : 1, &wait, nullptr);
}

void WakeUp::withdraw() noexcept {
  if (!std::exchange(announced_, false)) return;
  if (sleeping_.exchange(0, std::memory_order_acq_rel) == 0) ++owed_;
  if (owed_ == 0) return;
  // The write wakes us, perhaps in front of the producer's next instruction, and perhaps it has not come yet: then it
  // ends one sleep too early, and is taken off after that.
  std::uint64_t written = 0;
  if (read(descriptor_, &written, sizeof written) == sizeof written) owed_ -= written;
}

void WakeUp::signal() noexcept {
  if (sleeping_.exchange(0, std::memory_order_acq_rel) == 0) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = write(descriptor_, &one, sizeof one);
}

}  // namespace sluice::worker
