#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "stack/base/buffer.hpp"
#include "stack/wire/chunk.hpp"

namespace sluice::wire {

/// Builds one SCTP packet from its common header on, in place and within a limit. What does not fit is refused and
/// leaves the packet as it was. The checksum field is written as the header says; filling it in is another's work.
class PacketWriter {
 public:
  /// Into `buffer`, which is empty and whose length follows the packet at every step; at most `limit` bytes, and no
  /// more than the buffer has room for. Both allow at least a common header. The buffer outlives the writer.
  PacketWriter(base::Buffer& buffer, std::uint32_t limit, const CommonHeader& header)
      : PacketWriter({buffer.data(), std::min(limit, buffer.tailroom())}, header) {
    SLUICE_DCHECK(buffer.size() == 0);
    block_ = &buffer.block();
    block_->length = size_;
  }
  /// Into `memory`, of which size() bytes are then the packet.
  PacketWriter(std::span<std::byte> memory, const CommonHeader& header)
      : begin_(memory.data()), limit_(static_cast<std::uint32_t>(std::min(memory.size(), kMaxSize)) & ~3u) {
    SLUICE_CHECK(limit_ >= kCommonHeaderSize);
    header.write(begin_);
  }
  PacketWriter(const PacketWriter&) = delete;
  PacketWriter& operator=(const PacketWriter&) = delete;

  /// Bytes that chunks may still take, headers and padding counted: a multiple of 4.
  std::uint32_t room() const { return limit_ - size_; }
  /// Bytes of packet so far, padding counted: a multiple of 4.
  std::uint32_t size() const { return size_; }
  /// No chunk yet.
  bool empty() const { return size_ == kCommonHeaderSize; }
  std::span<const std::byte> bytes() const { return {begin_, size_}; }

  /// Adds a chunk with `body_length` bytes of body and returns where the body goes, which the caller writes wholly.
  /// Header and zero padding are written. Null if it does not fit; nothing was added.
  std::byte* append_chunk(ChunkType type, std::uint8_t flags, std::uint32_t body_length) {
    if (body_length > kMaxSize) return nullptr;
    const std::uint32_t length = kChunkHeaderSize + body_length;
    std::byte* const at = append(length);
    if (at == nullptr) return nullptr;
    write_chunk_header(at, type, flags, static_cast<std::uint16_t>(length));
    return at + kChunkHeaderSize;
  }

  /// Takes `length` bytes, at least 4, and returns the first: the caller writes all of them, a header that counts
  /// `length` included. Zero padding after them is written. Null if they do not fit; nothing was added.
  std::byte* append(std::uint32_t length) {
    SLUICE_DCHECK(length >= kTlvHeaderSize);
    if (length > room()) return nullptr;
    const auto stride = static_cast<std::uint32_t>(padded(length));
    std::byte* const at = begin_ + size_;
    // The last word whole: less work than finding out how many bytes of it are padding.
    std::memset(at + stride - 4, 0, 4);
    size_ += stride;
    if (block_ != nullptr) block_->length = size_;
    return at;
  }

  /// Drops everything after the first `size` bytes, which were size() before some chunk was added.
  void truncate(std::uint32_t size) {
    SLUICE_CHECK(size >= kCommonHeaderSize && size <= size_ && size % 4 == 0);
    size_ = size;
    if (block_ != nullptr) block_->length = size_;
  }

 private:
  static constexpr std::size_t kMaxSize = 65535;  // so that no length field overflows

  std::byte* begin_;
  std::uint32_t size_ = kCommonHeaderSize;
  std::uint32_t limit_;
  base::Block* block_ = nullptr;
};

}  // namespace sluice::wire
