#pragma once

#include <array>
#include <span>

#include "stack/assoc/rx/held_chunk.hpp"
#include "stack/base/object_pool.hpp"
#include "stack/wire/chunk_sack.hpp"

namespace sluice::assoc {

/// How far beyond the cumulative TSN a DATA chunk may be. At least as many as fit a large window in small chunks; below
/// half of what a gap ack block's 16 bits reach.
inline constexpr std::uint32_t kTsnWindow = 16384;

/// Held chunks of 64 consecutive TSNs.
struct HeldPage {
  std::array<HeldChunk*, 64> chunks{};
  std::uint32_t used = 0;
};

/// What arrived beyond the cumulative TSN: a bit for each TSN, the chunks among them that are still held, and which
/// whole messages wait for their turn in their stream. An association has one while there is a gap. Every operation is
/// O(1) but for searches, which look at 64 TSNs a step.
class TsnMap {
 public:
  /// `seed` keeps a peer from choosing (stream, SSN) pairs that fall into one bucket.
  TsnMap(base::ObjectPool<HeldPage>& pages, std::uint32_t seed) : pages_(pages), seed_(seed | 1) {}
  TsnMap(const TsnMap&) = delete;
  TsnMap& operator=(const TsnMap&) = delete;
  ~TsnMap();

  // All TSNs below are beyond the cumulative one by 1 to kTsnWindow.
  bool received(Tsn tsn) const { return (words_[word(tsn)] & bit(tsn)) != 0; }
  void mark(Tsn tsn) { words_[word(tsn)] |= bit(tsn); }
  void clear(Tsn tsn) { words_[word(tsn)] &= ~bit(tsn); }

  /// The chunk held for `tsn`, or null.
  HeldChunk* held(Tsn tsn) const {
    const HeldPage* const page = table_[word(tsn)];
    return page == nullptr ? nullptr : page->chunks[tsn.value() % 64];
  }
  /// Files `chunk` under its TSN. False: no memory for it.
  bool hold(HeldChunk& chunk);
  /// Takes out the chunk held for `tsn`, if any.
  HeldChunk* take(Tsn tsn);
  /// The held chunk with the highest TSN in (cumulative, highest], or null.
  HeldChunk* highest_held(Tsn cumulative, Tsn highest) const;
  /// The highest TSN received in (cumulative, highest]; `cumulative` if none was.
  Tsn highest_received(Tsn cumulative, Tsn highest) const;

  /// The runs of TSNs received in (cumulative, highest], lowest first, as many as `out` has room for. Returns how many.
  std::size_t gap_blocks(Tsn cumulative, Tsn highest, std::span<wire::GapAckBlock> out) const;

  /// A whole ordered message, held, waits for its SSN; `first` is its first chunk.
  void await_turn(HeldChunk& first);
  /// The message that waited for this SSN, no longer waiting; or null.
  HeldChunk* take_turn(StreamId stream, Ssn ssn);
  /// `first` waits no longer. Nothing if it did not.
  void forget_turn(const HeldChunk& first);

 private:
  static constexpr std::size_t kWords = kTsnWindow / 64;

  static std::size_t word(Tsn tsn) { return tsn.value() % kTsnWindow / 64; }
  static std::uint64_t bit(Tsn tsn) { return std::uint64_t{1} << tsn.value() % 64; }
  /// The first offset from `cumulative` in [from, end) whose bit is `set`, or `end`.
  std::uint32_t find(Tsn cumulative, std::uint32_t from, std::uint32_t end, bool set) const;
  HeldChunk*& bucket(StreamId stream, Ssn ssn) {
    const std::uint32_t key = std::uint32_t{stream.value} << 16 | ssn.value();
    return waiting_[(key * seed_ ^ (key >> 15) * seed_) >> 24];
  }

  base::ObjectPool<HeldPage>& pages_;
  std::uint32_t seed_;
  std::array<std::uint64_t, kWords> words_{};
  std::array<HeldPage*, kWords> table_{};
  std::array<HeldChunk*, 256> waiting_{};
};

}  // namespace sluice::assoc
