#pragma once

#include "stack/base/serial.hpp"
#include "stack/wire/packet_writer.hpp"

namespace sluice::wire {

/// Bytes of a SACK without gap ack blocks and duplicates, the chunk header counted.
inline constexpr std::uint32_t kSackHeaderSize = 16;
/// Bytes of one gap ack block, and of one duplicate TSN.
inline constexpr std::uint32_t kSackEntrySize = 4;

/// TSNs that came beyond the cumulative TSN: offsets from it, both ends included (RFC 9260 §3.3.4). What a peer sends
/// may be out of order, overlap, or end before it starts.
struct GapAckBlock {
  std::uint16_t start = 0;
  std::uint16_t end = 0;

  friend bool operator==(const GapAckBlock&, const GapAckBlock&) = default;
};

/// A received SACK (RFC 9260 §3.3.4); valid as long as the packet is.
class SackChunk {
 public:
  /// Nothing if `chunk` is not a SACK, or is shorter than its header and the two counts ask for.
  static std::optional<SackChunk> parse(const Chunk& chunk) {
    if (chunk.type != ChunkType::sack || chunk.bytes.size() < kSackHeaderSize) return std::nullopt;
    const SackChunk sack(chunk.bytes.data());
    const std::size_t entries = std::size_t{sack.gap_count()} + sack.duplicate_count();
    if (chunk.bytes.size() < kSackHeaderSize + entries * kSackEntrySize) return std::nullopt;
    return sack;
  }

  Tsn cumulative_tsn() const { return Tsn(base::load_be<std::uint32_t>(at_ + 4)); }
  /// a_rwnd, in bytes.
  std::uint32_t window() const { return base::load_be<std::uint32_t>(at_ + 8); }
  std::uint16_t gap_count() const { return base::load_be<std::uint16_t>(at_ + 12); }
  std::uint16_t duplicate_count() const { return base::load_be<std::uint16_t>(at_ + 14); }
  /// `i` is below gap_count().
  GapAckBlock gap(std::uint32_t i) const {
    SLUICE_DCHECK(i < gap_count());
    const std::byte* const block = at_ + kSackHeaderSize + std::size_t{i} * kSackEntrySize;
    return {base::load_be<std::uint16_t>(block), base::load_be<std::uint16_t>(block + 2)};
  }
  /// `i` is below duplicate_count().
  Tsn duplicate(std::uint32_t i) const {
    SLUICE_DCHECK(i < duplicate_count());
    return Tsn(base::load_be<std::uint32_t>(at_ + kSackHeaderSize + (std::size_t{gap_count()} + i) * kSackEntrySize));
  }

 private:
  explicit SackChunk(const std::byte* at) : at_(at) {}

  const std::byte* at_;
};

/// How many entries a SACK had room for.
struct SackEntries {
  std::uint16_t gaps = 0;
  std::uint16_t duplicates = 0;
};

/// Adds a SACK with as many of `gaps`, and then of `duplicates`, as fit, from the first on. Nothing if not even a bare
/// one fits; nothing was added then.
std::optional<SackEntries> append_sack(PacketWriter& packet, Tsn cumulative_tsn, std::uint32_t window,
                                       std::span<const GapAckBlock> gaps, std::span<const Tsn> duplicates);

}  // namespace sluice::wire
