#pragma once

#include <array>

#include "stack/assoc/handshake.hpp"
#include "stack/assoc/path/path.hpp"
#include "stack/base/object_pool.hpp"

namespace sluice::assoc {

/// Room for up to `Capacity` paths.
template <std::size_t Capacity>
struct PathBlock {
  std::array<Path, Capacity> paths;
};

/// Where the associations of one worker have their paths: most have one, and pay for one.
struct PathBlocks {
  /// For at most `associations`, whatever number of paths each has.
  explicit PathBlocks(std::uint32_t associations)
      : one(associations), two(associations), four(associations, 64), eight(associations, 32) {}

  base::ObjectPool<PathBlock<1>> one;
  base::ObjectPool<PathBlock<2>> two;
  base::ObjectPool<PathBlock<4>> four;
  base::ObjectPool<PathBlock<kMaxAddresses>> eight;
};

}  // namespace sluice::assoc
