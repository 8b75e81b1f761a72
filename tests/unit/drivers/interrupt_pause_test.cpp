#include "drivers/interrupt_pause.hpp"

#include <gtest/gtest.h>
#include <rte_alarm.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/unit/drivers/dpdk_environment.hpp"

namespace sluice::drivers {
namespace {

TEST(InterruptPause, HoldsBackWhatRunsInTheInterruptThread) {
  test::eal();
  static std::atomic<bool> rang;
  rang = false;
  {
    const InterruptPause pause;
    ASSERT_EQ(rte_eal_alarm_set(
                  1,
                  [](void*) {
                    rang = true;
                    rang.notify_one();
                  },
                  nullptr),
              0);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(rang);
  }
  rang.wait(false);
  EXPECT_TRUE(rang);
}

TEST(InterruptPause, MayBeTakenManyTimes) {
  test::eal();
  for (int i = 0; i < 100; ++i) const InterruptPause pause;
}

}  // namespace
}  // namespace sluice::drivers
