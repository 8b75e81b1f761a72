#include "stack/endpoint/association_table.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "stack/base/seeded_random.hpp"

namespace sluice::endpoint {
namespace {

using InsertStatus = TagTable::InsertStatus;
using std::chrono::seconds;

class AssociationTableTest : public testing::Test {
 protected:
  AssociationTable<int> table{{.associations = 4, .retired = 3, .quarantine = seconds(120)}};
  int a = 0;
  int b = 0;
  Timestamp now{seconds(1000)};
};

TEST_F(AssociationTableTest, FindsWhatWasInserted) {
  EXPECT_EQ(table.insert(VTag(10), a), InsertStatus::inserted);
  EXPECT_EQ(table.insert(VTag(11), b), InsertStatus::inserted);
  EXPECT_EQ(table.find(VTag(10)), &a);
  EXPECT_EQ(table.find(VTag(11)), &b);
  EXPECT_EQ(table.find(VTag(12)), nullptr);
  EXPECT_EQ(table.size(), 2u);
}

TEST_F(AssociationTableTest, RefusesATagInUse) {
  table.insert(VTag(10), a);
  EXPECT_EQ(table.insert(VTag(10), b), InsertStatus::in_use);
  EXPECT_EQ(table.find(VTag(10)), &a);
}

TEST_F(AssociationTableTest, RefusesMoreThanItsLimit) {
  for (std::uint32_t tag = 1; tag <= 4; ++tag) EXPECT_EQ(table.insert(VTag(tag), a), InsertStatus::inserted);
  EXPECT_TRUE(table.full());
  EXPECT_EQ(table.insert(VTag(5), a), InsertStatus::full);
}

TEST_F(AssociationTableTest, ARetiredTagIsNotGivenAgainUntilItsQuarantineIsOver) {
  table.insert(VTag(10), a);
  table.retire(VTag(10), now);
  EXPECT_EQ(table.find(VTag(10)), nullptr);
  EXPECT_TRUE(table.is_retired(VTag(10)));
  EXPECT_EQ(table.size(), 0u);
  table.expire(now + seconds(119));
  EXPECT_EQ(table.insert(VTag(10), b), InsertStatus::recently_used);
  table.expire(now + seconds(120));
  EXPECT_FALSE(table.is_retired(VTag(10)));
  EXPECT_EQ(table.insert(VTag(10), b), InsertStatus::inserted);
}

TEST_F(AssociationTableTest, QuarantineTakesNoRoomFromAssociations) {
  for (std::uint32_t tag = 1; tag <= 3; ++tag) {
    table.insert(VTag(tag), a);
    table.retire(VTag(tag), now);
  }
  for (std::uint32_t tag = 11; tag <= 14; ++tag) EXPECT_EQ(table.insert(VTag(tag), a), InsertStatus::inserted);
}

TEST_F(AssociationTableTest, AFullQuarantineLetsTheOldestGoAndCountsIt) {
  for (std::uint32_t tag = 1; tag <= 4; ++tag) {
    table.insert(VTag(tag), a);
    table.retire(VTag(tag), now);
  }
  EXPECT_EQ(table.retired(), 3u);
  EXPECT_EQ(table.released_early(), 1u);
  EXPECT_TRUE(table.is_free(VTag(1)));
  EXPECT_TRUE(table.is_retired(VTag(2)));
}

TEST_F(AssociationTableTest, DrawsTagsOfTheWorkerThatAreFree) {
  const Steering steering({1, 2}, 4);
  base::SeededRandom random(5);
  base::SeededRandom same(5);
  const VTag first = table.draw(steering, WorkerId(2), random);
  EXPECT_EQ(steering.owner_of(first), WorkerId(2));
  // The same random numbers again: the tag they give is taken, so another one comes.
  table.insert(first, a);
  const VTag second = table.draw(steering, WorkerId(2), same);
  EXPECT_NE(second, first);
  EXPECT_EQ(steering.owner_of(second), WorkerId(2));
}

TEST_F(AssociationTableTest, ListsEveryAssociationOnceAndNoRetiredTag) {
  int c = 0;
  table.insert(VTag(10), a);
  table.insert(VTag(11), b);
  table.insert(VTag(12), c);
  table.retire(VTag(12), now);
  std::multiset<int*> listed;
  std::size_t cursor = 0;
  while (int* const found = table.next(cursor)) listed.insert(found);
  EXPECT_EQ(listed, (std::multiset<int*>{&a, &b}));
}

// Tags that share a home slot: whichever of them goes, the others must stay within reach.
TEST(AssociationTableCollisions, RemovalKeepsTheOthersWithinReach) {
  for (std::uint32_t gone = 0; gone < 6; ++gone) {
    AssociationTable<int> table({.associations = 8, .retired = 1, .quarantine = seconds(0)});
    std::vector<int> values(6);
    // 16 slots: homes 15, 15, 15, 0, 0, 1, so that the run wraps around the end.
    const std::uint32_t tags[6] = {15, 31, 47, 16, 32, 17};
    for (std::uint32_t i = 0; i < 6; ++i) table.insert(VTag(tags[i]), values[i]);
    table.retire(VTag(tags[gone]), Timestamp(seconds(1)));
    table.expire(Timestamp(seconds(1)));
    for (std::uint32_t i = 0; i < 6; ++i) EXPECT_EQ(table.find(VTag(tags[i])), i == gone ? nullptr : &values[i]);
  }
}

std::uint32_t longest_and_total(const TagTable& table, const std::vector<VTag>& tags, std::uint64_t& total) {
  std::uint32_t longest = 0;
  for (const VTag tag : tags) {
    const std::uint32_t n = table.probes(tag);
    total += n;
    longest = std::max(longest, n);
  }
  return longest;
}

// INIT ACKs show tags for nothing, and a peer may answer only those that lie close together.
TEST(AssociationTableScale, TagsFromOneRangeDoNotCluster) {
  const Steering steering({1, 2}, 1);
  base::SeededRandom random(9);
  AssociationTable<int> table(TagTable::Limits{});
  int value = 0;
  std::vector<VTag> tags;
  while (tags.size() < 4096) {
    const VTag tag = table.draw(steering, WorkerId(0), random);
    if (tag.value >> 27 != 5) continue;
    tags.push_back(tag);
    ASSERT_EQ(table.insert(tag, value), InsertStatus::inserted);
  }
  std::uint64_t total = 0;
  EXPECT_LT(longest_and_total(table, tags, total), 64u);
}

// Flat cost: slots looked at, not time.
TEST(AssociationTableScale, AMillionAssociationsAreFoundInAsFewProbesAsAThousand) {
  constexpr std::uint32_t kMillion = 1'000'000;
  const Steering steering({1, 2}, 1);
  base::SeededRandom random(9);
  AssociationTable<int> table({.associations = kMillion, .retired = kMillion / 4, .quarantine = seconds(60)});
  int value = 0;
  std::vector<VTag> tags;
  for (std::uint32_t i = 0; i < kMillion; ++i) {
    tags.push_back(table.draw(steering, WorkerId(0), random));
    ASSERT_EQ(table.insert(tags.back(), value), InsertStatus::inserted);
  }
  std::uint64_t total = 0;
  EXPECT_LT(longest_and_total(table, tags, total), 128u);
  EXPECT_LT(static_cast<double>(total) / kMillion, 2.0);
  std::uint64_t missed = 0;
  for (std::uint32_t i = 0; i < kMillion; ++i) missed += table.probes(steering.new_tag(WorkerId(0), random));
  EXPECT_LT(static_cast<double>(missed) / kMillion, 4.0);

  // Churn leaves no marks behind: after every association was replaced, probes are as short.
  Timestamp now{seconds(1)};
  for (VTag& tag : tags) {
    table.retire(tag, now);
    now += std::chrono::milliseconds(1);
    table.expire(now);
    tag = table.draw(steering, WorkerId(0), random);
    ASSERT_EQ(table.insert(tag, value), InsertStatus::inserted);
  }
  total = 0;
  longest_and_total(table, tags, total);
  EXPECT_LT(static_cast<double>(total) / kMillion, 2.0);
}

}  // namespace
}  // namespace sluice::endpoint
