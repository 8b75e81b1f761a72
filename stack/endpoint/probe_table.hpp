#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

#include "stack/base/check.hpp"

namespace sluice::endpoint {

/// An open-addressing hash table of plain records with linear probing, made once for a number of records and never
/// grown. Removal moves records back instead of leaving marks, so that probes stay short for ever. `Slot` is trivially
/// copyable, a slot of zero bytes is empty, and it has `bool empty() const` and `std::uint32_t hash() const`; the hash
/// must be one that nobody outside can steer.
template <class Slot>
class ProbeTable {
  static_assert(std::is_trivially_copyable_v<Slot>);

 public:
  /// Room for `capacity` records; at most about two slots in three are ever taken.
  explicit ProbeTable(std::uint32_t capacity)
      : capacity_(capacity),
        mask_(std::bit_ceil(std::size_t{capacity} + capacity / 2 + 1) - 1),
        // Pages of zeroes that the kernel gives as they are first touched.
        slots_(static_cast<Slot*>(std::calloc(mask_ + 1, sizeof(Slot)))) {
    if (!slots_) throw std::bad_alloc();
  }

  std::uint32_t size() const { return size_; }
  std::uint32_t capacity() const { return capacity_; }
  std::size_t slots() const { return mask_ + 1; }
  const Slot& slot(std::size_t index) const { return slots_.get()[index]; }

  /// The record with this hash that `matches` accepts, or null.
  template <class Matches>
  Slot* find(std::uint32_t hash, Matches&& matches) const {
    for (std::size_t i = hash & mask_;; i = (i + 1) & mask_) {
      Slot& slot = slots_.get()[i];
      if (slot.empty()) return nullptr;
      if (slot.hash() == hash && matches(slot)) return &slot;
    }
  }
  /// Slots that find() would look at, for telemetry and tests.
  template <class Matches>
  std::uint32_t probes(std::uint32_t hash, Matches&& matches) const {
    std::uint32_t n = 1;
    for (std::size_t i = hash & mask_;; i = (i + 1) & mask_, ++n) {
      const Slot& slot = slots_.get()[i];
      if (slot.empty() || (slot.hash() == hash && matches(slot))) return n;
    }
  }
  /// Adds a record that is not there yet. There must be room: size() below capacity().
  Slot& insert(const Slot& record) {
    SLUICE_CHECK(size_ < capacity_ && !record.empty());
    std::size_t i = record.hash() & mask_;
    while (!slots_.get()[i].empty()) i = (i + 1) & mask_;
    slots_.get()[i] = record;
    ++size_;
    return slots_.get()[i];
  }
  /// Removes the record at `record`; pointers to others are then stale.
  void erase(Slot* record) {
    auto hole = static_cast<std::size_t>(record - slots_.get());
    for (std::size_t i = (hole + 1) & mask_; !slots_.get()[i].empty(); i = (i + 1) & mask_) {
      // What stands at i may fill the hole unless its home lies behind the hole.
      const std::size_t home = slots_.get()[i].hash() & mask_;
      if (((i - home) & mask_) < ((i - hole) & mask_)) continue;
      slots_.get()[hole] = slots_.get()[i];
      hole = i;
    }
    slots_.get()[hole] = Slot{};
    --size_;
  }
  /// Brings the home slot of `hash` into the cache.
  void prefetch(std::uint32_t hash) const { __builtin_prefetch(&slots_.get()[hash & mask_]); }

 private:
  struct Free {
    void operator()(Slot* slots) const { std::free(slots); }
  };

  std::uint32_t capacity_;
  std::uint32_t size_ = 0;
  std::size_t mask_;
  std::unique_ptr<Slot, Free> slots_;
};

}  // namespace sluice::endpoint
