#include "stack/base/slab_buffers.hpp"

namespace sluice::base {
namespace {

std::uint32_t index_of(std::uint64_t head) {
  return static_cast<std::uint32_t>(head);
}
/// The head that follows `head`, with `index` on top.
std::uint64_t successor(std::uint64_t head, std::uint32_t index) {
  return ((head >> 32) + 1) << 32 | index;
}

}  // namespace

SlabBuffers::Class::Class(const Size& of, std::atomic<std::uint32_t>& available_blocks)
    : size(of),
      available(available_blocks),
      memory(std::make_unique_for_overwrite<std::byte[]>(std::size_t{of.bytes} * of.blocks)),
      blocks(std::make_unique<Block[]>(of.blocks)),
      next(std::make_unique<std::atomic<std::uint32_t>[]>(of.blocks)),
      head(kNone) {
  for (std::uint32_t i = of.blocks; i-- > 0;) {
    blocks[i].memory = memory.get() + std::size_t{of.bytes} * i;
    blocks[i].capacity = of.bytes;
    blocks[i].index = i;
    blocks[i].owner = this;
    push(blocks[i]);
  }
}

Block* SlabBuffers::Class::pop() noexcept {
  std::uint64_t seen = head.load(std::memory_order_acquire);
  for (;;) {
    const std::uint32_t index = index_of(seen);
    if (index == kNone) return nullptr;
    const std::uint32_t below = next[index].load(std::memory_order_relaxed);
    if (head.compare_exchange_weak(seen, successor(seen, below), std::memory_order_acquire)) return &blocks[index];
  }
}

void SlabBuffers::Class::push(Block& block) noexcept {
  std::uint64_t seen = head.load(std::memory_order_relaxed);
  do {
    next[block.index].store(index_of(seen), std::memory_order_relaxed);
  } while (!head.compare_exchange_weak(seen, successor(seen, block.index), std::memory_order_release,
                                       std::memory_order_relaxed));
}

SlabBuffers::SlabBuffers(const std::vector<Size>& sizes) {
  for (const Size& size : sizes) {
    SLUICE_CHECK(classes_.empty() || classes_.back()->size.bytes < size.bytes);
    classes_.push_back(std::make_unique<Class>(size, available_));
    total_ += size.blocks;
  }
  available_ = total_;
}

SlabBuffers::~SlabBuffers() {
  SLUICE_CHECK(available_.load() == total_);
}

Buffer SlabBuffers::allocate(std::uint32_t headroom, std::uint32_t bytes) noexcept {
  for (const auto& one : classes_) {
    if (one->size.bytes < headroom || one->size.bytes - headroom < bytes) continue;
    Block* const block = one->pop();
    if (block == nullptr) continue;
    available_.fetch_sub(1, std::memory_order_relaxed);
    block->data = block->memory + headroom;
    block->length = 0;
    block->references = 1;
    block->frame = {};
    return Buffer::adopt(*block);
  }
  return {};
}

void SlabBuffers::Class::release(Block& block) noexcept {
  push(block);
  available.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace sluice::base
