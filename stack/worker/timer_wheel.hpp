#pragma once

#include <sluice/time.hpp>

#include <array>
#include <cstdint>

#include "stack/base/intrusive_list.hpp"

namespace sluice::worker {

/// What an object inherits to have one deadline in a TimerWheel.
struct TimerEntry : base::ListHook<TimerEntry> {
  std::uint64_t tick = 0;  ///< of the deadline; the wheel's own, like the next two
  std::uint8_t level = 0;
  std::uint8_t slot = 0;
};

/// Deadlines of very many objects, one each: a hierarchical timing wheel (Varghese and Lauck 1987). A deadline fires
/// at the first expire() at or after it, rounded up to kResolution; those of one tick in the order in which they came
/// to stand in it, which depends on the calls alone and never on addresses.
class TimerWheel {
 public:
  /// 2^18 ns, about a quarter of a millisecond.
  static constexpr unsigned kResolutionShift = 18;
  static constexpr Duration kResolution{1 << kResolutionShift};

  explicit TimerWheel(Timestamp start);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  /// No entry may stand in it any more.
  ~TimerWheel();

  /// Makes `entry` fire at `deadline` at the latest. An entry that already fires no later stays where it is: most
  /// deadlines move away all the time, and their owner looks again when the entry fires. kNever does nothing.
  void fire_by(TimerEntry& entry, Timestamp deadline);
  /// Takes `entry` out, if it is in.
  void cancel(TimerEntry& entry);

  /// Calls fire(TimerEntry&) for what is due at `now`, each entry taken out before; it may be put in again, and any
  /// other cancelled, from within. At most `limit` fire in one call, and a bounded number of far deadlines is moved
  /// nearer: the rest waits for the next call. Returns how many fired.
  template <class Fire>
  std::uint32_t expire(Timestamp now, std::uint32_t limit, Fire&& fire) {
    std::uint32_t fired = 0;
    Budget budget{limit, limit * kMovesPerExpiry};
    while (TimerEntry* const entry = next_due(now, budget)) {
      ++fired;
      fire(*entry);
    }
    return fired;
  }

  /// When expire() has something to do: no later than the earliest deadline (rounded up), perhaps earlier. kNever when
  /// the wheel is empty.
  Timestamp next_expiry() const;
  std::size_t size() const { return size_; }

 private:
  static constexpr unsigned kLevels = 5;
  static constexpr unsigned kSlotBits = 8;
  static constexpr unsigned kSlots = 1 << kSlotBits;
  static constexpr std::uint32_t kMovesPerExpiry = 16;
  // What a deadline farther away than the wheel reaches is put at; it is moved on when its slot comes.
  static constexpr std::uint64_t kReach = (std::uint64_t{1} << (kLevels * kSlotBits)) - 1;

  using Slot = base::IntrusiveList<TimerEntry, TimerEntry>;
  struct Level {
    std::array<Slot, kSlots> slots;
    std::array<std::uint64_t, kSlots / 64> occupied{};
  };
  struct Budget {
    std::uint32_t expiries;
    std::uint32_t moves;
  };

  TimerEntry* next_due(Timestamp now, Budget& budget);
  bool move_nearer(Budget& budget);
  std::uint64_t next_stop() const;
  void insert(TimerEntry& entry);
  void remove(TimerEntry& entry);

  std::array<Level, kLevels> levels_;
  std::uint64_t tick_;  // every tick before it has been dealt with
  std::size_t size_ = 0;
};

}  // namespace sluice::worker
