#include "stack/assoc/rx/tsn_map.hpp"

#include <algorithm>
#include <bit>

namespace sluice::assoc {

TsnMap::~TsnMap() {
  for (HeldPage* const page : table_) SLUICE_DCHECK(page == nullptr);
}

namespace {

/// What a map may have while pages are scarce.
constexpr std::uint32_t kFairPages = 4;

}  // namespace

bool TsnMap::hold(HeldChunk& chunk) {
  HeldPage*& page = table_[word(chunk.tsn)];
  if (page == nullptr) {
    if (used_pages_ >= kFairPages && pages_.scarce()) return false;
    if ((page = pages_.make()) == nullptr) return false;
    ++used_pages_;
  }
  SLUICE_DCHECK(page->chunks[chunk.tsn.value() % 64] == nullptr);
  page->chunks[chunk.tsn.value() % 64] = &chunk;
  ++page->used;
  ++held_;
  return true;
}

HeldChunk* TsnMap::take(Tsn tsn) {
  HeldPage*& page = table_[word(tsn)];
  if (page == nullptr) return nullptr;
  HeldChunk* const chunk = std::exchange(page->chunks[tsn.value() % 64], nullptr);
  if (chunk == nullptr) return nullptr;
  --held_;
  if (--page->used == 0) {
    pages_.destroy(page);
    page = nullptr;
    --used_pages_;
  }
  return chunk;
}

HeldChunk* TsnMap::highest_held(Tsn cumulative, Tsn highest) const {
  for (Tsn tsn = highest; tsn > cumulative;) {
    if (table_[word(tsn)] == nullptr) {
      tsn = tsn - (tsn.value() % 64 + 1);
      continue;
    }
    if (HeldChunk* const chunk = held(tsn)) return chunk;
    tsn = tsn - 1;
  }
  return nullptr;
}

Tsn TsnMap::highest_received(Tsn cumulative, Tsn highest) const {
  for (Tsn tsn = highest; tsn > cumulative;) {
    const std::uint32_t below = tsn.value() % 64;
    const std::uint64_t bits = words_[word(tsn)] << (63 - below);
    if (bits != 0) {
      const Tsn found = tsn - static_cast<std::uint32_t>(std::countl_zero(bits));
      return found > cumulative ? found : cumulative;
    }
    tsn = tsn - (below + 1);
  }
  return cumulative;
}

std::uint32_t TsnMap::find(Tsn cumulative, std::uint32_t from, std::uint32_t end, bool set) const {
  while (from < end) {
    const Tsn tsn = cumulative + from;
    const std::uint64_t wanted = set ? words_[word(tsn)] : ~words_[word(tsn)];
    const std::uint64_t bits = wanted >> tsn.value() % 64;
    if (bits != 0) return std::min(from + static_cast<std::uint32_t>(std::countr_zero(bits)), end);
    from += 64 - tsn.value() % 64;
  }
  return end;
}

std::size_t TsnMap::gap_blocks(Tsn cumulative, Tsn highest, std::span<wire::GapAckBlock> out) const {
  const std::uint32_t end = static_cast<std::uint32_t>(highest - cumulative) + 1;
  std::size_t count = 0;
  for (std::uint32_t at = 1; count < out.size();) {
    const std::uint32_t first = find(cumulative, at, end, true);
    if (first == end) break;
    at = find(cumulative, first, end, false);
    out[count++] = {static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(at - 1)};
  }
  return count;
}

}  // namespace sluice::assoc
