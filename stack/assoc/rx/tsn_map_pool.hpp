#pragma once

#include "stack/assoc/rx/tsn_map.hpp"
#include "stack/base/bounded_vector.hpp"

namespace sluice::assoc {

/// The TsnMaps of one worker. Some that come back clean are kept as they are: to make one means to clear 8 KiB, which
/// is more than all else that a single packet out of order costs.
class TsnMapPool {
 public:
  static constexpr std::size_t kKept = 16;

  /// At most `limit` at once.
  explicit TsnMapPool(std::uint32_t limit) : maps_(limit, kKept) {}
  TsnMapPool(const TsnMapPool&) = delete;
  ~TsnMapPool() {
    for (TsnMap* const map : kept_) maps_.destroy(map);
  }

  /// An empty one, or null when `limit` are out. All of them use the same `pages`.
  TsnMap* make(base::ObjectPool<HeldPage>& pages) {
    if (kept_.empty()) return maps_.make(pages);
    TsnMap* const map = kept_.back();
    kept_.pop_back();
    return map;
  }
  void give_back(TsnMap& map) {
    if (!map.clean() || !kept_.push_back(&map)) maps_.destroy(&map);
  }
  std::uint32_t out() const { return maps_.out() - kept(); }
  std::uint32_t limit() const { return maps_.limit(); }
  /// Of those not out, the ones that need not be made anew.
  std::uint32_t kept() const { return static_cast<std::uint32_t>(kept_.size()); }

 private:
  base::ObjectPool<TsnMap> maps_;
  base::BoundedVector<TsnMap*, kKept> kept_;
};

}  // namespace sluice::assoc
