#pragma once

#include <array>
#include <span>

#include "stack/assoc/rx/turn_table.hpp"
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
  explicit TsnMap(base::ObjectPool<HeldPage>& pages) : pages_(pages) {}
  TsnMap(const TsnMap&) = delete;
  TsnMap& operator=(const TsnMap&) = delete;
  ~TsnMap();

  // All TSNs below are beyond the cumulative one by 1 to kTsnWindow.
  bool received(Tsn tsn) const { return (words_[word(tsn)] & bit(tsn)) != 0; }
  /// Not twice.
  void mark(Tsn tsn) {
    SLUICE_DCHECK(!received(tsn));
    words_[word(tsn)] |= bit(tsn);
    ++marked_;
  }
  /// Only what was marked.
  void clear(Tsn tsn) {
    SLUICE_DCHECK(received(tsn));
    words_[word(tsn)] &= ~bit(tsn);
    --marked_;
  }

  /// The chunk held for `tsn`, or null.
  HeldChunk* held(Tsn tsn) const {
    const HeldPage* const page = table_[word(tsn)];
    return page == nullptr ? nullptr : page->chunks[tsn.value() % 64];
  }
  /// Files `chunk` under its TSN. False: no memory for it, or too little to be shared with a map that has much.
  bool hold(HeldChunk& chunk);
  /// Takes out the chunk held for `tsn`, if any.
  HeldChunk* take(Tsn tsn);
  /// The held chunk with the highest TSN in (cumulative, highest], or null.
  HeldChunk* highest_held(Tsn cumulative, Tsn highest) const;
  /// The highest TSN received in (cumulative, highest]; `cumulative` if none was.
  Tsn highest_received(Tsn cumulative, Tsn highest) const;

  /// The runs of TSNs received in (cumulative, highest], lowest first, as many as `out` has room for. Returns how many.
  std::size_t gap_blocks(Tsn cumulative, Tsn highest, std::span<wire::GapAckBlock> out) const;

  /// Whole messages, held, that wait for their turn; by their first chunk.
  TurnTable& turns() { return turns_; }

  /// Nothing is in it, as when it was made.
  bool clean() const { return marked_ == 0 && held_ == 0 && turns_.empty(); }

 private:
  static constexpr std::size_t kWords = kTsnWindow / 64;

  static std::size_t word(Tsn tsn) { return tsn.value() % kTsnWindow / 64; }
  static std::uint64_t bit(Tsn tsn) { return std::uint64_t{1} << tsn.value() % 64; }
  /// The first offset from `cumulative` in [from, end) whose bit is `set`, or `end`.
  std::uint32_t find(Tsn cumulative, std::uint32_t from, std::uint32_t end, bool set) const;

  base::ObjectPool<HeldPage>& pages_;
  std::uint32_t marked_ = 0;  // bits set in words_
  std::uint32_t held_ = 0;    // chunks filed in table_
  std::uint32_t used_pages_ = 0;
  std::array<std::uint64_t, kWords> words_{};
  std::array<HeldPage*, kWords> table_{};
  TurnTable turns_;
};

}  // namespace sluice::assoc
