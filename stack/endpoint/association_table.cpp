#include "stack/endpoint/association_table.hpp"

namespace sluice::endpoint {

TagTable::TagTable(const Limits& limits)
    : limits_(limits), table_(limits.associations + limits.retired), ring_(limits.retired) {
  SLUICE_CHECK(limits.associations > 0 && limits.retired > 0);
}

TagTable::InsertStatus TagTable::insert(VTag tag, void* value) {
  SLUICE_CHECK(tag.value != 0 && value != nullptr);
  if (const Slot* const taken = lookup(tag))
    return taken->value != nullptr ? InsertStatus::in_use : InsertStatus::recently_used;
  if (full()) return InsertStatus::full;
  table_.insert({.value = value, .tag = tag.value}, hash(tag.value));
  return InsertStatus::inserted;
}

void TagTable::retire(VTag tag, Timestamp now) {
  Slot* const slot = lookup(tag);
  SLUICE_CHECK(slot != nullptr && slot->value != nullptr);
  slot->value = nullptr;
  if (retired_count_ == ring_.size()) {
    release_oldest();
    ++released_early_;
  }
  ring_[(oldest_ + retired_count_) % ring_.size()] = {.tag = tag, .until = now + limits_.quarantine};
  ++retired_count_;
}

void TagTable::expire(Timestamp now) {
  for (int i = 0; i < kExpiredPerCall && retired_count_ > 0 && ring_[oldest_].until <= now; ++i) release_oldest();
}

void TagTable::release_oldest() {
  table_.erase(lookup(ring_[oldest_].tag), [this](const Slot& slot) { return hash(slot.tag); });
  oldest_ = static_cast<std::uint32_t>((oldest_ + 1) % ring_.size());
  --retired_count_;
}

VTag TagTable::draw(const Steering& steering, WorkerId worker, base::Random& random) const {
  // A try fails as often as there are tags among all 2^32: even with a million of them once in thousands.
  for (;;) {
    const VTag tag = steering.new_tag(worker, random);
    if (is_free(tag)) return tag;
  }
}

std::uint32_t TagTable::probes(VTag tag) const {
  return table_.probes(hash(tag.value), [tag](const Slot& slot) { return slot.tag == tag.value; });
}

void* TagTable::next(std::size_t& cursor) const {
  while (cursor < table_.slots()) {
    const Slot& slot = table_.slot(cursor++);
    if (slot.value != nullptr) return slot.value;
  }
  return nullptr;
}

}  // namespace sluice::endpoint
