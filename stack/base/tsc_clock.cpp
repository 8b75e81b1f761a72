#include "stack/base/tsc_clock.hpp"

#include <ctime>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace sluice::base {
namespace {

constexpr std::int64_t kMeasureNanoseconds = 20'000'000;

std::int64_t monotonic_nanoseconds() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

#if defined(__x86_64__)
std::uint64_t read_ticks() noexcept {
  return __rdtsc();
}

bool ticks_are_invariant() noexcept {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d & 1u << 8) != 0;
}
#else
std::uint64_t read_ticks() noexcept {
  return 0;
}

bool ticks_are_invariant() noexcept {
  return false;
}
#endif

struct Sample {
  std::uint64_t ticks;
  std::int64_t nanoseconds;
};

// Of a few tries the one in which both clocks were read closest together: an interrupt in between would spoil it.
Sample sample() noexcept {
  Sample best{};
  std::uint64_t best_width = UINT64_MAX;
  for (int i = 0; i < 16; ++i) {
    const std::uint64_t before = read_ticks();
    const std::int64_t nanoseconds = monotonic_nanoseconds();
    const std::uint64_t width = read_ticks() - before;
    if (width < best_width) {
      best_width = width;
      best = {before + width / 2, nanoseconds};
    }
  }
  return best;
}

}  // namespace

TscClock::TscClock() {
  if (!ticks_are_invariant()) return;
  const Sample from = sample();
  const timespec pause{0, kMeasureNanoseconds};
  nanosleep(&pause, nullptr);
  const Sample to = sample();
  if (to.ticks <= from.ticks || to.nanoseconds <= from.nanoseconds) return;
  const auto elapsed = static_cast<unsigned __int128>(to.nanoseconds - from.nanoseconds) << kShift;
  nanoseconds_per_tick_ = static_cast<std::uint64_t>(elapsed / (to.ticks - from.ticks));
  start_ticks_ = from.ticks;
  start_nanoseconds_ = from.nanoseconds;
}

Timestamp TscClock::now() noexcept {
  if (nanoseconds_per_tick_ == 0) return Timestamp(Duration(monotonic_nanoseconds()));
  const std::uint64_t ticks = read_ticks() - start_ticks_;
  const auto elapsed = static_cast<unsigned __int128>(ticks) * nanoseconds_per_tick_ >> kShift;
  return Timestamp(Duration(start_nanoseconds_ + static_cast<std::int64_t>(elapsed)));
}

}  // namespace sluice::base
