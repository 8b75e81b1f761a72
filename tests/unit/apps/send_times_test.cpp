#include "apps/perf/send_times.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace sluice::apps {
namespace {

TEST(SendTimes, KeepsTheTimeOfARequestThatIsOvertakenByMoreThanAWindow) {
  SendTimes times(2);
  times.put(0, 100);
  for (std::uint32_t sequence = 1; sequence < 50; ++sequence) {
    times.put(sequence, 100 + sequence);
    EXPECT_EQ(times.take(sequence), 100 + sequence);
  }
  EXPECT_EQ(times.take(0), 100u);
}

TEST(SendTimes, GivesEachTimeOnceAndNoneThatWasNotPut) {
  SendTimes times(1);
  EXPECT_EQ(times.take(7), std::nullopt);
  times.put(7, 1);
  times.put(7, 2);  // a message that had no room was begun again
  EXPECT_EQ(times.take(7), 2u);
  EXPECT_EQ(times.take(7), std::nullopt);
}

TEST(SendTimes, AgreesWithAMapWhateverTheOrderOfAnswers) {
  for (const std::size_t window : {1u, 3u, 64u, 1000u}) {
    SendTimes times(window);
    std::map<std::uint32_t, std::uint64_t> model;
    std::mt19937 random(static_cast<unsigned>(window));
    std::uint32_t sequence = 0xffff0000u - 500;
    for (std::uint64_t now = 1; now < 20000; ++now) {
      if (model.size() < window && random() % 2 == 0) {
        times.put(sequence, now);
        model.emplace(sequence, now);
        ++sequence;
      } else if (!model.empty()) {
        auto some = model.lower_bound(model.begin()->first + random() % 64);
        if (some == model.end()) some = model.begin();
        ASSERT_EQ(times.take(some->first), some->second);
        model.erase(some);
      }
    }
  }
}

}  // namespace
}  // namespace sluice::apps
