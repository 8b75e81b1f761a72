#pragma once

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
/// copyable, a slot of zero bytes is empty, and it has `bool empty() const`. The hash of a record is the caller's to
/// give, always the same one, evenly spread, and such that nobody outside can steer it.
template <class Slot>
class ProbeTable {
  static_assert(std::is_trivially_copyable_v<Slot>);

 public:
  /// Room for `capacity` records; at most two slots in three are ever taken. No power of two: that could be twice as
  /// many slots, which are most of what an idle association's entry costs.
  explicit ProbeTable(std::uint32_t capacity)
      : capacity_(capacity),
        count_(std::size_t{capacity} + capacity / 2 + 1),
        // Pages of zeroes that the kernel gives as they are first touched.
        slots_(static_cast<Slot*>(std::calloc(count_, sizeof(Slot)))) {
    if (!slots_) throw std::bad_alloc();
  }

  std::uint32_t size() const { return size_; }
  std::uint32_t capacity() const { return capacity_; }
  std::size_t slots() const { return count_; }
  const Slot& slot(std::size_t index) const { return slots_.get()[index]; }

  /// The record that `matches` accepts, whose hash is `hash`; or null.
  template <class Matches>
  Slot* find(std::uint32_t hash, Matches&& matches) const {
    for (std::size_t i = home(hash);; i = next(i)) {
      Slot& slot = slots_.get()[i];
      if (slot.empty()) return nullptr;
      if (matches(slot)) return &slot;
    }
  }
  /// Slots that find() would look at, for telemetry and tests.
  template <class Matches>
  std::uint32_t probes(std::uint32_t hash, Matches&& matches) const {
    std::uint32_t n = 1;
    for (std::size_t i = home(hash);; i = next(i), ++n) {
      const Slot& slot = slots_.get()[i];
      if (slot.empty() || matches(slot)) return n;
    }
  }
  /// Adds a record that is not there yet. There must be room: size() below capacity().
  Slot& insert(const Slot& record, std::uint32_t hash) {
    SLUICE_CHECK(size_ < capacity_ && !record.empty());
    std::size_t i = home(hash);
    while (!slots_.get()[i].empty()) i = next(i);
    slots_.get()[i] = record;
    ++size_;
    return slots_.get()[i];
  }
  /// Removes the record at `record`; pointers to others are then stale. hash_of(const Slot&) is the hash of one.
  template <class HashOf>
  void erase(Slot* record, HashOf&& hash_of) {
    auto hole = static_cast<std::size_t>(record - slots_.get());
    for (std::size_t i = next(hole); !slots_.get()[i].empty(); i = next(i)) {
      // What stands at i may fill the hole unless its home lies behind the hole.
      if (distance(home(hash_of(slots_.get()[i])), i) < distance(hole, i)) continue;
      slots_.get()[hole] = slots_.get()[i];
      hole = i;
    }
    slots_.get()[hole] = Slot{};
    --size_;
  }
  /// Brings the home slot of `hash` into the cache.
  void prefetch(std::uint32_t hash) const { __builtin_prefetch(&slots_.get()[home(hash)]); }

 private:
  /// The upper bits of the hash choose, by a multiplication instead of a remainder.
  std::size_t home(std::uint32_t hash) const { return static_cast<std::size_t>(std::uint64_t{hash} * count_ >> 32); }
  std::size_t next(std::size_t i) const { return i + 1 == count_ ? 0 : i + 1; }
  /// Steps from slot `from` on to slot `to`.
  std::size_t distance(std::size_t from, std::size_t to) const { return to >= from ? to - from : to + count_ - from; }

  struct Free {
    void operator()(Slot* slots) const { std::free(slots); }
  };

  std::uint32_t capacity_;
  std::uint32_t size_ = 0;
  std::size_t count_;
  std::unique_ptr<Slot, Free> slots_;
};

}  // namespace sluice::endpoint
