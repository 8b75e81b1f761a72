#include "stack/assoc/tx/send_store.hpp"

#include <cstddef>

#include "stack/assoc/pools.hpp"

namespace sluice::assoc {

void SendStore::start(Tsn first) {
  SLUICE_CHECK(empty());
  first_tsn_ = next_tsn_ = first;
}

SentSegment* SendStore::add_segment() {
  SentSegment* const segment = pools_.sent_segments.make();
  if (segment == nullptr) return nullptr;
  (tail_ == nullptr ? head_ : tail_->next) = segment;
  tail_ = segment;
  return segment;
}

void SendStore::drop_head() {
  SentSegment* const segment = head_;
  head_ = segment->next;
  if (head_ == nullptr) tail_ = nullptr;
  pools_.sent_segments.destroy(segment);
}

SentChunk& SendStore::advance(SentChunk& chunk, std::uint32_t distance) {
  const std::uint32_t at = slot(chunk.tsn);
  auto* const bytes = reinterpret_cast<std::byte*>(&chunk - at) - offsetof(SentSegment, chunks);
  auto* segment = reinterpret_cast<SentSegment*>(bytes);
  std::uint32_t target = at + distance;
  for (; target >= SentSegment::kSize; target -= SentSegment::kSize) segment = segment->next;
  return segment->chunks[target];
}

void SendStore::link_missing(SentChunk* previous, SentChunk& chunk) {
  SentChunk*& link = previous == nullptr ? first_missing_ : previous->next_missing;
  chunk.next_missing = link;
  link = &chunk;
  if (chunk.next_missing == nullptr) last_missing_ = &chunk;
}

}  // namespace sluice::assoc
