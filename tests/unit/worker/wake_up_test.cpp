#include "stack/worker/wake_up.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <thread>

#include "stack/base/spsc_ring.hpp"

namespace sluice::worker {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

bool readable(const WakeUp& wake_up) {
  pollfd descriptor{wake_up.descriptor(), POLLIN, 0};
  return poll(&descriptor, 1, 0) == 1;
}

TEST(WakeUp, NobodyIsSignalledWhoIsAwake) {
  WakeUp wake_up;
  wake_up.wake_if_sleeping();
  EXPECT_FALSE(readable(wake_up));
}

TEST(WakeUp, OneAnnouncementOneSignal) {
  WakeUp wake_up;
  wake_up.announce();
  wake_up.wake_if_sleeping();
  wake_up.wake_if_sleeping();
  EXPECT_TRUE(readable(wake_up));
  wake_up.withdraw();
  EXPECT_FALSE(readable(wake_up));
  wake_up.wake_if_sleeping();
  EXPECT_FALSE(readable(wake_up));
}

// The race, lost on purpose in both ways: the producer publishes after the sleeper found the ring empty. Before the
// announcement, the second look finds it; after the second look, the signal does, and the sleep (of an hour) ends.
TEST(WakeUp, WhatIsPublishedBetweenTheTwoLooksIsSeenByTheSecond) {
  WakeUp wake_up;
  base::SpscRing<int> ring(4);
  ASSERT_TRUE(ring.empty());
  ring.push(1);
  ring.publish();
  wake_up.wake_if_sleeping();
  wake_up.announce();
  EXPECT_FALSE(ring.empty());
  wake_up.withdraw();
}

TEST(WakeUp, WhatIsPublishedAfterTheSecondLookEndsTheSleep) {
  WakeUp wake_up;
  base::SpscRing<int> ring(4);
  wake_up.announce();
  ASSERT_TRUE(ring.empty());
  ring.push(1);
  ring.publish();
  wake_up.wake_if_sleeping();
  wake_up.sleep(hours(1));
  wake_up.withdraw();
  EXPECT_FALSE(ring.empty());
}

TEST(WakeUp, ASleepEndsByItself) {
  WakeUp wake_up;
  wake_up.announce();
  wake_up.sleep(std::chrono::microseconds(50));
  wake_up.withdraw();
  EXPECT_FALSE(readable(wake_up));
}

// Two threads that hand one record to each other and sleep in between, without a time limit that would hide a lost
// signal: if one were lost, the test would hang.
TEST(WakeUp, NoSignalIsLostBetweenThreads) {
  constexpr int kRounds = 2'000;
  struct End {
    WakeUp wake_up;
    base::SpscRing<int> inbox{4};
    int take() {
      std::array<int, 1> value;
      while (inbox.pop(value) == 0) {
        wake_up.announce();
        if (inbox.empty()) wake_up.sleep(hours(1));
        wake_up.withdraw();
      }
      return value[0];
    }
    void give(int value) {
      inbox.push(value);
      inbox.publish();
      wake_up.wake_if_sleeping();
    }
  };
  End a, b;
  std::thread echo([&] {
    for (int i = 0; i < kRounds; ++i) a.give(b.take());
  });
  for (int i = 0; i < kRounds; ++i) {
    b.give(i);
    ASSERT_EQ(a.take(), i);
  }
  echo.join();
}

}  // namespace
}  // namespace sluice::worker
