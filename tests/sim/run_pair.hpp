#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/sim_stack.hpp"

namespace sluice::sim {

/// Steps both stacks until `end`, to the next thing that happens each time, but by at least `least_step`. After each
/// turn `take_events()` may do something, and says whether it has to be followed by another turn at once.
template <class TakeEvents>
void run_pair(base::SimClock& clock, drivers::MemoryWire& wire, SimStack& a, SimStack& b, Timestamp end,
              Duration least_step, TakeEvents&& take_events) {
  for (int turns = 0; clock.now() < end; ++turns) {
    ASSERT_LT(turns, 5'000'000);
    bool worked = a.group().poll_all();
    worked |= b.group().poll_all();
    if (take_events() || worked) continue;
    const Timestamp next = std::min({a.group().next_deadline(), b.group().next_deadline(), wire.next_event(), end});
    clock.advance_to(std::max(next, clock.now() + std::min(least_step, end - clock.now())));
  }
}

}  // namespace sluice::sim
