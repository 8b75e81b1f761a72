#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stack/base/buffer.hpp"
#include "stack/base/spsc_ring.hpp"

namespace sluice::worker {

/// How send memory is cut into blocks: a quarter of the bytes for each of four sizes. Both ends derive it from the size
/// of the memory alone, so that a block is named by its index.
class ArenaLayout {
 public:
  static constexpr std::array<std::uint32_t, 4> kBlockBytes{256, 2048, 16384, 65536};
  static constexpr std::uint32_t kLargestBlock = kBlockBytes.back();
  /// Below this there would be no block of the largest size.
  static constexpr std::uint64_t kLeastBytes = kBlockBytes.size() * kLargestBlock;

  struct Class {
    std::uint32_t block_bytes = 0;
    std::uint32_t first = 0;  ///< index of its first block
    std::uint32_t blocks = 0;
    std::uint64_t offset = 0;  ///< of its first block
  };

  /// `bytes` is at least kLeastBytes.
  explicit ArenaLayout(std::uint64_t bytes);

  std::uint32_t blocks() const { return blocks_; }
  const std::array<Class, kBlockBytes.size()>& classes() const { return classes_; }
  /// The class of block `index`, which is below blocks().
  const Class& class_of(std::uint32_t index) const {
    std::size_t i = 0;
    while (i + 1 < classes_.size() && index >= classes_[i + 1].first) ++i;
    return classes_[i];
  }
  std::uint64_t offset(std::uint32_t index) const {
    const Class& of = class_of(index);
    return of.offset + std::uint64_t{index - of.first} * of.block_bytes;
  }

 private:
  std::array<Class, kBlockBytes.size()> classes_;
  std::uint32_t blocks_ = 0;
};

/// The application's end of send memory: gives out blocks to fill, and takes them back when the worker is done with
/// them. One thread's.
class SendArena {
 public:
  /// `memory` is at least ArenaLayout::kLeastBytes long and outlives the arena.
  explicit SendArena(std::span<std::byte> memory);

  struct Piece {
    std::uint32_t block = 0;
    std::span<std::byte> bytes;  ///< as many as were asked for
  };
  /// A block of the smallest size that fits `bytes` (at most kLargestBlock) and has one left; nothing if none has.
  std::optional<Piece> allocate(std::uint32_t bytes);
  void free(std::uint32_t block);
  /// Bytes in the free blocks that fit `bytes`.
  std::uint64_t free_bytes(std::uint32_t bytes) const;
  /// Blocks out at the moment.
  std::uint32_t out() const { return layout_.blocks() - left_; }
  const ArenaLayout& layout() const { return layout_; }
  std::span<std::byte> memory() const { return memory_; }

 private:
  ArenaLayout layout_;
  std::span<std::byte> memory_;
  std::array<std::vector<std::uint32_t>, ArenaLayout::kBlockBytes.size()> free_;
  std::uint32_t left_ = 0;
};

/// The worker's end of send memory: makes buffers of what an application names, after checking it, and says through a
/// ring which blocks are free again. Block headers stand in the worker's own memory, where no application can write.
class ArenaBlocks final : public base::BlockOwner {
 public:
  /// `freed` has room for all blocks.
  ArenaBlocks(std::span<std::byte> memory, base::SpscRing<std::uint32_t>& freed);
  ArenaBlocks(const ArenaBlocks&) = delete;
  ArenaBlocks& operator=(const ArenaBlocks&) = delete;
  /// Every buffer must be gone.
  ~ArenaBlocks();

  /// A buffer over `length` bytes at `offset` into block `index`; empty when there is no such block, the bytes are not
  /// all in it, there are none, or the worker holds it already.
  base::Buffer take(std::uint32_t index, std::uint32_t offset, std::uint32_t length) noexcept;
  void release(base::Block& block) noexcept override;
  std::uint32_t out() const { return out_; }

 private:
  ArenaLayout layout_;
  base::SpscRing<std::uint32_t>& freed_;
  std::vector<base::Block> blocks_;
  std::uint32_t out_ = 0;
};

}  // namespace sluice::worker
