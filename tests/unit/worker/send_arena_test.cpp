#include "stack/worker/send_arena.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace sluice::worker {
namespace {

constexpr std::uint64_t kBytes = 1 << 20;

TEST(ArenaLayout, BlocksAreInsideAndDoNotOverlap) {
  const ArenaLayout layout(kBytes + 12345);
  std::uint64_t end = 0;
  for (std::uint32_t i = 0; i < layout.blocks(); ++i) {
    EXPECT_EQ(layout.offset(i), end);
    end = layout.offset(i) + layout.class_of(i).block_bytes;
  }
  EXPECT_LE(end, kBytes + 12345);
}

TEST(SendArena, GivesTheSmallestBlockThatFits) {
  std::vector<std::byte> memory(kBytes);
  SendArena arena(memory);
  for (const std::uint32_t bytes : {1u, 256u, 257u, 2048u, 2049u, 16384u, 65536u}) {
    const auto piece = arena.allocate(bytes);
    ASSERT_TRUE(piece);
    EXPECT_EQ(piece->bytes.size(), bytes);
    const std::uint32_t block_bytes = arena.layout().class_of(piece->block).block_bytes;
    EXPECT_GE(block_bytes, bytes);
    EXPECT_TRUE(block_bytes == 256 || block_bytes / 8 < bytes);
    arena.free(piece->block);
  }
  EXPECT_FALSE(arena.allocate(65537));
}

TEST(SendArena, GivesEveryBlockOnceAndThenNone) {
  std::vector<std::byte> memory(kBytes);
  SendArena arena(memory);
  std::set<std::uint32_t> blocks;
  while (const auto piece = arena.allocate(1)) EXPECT_TRUE(blocks.insert(piece->block).second);
  EXPECT_EQ(blocks.size(), arena.layout().blocks());
  EXPECT_EQ(arena.out(), blocks.size());
  for (const std::uint32_t block : blocks) arena.free(block);
  EXPECT_EQ(arena.out(), 0u);
}

class ArenaBlocksTest : public testing::Test {
 protected:
  std::vector<std::byte> memory = std::vector<std::byte>(kBytes);
  ArenaLayout layout{kBytes};
  base::SpscRing<std::uint32_t> freed{layout.blocks()};
  ArenaBlocks blocks{memory, freed};
};

TEST_F(ArenaBlocksTest, ShowsTheBytesThatWereNamed) {
  memory[layout.offset(3) + 7] = std::byte{42};
  const base::Buffer buffer = blocks.take(3, 7, 5);
  ASSERT_TRUE(buffer);
  EXPECT_EQ(buffer.size(), 5u);
  EXPECT_EQ(buffer.data()[0], std::byte{42});
}

TEST_F(ArenaBlocksTest, RefusesWhatIsNotInABlock) {
  EXPECT_FALSE(blocks.take(layout.blocks(), 0, 1));
  EXPECT_FALSE(blocks.take(UINT32_MAX, 0, 1));
  EXPECT_FALSE(blocks.take(0, 0, 0));
  EXPECT_FALSE(blocks.take(0, 0, 257));
  EXPECT_FALSE(blocks.take(0, 257, 1));
  EXPECT_FALSE(blocks.take(0, 200, 57));
  EXPECT_FALSE(blocks.take(0, UINT32_MAX, 2));
  EXPECT_FALSE(blocks.take(0, 2, UINT32_MAX));
  EXPECT_TRUE(blocks.take(0, 200, 56));
}

TEST_F(ArenaBlocksTest, RefusesABlockThatIsInUse) {
  const base::Buffer first = blocks.take(5, 0, 10);
  ASSERT_TRUE(first);
  EXPECT_FALSE(blocks.take(5, 100, 10));
}

TEST_F(ArenaBlocksTest, SaysWhichBlocksAreFreeAgain) {
  base::Buffer buffer = blocks.take(5, 0, 10);
  base::Buffer shared = buffer.share();
  buffer.reset();
  EXPECT_EQ(blocks.out(), 1u);
  shared.reset();
  freed.publish();
  std::vector<std::uint32_t> indices(4);
  ASSERT_EQ(freed.pop(indices), 1u);
  EXPECT_EQ(indices[0], 5u);
  EXPECT_TRUE(blocks.take(5, 0, 10));
}

}  // namespace
}  // namespace sluice::worker
