#include "tests/sim/path_faults.hpp"

#include <algorithm>

namespace sluice::sim {

using std::chrono::milliseconds;

bool PathFaults::is_cut(Fault fault) {
  return fault == Fault::one_way_path || fault == Fault::black_hole || fault == Fault::link_down ||
         fault == Fault::port_flap;
}

void PathFaults::set_conditions(std::uint32_t path, std::uint32_t side, const drivers::WireConditions& conditions) {
  paths_[path].conditions[side] = conditions;
  apply(paths_[path]);
}

void PathFaults::set_mtu(std::uint32_t path, std::uint32_t side, std::uint16_t mtu) {
  paths_[path].mtu[side] = mtu;
  apply(paths_[path]);
}

void PathFaults::cut(std::uint32_t path, std::uint32_t side, Span span, Fault fault) {
  const bool link = fault == Fault::link_down || fault == Fault::port_flap;
  paths_[path].cuts[static_cast<std::size_t>(span)] = {fault, side, link};
  if (fault == Fault::port_flap) next_flap_ = clock_.now() + milliseconds(20);
  apply(paths_[path]);
}

void PathFaults::mend(Span span) {
  for (Path& path : paths_) {
    path.cuts[static_cast<std::size_t>(span)] = {};
    apply(path);
  }
}

bool PathFaults::any_cut(Span span) const {
  return std::any_of(paths_.begin(), paths_.end(), [span](const Path& path) {
    return path.cuts[static_cast<std::size_t>(span)].fault != Fault::conditions;
  });
}

void PathFaults::clear() {
  for (Path& path : paths_) {
    path = {.ends = path.ends};
    apply(path);
  }
  next_flap_ = kNever;
}

void PathFaults::flap() {
  next_flap_ = kNever;
  for (Path& path : paths_)
    for (Cut& cut : path.cuts) {
      if (cut.fault != Fault::port_flap) continue;
      cut.unplugged = !cut.unplugged;
      next_flap_ = clock_.now() + milliseconds(20 + random_.below(300));
      apply(path);
    }
}

bool PathFaults::refuses() const {
  return std::any_of(paths_.begin(), paths_.end(), [](const Path& path) {
    const bool links = std::any_of(path.cuts.begin(), path.cuts.end(), [](const Cut& cut) { return cut.unplugged; });
    return links || path.conditions[0].queue_refuses || path.conditions[1].queue_refuses;
  });
}

void PathFaults::apply(const Path& path) {
  for (std::uint32_t side = 0; side < 2; ++side) {
    drivers::WireConditions conditions = path.conditions[side];
    conditions.mtu = path.mtu[side];
    bool up = true;
    for (const Cut& cut : path.cuts) {
      conditions.down |= cut.fault == Fault::black_hole || (cut.fault == Fault::one_way_path && cut.side == side);
      up &= !cut.unplugged || cut.side != side;
    }
    wire_.set_conditions(path.ends[side], path.ends[1 - side], conditions);
    wire_.set_link(path.ends[side], up);
  }
}

}  // namespace sluice::sim
