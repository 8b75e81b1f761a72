#include "stack/worker/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "stack/base/seeded_random.hpp"

namespace sluice::worker {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Timer : TimerEntry {
  int name = 0;
};

constexpr Timestamp kStart{seconds(1000)};

class TimerWheelTest : public testing::Test {
 protected:
  std::vector<int> expire(Timestamp now, std::uint32_t limit = 1000) {
    std::vector<int> fired;
    wheel.expire(now, limit, [&](TimerEntry& entry) { fired.push_back(static_cast<Timer&>(entry).name); });
    return fired;
  }

  TimerWheel wheel{kStart};
};

TEST_F(TimerWheelTest, FiresAtTheDeadlineAndNotBefore) {
  Timer timer{{}, 1};
  const Timestamp deadline = kStart + milliseconds(40);
  wheel.fire_by(timer, deadline);
  EXPECT_TRUE(expire(deadline - Duration(1)).empty());
  EXPECT_EQ(expire(deadline + TimerWheel::kResolution), std::vector<int>{1});
  EXPECT_TRUE(expire(deadline + seconds(1)).empty());
}

TEST_F(TimerWheelTest, ADeadlineInThePastFiresAtOnce) {
  Timer timer{{}, 1};
  wheel.fire_by(timer, kStart - seconds(5));
  EXPECT_EQ(expire(kStart), std::vector<int>{1});
}

TEST_F(TimerWheelTest, MovesOnlyToAnEarlierDeadline) {
  Timer timer{{}, 1};
  wheel.fire_by(timer, kStart + seconds(1));
  wheel.fire_by(timer, kStart + seconds(9));
  EXPECT_EQ(expire(kStart + seconds(2)).size(), 1u);
  wheel.fire_by(timer, kStart + seconds(9));
  wheel.fire_by(timer, kStart + seconds(3));
  EXPECT_EQ(expire(kStart + seconds(4)).size(), 1u);
}

TEST_F(TimerWheelTest, ACancelledEntryDoesNotFire) {
  Timer timer{{}, 1};
  wheel.fire_by(timer, kStart + seconds(1));
  wheel.cancel(timer);
  wheel.cancel(timer);
  EXPECT_TRUE(expire(kStart + seconds(2)).empty());
  EXPECT_EQ(wheel.size(), 0u);
  EXPECT_EQ(wheel.next_expiry(), kNever);
}

TEST_F(TimerWheelTest, NoMoreThanTheLimitFireInOneCall) {
  std::vector<Timer> timers(100);
  for (Timer& timer : timers) wheel.fire_by(timer, kStart + milliseconds(5));
  EXPECT_EQ(expire(kStart + seconds(1), 64).size(), 64u);
  EXPECT_EQ(expire(kStart + seconds(1), 64).size(), 36u);
}

// Half a million heartbeats that come down from a high level at once must not hold up one poll turn.
TEST_F(TimerWheelTest, MovingFarDeadlinesNearerIsBounded) {
  std::vector<Timer> timers(10'000);
  const Timestamp deadline = kStart + seconds(60);
  for (Timer& timer : timers) wheel.fire_by(timer, deadline);
  const Timestamp coming_down = wheel.next_expiry();
  ASSERT_LT(coming_down, deadline);
  int calls = 0;
  for (; wheel.next_expiry() <= coming_down; ++calls) EXPECT_TRUE(expire(coming_down, 8).empty());
  EXPECT_GT(calls, 10);
  EXPECT_EQ(expire(deadline + seconds(1), 20'000).size() + expire(deadline + seconds(1), 20'000).size(), 10'000u);
}

TEST_F(TimerWheelTest, AnEntryMayBePutInAgainFromWithin) {
  Timer timer{{}, 1};
  wheel.fire_by(timer, kStart + milliseconds(10));
  int fired = 0;
  wheel.expire(kStart + seconds(1), 5, [&](TimerEntry& entry) {
    ++fired;
    wheel.fire_by(entry, kStart + milliseconds(10));
  });
  EXPECT_EQ(fired, 5);
  wheel.cancel(timer);
}

TEST_F(TimerWheelTest, AnotherEntryMayBeCancelledFromWithin) {
  Timer first{{}, 1}, second{{}, 2};
  wheel.fire_by(first, kStart + milliseconds(10));
  wheel.fire_by(second, kStart + milliseconds(10));
  int fired = 0;
  wheel.expire(kStart + seconds(1), 5, [&](TimerEntry&) {
    ++fired;
    wheel.cancel(second);
  });
  EXPECT_EQ(fired, 1);
}

TEST_F(TimerWheelTest, DeadlinesBeyondItsReachAreKept) {
  Timer timer{{}, 1};
  const Timestamp deadline = kStart + hours(24 * 365 * 20);
  wheel.fire_by(timer, deadline);
  Timestamp now = kStart;
  while (now < deadline) {
    ASSERT_TRUE(expire(now).empty());
    ASSERT_GT(wheel.next_expiry(), now);
    now = wheel.next_expiry();
  }
  EXPECT_EQ(expire(now), std::vector<int>{1});
}

// Thousands of random moves against a sorted map: every timer fires within one tick after its deadline, in the order of
// ticks, whichever way time advances.
TEST_F(TimerWheelTest, AgreesWithASortedMap) {
  base::SeededRandom random(42);
  std::vector<Timer> timers(500);
  std::map<int, Timestamp> expected;
  for (int i = 0; i < 500; ++i) timers[static_cast<std::size_t>(i)].name = i;
  Timestamp now = kStart;
  const Duration spans[] = {milliseconds(3), milliseconds(200), seconds(30), hours(2), hours(400)};
  std::size_t total = 0;
  for (int round = 0; round < 3000; ++round) {
    const int name = static_cast<int>(random.below(500));
    Timer& timer = timers[static_cast<std::size_t>(name)];
    if (random.below(4) == 0) {
      wheel.cancel(timer);
      expected.erase(name);
    } else {
      const Duration span = spans[random.below(5)];
      const Timestamp deadline = now + Duration(random.u64() % static_cast<std::uint64_t>(span.count()));
      wheel.fire_by(timer, deadline);
      const auto found = expected.find(name);
      if (found == expected.end())
        expected[name] = deadline;
      else
        found->second = std::min(found->second, deadline);
    }
    if (random.below(3) == 0) {
      const Timestamp next = wheel.next_expiry();
      now = random.below(2) == 0 && next != kNever && next > now ? next : now + milliseconds(random.below(100));
      Timestamp last_deadline{};
      wheel.expire(now, 1000, [&](TimerEntry& entry) {
        const int fired = static_cast<Timer&>(entry).name;
        ASSERT_TRUE(expected.count(fired));
        ASSERT_LE(expected[fired], now);
        ASSERT_GT(expected[fired] + TimerWheel::kResolution, last_deadline);
        last_deadline = std::max(last_deadline, expected[fired]);
        expected.erase(fired);
        ++total;
      });
      for (const auto& [missing, deadline] : expected)
        ASSERT_GT(deadline + TimerWheel::kResolution, now) << missing << " is late";
    }
  }
  EXPECT_GT(total, 300u);
  EXPECT_EQ(wheel.size(), expected.size());
  for (Timer& timer : timers) wheel.cancel(timer);
}

}  // namespace
}  // namespace sluice::worker
