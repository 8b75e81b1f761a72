#include "tests/sim/simulation.hpp"

#include <algorithm>
#include <stdexcept>

namespace sluice::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kPatience = minutes(60);
constexpr Duration kMostStep = milliseconds(1);
constexpr Duration kMostSilentStep = milliseconds(5);  // while what is due waits for a whole side
// Rarer and smaller than the defaults: most of a quiet run would be looks at the links, much of a short one making
// tables.
constexpr Duration kLinkInterval = milliseconds(50);
constexpr std::uint32_t kDirectoryAddresses = 4096;

}  // namespace

Simulation::Simulation(std::uint64_t seed, const RunOptions& options, Totals& totals)
    : seed_(seed),
      options_(options),
      totals_(totals),
      random_(seed),
      wire_random_(random_.u64()),
      wire_(clock_, wire_random_),
      paths_(wire_, clock_, random_),
      watch_(totals.counts, [this](std::uint32_t side, const auto& visit) { for_each_association(side, visit); }),
      all_messages_(totals.counts["messages"]) {
  wire_.set_tap([this](const drivers::WireEvent& event) { on_wire(event); });
  make_stacks();
}

/// How many ports each side has: as many wires join them as both have. The endpoints may be of one family alone.
void Simulation::choose_ports() {
  const std::uint16_t choices[] = {1, 1, 1, 2, 2, 3};
  const std::uint16_t ports = choices[random_.below(6)];
  stack_options_[0].ports = stack_options_[1].ports = ports;
  if (ports == 1) return;
  // Addresses that only one side has lead nowhere.
  if (random_.below(6) == 0) stack_options_[random_.below(2)].ports = static_cast<std::uint16_t>(ports - 1);
  const std::uint32_t families = random_.below(4);
  bound_v4_ = families != 0;
  bound_v6_ = families == 0 || families == 1;
}

SimStackOptions Simulation::stack_options(std::uint32_t side, bool quick) {
  const std::uint16_t choices[] = {1, 1, 1, 2, 2, 8};
  SimStackOptions options;
  options.name = std::string(1, side == 0 ? 'a' : 'b');
  options.host = static_cast<std::uint8_t>(side + 1);
  options.ports = stack_options_[side].ports;
  options.workers = choices[random_.below(6)];
  if (options.workers > 1 && random_.below(3) == 0) options.queues = 1;
  options.steering = random_.below(2) == 0 ? drivers::Steering::flow_hash : drivers::Steering::random;
  options.mtu = mtu_;
  options.receive_ring = random_.below(2) == 0 ? 1024 : static_cast<std::uint16_t>(16 << random_.below(4));
  options.events = 8 + random_.below(256);
  options.lent = 64 + random_.below(1024);
  if (random_.below(16) != 0) options.config.link_interval = kLinkInterval;
  options.config.limits.directory_addresses = kDirectoryAddresses;
  Parameters& parameters = options.config.parameters;
  parameters.path_mtu_max = mtu_;
  parameters.send_buffer = 100'000 + random_.below(400'000);
  parameters.receive_window = 20'000 + random_.below(200'000);
  parameters.pin_limit = 1 << 20;
  parameters.partial_delivery_point = 8'000 + random_.below(20'000);
  parameters.outbound_streams = static_cast<std::uint16_t>(1 + random_.below(12));
  if (quick) {
    parameters.rto_initial = milliseconds(200);
    parameters.rto_min = milliseconds(100);
    parameters.rto_max = seconds(2);
    parameters.sack_delay = milliseconds(40);
    parameters.heartbeat_interval = seconds(1);
  }
  if (random_.below(4) == 0) parameters.valid_cookie_life = milliseconds(100 + random_.below(2000));
  if (gentle_) {
    parameters.association_max_retransmissions = parameters.path_max_retransmissions = 40;
    parameters.max_init_retransmissions = 40;
    parameters.rto_max = seconds(60);  // a shutdown is given up after five times this (T5-shutdown-guard, §9.2)
  } else {
    parameters.max_init_retransmissions = static_cast<std::uint16_t>(2 + random_.below(8));
  }
  if (stack_options_[0].ports + stack_options_[1].ports > 2) set_path_thresholds(parameters);
  return options;
}

void Simulation::set_path_thresholds(Parameters& parameters) {
  std::uint16_t& most = parameters.path_max_retransmissions;
  std::uint16_t& in_doubt = parameters.potentially_failed_threshold;
  most = static_cast<std::uint16_t>(random_.below(6));
  if (random_.below(2) == 0) in_doubt = static_cast<std::uint16_t>(random_.below(3));
  if (random_.below(3) == 0)
    parameters.primary_switchover_threshold = static_cast<std::uint16_t>(std::min(most, in_doubt) + random_.below(2));
}

void Simulation::make_stacks() {
  gentle_ = random_.below(3) != 0;
  const std::uint16_t mtus[] = {1500, 1500, 1280, 9000};
  mtu_ = mtus[random_.below(4)];
  const bool quick = random_.below(2) == 0;
  choose_ports();
  for (std::uint32_t side = 0; side < 2; ++side) {
    SimStackOptions& options = stack_options_[side];
    options = stack_options(side, quick);
    stacks_[side] = std::make_unique<SimStack>(wire_, clock_, random_.u64(), options);
    options.port = stacks_[side]->port_number();  // for whoever stands in its place
    for (std::uint16_t i = 0; i < options.workers; ++i) order_.emplace_back(side, i);
  }
  const std::uint16_t paths = std::min(stacks_[0]->ports(), stacks_[1]->ports());
  for (std::uint16_t i = 0; i < paths; ++i) {
    paths_.add({stacks_[0]->port_number(i), stacks_[1]->port_number(i)});
    routers_.push_back(std::make_unique<MtuRouter>(wire_, i));
  }
  if (paths > 1) ++totals_.counts["runs with several paths"];
  behaviour_.messages = 100 + random_.below(200);
  behaviour_.largest = random_.below(2) == 0 ? 200 : 6000;
  behaviour_.huge_percent = random_.below(3);
  if (paths > 1) {
    behaviour_.moves_primary = random_.below(4) == 0;
    // Associations that live to see a path fail and heal.
    if (random_.below(3) != 0) behaviour_.pause = milliseconds(1 + random_.below(300));
  }
  for (std::uint32_t side = 0; side < 2; ++side)
    applications_[side] =
        std::make_unique<Application>(*stacks_[side], clock_, side + 1, random_.u64(), behaviour_, totals_.counts);
}

void Simulation::open_endpoints(std::uint32_t side) {
  worker::OpenEndpointArguments arguments;
  if (!bound_v4_ || !bound_v6_)
    for (std::uint16_t i = 0; i < stacks_[side]->ports(); ++i)
      SLUICE_CHECK(arguments.addresses.push_back(stacks_[side]->address_on(i, bound_v4_)));
  calling_[side] = stacks_[side]->open(arguments);
  arguments.port = kPort;
  arguments.listen = true;
  listening_[side] = stacks_[side]->open(arguments);
}

bool Simulation::over() {
  return moved_enough() && faults_over_ && openings_.empty() && applications_[0]->idle() && applications_[1]->idle() &&
         stacks_[0]->associations() + stacks_[1]->associations() == 0;
}

bool Simulation::moved_enough() {
  return messages() >= kLeastMessages || clock_.now() - start_ >= kLeastTime;
}

void Simulation::run() {
  start_ = clock_.now();
  idle_step_ = kLeastStep;
  messages_before_ = all_messages_;
  open_endpoints(0);
  open_endpoints(1);
  plan();
  while (!over()) {
    if (clock_.now() - start_ > kPatience) throw std::runtime_error("an hour of virtual time passed without an end");
    if (!faults_over_ && clock_.now() >= faults_end_) end_faults();
    if (!faults_over_ && clock_.now() >= next_fault_) change_faults();
    if (!faults_over_ && clock_.now() >= next_outage_) change_outage();
    if (clock_.now() >= paths_.next_flap()) paths_.flap();
    if (clock_.now() >= restart_at_) restart_stack();
    if (stalled_ || clock_.now() < held_up_until_ || paths_.refuses()) last_disturbed_ = clock_.now();
    const bool opened = open_what_is_due();
    if (!step_all() && !opened)
      advance();
    else
      idle_step_ = kLeastStep;
    const bool quiet = openings_.empty() && applications_[0]->idle() && applications_[1]->idle();
    if (quiet && !moved_enough()) plan_opening(milliseconds(random_.below(500)));
    ++steps_;
    observe_states();
    // Once there are no faults and all is sent, those that did not open the association may end it too.
    if (faults_over_ && clock_.now() >= faults_end_ + minutes(5))
      for (const auto& application : applications_) application->finish();
  }
  if (!moved_enough()) throw std::runtime_error("the run moved too little to count");
  totals_.virtual_time += clock_.now() - start_;
  check_nothing_lost();
  check_nothing_left();
  ++totals_.runs;
}

bool Simulation::step_all() {
  for (std::size_t i = order_.size(); i > 1; --i)
    std::swap(order_[i - 1], order_[random_.below(static_cast<std::uint32_t>(i))]);
  bool any = false;
  for (const auto& [side, index] : order_) {
    if (held_up(side, index)) continue;
    any |= stacks_[side]->step(index);
    any |= applications_[side]->step(index);
  }
  for (const auto& router : routers_) any |= router->step();
  return any;
}

bool Simulation::held_up(std::uint32_t side, std::uint16_t worker) {
  return clock_.now() < held_up_until_ && held_up_.first == side &&
         (held_up_.second == worker || held_up_.second == kAllWorkers);
}

void Simulation::advance(Duration least) {
  Timestamp next = std::min({stacks_[0]->group().next_deadline(), stacks_[1]->group().next_deadline(),
                             applications_[0]->next_deadline(), applications_[1]->next_deadline(), wire_.next_event()});
  if (!faults_over_) next = std::min({next, next_fault_, next_outage_, paths_.next_flap(), faults_end_});
  if (!openings_.empty()) next = std::min(next, openings_.back().at);
  if (held_up_until_ > clock_.now()) next = std::min(next, held_up_until_);
  if (next == kNever) next = clock_.now();
  // What is due and yet did nothing waits for something else: a stalled ring, a link.
  if (next <= clock_.now()) {
    next = clock_.now() + idle_step_;
    const bool silent = clock_.now() < held_up_until_ && held_up_.second == kAllWorkers;
    idle_step_ = std::min(idle_step_ * 2, silent ? kMostSilentStep : kMostStep);
  }
  clock_.advance_to(std::max(next, clock_.now() + least));
}

}  // namespace sluice::sim
