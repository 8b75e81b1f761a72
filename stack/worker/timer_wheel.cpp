#include "stack/worker/timer_wheel.hpp"

#include <algorithm>
#include <bit>

#include "stack/base/check.hpp"

namespace sluice::worker {
namespace {

std::uint64_t tick_at_or_before(Timestamp time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count()) >> TimerWheel::kResolutionShift;
}

std::uint64_t tick_at_or_after(Timestamp time) {
  const std::int64_t nanoseconds = time.time_since_epoch().count();
  if (nanoseconds <= 0) return 0;
  return (static_cast<std::uint64_t>(nanoseconds) + TimerWheel::kResolution.count() - 1) >>
         TimerWheel::kResolutionShift;
}

}  // namespace

TimerWheel::TimerWheel(Timestamp start) : tick_(tick_at_or_before(start)) {}

TimerWheel::~TimerWheel() {
  SLUICE_CHECK(size_ == 0);
}

void TimerWheel::fire_by(TimerEntry& entry, Timestamp deadline) {
  if (deadline == kNever) return;
  const std::uint64_t tick = tick_at_or_after(deadline);
  if (entry.linked()) {
    if (entry.tick <= tick) return;
    remove(entry);
  }
  entry.tick = tick;
  insert(entry);
}

void TimerWheel::cancel(TimerEntry& entry) {
  if (entry.linked()) remove(entry);
}

// A deadline stands on the lowest level on which its slot and the present one are less than a turn apart; what is past
// stands in the present slot.
void TimerWheel::insert(TimerEntry& entry) {
  const std::uint64_t tick = std::clamp(entry.tick, tick_, tick_ + kReach);
  unsigned level = 0;
  while (level + 1 < kLevels && (tick >> level * kSlotBits) - (tick_ >> level * kSlotBits) >= kSlots) ++level;
  // On the top level a full turn ahead would be the present slot.
  const std::uint64_t position = std::min(tick >> level * kSlotBits, (tick_ >> level * kSlotBits) + kSlots - 1);
  entry.level = static_cast<std::uint8_t>(level);
  entry.slot = static_cast<std::uint8_t>(position % kSlots);
  levels_[level].slots[entry.slot].push_back(entry);
  levels_[level].occupied[entry.slot / 64] |= std::uint64_t{1} << entry.slot % 64;
  ++size_;
}

void TimerWheel::remove(TimerEntry& entry) {
  Level& level = levels_[entry.level];
  level.slots[entry.slot].erase(entry);
  if (level.slots[entry.slot].empty()) level.occupied[entry.slot / 64] &= ~(std::uint64_t{1} << entry.slot % 64);
  --size_;
}

TimerEntry* TimerWheel::next_due(Timestamp now, Budget& budget) {
  const std::uint64_t target = tick_at_or_before(now);
  while (budget.expiries > 0 && tick_ <= target) {
    if (!move_nearer(budget)) return nullptr;
    if (TimerEntry* const entry = levels_[0].slots[tick_ % kSlots].front()) {
      remove(*entry);
      --budget.expiries;
      return entry;
    }
    const std::uint64_t stop = std::min(next_stop(), target);
    if (stop == tick_) return nullptr;
    tick_ = stop;
  }
  return nullptr;
}

// Entries of the higher levels whose slot begins at the present tick come down. False: the budget was used up first.
bool TimerWheel::move_nearer(Budget& budget) {
  for (unsigned level = kLevels - 1; level > 0; --level) {
    Slot& slot = levels_[level].slots[(tick_ >> level * kSlotBits) % kSlots];
    while (TimerEntry* const entry = slot.front()) {
      if (budget.moves == 0) return false;
      --budget.moves;
      remove(*entry);
      insert(*entry);
    }
  }
  return true;
}

// The next tick at which a slot begins that holds something; the far future if none does.
std::uint64_t TimerWheel::next_stop() const {
  std::uint64_t stop = UINT64_MAX;
  for (unsigned level = 0; level < kLevels; ++level) {
    const std::uint64_t position = tick_ >> level * kSlotBits;
    for (unsigned ahead = 1; ahead < kSlots;) {
      const unsigned slot = static_cast<unsigned>((position + ahead) % kSlots);
      const std::uint64_t word = levels_[level].occupied[slot / 64] >> slot % 64;
      if (word == 0) {
        ahead += 64 - slot % 64;
        continue;
      }
      ahead += static_cast<unsigned>(std::countr_zero(word));
      if (ahead < kSlots) stop = std::min(stop, (position + ahead) << level * kSlotBits);
      break;
    }
  }
  return stop;
}

Timestamp TimerWheel::next_expiry() const {
  if (size_ == 0) return kNever;
  bool due = !levels_[0].slots[tick_ % kSlots].empty();
  for (unsigned level = 1; level < kLevels; ++level)
    due = due || !levels_[level].slots[(tick_ >> level * kSlotBits) % kSlots].empty();
  const std::uint64_t tick = due ? tick_ : next_stop();
  return Timestamp(Duration(static_cast<std::int64_t>(tick << kResolutionShift)));
}

}  // namespace sluice::worker
