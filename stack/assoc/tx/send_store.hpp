#pragma once

#include "stack/assoc/tx/sent_chunk.hpp"

namespace sluice::assoc {

struct Pools;

/// The chunks that have a TSN and are not cumulatively acknowledged, one record for each TSN from cumulative_tsn() + 1
/// to next_tsn() - 1, in segments from a pool. Through it runs the list of the missing ones: those that no gap ack
/// block covers, in the order of their TSNs, so that a SACK costs no more than what it newly acknowledges, its blocks
/// and what is missing between them.
class SendStore {
 public:
  explicit SendStore(Pools& pools) : pools_(pools) {}
  SendStore(const SendStore&) = delete;
  /// Must be empty.
  ~SendStore() { SLUICE_CHECK(empty()); }

  /// The first TSN to give out. Must be empty.
  void start(Tsn first);
  bool empty() const { return next_tsn_ == first_tsn_; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(next_tsn_ - first_tsn_); }
  /// The Cumulative TSN Ack Point.
  Tsn cumulative_tsn() const { return first_tsn_ - 1; }
  /// The TSN that the next new chunk gets.
  Tsn next_tsn() const { return next_tsn_; }

  /// Gives the next TSN to a new chunk, the last of the missing ones, of which only `tsn` and `next_missing` are set.
  /// Null when the pool has no segment left; no TSN was given then.
  SentChunk* append();
  /// The chunk with the lowest TSN; not when empty.
  SentChunk& front() { return head_->chunks[slot(first_tsn_)]; }
  /// Forgets front(), which moves the Cumulative TSN Ack Point.
  void pop_front();
  /// The chunk whose TSN is `distance` above that of `chunk`; there must be one.
  static SentChunk& advance(SentChunk& chunk, std::uint32_t distance);

  SentChunk* first_missing() { return first_missing_; }
  const SentChunk* first_missing() const { return first_missing_; }
  /// Takes `chunk` out of the missing ones; `previous` is the one before it, null for the first.
  void unlink_missing(SentChunk* previous, SentChunk& chunk);
  /// Puts `chunk` back after `previous`, null for before the first.
  void link_missing(SentChunk* previous, SentChunk& chunk);

 private:
  static std::uint32_t slot(Tsn tsn) { return tsn.value() % SentSegment::kSize; }
  SentSegment* add_segment();
  void drop_head();

  Pools& pools_;
  SentSegment* head_ = nullptr;
  SentSegment* tail_ = nullptr;
  SentChunk* first_missing_ = nullptr;
  SentChunk* last_missing_ = nullptr;
  Tsn first_tsn_;
  Tsn next_tsn_;
};

inline SentChunk* SendStore::append() {
  const std::uint32_t at = slot(next_tsn_);
  SentSegment* const segment = tail_ != nullptr && at != 0 ? tail_ : add_segment();
  if (segment == nullptr) return nullptr;
  SentChunk& chunk = segment->chunks[at];
  chunk.tsn = next_tsn_;
  chunk.next_missing = nullptr;
  (last_missing_ == nullptr ? first_missing_ : last_missing_->next_missing) = &chunk;
  last_missing_ = &chunk;
  ++next_tsn_;
  return &chunk;
}

inline void SendStore::pop_front() {
  SentChunk& chunk = front();
  if (&chunk == first_missing_) unlink_missing(nullptr, chunk);
  ++first_tsn_;
  if (slot(first_tsn_) == 0 || empty()) drop_head();
}

inline void SendStore::unlink_missing(SentChunk* previous, SentChunk& chunk) {
  (previous == nullptr ? first_missing_ : previous->next_missing) = chunk.next_missing;
  if (last_missing_ == &chunk) last_missing_ = previous;
}

}  // namespace sluice::assoc
