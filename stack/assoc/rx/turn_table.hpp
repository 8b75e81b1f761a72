#pragma once

#include <array>

#include "stack/assoc/rx/held_chunk.hpp"

namespace sluice::assoc {

/// Whole messages that wait for their turn in their stream: ordered ones for their SSN, by which they are found,
/// unordered ones for the end of the message of their stream that is delivered in parts. Those that share a bucket
/// stand in it as they came, which is mostly as they go.
class TurnTable {
 public:
  /// Keeps a peer from choosing (stream, SSN) pairs that fall into one bucket. Only while empty.
  void seed(std::uint32_t seed) { seed_ = seed | 1; }
  bool empty() const { return count_ == 0; }

  /// A message waits; `first` is its first chunk.
  void add(HeldChunk& first) {
    Bucket& bucket = bucket_of(first);
    first.next = nullptr;
    first.previous = bucket.last;
    (bucket.last == nullptr ? bucket.first : bucket.last->next) = &first;
    bucket.last = &first;
    ++count_;
  }
  /// The ordered message that waited for this SSN, no longer waiting; or null.
  HeldChunk* take(StreamId stream, Ssn ssn) {
    Bucket& bucket = bucket_of(stream, ssn);
    for (HeldChunk* first = bucket.first; first != nullptr; first = first->next) {
      if (first->stream != stream || first->ssn != ssn) continue;
      unlink(bucket, *first);
      return first;
    }
    return nullptr;
  }
  /// The unordered message that has waited longest, no longer waiting; or null.
  HeldChunk* take_unordered() {
    HeldChunk* const first = unordered_.first;
    if (first != nullptr) unlink(unordered_, *first);
    return first;
  }
  /// `first` waits no longer. Nothing if it did not.
  void remove(HeldChunk& first) {
    Bucket& bucket = bucket_of(first);
    if (first.previous != nullptr || bucket.first == &first) unlink(bucket, first);
  }

 private:
  struct Bucket {
    HeldChunk* first = nullptr;
    HeldChunk* last = nullptr;
  };

  Bucket& bucket_of(const HeldChunk& first) {
    return first.unordered ? unordered_ : bucket_of(first.stream, first.ssn);
  }
  Bucket& bucket_of(StreamId stream, Ssn ssn) {
    const std::uint32_t key = std::uint32_t{stream.value} << 16 | ssn.value();
    return buckets_[(key * seed_ ^ (key >> 15) * seed_) >> 24];
  }
  void unlink(Bucket& bucket, HeldChunk& first) {
    (first.previous == nullptr ? bucket.first : first.previous->next) = first.next;
    (first.next == nullptr ? bucket.last : first.next->previous) = first.previous;
    first.next = first.previous = nullptr;
    --count_;
  }

  std::uint32_t seed_ = 1;
  std::uint32_t count_ = 0;
  std::array<Bucket, 256> buckets_{};
  Bucket unordered_;
};

}  // namespace sluice::assoc
