#include <gtest/gtest.h>

#include <array>
#include <set>
#include <vector>

#include "stack/base/csprng.hpp"
#include "stack/base/seeded_random.hpp"

namespace sluice::base {
namespace {

TEST(SeededRandom, IsTheGeneratorThatItSaysItIs) {
  // First outputs of xoshiro256** whose state comes from splitmix64 seeded with 0.
  SeededRandom random(0);
  EXPECT_EQ(random.u64(), 0x99ec5f36cb75f2b4u);
  EXPECT_EQ(random.u64(), 0xbf6e1f784956452au);
  EXPECT_EQ(random.u64(), 0x1a5f849d4933e6e0u);
}

TEST(SeededRandom, OneSeedOneSequence) {
  SeededRandom a(7), b(7), c(8);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t value = a.u64();
    EXPECT_EQ(value, b.u64());
    differs |= value != c.u64();
  }
  EXPECT_TRUE(differs);
}

TEST(SeededRandom, BelowStaysBelowAndReachesAll) {
  SeededRandom random(1);
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::uint32_t value = random.below(7);
    ASSERT_LT(value, 7u);
    seen.insert(value);
  }
  EXPECT_EQ(seen.size(), 7u);
}

TEST(SeededRandom, FillsOddLengthsToTheLastByte) {
  SeededRandom random(3);
  bool last_changes = false;
  for (int i = 0; i < 8; ++i) {
    std::array<std::byte, 13> bytes{};
    random.fill(bytes);
    last_changes |= bytes.back() != std::byte{0};
  }
  EXPECT_TRUE(last_changes);
}

TEST(Csprng, DoesNotRepeatOverManyRefills) {
  Csprng random;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 4096; ++i) seen.insert(random.u64());
  EXPECT_EQ(seen.size(), 4096u);
}

TEST(Csprng, FillsMoreThanItsPoolAtOnce) {
  Csprng random;
  std::vector<std::byte> bytes(20'000);
  random.fill(bytes);
  // 64 zero bytes in a row would be a part that was not filled.
  std::size_t zeros = 0, longest = 0;
  for (const std::byte byte : bytes) {
    zeros = byte == std::byte{0} ? zeros + 1 : 0;
    longest = std::max(longest, zeros);
  }
  EXPECT_LT(longest, 64u);
}

TEST(Csprng, TwoGeneratorsDiffer) {
  Csprng a, b;
  EXPECT_NE(a.u64(), b.u64());
}

}  // namespace
}  // namespace sluice::base
