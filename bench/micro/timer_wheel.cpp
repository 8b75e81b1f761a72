#include "stack/worker/timer_wheel.hpp"

#include <vector>

#include "bench/micro/cycles.hpp"
#include "stack/base/seeded_random.hpp"

// Deadlines of few and many associations, spread over a minute as retransmission and heartbeat timers are.

namespace sluice::bench {
namespace {

using worker::TimerEntry;
using worker::TimerWheel;

constexpr Timestamp kStart{std::chrono::seconds(1)};
constexpr std::uint32_t kMinute = 60'000;  // ms

Timestamp somewhen(base::SeededRandom& random, Timestamp now) {
  return now + std::chrono::milliseconds(1 + random.below(kMinute));
}

/// A wheel with one deadline for each entry, which leaves it at the end.
struct Filled {
  explicit Filled(std::uint32_t count) : entries(count) {
    for (TimerEntry& entry : entries) wheel.fire_by(entry, somewhen(random, kStart));
  }
  ~Filled() {
    for (TimerEntry& entry : entries) wheel.cancel(entry);
  }
  base::SeededRandom random{1};
  TimerWheel wheel{kStart};
  std::vector<TimerEntry> entries;
};

/// Takes a deadline out and puts another in.
void timer_insert(benchmark::State& state) {
  Filled filled(static_cast<std::uint32_t>(state.range(0)));
  std::size_t next = 0;
  CycleReport report(state, 1);
  for (auto _ : state) {
    TimerEntry& entry = filled.entries[next];
    next = next + 1 == filled.entries.size() ? 0 : next + 1;
    filled.wheel.cancel(entry);
    filled.wheel.fire_by(entry, somewhen(filled.random, kStart));
  }
}
BENCHMARK(timer_insert)->RangeMultiplier(10)->Range(1000, 1'000'000);

/// Deadlines move away, which costs the wheel nothing, nine times in ten; else nearer.
void timer_move(benchmark::State& state) {
  Filled filled(static_cast<std::uint32_t>(state.range(0)));
  std::size_t next = 0;
  std::uint32_t nearer = kMinute;
  CycleReport report(state, 1);
  for (auto _ : state) {
    const bool away = next % 10 != 0;
    if (!away) nearer = nearer > 2 ? nearer - 1 : kMinute;
    filled.wheel.fire_by(filled.entries[next], kStart + std::chrono::milliseconds(away ? 2 * kMinute : nearer));
    next = next + 1 == filled.entries.size() ? 0 : next + 1;
  }
}
BENCHMARK(timer_move)->RangeMultiplier(10)->Range(1000, 1'000'000);

/// Time goes on by a millisecond a turn; each deadline that fires is set again.
void timer_expire(benchmark::State& state) {
  Filled filled(static_cast<std::uint32_t>(state.range(0)));
  Timestamp now = kStart;
  std::uint64_t fired = 0;
  for (auto _ : state) {
    now += std::chrono::milliseconds(1);
    fired += filled.wheel.expire(now, UINT32_MAX / 16,
                                 [&](TimerEntry& entry) { filled.wheel.fire_by(entry, somewhen(filled.random, now)); });
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(fired));
  state.counters["fired_per_turn"] = static_cast<double>(fired) / static_cast<double>(state.iterations());
}
BENCHMARK(timer_expire)->RangeMultiplier(10)->Range(1000, 1'000'000);

}  // namespace
}  // namespace sluice::bench
