#include "apps/common/stop_signal.hpp"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>

namespace sluice::apps {
namespace {

std::atomic<std::int64_t> requested{0};  // when, in nanoseconds of the monotonic clock; 0: not yet
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "for a signal handler");

void on_signal(int number) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  const std::int64_t now = time.tv_sec * kSecond + time.tv_nsec;
  std::int64_t first = 0;
  if (requested.compare_exchange_strong(first, now) || now - first < kSecond) return;
  std::signal(number, SIG_DFL);
  std::raise(number);
}

}  // namespace

void catch_stop_signals() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGPIPE, SIG_IGN);
}

bool stop_requested() {
  return requested != 0;
}

}  // namespace sluice::apps
