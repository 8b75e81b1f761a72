#include "bench/flood/flood_pair.hpp"

#include <x86intrin.h>

#include <stdexcept>

namespace sluice::bench {
namespace {

constexpr std::uint16_t kPort = 5001;
constexpr std::uint32_t kSources = 16384;
constexpr std::uint32_t kFirstSource = 0xc6130001;  // 198.19.0.1
constexpr std::uint8_t kGatewayHost = 254;
constexpr std::uint32_t kMostOffered = 512;  // a turn: half of what the flooded port's ring holds
constexpr std::uint32_t kWireBurst = 64;

/// Of the time-stamp counter.
double measure_cycles_per_second() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  const std::uint64_t cycles = __rdtsc();
  while (Clock::now() - start < std::chrono::milliseconds(50)) continue;
  const std::uint64_t passed = __rdtsc() - cycles;
  return static_cast<double>(passed) / std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

sim::SimStackOptions FloodPair::options(const char* name, std::uint8_t host) {
  sim::SimStackOptions options;
  options.name = name;
  options.host = host;
  return options;
}

sim::SimStackOptions FloodPair::flooded_options(std::optional<std::uint32_t> inits_per_second) {
  sim::SimStackOptions flooded = options("flooded", 2);
  if (inits_per_second) flooded.config.limits.inits_per_second = *inits_per_second;
  ip::Route route;
  route.destination = {IpAddress::v4(0xc6130000), 16};
  route.gateway = IpAddress::v4(0xc6120000 | kGatewayHost);
  flooded.config.ip.routes = {route};
  return flooded;
}

FloodPair::FloodPair(std::optional<std::uint32_t> inits_per_second)
    : cycles_per_second_(measure_cycles_per_second()),
      clock_(processor_time()),
      sender_(wire_, clock_, 1, options("sender", 1)),
      flooded_(wire_, clock_, 2, flooded_options(inits_per_second)),
      gateway_(wire_, clock_, 3, options("gateway", kGatewayHost)) {
  wire_.set_handing_over(true);
}

void FloodPair::set_flood(FloodKind kind, std::optional<double> per_second, std::uint32_t udp_frame_bytes) {
  const FloodRoute route{.source_mac = wire_.port(gateway_.port_number()).info().mac,
                         .destination_mac = wire_.port(flooded_.port_number()).info().mac,
                         .first_source = kFirstSource,
                         .destination = flooded_.v4().v4_value(),
                         .port = kPort};
  frames_.clear();
  for (std::uint32_t i = 0; i < kSources; ++i) frames_.push_back(flood_frame(kind, route, i, udp_frame_bytes));
  next_frame_ = 0;
  rate_ = per_second;
  allowance_ = 0;
  clock_.advance_to(processor_time());
  last_offer_ = clock_.now();
}

void FloodPair::connect() {
  worker::OpenEndpointArguments listening;
  listening.port = kPort;
  listening.listen = true;
  flooded_.open(listening);
  worker::ConnectArguments peer;
  peer.peers = {flooded_.v4()};
  peer.port = kPort;
  sender_.worker().connect(sim::kInline, sender_.open({}), peer, 0);
  for (int turns = 0; association_.value == 0; ++turns) {
    if (turns == 1'000'000) throw std::runtime_error("the association did not come up");
    turn();
  }
}

void FloodPair::settle() {
  rate_ = 0;
  message_.clear();
  // Long enough for the last delayed SACK, and for timers that nothing stops.
  run(std::chrono::milliseconds(500));
  if (wire_.in_flight() != 0) throw std::runtime_error("the wire does not fall silent");
}

FloodPair::Window FloodPair::run(Duration time) {
  clock_.advance_to(processor_time());
  const Timestamp start = clock_.now();
  const std::uint64_t received = counter("worker.rx_frames");
  window_ = {};
  flooded_time_ = {};
  last_offer_ = start;
  while (clock_.now() - start < time) turn();
  window_.cycles = std::chrono::duration<double>(flooded_time_).count() * cycles_per_second_;
  window_.seconds = std::chrono::duration<double>(clock_.now() - start).count();
  window_.received = counter("worker.rx_frames") - received;
  return window_;
}

void FloodPair::turn() {
  clock_.advance_to(processor_time());
  offer_flood();
  send_messages();
  sender_.group().poll_all();
  take(sender_);
  poll_flooded();
  take(flooded_);
  gateway_.group().poll_all();
  take(gateway_);
}

// Until its port has no more, as a worker would that has a core of its own: one turn of its takes a few bursts.
void FloodPair::poll_flooded() {
  constexpr int kMostTurns = 8;
  const std::uint64_t& received = wire_.port(flooded_.port_number()).queue_counters(0).rx_packets;
  const std::uint64_t full = std::uint64_t{worker::TurnLimits().receive_bursts} * drivers::kMaxBurst;
  const Timestamp start = processor_time();
  for (int turns = 0; turns < kMostTurns; ++turns) {
    const std::uint64_t before = received;
    flooded_.group().poll_all();
    if (received - before < full) break;
  }
  flooded_time_ += processor_time() - start;
}

void FloodPair::offer_flood() {
  std::uint32_t due = kWireBurst;
  if (rate_) {
    allowance_ += *rate_ * std::chrono::duration<double>(clock_.now() - last_offer_).count();
    due = static_cast<std::uint32_t>(std::min<double>(allowance_, kMostOffered));
    allowance_ -= due;
  }
  last_offer_ = clock_.now();
  drivers::Port& port = wire_.port(gateway_.port_number());
  for (std::uint32_t i = 0; i < due; ++i) {
    base::Buffer frame = flood_memory_.copy_of(frames_[next_frame_]);
    next_frame_ = next_frame_ + 1 == frames_.size() ? 0 : next_frame_ + 1;
    port.transmit(0, std::span(&frame, 1));
  }
  window_.offered += due;
}

void FloodPair::send_messages() {
  constexpr int kMost = 32;
  for (int i = 0; i < kMost && !message_.empty(); ++i)
    if (sender_.send(association_, message_) != assoc::SendStatus::queued) break;
}

void FloodPair::take(sim::SimStack& stack) {
  const std::size_t n = stack.events().poll(events_);
  for (const Event& event : std::span(events_).first(n)) {
    if (event.type == EventType::association_up && &stack == &sender_) association_ = event.association;
    if (event.type == EventType::association_lost) throw std::runtime_error("the association was lost");
    if (event.type == EventType::message && event.end) ++window_.messages;
    stack.events().release(event.handle);
  }
}

Held FloodPair::held() const {
  const auto& worker = const_cast<sim::SimStack&>(flooded_).worker();
  const assoc::Pools& pools = worker.pools();
  Held held;
  held.associations = flooded_.associations();
  held.buffers = flooded_.buffers_out();
  held.directory = worker.directory_size();
  held.objects = pools.message_parts.out() + pools.outbound_streams.out() + pools.sent_segments.out() +
                 pools.congestion_controllers.out() + pools.pin_ledgers.out() + pools.held_chunks.out() +
                 pools.held_pages.out() + pools.tsn_maps.out() + pools.inbound_stream_leaves.out();
  return held;
}

}  // namespace sluice::bench
