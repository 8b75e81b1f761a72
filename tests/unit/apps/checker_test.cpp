#include "apps/perf/checker.hpp"

#include <gtest/gtest.h>

namespace sluice::apps {
namespace {

class CheckerTest : public ::testing::Test {
 protected:
  void take(std::uint32_t sequence, bool unordered = true) {
    Event event;
    event.begin = event.end = true;
    event.unordered = unordered;
    event.ppid = Ppid(sequence);
    const auto bytes = content_.bytes(sequence, 0, content_.size(sequence));
    event.data = bytes.data();
    event.length = static_cast<std::uint32_t>(bytes.size());
    ASSERT_TRUE(checker_.take(event));
  }
  const Findings& findings() const { return checker_.findings(); }

  static constexpr std::uint32_t kMost = 1 << 17;  // so far ahead may a message be
  const Content content_{Workload{.min_size = 1, .max_size = 1, .unordered = true}};
  Checker checker_{content_};
};

TEST_F(CheckerTest, UnorderedMessagesComeInAnyOrderThatSctpAllows) {
  constexpr std::uint32_t kAll = 4 * kMost;
  for (std::uint32_t first = 0; first < kAll; first += kMost) {  // each such part in reverse
    for (std::uint32_t i = 0; i < kMost; ++i) take(first + kMost - 1 - i);
  }
  EXPECT_EQ(findings().messages, kAll);
  EXPECT_EQ(findings().corrupted, 0u);
  EXPECT_EQ(findings().duplicated, 0u);
}

TEST_F(CheckerTest, UnorderedMessagesThatComeTwiceAreCounted) {
  for (std::uint32_t i = 0; i < 3 * kMost; ++i) take(i);
  take(3 * kMost - 1);
  take(2 * kMost);
  take(0);
  EXPECT_EQ(findings().duplicated, 3u);
  for (std::uint32_t i = 3 * kMost; i < 6 * kMost; ++i) take(i);
  EXPECT_EQ(findings().duplicated, 3u);
  EXPECT_EQ(findings().corrupted, 0u);
}

TEST_F(CheckerTest, AnUnorderedMessageThatCannotBeUnderWayYetIsCorrupted) {
  take(kMost - 1);
  EXPECT_EQ(findings().corrupted, 0u);
  take(kMost + 1);
  EXPECT_EQ(findings().corrupted, 1u);
  take(kSequences - 1);
  EXPECT_EQ(findings().corrupted, 2u);
  EXPECT_EQ(findings().duplicated, 0u);
}

TEST_F(CheckerTest, AnUnorderedMessageOfAnOrderedLoadIsCorrupted) {
  const Content content{Workload{.min_size = 1, .max_size = 1}};
  Checker checker(content);
  Event event;
  event.begin = event.end = event.unordered = true;
  event.ppid = Ppid(kSequences - 1);
  event.data = content.bytes(kSequences - 1, 0, 1).data();
  event.length = 1;
  ASSERT_TRUE(checker.take(event));
  EXPECT_EQ(checker.findings().corrupted, 1u);
  EXPECT_EQ(checker.findings().duplicated, 0u);
}

}  // namespace
}  // namespace sluice::apps
