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
constexpr Duration kLeastStep = microseconds(50);
constexpr Duration kMostStep = milliseconds(1);

}  // namespace

Simulation::Simulation(std::uint64_t seed, const RunOptions& options, Totals& totals)
    : seed_(seed),
      options_(options),
      totals_(totals),
      random_(seed),
      wire_random_(random_.u64()),
      wire_(clock_, wire_random_) {
  wire_.set_tap([this](const drivers::WireEvent& event) { on_wire(event); });
  make_stacks();
  router_ = std::make_unique<MtuRouter>(wire_);
}

void Simulation::make_stacks() {
  gentle_ = random_.below(3) != 0;
  const std::uint16_t choices[] = {1, 1, 1, 2, 2, 8};
  const std::uint16_t mtus[] = {1500, 1500, 1280, 9000};
  mtu_ = mtus[random_.below(4)];
  const bool quick = random_.below(2) == 0;
  for (std::uint32_t side = 0; side < 2; ++side) {
    SimStackOptions& options = stack_options_[side];
    options.name = std::string(1, side == 0 ? 'a' : 'b');
    options.host = static_cast<std::uint8_t>(side + 1);
    options.workers = choices[random_.below(6)];
    if (options.workers > 1 && random_.below(3) == 0) options.queues = 1;
    options.steering = random_.below(2) == 0 ? drivers::Steering::flow_hash : drivers::Steering::random;
    options.mtu = mtu_;
    options.receive_ring = random_.below(2) == 0 ? 1024 : static_cast<std::uint16_t>(16 << random_.below(4));
    options.events = 8 + random_.below(256);
    options.lent = 64 + random_.below(1024);
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
    stacks_[side] = std::make_unique<SimStack>(wire_, clock_, random_.u64(), options);
    options.port = stacks_[side]->port_number();  // for whoever stands in its place
    for (std::uint16_t i = 0; i < options.workers; ++i) order_.emplace_back(side, i);
  }
  behaviour_.messages = 100 + random_.below(200);
  behaviour_.largest = random_.below(2) == 0 ? 200 : 6000;
  behaviour_.huge_percent = random_.below(3);
  for (std::uint32_t side = 0; side < 2; ++side)
    applications_[side] =
        std::make_unique<Application>(*stacks_[side], clock_, side + 1, random_.u64(), behaviour_, totals_.counts);
}

void Simulation::open_endpoints(std::uint32_t side) {
  worker::OpenEndpointArguments arguments;
  arguments.port = kPort;
  arguments.listen = true;
  listening_[side] = stacks_[side]->open(arguments);
  calling_[side] = stacks_[side]->open({});
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
  messages_before_ = totals_.counts["messages"];
  open_endpoints(0);
  open_endpoints(1);
  plan();
  while (!over()) {
    if (clock_.now() - start_ > kPatience) throw std::runtime_error("an hour of virtual time passed without an end");
    if (!faults_over_ && clock_.now() >= faults_end_) end_faults();
    if (!faults_over_ && clock_.now() >= next_fault_) change_faults();
    if (clock_.now() >= restart_at_) restart_stack();
    const bool opened = open_what_is_due();
    if (!step_all() && !opened)
      advance();
    else
      idle_step_ = kLeastStep;
    const bool quiet = openings_.empty() && applications_[0]->idle() && applications_[1]->idle();
    if (quiet && !moved_enough()) plan_opening(milliseconds(random_.below(500)));
    observe_states();
    if (++steps_ % 64 == 0) check_flight();
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
    if (clock_.now() < held_up_until_ && held_up_ == std::pair(side, index)) continue;
    any |= stacks_[side]->worker(index).poll_once();
    any |= applications_[side]->step(index);
  }
  return router_->step() || any;
}

void Simulation::advance() {
  Timestamp next = std::min({stacks_[0]->group().next_deadline(), stacks_[1]->group().next_deadline(),
                             applications_[0]->next_deadline(), applications_[1]->next_deadline(), wire_.next_event()});
  if (!faults_over_) next = std::min({next, next_fault_, faults_end_});
  if (!openings_.empty()) next = std::min(next, openings_.back().at);
  if (held_up_until_ > clock_.now()) next = std::min(next, held_up_until_);
  if (next == kNever) next = clock_.now();
  // What is due and yet did nothing waits for something else: a stalled ring, a link.
  if (next <= clock_.now()) {
    next = clock_.now() + idle_step_;
    idle_step_ = std::min(idle_step_ * 2, kMostStep);
  }
  clock_.advance_to(std::max(next, clock_.now() + kLeastStep));
}

}  // namespace sluice::sim
