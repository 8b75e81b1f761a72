#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "stack/base/check.hpp"

namespace sluice::base {

struct Block;

/// Whoever made a block and takes it back when nobody refers to it any more: a mempool, the send arena, the heap.
class BlockOwner {
 public:
  /// `block` has no references left. Never throws, never blocks.
  virtual void release(Block& block) noexcept = 0;

 protected:
  ~BlockOwner() = default;
};

/// Memory that somebody is charged for while it is held, in bytes of whole blocks: a 1-byte message held in a 2-KiB
/// block pins 2 KiB. Lives at least as long as every block charged to it.
class PinAccount {
 public:
  /// Called each time a block charged to this account went back to its owner, after the count was lowered.
  virtual void unpinned() noexcept = 0;

  std::uint64_t pinned_bytes = 0;
  std::uint32_t blocks = 0;

 protected:
  ~PinAccount() = default;
};

/// The verdict on a received packet's CRC32c, or the wish for a transmitted one's.
enum class Checksum : std::uint8_t {
  unknown,  ///< received: nobody looked; to send: the stack must compute it
  good,     ///< received: verified; to send: already there
  bad,      ///< received: wrong
  zero,     ///< received: the field is zero, which RFC 9653 may allow
  offload,  ///< to send: the port computes it
};

/// What a port and the ip layer tell each other about a frame.
struct FrameInfo {
  Checksum sctp_checksum = Checksum::unknown;
  bool ipv4_checksum_good = false;     ///< received: the port verified the IPv4 header
  bool ipv4_checksum_offload = false;  ///< to send: the port computes it
  std::uint8_t l2_length = 0;          ///< to send with an offload: bytes of Ethernet header
  std::uint8_t l3_length = 0;          ///< to send with an offload: bytes of IP header
};

/// One contiguous piece of memory, its present contents [data, data + length), and who is to have it back. Everything
/// in it belongs to one worker at a time; references are counted without atomics.
struct Block {
  std::byte* memory = nullptr;   ///< the first byte of the memory
  std::uint32_t capacity = 0;    ///< bytes of memory: what holding this block pins
  std::uint32_t length = 0;      ///< bytes of contents
  std::byte* data = nullptr;     ///< the first byte of the contents
  std::uint32_t references = 0;  ///< Buffers that refer to this block
  std::uint32_t index = 0;       ///< the block's name within its owner's region, for rings that carry no pointers
  BlockOwner* owner = nullptr;
  PinAccount* pinned_by = nullptr;
  void* native = nullptr;  ///< the rte_mbuf of a block that a port may send as it is; null: of any other block
  FrameInfo frame;
};

/// A counted reference to a Block; the stack's handle for packets and message memory. Moving is free, sharing is
/// explicit. Not thread-safe: a buffer crosses to another thread only whole, with the block's single reference.
class Buffer {
 public:
  Buffer() = default;
  /// Takes over one reference that `block` already counts.
  static Buffer adopt(Block& block) noexcept {
    Buffer buffer;
    buffer.block_ = &block;
    return buffer;
  }
  Buffer(Buffer&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      reset();
      block_ = std::exchange(other.block_, nullptr);
    }
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { reset(); }

  explicit operator bool() const { return block_ != nullptr; }
  std::byte* data() const { return block_->data; }
  std::uint32_t size() const { return block_->length; }
  std::span<std::byte> bytes() const { return {block_->data, block_->length}; }
  std::uint32_t headroom() const { return static_cast<std::uint32_t>(block_->data - block_->memory); }
  std::uint32_t tailroom() const { return block_->capacity - headroom() - block_->length; }
  Block& block() const { return *block_; }

  /// Grows the contents downwards by `bytes` and returns the new first byte. There must be that much headroom.
  std::byte* prepend(std::uint32_t bytes) {
    SLUICE_CHECK(bytes <= headroom());
    block_->data -= bytes;
    block_->length += bytes;
    return block_->data;
  }
  /// Grows the contents upwards by `bytes` and returns the first new byte. There must be that much tailroom.
  std::byte* append(std::uint32_t bytes) {
    SLUICE_CHECK(bytes <= tailroom());
    std::byte* const at = block_->data + block_->length;
    block_->length += bytes;
    return at;
  }
  /// Drops the first `bytes` of the contents, which has at least that many.
  void trim_front(std::uint32_t bytes) {
    SLUICE_CHECK(bytes <= block_->length);
    block_->data += bytes;
    block_->length -= bytes;
  }
  /// Keeps the first `length` bytes of the contents, which has at least that many.
  void truncate(std::uint32_t length) {
    SLUICE_CHECK(length <= block_->length);
    block_->length = length;
  }

  /// Another reference to the same block.
  Buffer share() const noexcept {
    ++block_->references;
    return adopt(*block_);
  }
  /// Gives up this reference; the last one sends the block back to its owner.
  void reset() noexcept {
    if (Block* const block = std::exchange(block_, nullptr)) drop(*block);
  }
  /// Gives the reference away without dropping it. The caller adopts it later.
  Block* release() noexcept { return std::exchange(block_, nullptr); }

  /// Charges the block to `account` until it goes back to its owner. A block already charged stays as it is.
  void pin(PinAccount& account) noexcept {
    if (block_->pinned_by != nullptr) return;
    block_->pinned_by = &account;
    account.pinned_bytes += block_->capacity;
    ++account.blocks;
  }

 private:
  static void drop(Block& block) noexcept {
    SLUICE_DCHECK(block.references > 0);
    if (--block.references > 0) return;
    PinAccount* const account = std::exchange(block.pinned_by, nullptr);
    const std::uint32_t capacity = block.capacity;
    block.owner->release(block);
    if (account == nullptr) return;
    account->pinned_bytes -= capacity;
    --account->blocks;
    account->unpinned();
  }

  Block* block_ = nullptr;
};

/// Somewhere to get blocks from.
class BufferSource {
 public:
  virtual ~BufferSource() = default;
  /// A block with one reference, no contents, at least `headroom` bytes before them and `bytes` of room after; empty
  /// when the source has none to give or no block is that large.
  virtual Buffer allocate(std::uint32_t headroom, std::uint32_t bytes) noexcept = 0;
  /// Blocks that could be allocated now; an estimate for deciding when to save.
  virtual std::uint32_t available() const noexcept = 0;
  /// Blocks there are in all.
  virtual std::uint32_t total() const noexcept = 0;
};

}  // namespace sluice::base
