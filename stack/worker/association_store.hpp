#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "stack/base/object_pool.hpp"
#include "stack/worker/association_id.hpp"
#include "stack/worker/association_record.hpp"

namespace sluice::worker {

/// The associations of one worker by their id. Ids are not used again: an index comes back with another generation.
class AssociationStore {
 public:
  AssociationStore(endpoint::WorkerId worker, std::uint32_t limit) : worker_(worker), pool_(limit) {}

  /// Null when there are as many as may be.
  AssociationRecord* make(assoc::Services& services, EndpointRecord& endpoint, SharedParameters& parameters) {
    if (pool_.out() == pool_.limit()) return nullptr;
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    Slot& slot = slots_[index];
    slot.record = pool_.make(services, endpoint, parameters, encode({worker_, index, slot.generation}));
    return slot.record;
  }
  void destroy(AssociationRecord& record) {
    const AssociationName name = decode(record.association.id());
    Slot& slot = slots_[name.index];
    slot.record = nullptr;
    slot.generation = slot.generation == AssociationName::kMaxGeneration ? 1 : slot.generation + 1;
    free_.push_back(name.index);
    pool_.destroy(&record);
  }
  /// Null if there is none of this id any more.
  AssociationRecord* find(AssocId id) const {
    const AssociationName name = decode(id);
    if (name.index >= slots_.size()) return nullptr;
    const Slot& slot = slots_[name.index];
    return slot.generation == name.generation && name.worker == worker_ ? slot.record : nullptr;
  }
  /// The first whose id is above `after`, in order of id; null when there is none.
  AssociationRecord* next(AssocId after) const {
    const AssociationName name = decode(after);
    if (name.worker > worker_) return nullptr;
    std::size_t index = 0;
    if (name.worker == worker_ && after.value != 0) index = name.index + std::size_t{name.generation != 0};
    for (; index < slots_.size(); ++index)
      if (slots_[index].record != nullptr) return slots_[index].record;
    return nullptr;
  }
  std::uint32_t size() const { return pool_.out(); }

 private:
  struct Slot {
    AssociationRecord* record = nullptr;
    std::uint32_t generation = 1;
  };

  endpoint::WorkerId worker_;
  base::ObjectPool<AssociationRecord> pool_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace sluice::worker
