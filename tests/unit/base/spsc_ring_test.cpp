#include "stack/base/spsc_ring.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace sluice::base {
namespace {

TEST(SpscRing, ShowsNothingBeforePublish) {
  SpscRing<int> ring(4);
  std::array<int, 4> out{};
  EXPECT_TRUE(ring.push(1));
  EXPECT_EQ(ring.pop(out), 0u);
  EXPECT_TRUE(ring.empty());
  EXPECT_TRUE(ring.publish());
  EXPECT_FALSE(ring.publish());
  EXPECT_FALSE(ring.empty());
  EXPECT_EQ(ring.pop(out), 1u);
  EXPECT_EQ(out[0], 1);
}

TEST(SpscRing, RefusesWhenFullAndHasRoomAgainAfterPop) {
  SpscRing<int> ring(3);
  ASSERT_EQ(ring.capacity(), 4u);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.push(i));
  EXPECT_FALSE(ring.push(4));
  EXPECT_EQ(ring.room(), 0u);
  ring.publish();
  std::array<int, 2> out{};
  EXPECT_EQ(ring.pop(out), 2u);
  EXPECT_EQ(ring.room(), 2u);
  EXPECT_TRUE(ring.push(4));
}

TEST(SpscRing, CarriesEveryRecordInOrderBetweenThreads) {
  constexpr std::uint32_t kCount = 200'000;
  SpscRing<std::uint32_t> ring(64);
  std::thread producer([&ring] {
    for (std::uint32_t i = 0; i < kCount;) {
      if (ring.push(i)) {
        if (++i % 7 == 0 || i == kCount) ring.publish();
      } else {
        ring.publish();
        std::this_thread::yield();
      }
    }
  });
  std::uint32_t expected = 0;
  std::array<std::uint32_t, 16> out{};
  while (expected < kCount) {
    const std::size_t n = ring.pop(out);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(out[i], expected++);
    if (n == 0) std::this_thread::yield();
  }
  producer.join();
  EXPECT_TRUE(ring.empty());
}

}  // namespace
}  // namespace sluice::base
