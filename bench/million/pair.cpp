#include "bench/million/pair.hpp"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>
#include <stdexcept>
#include <string>

namespace sluice::bench {
namespace {

constexpr std::size_t kCaller = 0;
constexpr std::size_t kCalled = 1;
constexpr std::uint16_t kFirstPort = 10'000;
constexpr std::uint16_t kBusyPort = 9'999;
/// Few enough that no receive ring overflows.
constexpr std::uint32_t kOpeningAtOnce = 256;
constexpr std::uint32_t kMessageSize = 64;
constexpr std::uint32_t kBusyUnderWay = 512;
constexpr Duration kPatience = std::chrono::minutes(2);
/// For the last delayed SACK.
constexpr Duration kSettling = std::chrono::seconds(1);
constexpr Duration kStep = std::chrono::microseconds(50);

using RealClock = std::chrono::steady_clock;

/// So many endpoints on each side have ports enough for `associations`, each between two ports that no other joins.
std::uint16_t endpoints_for(std::uint32_t associations) {
  return static_cast<std::uint16_t>(std::ceil(std::sqrt(associations)));
}

/// What this process, which never sleeps, would see pass if no other wanted its processor.
Duration processor_time_used() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

/// Every so often, by real time.
class Pacer {
 public:
  bool due() {
    const auto now = RealClock::now();
    if (now < next_) return false;
    next_ = now + std::chrono::seconds(1);
    return true;
  }

 private:
  RealClock::time_point next_ = RealClock::now() + std::chrono::seconds(1);
};

}  // namespace

Pair::Pair(const PairOptions& options)
    : options_(options),
      endpoints_(endpoints_for(options.associations)),
      payload_(std::max(options.message, kMessageSize)),
      events_(256) {
  wire_.set_handing_over(true);
  make_stacks();
  for (std::uint16_t i = 0; i < endpoints_; ++i) {
    open_endpoint(kCalled, static_cast<std::uint16_t>(kFirstPort + i));
    callers_.push_back(open_endpoint(kCaller, static_cast<std::uint16_t>(kFirstPort + i)));
  }
  open_endpoint(kCalled, kBusyPort);
  const EndpointId caller = open_endpoint(kCaller, kBusyPort);
  stacks_[kCaller]->worker().connect(sim::kInline, caller, {addresses(kCalled), kBusyPort}, 0);
  finish_opening(1, clock_.now() + kPatience, {});
}

Pair::~Pair() {
  // A block goes back to the stack that made it, which must still be there.
  while (step()) {
  }
}

void Pair::make_stacks() {
  const std::uint32_t associations = options_.associations + 1;
  for (std::size_t side = 0; side < kSides; ++side) {
    sim::SimStackOptions stack;
    stack.name = side == kCaller ? "caller" : "called";
    stack.host = static_cast<std::uint8_t>(side + 1);
    stack.ports = options_.paths;
    stack.events = 4096;
    stack.config.parameters = Parameters();  // the profile rfc9260
    worker::Limits& limits = stack.config.limits;
    limits.associations = associations;
    limits.inits_per_second = 20000;  // they are to come up soon
    limits.endpoints = static_cast<std::uint16_t>(endpoints_ + 1);
    limits.directory_addresses = associations * options_.paths;
    limits.pools.associations = limits.pools.pin_ledgers = limits.pools.outbound_streams = associations;
    limits.pools.congestion_controllers = associations * options_.paths;
    stacks_[side] = std::make_unique<sim::SimStack>(wire_, clock_, random_.u64(), stack);
  }
}

EndpointId Pair::open_endpoint(std::size_t side, std::uint16_t port) {
  worker::OpenEndpointArguments arguments;
  arguments.addresses = addresses(side);
  arguments.port = port;
  arguments.listen = side == kCalled;
  return stacks_[side]->open(arguments);
}

assoc::AddressList Pair::addresses(std::size_t side) const {
  assoc::AddressList addresses;
  for (std::uint16_t port = 0; port < options_.paths; ++port)
    SLUICE_CHECK(addresses.push_back(stacks_[side]->v4(port)));
  return addresses;
}

void Pair::open_all(const Progress& progress) {
  const Timestamp start = clock_.now();
  const Duration gap = options_.opened_over / std::max(1u, options_.associations / kOpeningAtOnce);
  Pacer pacer;
  while (connected_ < options_.associations) {
    const Timestamp due = start + gap * static_cast<std::int64_t>(connected_ / kOpeningAtOnce);
    if (clock_.now() >= due && connected_ - done_ < kOpeningAtOnce) {
      for (std::uint32_t i = 0; i < kOpeningAtOnce && connected_ < options_.associations; ++i) connect_next();
    }
    if (!step()) advance(std::max(due, clock_.now() + kStep));
    if (pacer.due()) progress(done_);
    if (clock_.now() > due + kPatience)
      throw std::runtime_error("only " + std::to_string(done_) + " associations have exchanged their messages, " +
                               std::to_string(connected_) + " were opened, and two virtual minutes passed");
  }
  finish_opening(options_.associations, clock_.now() + kPatience, progress);
}

void Pair::connect_next() {
  const std::uint32_t i = connected_++;
  const auto port = static_cast<std::uint16_t>(kFirstPort + i % endpoints_);
  // A context of 0 is the busy one's.
  stacks_[kCaller]->worker().connect(sim::kInline, callers_[i / endpoints_], {addresses(kCalled), port}, 1);
}

void Pair::finish_opening(std::uint32_t wanted, Timestamp patience, const Progress& progress) {
  Pacer pacer;
  const auto complete = [&] { return connected_ == 0 ? busy_.value != 0 && busy_peer_.value != 0 : done_ == wanted; };
  while (!complete()) {
    if (!step()) advance(patience);
    if (clock_.now() >= patience)
      throw std::runtime_error(std::to_string(wanted - done_) + " of " + std::to_string(wanted) +
                               " associations have not exchanged their messages within two virtual minutes");
    if (progress && pacer.due()) progress(done_);
  }
  settle();
}

void Pair::settle() {
  const Timestamp settled = clock_.now() + kSettling;
  while (clock_.now() < settled)
    if (!step()) advance(settled);
}

HeartbeatSpread Pair::idle(Duration virtual_time, const Progress& progress) {
  constexpr Duration kSlice = std::chrono::milliseconds(10);
  constexpr std::int64_t kSlicesPerSecond = 100;
  HeartbeatSpread spread;
  const std::uint64_t before = heartbeats();
  const std::uint64_t timeouts_before = heartbeat_timeouts();
  std::uint64_t last = before;
  std::uint64_t second_began_at = before;
  Pacer pacer;
  const std::int64_t slices = virtual_time / kSlice;
  for (std::int64_t slice = 1; slice <= slices; ++slice) {
    const Timestamp end = clock_.now() + kSlice;
    while (clock_.now() < end)
      if (!step()) advance(end);
    const std::uint64_t now = heartbeats();
    spread.most_in_10ms = std::max(spread.most_in_10ms, now - last);
    last = now;
    if (slice % kSlicesPerSecond != 0) continue;
    spread.most_in_second = std::max(spread.most_in_second, now - second_began_at);
    second_began_at = now;
    if (pacer.due()) progress(static_cast<std::uint32_t>(slice / kSlicesPerSecond));
  }
  spread.sent = last - before;
  spread.timeouts = heartbeat_timeouts() - timeouts_before;
  spread.seconds = std::chrono::duration<double>(virtual_time).count();
  return spread;
}

BusyResult Pair::busy(Duration processor_time) {
  const Timestamp virtual_start = clock_.now();
  const std::uint64_t heartbeats_before = heartbeats();
  const std::uint64_t received_before = busy_received_;
  const Duration start = processor_time_used();
  Duration passed{};
  while (passed < processor_time) {
    send_busy();
    step();
    passed = processor_time_used() - start;
    clock_.advance_to(std::max(clock_.now(), virtual_start + passed));
  }
  const double seconds = std::chrono::duration<double>(passed).count();
  const BusyResult result{static_cast<double>(busy_received_ - received_before) / seconds,
                          static_cast<double>(heartbeats() - heartbeats_before) / seconds};
  const Timestamp patience = clock_.now() + kPatience;
  while (busy_received_ < busy_sent_) {
    if (!step()) advance(patience);
    if (clock_.now() >= patience) throw std::runtime_error("messages of the busy association did not arrive");
  }
  settle();
  return result;
}

void Pair::send_busy() {
  while (busy_sent_ - busy_received_ < kBusyUnderWay) {
    const std::span message(payload_.data(), options_.message);
    if (stacks_[kCaller]->send(busy_, message) != assoc::SendStatus::queued) return;
    ++busy_sent_;
  }
}

bool Pair::step() {
  bool any = false;
  for (std::size_t side = 0; side < kSides; ++side) {
    any |= stacks_[side]->worker().poll_once();
    any |= take_events(side);
  }
  return any;
}

bool Pair::take_events(std::size_t side) {
  worker::InlineEvents& from = stacks_[side]->events();
  const std::size_t n = from.poll(events_);
  for (std::size_t i = 0; i < n; ++i) {
    on_event(side, events_[i]);
    if (events_[i].type == EventType::message) from.release(events_[i].handle);
  }
  return n > 0;
}

void Pair::on_event(std::size_t side, const Event& event) {
  switch (event.type) {
    case EventType::association_up:
      return on_up(side, event.association);
    case EventType::message:
      return on_message(side, event);
    case EventType::connect_failed:
    case EventType::association_lost:
      throw std::runtime_error("an association " +
                               std::string(event.type == EventType::connect_failed ? "did not come up" : "was lost") +
                               ", for reason " + std::to_string(event.error));
    default:
      return;
  }
}

void Pair::on_up(std::size_t side, AssocId association) {
  AssocId& busy = side == kCaller ? busy_ : busy_peer_;
  if (busy.value == 0)
    busy = association;
  else if (side == kCaller)
    stacks_[side]->send(association, std::span(payload_.data(), kMessageSize));
}

void Pair::on_message(std::size_t side, const Event& event) {
  if (event.association == busy_peer_ && side == kCalled)
    ++busy_received_;
  else if (side == kCalled)
    stacks_[side]->send(event.association, std::span(payload_.data(), kMessageSize));
  else
    ++done_;
}

void Pair::advance(Timestamp at_most) {
  Timestamp next = std::min(at_most, wire_.next_event());
  for (const auto& stack : stacks_) next = std::min(next, stack->group().next_deadline());
  clock_.advance_to(std::max(next, std::min(at_most, clock_.now() + kStep)));
}

std::uint64_t Pair::heartbeats() const {
  std::uint64_t sum = 0;
  for (const auto& stack : stacks_) sum += stack->worker().counters().association.heartbeats_sent;
  return sum;
}

std::uint64_t Pair::heartbeat_timeouts() const {
  std::uint64_t sum = 0;
  for (const auto& stack : stacks_) sum += stack->worker().counters().association.heartbeat_timeouts;
  return sum;
}

}  // namespace sluice::bench
