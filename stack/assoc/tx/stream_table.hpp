#pragma once

#include "stack/assoc/tx/stream_page.hpp"

namespace sluice::assoc {

struct Pools;

/// The outbound streams of one association that were used so far, by their number: a tree of pages that is as high as
/// the highest number asks for. Stream 0 alone needs no page.
class StreamTable {
 public:
  explicit StreamTable(Pools& pools) : pools_(pools) {}
  StreamTable(const StreamTable&) = delete;
  ~StreamTable() { clear(); }

  /// Null if it was not made yet.
  OutboundStream* find(StreamId id) const;
  /// Makes it first if need be; null when a pool is empty.
  OutboundStream* find_or_make(StreamId id);
  /// Forgets all streams.
  void clear();
  /// Calls visit(OutboundStream&) for each, in the order of their numbers.
  template <class Visit>
  void for_each(Visit&& visit) const {
    walk(root_, height_, visit);
  }

 private:
  using Slot = StreamPage::Slot;
  static std::uint32_t index(StreamId id, std::uint32_t level) {
    return id.value >> (level * StreamPage::kBits) & (StreamPage::kSize - 1);
  }
  bool covers(StreamId id) const { return std::uint32_t{id.value} >> (height_ * StreamPage::kBits) == 0; }
  bool grow(StreamId id);
  void drop(Slot slot, std::uint32_t level);

  template <class Visit>
  static void walk(Slot slot, std::uint32_t level, Visit& visit) {
    if (slot.page == nullptr) return;
    if (level == 0) {
      visit(*slot.stream);
      return;
    }
    for (const Slot below : slot.page->slots) walk(below, level - 1, visit);
  }

  Pools& pools_;
  Slot root_{};
  std::uint32_t height_ = 0;  ///< levels of pages above the streams
};

inline OutboundStream* StreamTable::find(StreamId id) const {
  if (!covers(id)) return nullptr;
  Slot slot = root_;
  for (std::uint32_t level = height_; level-- > 0;) {
    if (slot.page == nullptr) return nullptr;
    slot = slot.page->slots[index(id, level)];
  }
  return slot.stream;
}

}  // namespace sluice::assoc
