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
    SimStack& peer = *stacks_[1 - opening.side];
    applications_[opening.side]->connect(opening.fixed_port ? listening_[opening.side] : calling_[opening.side],
                                         opening.ipv6 ? peer.v6() : peer.v4(), kPort);
  }
  return any;
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

void Simulation::note(Fault fault) {
  ++totals_.counts[std::string("fault ") + name(fault)];
  if (options_.trace != nullptr)
    std::fprintf(options_.trace, "%s plan: %s\n", format(clock_.now()).c_str(), name(fault));
}

/// Everything but the conditions of the wire is as it should be.
void Simulation::heal() {
  for (std::uint16_t side = 0; side < 2; ++side) {
    const auto other = static_cast<std::uint16_t>(1 - side);
    wire_.set_link(side, true);
    wire_.set_transmit_stalled(side, false);
    wire_.set_receive_blocks(side, UINT32_MAX);
    drivers::WireConditions conditions = wire_.conditions(side, other);
    conditions.down = false;
    conditions.mtu = 0;
    wire_.set_conditions(side, other, conditions);
  }
  router_tells_ = false;
}

void Simulation::change_faults() {
  heal();
  const auto side = static_cast<std::uint16_t>(random_.below(2));
  const auto other = static_cast<std::uint16_t>(1 - side);
  drivers::WireConditions conditions = faulty_conditions();
  Duration time = milliseconds(100 + random_.below(4000));
  // What keeps all packets away may not last.
  const Duration outage = milliseconds(100 + random_.below(gentle_ ? 1500 : 8000));
  const auto fault =
      static_cast<Fault>(random_.below(2) == 0 ? 0 : random_.below(static_cast<std::uint32_t>(Fault::restart)));
  switch (fault) {
    case Fault::black_hole: {
      drivers::WireConditions back = wire_.conditions(other, side);
      back.down = true;
      wire_.set_conditions(other, side, back);
      [[fallthrough]];
    }
    case Fault::one_way_path:
      conditions.down = true;
      time = outage;
      break;
    case Fault::link_down:
      wire_.set_link(side, false);
      time = outage;
      break;
    case Fault::path_mtu_told:
    case Fault::path_mtu_silent:
      if (mtu_ <= kLeastPathMtu) break;
      conditions.mtu = static_cast<std::uint16_t>(kLeastPathMtu + random_.below(mtu_ - kLeastPathMtu));
      router_tells_ = fault == Fault::path_mtu_told;
      if (!router_tells_) time = outage;
      break;
    case Fault::transmit_ring_full:
      wire_.set_transmit_stalled(side, true);
      time = milliseconds(50 + random_.below(1000));
      break;
    case Fault::receive_pool_small:
      wire_.set_receive_blocks(side, 2 + random_.below(30));
      break;
    case Fault::receive_pool_empty:
      wire_.set_receive_blocks(side, 0);
      time = milliseconds(50 + random_.below(1000));
      break;
    case Fault::worker_held_up:
      held_up_ = order_[random_.below(static_cast<std::uint32_t>(order_.size()))];
      held_up_until_ = clock_.now() + milliseconds(1 + random_.below(300));
      break;
    case Fault::clock_jump:
      clock_.advance(milliseconds(200 + random_.below(3000)));
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
  note(fault);
  wire_.set_conditions(side, other, conditions);
  next_fault_ = clock_.now() + time;
}

void Simulation::end_faults() {
  heal();
  faults_over_ = true;
  wire_.set_conditions({});
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
  note(Fault::restart);
  const std::uint32_t side = random_.below(2);
  std::set<std::uint64_t> left_alone;
  for_each_association(1 - side, [&](const assoc::Association& association) {
    if (association.state() != assoc::State::cookie_wait) left_alone.insert(association.id().value);
  });
  count_counters(side);
  states_[side].clear();
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
