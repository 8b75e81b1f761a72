#include "tests/sim/simulation.hpp"

#include <algorithm>
#include <stdexcept>

#include "tests/sim/trace.hpp"

namespace sluice::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint16_t kPort = 5000;
constexpr Duration kPatience = minutes(60);

void mix(std::uint64_t& digest, std::uint64_t value) {
  digest = (digest ^ value) * 0x100000001b3u;
  digest ^= digest >> 29;
}

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
}

void Simulation::make_stacks() {
  gentle_ = random_.below(3) != 0;
  const std::uint16_t choices[] = {1, 1, 1, 2, 2, 8};
  const std::uint16_t mtus[] = {1500, 1500, 1280, 9000};
  const std::uint16_t mtu = mtus[random_.below(4)];
  const bool quick = random_.below(2) == 0;
  for (std::uint32_t side = 0; side < 2; ++side) {
    SimStackOptions options;
    options.name = side == 0 ? "a" : "b";
    options.host = static_cast<std::uint8_t>(side + 1);
    options.workers = choices[random_.below(6)];
    if (options.workers > 1 && random_.below(3) == 0) options.queues = 1;
    options.steering = random_.below(2) == 0 ? drivers::Steering::flow_hash : drivers::Steering::random;
    options.mtu = mtu;
    options.events = 8 + random_.below(256);
    options.lent = 64 + random_.below(1024);
    Parameters& parameters = options.config.parameters;
    parameters.path_mtu_max = mtu;
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
    if (gentle_) {
      parameters.association_max_retransmissions = parameters.path_max_retransmissions = 40;
      parameters.rto_max = seconds(60);  // a shutdown is given up after five times this (T5-shutdown-guard, §9.2)
    }
    stacks_[side] = std::make_unique<SimStack>(wire_, clock_, random_.u64(), options);
    for (std::uint16_t i = 0; i < options.workers; ++i) order_.emplace_back(side, i);
  }
  behaviour_.messages = 100 + random_.below(200);
  behaviour_.largest = random_.below(2) == 0 ? 200 : 6000;
  behaviour_.huge_percent = random_.below(3);
  for (std::uint32_t side = 0; side < 2; ++side)
    applications_[side] =
        std::make_unique<Application>(*stacks_[side], clock_, side + 1, random_.u64(), behaviour_, totals_.counts);
}

void Simulation::open_endpoints() {
  for (std::uint32_t side = 0; side < 2; ++side) {
    worker::OpenEndpointArguments arguments;
    arguments.port = kPort;
    arguments.listen = true;
    listening_[side] = stacks_[side]->open(arguments);
    calling_[side] = stacks_[side]->open({});
  }
}

void Simulation::plan_openings() {
  const std::uint32_t n = 1 + random_.below(5);
  for (std::uint32_t i = 0; i < n; ++i)
    openings_.push_back(
        {clock_.now() + milliseconds(random_.below(2000)), random_.below(2), random_.below(3) == 0, false});
  // Both sides open the same association at about the same time (RFC 9260 §5.2.1).
  if (random_.below(3) == 0) {
    const Timestamp at = clock_.now() + milliseconds(random_.below(1000));
    openings_.push_back({at, 0, false, true});
    openings_.push_back({at + microseconds(random_.below(2) * random_.below(5000)), 1, false, true});
  }
  std::sort(openings_.begin(), openings_.end(), [](const Opening& x, const Opening& y) { return x.at > y.at; });
  faults_end_ = clock_.now() + seconds(5 + random_.below(60));
  next_fault_ = clock_.now();
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

void Simulation::note(const char* what) {
  ++totals_.counts[std::string("fault ") + what];
  if (options_.trace != nullptr) std::fprintf(options_.trace, "%s plan: %s\n", format(clock_.now()).c_str(), what);
}

void Simulation::change_faults() {
  next_fault_ = clock_.now() + milliseconds(100 + random_.below(4000));
  const auto side = static_cast<std::uint16_t>(random_.below(2));
  drivers::WireConditions conditions = faulty_conditions();
  wire_.set_link(0, true);
  wire_.set_link(1, true);
  wire_.set_transmit_stalled(0, false);
  wire_.set_transmit_stalled(1, false);
  wire_.set_receive_blocks(0, UINT32_MAX);
  wire_.set_receive_blocks(1, UINT32_MAX);
  switch (random_.below(12)) {
    case 0:
      note("one-way black hole");
      conditions.down = true;
      next_fault_ = clock_.now() + milliseconds(100 + random_.below(gentle_ ? 1500 : 8000));
      break;
    case 1:
      note("link down");
      wire_.set_link(side, false);
      next_fault_ = clock_.now() + milliseconds(100 + random_.below(gentle_ ? 1500 : 8000));
      break;
    case 2:
      note("transmit ring stalled");
      wire_.set_transmit_stalled(side, true);
      next_fault_ = clock_.now() + milliseconds(50 + random_.below(1000));
      break;
    case 3:
      note("receive pool small");
      wire_.set_receive_blocks(side, 2 + random_.below(30));
      break;
    case 4:
      note("application stops reading");
      applications_[side]->pause_until(clock_.now() + milliseconds(100 + random_.below(5000)));
      break;
    case 5:
      note("application keeps buffers");
      applications_[side]->hold_buffers_for(milliseconds(random_.below(800)));
      break;
    case 6:
      note("clock jumps forward");
      clock_.advance(milliseconds(200 + random_.below(3000)));
      break;
    default:
      note("conditions change");
  }
  wire_.set_conditions(side, static_cast<std::uint16_t>(1 - side), conditions);
}

void Simulation::end_faults() {
  faults_over_ = true;
  wire_.set_conditions({});
  for (std::uint16_t side = 0; side < 2; ++side) {
    wire_.set_link(side, true);
    wire_.set_transmit_stalled(side, false);
    wire_.set_receive_blocks(side, UINT32_MAX);
    applications_[side]->pause_until(clock_.now());
    applications_[side]->hold_buffers_for({});
  }
  if (options_.trace != nullptr) std::fprintf(options_.trace, "%s plan: faults end\n", format(clock_.now()).c_str());
}

bool Simulation::over() const {
  return faults_over_ && openings_.empty() && applications_[0]->idle() && applications_[1]->idle() &&
         stacks_[0]->associations() + stacks_[1]->associations() == 0;
}

void Simulation::run() {
  const Timestamp start = clock_.now();
  open_endpoints();
  plan_openings();
  while (!over()) {
    if (clock_.now() - start > kPatience) throw std::runtime_error("an hour of virtual time passed without an end");
    if (!faults_over_ && clock_.now() >= faults_end_) end_faults();
    if (!faults_over_ && clock_.now() >= next_fault_) change_faults();
    const bool opened = open_what_is_due();
    if (!step_all() && !opened) advance();
    observe_states();
    if (++steps_ % 64 == 0) check_flight();
    // Once there are no faults and all is sent, those that did not open the association may end it too.
    if (faults_over_ && clock_.now() >= faults_end_ + minutes(5))
      for (const auto& application : applications_) application->finish();
  }
  totals_.virtual_time += clock_.now() - start;
  check_nothing_lost();
  check_nothing_left();
  ++totals_.runs;
}

bool Simulation::step_all() {
  for (std::size_t i = order_.size(); i > 1; --i)
    std::swap(order_[i - 1], order_[random_.below(static_cast<std::uint32_t>(i))]);
  bool any = false;
  for (const auto& [side, index] : order_) {
    any |= stacks_[side]->worker(index).poll_once();
    any |= applications_[side]->step(index);
  }
  return any;
}

void Simulation::advance() {
  Timestamp next = std::min({stacks_[0]->group().next_deadline(), stacks_[1]->group().next_deadline(),
                             applications_[0]->next_deadline(), applications_[1]->next_deadline(), wire_.next_event()});
  if (!faults_over_) next = std::min({next, next_fault_, faults_end_});
  if (!openings_.empty()) next = std::min(next, openings_.back().at);
  // What is due and yet did nothing waits for something else: a stalled ring, a link.
  clock_.advance_to(std::max(next == kNever ? clock_.now() : next, clock_.now() + microseconds(50)));
}

void Simulation::observe_states() {
  for (std::uint32_t side = 0; side < 2; ++side) {
    std::map<std::uint64_t, assoc::State> now;
    for (std::uint16_t i = 0; i < stacks_[side]->workers(); ++i) {
      AssocId after = worker::encode({endpoint::WorkerId(i), 0, 0});
      while (const assoc::Association* const association = stacks_[side]->worker(i).next_association(after)) {
        after = association->id();
        if (worker::owner_of(after) != i) break;
        now[after.value] = association->state();
        const auto before = states_[side].find(after.value);
        const assoc::State from = before == states_[side].end() ? assoc::State::closed : before->second;
        if (from != association->state())
          ++totals_.counts[std::string("state ") + assoc::name(from) + " -> " + assoc::name(association->state())];
      }
    }
    for (const auto& [id, state] : states_[side])
      if (now.find(id) == now.end() && state != assoc::State::closed)
        ++totals_.counts[std::string("state ") + assoc::name(state) + " -> CLOSED"];
    states_[side] = std::move(now);
  }
}

void Simulation::check_flight() {
  for (std::uint32_t side = 0; side < 2; ++side)
    for (std::uint16_t i = 0; i < stacks_[side]->workers(); ++i) {
      assoc::Snapshot snapshot;
      for (AssocId after = worker::encode({endpoint::WorkerId(i), 0, 0});
           stacks_[side]->worker(i).snapshots(after, {&snapshot, 1}) == 1; after = snapshot.id) {
        if (snapshot.state == assoc::State::closed) continue;  // only its last events wait to be taken
        std::uint64_t sum = 0;
        for (const assoc::PathSnapshot& path : snapshot.paths) sum += path.outstanding;
        // A path counts whole chunks, padding and all; the association their user data.
        const std::uint64_t data = snapshot.outstanding_bytes;
        if (sum % 4 != 0 || sum < data || (sum == 0) != (data == 0))
          throw std::runtime_error("bytes in flight: " + std::to_string(sum) + " by path, " +
                                   std::to_string(snapshot.outstanding_bytes) + " in all");
      }
    }
}

void Simulation::check_nothing_lost() {
  for (std::uint32_t side = 0; side < 2; ++side)
    for (const auto& [flow, sent] : applications_[side]->sent()) {
      const auto& received = applications_[1 - side]->received();
      const auto found = received.find(flow);
      if (!sent.graceful) {
        if (gentle_ && !sent.aborted)
          throw std::runtime_error("flow " + std::to_string(flow) + ": lost, though no fault was that bad");
        ++totals_.counts["associations not ended gracefully"];
        continue;
      }
      ++totals_.counts["associations ended gracefully"];
      for (const auto& [stream, messages] : sent.ordered) {
        const bool known = found != received.end() && found->second.ordered.count(stream) != 0;
        const std::uint32_t came = known ? found->second.ordered.at(stream) : 0;
        if (came != messages && !(found == received.end() && messages <= 1))
          throw std::runtime_error("flow " + std::to_string(flow) + ", stream " + std::to_string(stream) + ": " +
                                   std::to_string(messages) + " messages sent, " + std::to_string(came) + " came");
      }
      if (found != received.end() && found->second.unordered != sent.unordered)
        throw std::runtime_error("flow " + std::to_string(flow) + ": unordered messages were lost");
    }
}

void Simulation::check_nothing_left() {
  // Late frames, fragments and packets that wait for a neighbour have their time too.
  const Timestamp settled = clock_.now() + minutes(1);
  while (clock_.now() < settled)
    if (!step_all()) advance();
  for (const auto& stack : stacks_) {
    if (stack->buffers_out() != 0)
      throw std::runtime_error("side " + stack->name() + ": buffers did not come back: " + stack->buffers_by_pool());
    stack->check_pools();
  }
  for (std::uint32_t side = 0; side < 2; ++side)
    for (std::uint16_t i = 0; i < stacks_[side]->workers(); ++i)
      worker::visit_counters(stacks_[side]->worker(i).counters(),
                             [&](const char* room, const char* name, const char*, std::uint64_t value) {
                               totals_.counts[std::string("counter ") + room + '.' + name] += value;
                             });
  wire_.counters().for_each([&](const char* name, const char*, std::uint64_t value) {
    totals_.counts[std::string("wire ") + name] += value;
  });
}

void Simulation::on_wire(const drivers::WireEvent& event) {
  if (event.fate == drivers::WireFate::sent) ++totals_.frames;
  std::uint64_t sum = static_cast<std::uint64_t>(event.time.time_since_epoch().count());
  for (const std::byte byte : event.frame) sum = sum * 31 + static_cast<std::uint8_t>(byte);
  mix(totals_.digest, sum ^ static_cast<std::uint64_t>(event.fate) << 56 ^ std::uint64_t{event.to} << 48);
  if (options_.trace != nullptr) std::fprintf(options_.trace, "%s\n", describe(event).c_str());
  if (options_.pcap != nullptr && event.fate == drivers::WireFate::sent) options_.pcap->write(event.time, event.frame);
}

}  // namespace sluice::sim
