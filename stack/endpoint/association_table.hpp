#pragma once

#include <sluice/ids.hpp>
#include <sluice/time.hpp>

#include <cstdint>
#include <vector>

#include "stack/base/random.hpp"
#include "stack/endpoint/probe_table.hpp"
#include "stack/endpoint/steering.hpp"

namespace sluice::assoc {
class Association;
}

namespace sluice::endpoint {

/// The tags that one worker has given to its associations, each with a pointer; and those it took back lately, which
/// are not given again for a while, so that late packets, and cookies that come a second time, find nothing (RFC 9260
/// §5.3.1). Look-ups cost the same from one tag to a million. One worker's own.
class TagTable {
 public:
  struct Limits {
    std::uint32_t associations = 1 << 16;
    std::uint32_t retired = 1 << 14;                  ///< tags in quarantine; above that the oldest is let go early
    Duration quarantine = std::chrono::seconds(120);  ///< at least as long as any cookie lives
    std::uint64_t hash_key = 0x9e3779b97f4a7c15;      ///< odd, and secret: a peer may pick among the tags it is offered
  };
  enum class InsertStatus : std::uint8_t { inserted, in_use, recently_used, full };

  explicit TagTable(const Limits& limits);

  /// Gives `tag` (not zero) to `value` (not null).
  InsertStatus insert(VTag tag, void* value);
  /// What `tag` was given to, or null.
  void* find(VTag tag) const {
    const Slot* const slot = lookup(tag);
    return slot != nullptr ? slot->value : nullptr;
  }
  /// Neither in use nor in quarantine.
  bool is_free(VTag tag) const { return lookup(tag) == nullptr; }
  /// In quarantine.
  bool is_retired(VTag tag) const {
    const Slot* const slot = lookup(tag);
    return slot != nullptr && slot->value == nullptr;
  }
  void prefetch(VTag tag) const { table_.prefetch(hash(tag.value)); }
  /// Takes back `tag`, which is in use, and keeps it from being given again until the quarantine is over.
  void retire(VTag tag, Timestamp now);
  /// Lets go of tags whose quarantine is over, a few at a call: once a poll turn is often enough.
  void expire(Timestamp now);
  /// A tag of `worker`'s that is neither in use nor in quarantine.
  VTag draw(const Steering& steering, WorkerId worker, base::Random& random) const;

  /// Tags in use.
  std::uint32_t size() const { return table_.size() - retired_count_; }
  std::uint32_t retired() const { return retired_count_; }
  bool full() const { return size() == limits_.associations; }
  /// Tags let go before their quarantine was over, for want of room.
  std::uint64_t released_early() const { return released_early_; }
  /// Slots that a look-up of `tag` goes through.
  std::uint32_t probes(VTag tag) const;

  /// For listings by pages: the next value at or behind `cursor`, which begins at 0; null when there are no more.
  /// What comes or goes between calls may be missed or seen twice.
  void* next(std::size_t& cursor) const;

 private:
  struct Slot {
    void* value;  // null: in quarantine
    std::uint32_t tag;
    bool empty() const { return tag == 0; }
  };
  struct Retired {
    VTag tag;
    Timestamp until;
  };
  static constexpr int kExpiredPerCall = 32;

  std::uint32_t hash(std::uint32_t tag) const { return static_cast<std::uint32_t>(tag * limits_.hash_key >> 32); }
  Slot* lookup(VTag tag) const {
    return table_.find(hash(tag.value), [tag](const Slot& slot) { return slot.tag == tag.value; });
  }
  void release_oldest();

  Limits limits_;
  ProbeTable<Slot> table_;
  std::vector<Retired> ring_;  // of the retired tags, oldest first
  std::uint32_t oldest_ = 0;
  std::uint32_t retired_count_ = 0;
  std::uint64_t released_early_ = 0;
};

/// A TagTable whose values are `T`s: the Association itself, or the record that a worker keeps of one.
template <class T>
class AssociationTable : public TagTable {
 public:
  using TagTable::TagTable;
  InsertStatus insert(VTag tag, T& association) { return TagTable::insert(tag, &association); }
  T* find(VTag tag) const { return static_cast<T*>(TagTable::find(tag)); }
  T* next(std::size_t& cursor) const { return static_cast<T*>(TagTable::next(cursor)); }
};

}  // namespace sluice::endpoint
