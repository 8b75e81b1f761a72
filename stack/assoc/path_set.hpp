#pragma once

#include <span>

#include "stack/assoc/local_addresses.hpp"
#include "stack/assoc/path_block.hpp"

namespace sluice::assoc {

/// The paths of one association, side by side in memory in the order of their PathIds, and its local addresses.
class PathSet {
 public:
  explicit PathSet(Pools& pools) : pools_(&pools) {}
  PathSet& operator=(PathSet&& other) noexcept;
  PathSet(const PathSet&) = delete;
  PathSet& operator=(const PathSet&) = delete;
  ~PathSet() { release(); }

  /// Lets go of all paths and makes `paths` new ones, numbered from 0, beside `local_addresses`; neither is more than
  /// kMaxAddresses. The caller sets their routes and calls open_path(). False if a pool has none to give: then there
  /// are no paths.
  [[nodiscard]] bool reset(std::size_t paths, std::span<const IpAddress> local_addresses);

  std::span<Path> paths() { return {paths_, path_count_}; }
  std::span<const Path> paths() const { return {paths_, path_count_}; }
  std::size_t size() const { return path_count_; }
  Path& operator[](std::size_t i) {
    SLUICE_DCHECK(i < path_count_);
    return paths_[i];
  }
  const Path& operator[](std::size_t i) const {
    SLUICE_DCHECK(i < path_count_);
    return paths_[i];
  }
  /// The path towards `destination`, or null.
  Path* find(const IpAddress& destination);
  const Path* find(const IpAddress& destination) const { return const_cast<PathSet*>(this)->find(destination); }
  std::span<const IpAddress> local_addresses() const {
    if (local_addresses_ == nullptr) return {};
    return {local_addresses_->addresses.begin(), local_addresses_->addresses.size()};
  }

 private:
  template <std::size_t Capacity>
  bool take(base::ObjectPool<PathBlock<Capacity>>& pool);
  template <std::size_t Capacity>
  void give_back(base::ObjectPool<PathBlock<Capacity>>& pool);
  void release();

  Pools* pools_;
  Path* paths_ = nullptr;                            // the first member of a PathBlock
  LocalAddresses::List* local_addresses_ = nullptr;  // shared with others
  std::uint8_t capacity_ = 0;
  std::uint8_t path_count_ = 0;
};

}  // namespace sluice::assoc
