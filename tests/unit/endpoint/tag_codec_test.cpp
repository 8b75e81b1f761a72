#include "stack/endpoint/tag_codec.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <set>
#include <vector>

#include "stack/base/seeded_random.hpp"

namespace sluice::endpoint {
namespace {

TEST(TagCodec, EveryShardComesBackFromItsTags) {
  const TagCodec codec({11, 22});
  base::SeededRandom random(1);
  for (std::uint16_t shard = 0; shard < kShards; ++shard)
    for (int i = 0; i < 16; ++i) EXPECT_EQ(codec.shard(codec.encode(Shard(shard), random.u32())), Shard(shard));
}

TEST(TagCodec, TagsOfOneShardAreAllDifferent) {
  const TagCodec codec({11, 22});
  std::set<std::uint32_t> tags;
  for (std::uint32_t random = 0; random < 1 << 16; ++random) tags.insert(codec.encode(Shard(3), random).value);
  EXPECT_EQ(tags.size(), std::size_t{1} << 16);
}

// A permutation has one input that gives zero: its shard is the one that zero decodes to. There, two inputs give one
// tag.
TEST(TagCodec, TheInputThatWouldGiveZeroGivesAnotherTagOfItsShard) {
  const TagCodec codec({5, 6});
  const Shard of_zero = codec.shard(VTag(0));
  std::vector<std::uint32_t> tags;
  for (std::uint32_t random = 0; random < 1u << TagCodec::kRandomBits; ++random)
    tags.push_back(codec.encode(of_zero, random).value);
  std::sort(tags.begin(), tags.end());
  EXPECT_NE(tags.front(), 0u);
  EXPECT_EQ(std::unique(tags.begin(), tags.end()), tags.end() - 1);
}

TEST(TagCodec, AnotherKeyGivesOtherTags) {
  const TagCodec one({1, 2});
  const TagCodec other({1, 3});
  int same = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) same += one.encode(Shard(7), i) == other.encode(Shard(7), i);
  EXPECT_LE(same, 1);
}

TEST(TagCodec, NeighbouringInputsGiveUnrelatedTags) {
  const TagCodec codec({1, 2});
  std::uint32_t bits = 0;
  for (std::uint32_t i = 0; i < 4096; ++i)
    bits += static_cast<std::uint32_t>(
        std::popcount(codec.encode(Shard(9), 2 * i).value ^ codec.encode(Shard(9), 2 * i + 1).value));
  EXPECT_GT(bits, 4096u * 14);
  EXPECT_LT(bits, 4096u * 18);
}

TEST(ShardTable, DealsShardsToAllWorkers) {
  const ShardTable table(3);
  std::uint32_t counts[3] = {};
  for (std::uint16_t shard = 0; shard < kShards; ++shard) ++counts[table.owner(Shard(shard)).value];
  for (const std::uint32_t count : counts) EXPECT_NEAR(count, kShards / 3.0, 1);
}

TEST(ShardTable, PicksOnlyShardsOfTheWorkerAndAllOfThem) {
  const ShardTable table(8);
  base::SeededRandom random(2);
  std::set<std::uint16_t> picked;
  for (int i = 0; i < 10000; ++i) {
    const Shard shard = table.pick(WorkerId(5), random.u32());
    ASSERT_EQ(table.owner(shard), WorkerId(5));
    picked.insert(shard.value);
  }
  EXPECT_EQ(picked.size(), kShards / 8);
}

TEST(ShardTable, AnAssignedShardChangesHands) {
  ShardTable table(2);
  const Shard shard(4);
  ASSERT_EQ(table.owner(shard), WorkerId(0));
  table.assign(shard, WorkerId(1));
  EXPECT_EQ(table.owner(shard), WorkerId(1));
  base::SeededRandom random(3);
  for (int i = 0; i < 5000; ++i) EXPECT_NE(table.pick(WorkerId(0), random.u32()), shard);
}

}  // namespace
}  // namespace sluice::endpoint
