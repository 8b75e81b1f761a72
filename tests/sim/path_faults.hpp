#pragma once

#include <array>
#include <vector>

#include "drivers/memory_wire.hpp"
#include "stack/base/seeded_random.hpp"
#include "stack/base/sim_clock.hpp"
#include "tests/sim/report.hpp"

namespace sluice::sim {

/// What is wrong with the paths between two sides, and how it comes together on the wire: each way has its conditions,
/// and a path may be cut twice, for a short time and for a long one.
class PathFaults {
 public:
  /// A path's ports on the wire, by side.
  using Ends = std::array<std::uint16_t, 2>;
  enum class Span : std::uint8_t { passing, lasting };

  PathFaults(drivers::MemoryWire& wire, base::SimClock& clock, base::SeededRandom& random)
      : wire_(wire), clock_(clock), random_(random) {}

  void add(const Ends& ends) { paths_.push_back({.ends = ends}); }
  std::uint32_t size() const { return static_cast<std::uint32_t>(paths_.size()); }
  std::uint16_t port(std::uint32_t path, std::uint32_t side) const { return paths_[path].ends[side]; }

  /// One of the faults by which packets stay away.
  static bool is_cut(Fault fault);
  /// Of the way that begins at `side`.
  void set_conditions(std::uint32_t path, std::uint32_t side, const drivers::WireConditions& conditions);
  void set_mtu(std::uint32_t path, std::uint32_t side, std::uint16_t mtu);
  /// A one-way path loses what `side` sends; a link is down or flaps at its port.
  void cut(std::uint32_t path, std::uint32_t side, Span span, Fault fault);
  void mend(Span span);
  bool any_cut(Span span) const;
  /// All is as it was at the beginning.
  void clear();

  /// Lets links that flap go up or down.
  void flap();
  Timestamp next_flap() const { return next_flap_; }
  /// Some port may refuse what it is given.
  bool refuses() const;

 private:
  struct Cut {
    Fault fault = Fault::conditions;  // none
    std::uint32_t side = 0;
    bool unplugged = false;
  };
  struct Path {
    Ends ends;
    std::array<drivers::WireConditions, 2> conditions{};  // by the side where the way begins
    std::array<std::uint16_t, 2> mtu{};
    std::array<Cut, 2> cuts{};  // by Span
  };

  void apply(const Path& path);

  drivers::MemoryWire& wire_;
  base::SimClock& clock_;
  base::SeededRandom& random_;
  std::vector<Path> paths_;
  Timestamp next_flap_ = kNever;
};

}  // namespace sluice::sim
