#include "stack/base/slab_buffers.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace sluice::base {
namespace {

TEST(SlabBuffers, TakeTheSmallestBlockThatFits) {
  SlabBuffers slab({{64, 2}, {256, 1}});
  const Buffer small = slab.allocate(4, 60);
  EXPECT_EQ(small.block().capacity, 64u);
  EXPECT_EQ(small.headroom(), 4u);
  EXPECT_EQ(small.tailroom(), 60u);
  EXPECT_EQ(small.block().native, nullptr) << "a port would send it as it is";
  const Buffer large = slab.allocate(4, 61);
  EXPECT_EQ(large.block().capacity, 256u);
  EXPECT_FALSE(slab.allocate(0, 257));
  EXPECT_EQ(slab.available(), 1u);
}

TEST(SlabBuffers, FallBackToLargerBlocksAndReuseWhatCameBack) {
  SlabBuffers slab({{64, 1}, {256, 1}});
  Buffer one = slab.allocate(0, 1);
  Buffer two = slab.allocate(0, 1);
  EXPECT_EQ(two.block().capacity, 256u);
  EXPECT_FALSE(slab.allocate(0, 1));
  one.reset();
  EXPECT_EQ(slab.allocate(0, 1).block().capacity, 64u);
  two.reset();
  EXPECT_EQ(slab.available(), slab.total());
}

TEST(SlabBuffers, KeepTheirBlocksApartBetweenThreads) {
  SlabBuffers slab({{64, 16}});
  const auto work = [&slab](int value) {
    for (int i = 0; i < 20'000; ++i) {
      Buffer buffer = slab.allocate(0, 64);
      if (!buffer) continue;
      std::byte* const bytes = buffer.append(64);
      for (int j = 0; j < 64; ++j) bytes[j] = static_cast<std::byte>(value);
      for (int j = 0; j < 64; ++j) ASSERT_EQ(bytes[j], static_cast<std::byte>(value));
    }
  };
  std::thread other(work, 1);
  work(2);
  other.join();
  EXPECT_EQ(slab.available(), 16u);
}

}  // namespace
}  // namespace sluice::base
