#include "stack/endpoint/shard_table.hpp"

namespace sluice::endpoint {

ShardTable::ShardTable(std::uint32_t workers) : workers_(workers) {
  SLUICE_CHECK(workers >= 1 && workers <= kShards);
  for (std::uint32_t shard = 0; shard < kShards; ++shard) owner_[shard] = static_cast<std::uint16_t>(shard % workers);
  index();
}

void ShardTable::assign(Shard shard, WorkerId worker) {
  SLUICE_CHECK(shard.value < kShards && worker.value < workers_);
  owner_[shard.value] = worker.value;
  index();
}

void ShardTable::index() {
  std::uint16_t at = 0;
  begin_.fill(0);
  for (std::uint32_t worker = 0; worker < workers_; ++worker) {
    begin_[worker] = at;
    for (std::uint32_t shard = 0; shard < kShards; ++shard)
      if (owner_[shard] == worker) by_owner_[at++] = static_cast<std::uint16_t>(shard);
  }
  begin_[workers_] = at;
}

}  // namespace sluice::endpoint
