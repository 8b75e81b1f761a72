#include "stack/assoc/tx/stream_table.hpp"

#include "stack/assoc/pools.hpp"

namespace sluice::assoc {

void StreamTable::clear() {
  drop(root_, height_);
  root_ = Slot{};
  height_ = 0;
}

void StreamTable::drop(Slot slot, std::uint32_t level) {
  if (slot.page == nullptr) return;
  if (level == 0) {
    pools_.outbound_streams.destroy(slot.stream);
    return;
  }
  for (const Slot below : slot.page->slots) drop(below, level - 1);
  pools_.stream_pages.destroy(slot.page);
}

bool StreamTable::grow(StreamId id) {
  while (!covers(id)) {
    StreamPage* const page = pools_.stream_pages.make();
    if (page == nullptr) return false;
    page->slots[0] = root_;
    root_.page = page;
    ++height_;
  }
  return true;
}

OutboundStream* StreamTable::find_or_make(StreamId id) {
  if (!grow(id)) return nullptr;
  Slot* slot = &root_;
  for (std::uint32_t level = height_; level-- > 0;) {
    if (slot->page == nullptr) slot->page = pools_.stream_pages.make();
    if (slot->page == nullptr) return nullptr;
    slot = &slot->page->slots[index(id, level)];
  }
  if (slot->stream == nullptr) slot->stream = pools_.outbound_streams.make(id);
  return slot->stream;
}

}  // namespace sluice::assoc
