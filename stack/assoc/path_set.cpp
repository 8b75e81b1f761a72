#include "stack/assoc/path_set.hpp"

#include <utility>

#include "stack/assoc/pools.hpp"

namespace sluice::assoc {

PathSet& PathSet::operator=(PathSet&& other) noexcept {
  if (this == &other) return *this;
  release();
  pools_ = other.pools_;
  paths_ = std::exchange(other.paths_, nullptr);
  local_addresses_ = std::exchange(other.local_addresses_, nullptr);
  capacity_ = std::exchange(other.capacity_, 0);
  path_count_ = std::exchange(other.path_count_, 0);
  return *this;
}

template <std::size_t Capacity>
bool PathSet::take(base::ObjectPool<PathBlock<Capacity>>& pool) {
  PathBlock<Capacity>* const block = pool.make();
  if (block == nullptr) return false;
  paths_ = block->paths.data();
  capacity_ = Capacity;
  return true;
}

template <std::size_t Capacity>
void PathSet::give_back(base::ObjectPool<PathBlock<Capacity>>& pool) {
  pool.destroy(reinterpret_cast<PathBlock<Capacity>*>(paths_));
}

void PathSet::release() {
  for (Path& path : paths()) close_path(path, *pools_);
  if (local_addresses_ != nullptr) pools_->local_addresses.give_back(*std::exchange(local_addresses_, nullptr));
  switch (capacity_) {
    case 0:
      return;
    case 1:
      give_back(pools_->path_blocks.one);
      break;
    case 2:
      give_back(pools_->path_blocks.two);
      break;
    case 4:
      give_back(pools_->path_blocks.four);
      break;
    default:
      give_back(pools_->path_blocks.eight);
  }
  paths_ = nullptr;
  capacity_ = path_count_ = 0;
}

bool PathSet::reset(std::size_t paths, std::span<const IpAddress> local_addresses) {
  release();
  SLUICE_CHECK(paths > 0 && paths <= kMaxAddresses && local_addresses.size() <= kMaxAddresses);
  local_addresses_ = pools_->local_addresses.take(local_addresses);
  const bool taken = local_addresses_ != nullptr && (paths == 1   ? take(pools_->path_blocks.one)
                                                     : paths == 2 ? take(pools_->path_blocks.two)
                                                     : paths <= 4 ? take(pools_->path_blocks.four)
                                                                  : take(pools_->path_blocks.eight));
  if (!taken) {
    release();
    return false;
  }
  path_count_ = static_cast<std::uint8_t>(paths);
  for (std::uint8_t i = 0; i < path_count_; ++i) paths_[i].id = PathId(i);
  return true;
}

Path* PathSet::find(const IpAddress& destination) {
  for (Path& path : paths())
    if (path.route.destination == destination) return &path;
  return nullptr;
}

}  // namespace sluice::assoc
