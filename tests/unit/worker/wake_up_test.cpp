#include "stack/worker/wake_up.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>

#include <array>
#include <atomic>
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

// On one core a signal may take it from the producer at once. Whatever is left undone there, the sleeper may not find
// its descriptor readable again and again: it would keep the producer from the core, and so from the next record.
TEST(WakeUp, ASignalEndsOneSleepAlone) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  constexpr int kRecords = 2'000;
  WakeUp wake_up;
  base::SpscRing<int> inbox(4);
  std::atomic<int> taken{0};
  int sleeps = 0;
  std::thread sleeper([&] {
    for (int i = 0; i < kRecords;) {
      std::array<int, 1> value;
      if (inbox.pop(value) == 1) {
        taken.store(++i);
        continue;
      }
      wake_up.announce();
      if (inbox.empty()) {
        ++sleeps;
        wake_up.sleep(hours(1));
      }
      wake_up.withdraw();
    }
  });
  for (int i = 0; i < kRecords; ++i) {
    inbox.push(i);
    inbox.publish();
    wake_up.wake_if_sleeping();
    while (taken.load() <= i) sched_yield();
  }
  sleeper.join();
  EXPECT_LE(sleeps, kRecords);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

TEST(WakeUp, WhoAnnouncesTwiceTakesTheSignalOffOnce) {
  WakeUp wake_up;
  wake_up.announce();
  wake_up.wake_if_sleeping();
  wake_up.announce();
  wake_up.wake_if_sleeping();
  EXPECT_TRUE(readable(wake_up));
  wake_up.withdraw();
  EXPECT_FALSE(readable(wake_up));
  wake_up.withdraw();
  wake_up.announce();
  EXPECT_FALSE(readable(wake_up));
  wake_up.withdraw();
}

}  // namespace
}  // namespace sluice::worker
