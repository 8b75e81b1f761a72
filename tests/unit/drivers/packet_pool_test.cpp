#include "drivers/packet_pool.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "tests/unit/drivers/dpdk_environment.hpp"

namespace sluice::drivers {
namespace {

using test::make_pool;

TEST(PacketPool, GivesRoomAndHeadroomAsAsked) {
  const auto pool = make_pool(64);
  base::Buffer buffer = pool->allocate(96, 1500);
  ASSERT_TRUE(buffer);
  EXPECT_EQ(buffer.size(), 0u);
  EXPECT_EQ(buffer.headroom(), 96u);
  EXPECT_GE(buffer.tailroom(), 1500u);
  EXPECT_EQ(buffer.block().capacity, pool->block_bytes());
  EXPECT_EQ(buffer.block().references, 1u);
}

TEST(PacketPool, RefusesWhatNoBlockIsLargeEnoughFor) {
  const auto pool = make_pool(64, 2176);
  EXPECT_TRUE(pool->allocate(176, 2000));
  EXPECT_FALSE(pool->allocate(177, 2000));
  EXPECT_FALSE(pool->allocate(UINT32_MAX, 1));
}

TEST(PacketPool, TakesEachBlockBackAndGivesEachOnce) {
  const auto pool = make_pool(64);
  for (int round = 0; round < 3; ++round) {
    std::set<std::uint32_t> seen;
    std::vector<base::Buffer> held;
    while (base::Buffer buffer = pool->allocate(0, 1)) {
      EXPECT_TRUE(seen.insert(buffer.block().index).second);
      held.push_back(std::move(buffer));
    }
    EXPECT_EQ(seen.size(), 64u);
    EXPECT_EQ(*seen.rbegin(), 63u);
    EXPECT_EQ(pool->unused(), 0u);
    held.clear();
    EXPECT_EQ(pool->unused(), 64u);
  }
}

TEST(PacketPool, IndexNamesTheBlock) {
  const auto pool = make_pool(64);
  const base::Buffer buffer = pool->allocate(0, 1);
  EXPECT_EQ(&pool->at(buffer.block().index), &buffer.block());
}

// Which af_xdp's PMD relies on when it tells the kernel what memory the blocks are in.
TEST(PacketPool, LiesInOnePieceWithoutGaps) {
  const auto pool = make_pool(1024);
  std::set<const std::byte*> memory;
  for (std::uint32_t i = 0; i < pool->total(); ++i) memory.insert(pool->at(i).memory);
  std::set<std::ptrdiff_t> distances;
  for (auto next = std::next(memory.begin()); next != memory.end(); ++next) distances.insert(*next - *std::prev(next));
  EXPECT_EQ(memory.size(), 1024u);
  EXPECT_EQ(distances.size(), 1u);
}

TEST(PacketPool, HoldersNeverGetTheReserveButReceivingDoes) {
  const auto pool = make_pool(64, 0, 16);
  std::vector<base::Buffer> held;
  while (base::Buffer buffer = pool->allocate(0, 1)) held.push_back(std::move(buffer));
  EXPECT_LE(held.size(), 48u);
  EXPECT_GT(held.size(), 32u) << "caches keep some, not most";
  EXPECT_EQ(pool->available(), 0u);
  for (int i = 0; i < 16; ++i) {
    held.push_back(pool->allocate_for_receiving());
    EXPECT_TRUE(held.back());
  }
}

TEST(PacketPool, BlocksReleasedByAnotherThreadComeBack) {
  const auto pool = make_pool(256);
  for (int round = 0; round < 8; ++round) {
    std::vector<base::Buffer> buffers;
    while (base::Buffer buffer = pool->allocate(0, 1)) buffers.push_back(std::move(buffer));
    std::thread([&] {
      const ThreadRegistration registration;
      buffers.clear();
    }).join();
    // A thread that ends leaves nothing behind in its cache.
    EXPECT_EQ(pool->unused(), 256u);
  }
}

TEST(PacketPool, ThreadsShareOnePoolWithoutLosingBlocks) {
  const auto pool = make_pool(512);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&pool] {
      const ThreadRegistration registration;
      for (int round = 0; round < 2000; ++round) {
        std::vector<base::Buffer> held;
        for (int n = 0; n < 100; ++n) held.push_back(pool->allocate(0, 1));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(pool->unused(), 512u);
}

TEST(PacketPool, SaysWhichPoolIsTooLarge) {
  test::eal();
  try {
    const PacketPool pool({.name = "huge", .blocks = 1'000'000});
    FAIL();
  } catch (const SetupError& error) {
    EXPECT_NE(std::string(error.what()).find("pool 'huge': 1000000 blocks"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace sluice::drivers
