#include <gtest/gtest.h>

#include <ctime>

#include "stack/base/sim_clock.hpp"
#include "stack/base/tsc_clock.hpp"

namespace sluice::base {
namespace {

std::int64_t monotonic_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

TEST(TscClock, NeverGoesBackwards) {
  TscClock clock;
  Timestamp last = clock.now();
  for (int i = 0; i < 100'000; ++i) {
    const Timestamp now = clock.now();
    ASSERT_GE(now, last);
    last = now;
  }
}

// Whatever the machine does in between, a reading lies between two readings of the kernel's clock, give or take the
// error of the rate (a part in a thousand of the time since the clock was made).
TEST(TscClock, KeepsUpWithTheKernelsClock) {
  const std::int64_t made = monotonic_nanoseconds();
  TscClock clock;
  for (int i = 0; i < 20; ++i) {
    const timespec pause{0, 5'000'000};
    nanosleep(&pause, nullptr);
    const std::int64_t before = monotonic_nanoseconds();
    const std::int64_t read = clock.now().time_since_epoch().count();
    const std::int64_t after = monotonic_nanoseconds();
    const std::int64_t error = 1'000'000 + (after - made) / 1000;
    EXPECT_GE(read, before - error);
    EXPECT_LE(read, after + error);
  }
}

TEST(SimClock, StandsStillUntilAdvanced) {
  SimClock clock;
  const Timestamp start = clock.now();
  EXPECT_EQ(clock.now(), start);
  clock.advance(std::chrono::milliseconds(3));
  EXPECT_EQ(clock.now(), start + std::chrono::milliseconds(3));
  clock.advance_to(start + std::chrono::seconds(1));
  EXPECT_EQ(clock.now(), start + std::chrono::seconds(1));
}

TEST(SimClockDeathTest, RefusesToGoBackwards) {
  SimClock clock;
  EXPECT_DEATH(clock.advance_to(clock.now() - Duration(1)), "broken invariant");
}

}  // namespace
}  // namespace sluice::base
