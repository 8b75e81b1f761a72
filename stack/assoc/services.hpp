#pragma once

#include <span>

#include "stack/assoc/counters.hpp"
#include "stack/assoc/host.hpp"
#include "stack/base/random.hpp"

namespace sluice::assoc {

struct Pools;

/// What all associations of one worker share; outlives them.
struct Services {
  Host& host;
  base::Random& random;
  base::BufferSource& copies;        ///< where received data that must wait is copied to
  base::BufferSource& receive_pool;  ///< only asked how much is left: low means copy out, or give back (RFC 9260 §6.2)
  Pools& pools;
  Counters& counters;
  std::span<const IpAddress> stack_addresses{};  ///< all that are ours: no peer's
};

}  // namespace sluice::assoc
