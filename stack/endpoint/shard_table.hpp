#pragma once

#include <sluice/ids.hpp>

#include <array>
#include <cstdint>

#include "stack/base/check.hpp"

namespace sluice::endpoint {

/// Index of a worker of this stack.
using WorkerId = Strong<struct WorkerIdTag, std::uint16_t>;

/// Shares of the tag space and of the directory: the unit in which work is given to workers, and moved between them.
inline constexpr std::uint32_t kShards = 1024;
using Shard = Strong<struct ShardTag, std::uint16_t>;

/// Which worker each shard belongs to. The same on every worker; part of the hand-over state.
class ShardTable {
 public:
  /// Deals the shards out in turn to `workers` (1 to kShards) workers.
  explicit ShardTable(std::uint32_t workers);

  WorkerId owner(Shard shard) const { return WorkerId(owner_[shard.value]); }
  /// A shard of `worker`, which has at least one: all alike likely over the values of `random`.
  Shard pick(WorkerId worker, std::uint32_t random) const {
    SLUICE_DCHECK(worker.value < workers_);
    const std::uint32_t first = begin_[worker.value];
    const std::uint32_t count = begin_[worker.value + 1u] - first;
    SLUICE_CHECK(count > 0);
    return Shard(by_owner_[first + static_cast<std::uint32_t>(std::uint64_t{random} * count >> 32)]);
  }
  /// Gives `shard` to `worker`, which is below workers().
  void assign(Shard shard, WorkerId worker);
  std::uint32_t workers() const { return workers_; }

 private:
  void index();

  std::uint32_t workers_;
  std::array<std::uint16_t, kShards> owner_;
  std::array<std::uint16_t, kShards> by_owner_;   // the shards, sorted by owner
  std::array<std::uint16_t, kShards + 1> begin_;  // where each owner's begin in by_owner_
};

}  // namespace sluice::endpoint
