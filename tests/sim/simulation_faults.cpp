// The plan: when associations are opened, and what goes wrong.
#include <algorithm>

#include "tests/sim/report.hpp"
#include "tests/sim/simulation.hpp"
#include "tests/sim/trace.hpp"

namespace sluice::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

}  // namespace

void Simulation::plan() {
  const std::uint32_t n = 1 + random_.below(5);
  for (std::uint32_t i = 0; i < n; ++i) plan_opening(milliseconds(random_.below(2000)));
  // Both sides open the same association at about the same time (RFC 9260 §5.2.1).
  if (random_.below(3) == 0) {
    const Timestamp at = clock_.now() + milliseconds(random_.below(1000));
    openings_.push_back({at, 0, false, true});
    openings_.push_back({at + microseconds(random_.below(2) * random_.below(5000)), 1, false, true});
  }
  sort_openings();
  faults_end_ = clock_.now() + seconds(5 + random_.below(60));
  next_fault_ = clock_.now();
  if (paths_.size() > 1) next_outage_ = clock_.now() + milliseconds(random_.below(5000));
  if (random_.below(4) != 0) return;
  // A stack dies; between its port and the other's an association is to be there, which it opens again later.
  restart_at_ = clock_.now() + milliseconds(100 + random_.below(3000));
  openings_.push_back({clock_.now(), random_.below(2), false, true});
  sort_openings();
}

void Simulation::plan_opening(Duration in) {
  openings_.push_back({clock_.now() + in, random_.below(2), random_.below(3) == 0, false});
}

void Simulation::sort_openings() {
  std::stable_sort(openings_.begin(), openings_.end(), [](const Opening& x, const Opening& y) { return x.at > y.at; });
}

bool Simulation::open_what_is_due() {
  bool any = false;
  for (; !openings_.empty() && openings_.back().at <= clock_.now(); openings_.pop_back(), any = true) {
    const Opening& opening = openings_.back();
    applications_[opening.side]->connect(opening.fixed_port ? listening_[opening.side] : calling_[opening.side],
                                         addresses_of(1 - opening.side, opening), kPort);
  }
  return any;
}

/// Those of a side that the other one is told to try: one or several. Openings that are to meet know all of each other.
assoc::AddressList Simulation::addresses_of(std::uint32_t side, const Opening& opening) {
  const SimStack& stack = *stacks_[side];
  const bool first_v4 = bound_v4_ && !(bound_v6_ && opening.ipv6);
  if (stack.ports() == 1) return {stack.address_on(0, first_v4)};
  assoc::AddressList all;
  for (std::uint16_t i = 0; i < stack.ports(); ++i)
    for (const bool v4 : {first_v4, !first_v4})
      if (v4 ? bound_v4_ : bound_v6_) SLUICE_CHECK(all.push_back(stack.address_on(i, v4)));
  if (opening.fixed_port) return all;
  for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[random_.below(static_cast<std::uint32_t>(i))]);
  if (random_.below(2) == 0) return all;
  return {stack.address_on(static_cast<std::uint16_t>(random_.below(paths_.size())), first_v4)};
}

drivers::WireConditions Simulation::faulty_conditions() {
  drivers::WireConditions conditions;
  const auto sometimes = [&](std::uint32_t of) { return random_.below(of) == 0; };
  const auto up_to = [&](std::uint32_t most) { return 1 + random_.below(most); };
  if (sometimes(2)) conditions.delay = microseconds(up_to(60'000));
  if (sometimes(3)) conditions.jitter = microseconds(up_to(20'000));
  if (sometimes(2)) conditions.loss = up_to(gentle_ ? 50'000 : 150'000);
  if (sometimes(5)) conditions.burst_loss = up_to(10'000);
  if (sometimes(3)) conditions.duplication = up_to(50'000);
  if (sometimes(3)) conditions.reordering = up_to(100'000);
  if (sometimes(3)) conditions.corruption = up_to(50'000);
  if (sometimes(6)) {
    conditions.bits_per_second = 1'000'000 + random_.below(50'000'000);
    conditions.queue_bytes = 20'000 + random_.below(100'000);
    conditions.queue_refuses = sometimes(2);
  }
  return conditions;
}

void Simulation::note(Fault fault, bool lasting) {
  const std::string text = std::string(name(fault)) + (lasting ? ", lasting" : "");
  ++totals_.counts["fault " + text];
  if (options_.trace != nullptr)
    std::fprintf(options_.trace, "%s plan: %s\n", format(clock_.now()).c_str(), text.c_str());
}

/// Everything but the conditions of the wire, and the path that is out for longer, is as it should be.
void Simulation::heal() {
  paths_.mend(PathFaults::Span::passing);
  for (std::uint32_t path = 0; path < paths_.size(); ++path)
    for (std::uint32_t side = 0; side < 2; ++side) {
      paths_.set_mtu(path, side, 0);
      wire_.set_transmit_stalled(paths_.port(path, side), false);
      wire_.set_receive_blocks(paths_.port(path, side), UINT32_MAX);
    }
  router_tells_ = stalled_ = false;
}

void Simulation::change_faults() {
  heal();
  const std::uint32_t side = random_.below(2);
  const std::uint32_t path = random_.below(paths_.size());
  auto fault =
      static_cast<Fault>(random_.below(2) == 0 ? 0 : random_.below(static_cast<std::uint32_t>(Fault::restart)));
  // A path stays that takes all packets.
  const bool takes_last = PathFaults::is_cut(fault) || fault == Fault::path_mtu_silent;
  if (gentle_ && paths_.size() > 1 && (fault == Fault::all_paths_out || (outage_ && takes_last)))
    fault = Fault::conditions;
  paths_.set_conditions(path, side, faulty_conditions());
  const Duration time = begin_fault(fault, path, side);
  note(fault);
  next_fault_ = clock_.now() + time;
}

/// For how long.
Duration Simulation::begin_fault(Fault fault, std::uint32_t path, std::uint32_t side) {
  const std::uint16_t port = paths_.port(path, side);
  // What keeps all packets away may not last.
  const Duration outage = milliseconds(100 + random_.below(gentle_ ? 1500 : 8000));
  switch (fault) {
    case Fault::one_way_path:
    case Fault::black_hole:
    case Fault::link_down:
    case Fault::port_flap:
      paths_.cut(path, side, PathFaults::Span::passing, fault);
      return outage;
    case Fault::all_paths_out:
      for (std::uint32_t i = 0; i < paths_.size(); ++i)
        paths_.cut(i, side, PathFaults::Span::passing, Fault::black_hole);
      return outage;
    case Fault::path_mtu_told:
    case Fault::path_mtu_silent:
      if (mtu_ <= kLeastPathMtu) break;
      paths_.set_mtu(path, side, static_cast<std::uint16_t>(kLeastPathMtu + random_.below(mtu_ - kLeastPathMtu)));
      router_tells_ = fault == Fault::path_mtu_told;
      if (!router_tells_) return outage;
      break;
    case Fault::transmit_ring_full:
      wire_.set_transmit_stalled(port, stalled_ = true);
      return milliseconds(50 + random_.below(1000));
    case Fault::receive_pool_small:
      wire_.set_receive_blocks(port, 2 + random_.below(30));
      break;
    case Fault::receive_pool_empty:
      wire_.set_receive_blocks(port, 0);
      return milliseconds(50 + random_.below(1000));
    case Fault::worker_held_up:
      held_up_ = order_[random_.below(static_cast<std::uint32_t>(order_.size()))];
      held_up_until_ = clock_.now() + milliseconds(1 + random_.below(300));
      break;
    case Fault::peer_silent:
      held_up_ = {side, kAllWorkers};
      held_up_until_ = clock_.now() + outage;
      return outage;
    case Fault::clock_jump:
      clock_.advance(milliseconds(200 + random_.below(3000)));
      last_disturbed_ = clock_.now();
      break;
    case Fault::slow_reader:
      applications_[side]->pause_until(clock_.now() + milliseconds(100 + random_.below(5000)));
      break;
    case Fault::buffers_kept:
      applications_[side]->hold_buffers_for(milliseconds(random_.below(800)));
      break;
    default:
      break;
  }
  return milliseconds(100 + random_.below(4000));
}

/// One path of several fails for longer than an association would wait, or heals.
void Simulation::change_outage() {
  if (outage_) {
    paths_.mend(PathFaults::Span::lasting);
    outage_ = false;
    next_outage_ = clock_.now() + milliseconds(500 + random_.below(10'000));
    return;
  }
  if (gentle_ && paths_.any_cut(PathFaults::Span::passing)) {
    next_outage_ = next_fault_;
    return;
  }
  constexpr Fault kFaults[] = {Fault::one_way_path, Fault::black_hole, Fault::link_down, Fault::port_flap};
  const Fault fault = kFaults[random_.below(4)];
  paths_.cut(random_.below(paths_.size()), random_.below(2), PathFaults::Span::lasting, fault);
  note(fault, true);
  outage_ = true;
  next_outage_ = clock_.now() + milliseconds(500 + random_.below(30'000));
}

void Simulation::end_faults() {
  heal();
  paths_.clear();
  faults_over_ = true;
  outage_ = false;
  held_up_until_ = clock_.now();
  for (const auto& application : applications_) {
    application->pause_until(clock_.now());
    application->hold_buffers_for({});
  }
  if (options_.trace != nullptr) std::fprintf(options_.trace, "%s plan: faults end\n", format(clock_.now()).c_str());
}

/// One side's stack is gone from one moment to the next, and with it all that it knew; its port, its addresses and what
/// is on the wire stay.
void Simulation::restart_stack() {
  restart_at_ = kNever;
  restarted_ = true;
  note(Fault::restart);
  const std::uint32_t side = random_.below(2);
  std::set<std::uint64_t> left_alone;
  for_each_association(1 - side, [&](const assoc::Association& association) {
    if (association.state() != assoc::State::cookie_wait) left_alone.insert(association.id().value);
  });
  count_counters(side);
  seen_[side].clear();
  watch_.forget(side);
  stacks_[side].reset();
  stacks_[side] = std::make_unique<SimStack>(wire_, clock_, random_.u64(), stack_options_[side]);
  applications_[1 - side]->peer_died(*applications_[side], left_alone);
  applications_[side]->move_to(*stacks_[side]);
  open_endpoints(side);
  // Often before anybody has told the other side that it talks to a stranger.
  openings_.push_back({clock_.now() + random_.below(2) * milliseconds(random_.below(3000)), side, false, true});
  plan_opening(milliseconds(random_.below(3000)));
  sort_openings();
}

}  // namespace sluice::sim
