#include "stack/wire/chunk_sack.hpp"

#include <algorithm>

namespace sluice::wire {

std::optional<SackEntries> append_sack(PacketWriter& packet, Tsn cumulative_tsn, std::uint32_t window,
                                       std::span<const GapAckBlock> gaps, std::span<const Tsn> duplicates) {
  if (packet.room() < kSackHeaderSize) return std::nullopt;
  const std::size_t fit = (packet.room() - kSackHeaderSize) / kSackEntrySize;
  gaps = gaps.first(std::min(gaps.size(), fit));
  duplicates = duplicates.first(std::min(duplicates.size(), fit - gaps.size()));
  const SackEntries entries{static_cast<std::uint16_t>(gaps.size()), static_cast<std::uint16_t>(duplicates.size())};

  const std::size_t entry_bytes = (gaps.size() + duplicates.size()) * kSackEntrySize;
  std::byte* at = packet.append_chunk(ChunkType::sack, 0,
                                      static_cast<std::uint32_t>(kSackHeaderSize - kChunkHeaderSize + entry_bytes));
  if (at == nullptr) return std::nullopt;
  base::store_be(at, cumulative_tsn.value());
  base::store_be(at + 4, window);
  base::store_be(at + 8, entries.gaps);
  base::store_be(at + 10, entries.duplicates);
  at += kSackHeaderSize - kChunkHeaderSize;
  for (const GapAckBlock& gap : gaps) {
    base::store_be(at, gap.start);
    base::store_be(at + 2, gap.end);
    at += kSackEntrySize;
  }
  for (const Tsn duplicate : duplicates) {
    base::store_be(at, duplicate.value());
    at += kSackEntrySize;
  }
  return entries;
}

}  // namespace sluice::wire
