#pragma once

#include "stack/base/counters.hpp"

namespace sluice::drivers {

// clang-format off
#define SLUICE_WIRE_COUNTERS(X)                                                       \
  X(sent,           "frames taken from a port")                                       \
  X(delivered,      "frames fetched by a port")                                       \
  X(lost,           "frames lost by chance, one at a time")                           \
  X(lost_in_bursts, "frames lost in runs")                                            \
  X(duplicated,     "frames delivered twice")                                         \
  X(reordered,      "frames held back so that later ones could pass")                 \
  X(corrupted,      "frames with bits flipped")                                       \
  X(queue_full,     "frames lost because a rate-limited queue was full")              \
  X(refused,        "frames not taken: a queue that refuses was full, or a port stalled") \
  X(too_long,       "frames lost because they exceeded an MTU on the way")            \
  X(black_holed,    "frames lost on a direction that was down")                       \
  X(unplugged,      "frames lost because the receiving port's link was down")         \
  X(missed,         "frames lost because a receive queue was full")                   \
  X(no_buffer,      "frames lost because the receiving port had no block")
// clang-format on

SLUICE_DEFINE_COUNTERS(WireCounters, SLUICE_WIRE_COUNTERS);

}  // namespace sluice::drivers
