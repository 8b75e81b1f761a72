#include "stack/base/buffer.hpp"

#include <gtest/gtest.h>

#include "stack/base/heap_buffers.hpp"

namespace sluice::base {
namespace {

class CountingAccount final : public PinAccount {
 public:
  void unpinned() noexcept override { ++calls; }
  int calls = 0;
};

TEST(Buffer, GrowsAndShrinksWithinItsBlock) {
  HeapBuffers heap;
  Buffer buffer = heap.allocate(8, 16);
  ASSERT_TRUE(buffer);
  EXPECT_EQ(buffer.headroom(), 8u);
  EXPECT_EQ(buffer.tailroom(), 16u);
  std::byte* const first = buffer.append(10);
  EXPECT_EQ(buffer.data(), first);
  EXPECT_EQ(buffer.prepend(4), first - 4);
  EXPECT_EQ(buffer.size(), 14u);
  buffer.trim_front(4);
  buffer.truncate(3);
  EXPECT_EQ(buffer.data(), first);
  EXPECT_EQ(buffer.size(), 3u);
  EXPECT_EQ(buffer.tailroom(), 13u);
}

TEST(Buffer, GoesBackWithItsLastReference) {
  HeapBuffers heap;
  Buffer one = heap.allocate(0, 4);
  Buffer two = one.share();
  one.reset();
  EXPECT_EQ(heap.out(), 1u);
  Buffer three = std::move(two);
  EXPECT_FALSE(two);  // NOLINT(bugprone-use-after-move): what a moved-from buffer is, is what is tested
  three = Buffer();
  EXPECT_EQ(heap.out(), 0u);
}

TEST(Buffer, CrossesAsABlock) {
  HeapBuffers heap;
  Block* const block = heap.allocate(0, 4).release();
  EXPECT_EQ(heap.out(), 1u);
  Buffer::adopt(*block).reset();
  EXPECT_EQ(heap.out(), 0u);
}

TEST(Buffer, ChargesItsWholeBlockOnceUntilTheLastReferenceGoes) {
  HeapBuffers heap;
  CountingAccount account;
  Buffer one = heap.allocate(100, 1900);
  one.pin(account);
  Buffer two = one.share();
  two.pin(account);
  EXPECT_EQ(account.pinned_bytes, 2000u);
  EXPECT_EQ(account.blocks, 1u);
  one.reset();
  EXPECT_EQ(account.pinned_bytes, 2000u);
  EXPECT_EQ(account.calls, 0);
  two.reset();
  EXPECT_EQ(account.pinned_bytes, 0u);
  EXPECT_EQ(account.blocks, 0u);
  EXPECT_EQ(account.calls, 1);
}

TEST(HeapBuffers, RefuseBeyondTheirLimit) {
  HeapBuffers heap(1);
  const Buffer one = heap.allocate(0, 1);
  EXPECT_TRUE(one);
  EXPECT_FALSE(heap.allocate(0, 1));
  EXPECT_EQ(heap.available(), 0u);
}

TEST(HeapBuffers, CopyExactly) {
  HeapBuffers heap;
  const std::byte bytes[] = {std::byte{1}, std::byte{2}, std::byte{3}};
  const Buffer copy = heap.copy_of(bytes);
  EXPECT_EQ(copy.size(), 3u);
  EXPECT_EQ(copy.tailroom(), 0u);
  EXPECT_EQ(copy.bytes()[2], std::byte{3});
}

}  // namespace
}  // namespace sluice::base
