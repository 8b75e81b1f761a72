#include "tests/fuzz/pair/pair.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "stack/wire/chunk_data.hpp"
#include "stack/wire/chunk_init.hpp"
#include "stack/wire/chunk_sack.hpp"
#include "tests/fuzz/pair/fail.hpp"
#include "tests/fuzz/pair/frames.hpp"

namespace sluice::fuzz {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kLeastStep = microseconds(50);
constexpr Duration kMostStep = milliseconds(20);

drivers::MemoryPortConfig attacker_config() {
  drivers::MemoryPortConfig config;
  config.name = "attacker";
  config.mac = base::MacAddress{{0x02, 0, 0, 0, 0, 0xee}};
  config.mtu = 9000;
  return config;
}

/// Limits that an input can reach.
void set_limits(worker::Limits& limits, bool scarce) {
  limits.associations = 8;
  limits.opening_attempts = 4;
  limits.endpoints = 4;
  limits.directory_addresses = 32;
  limits.retired_tags = 16;
  limits.parked_sends = 16;
  limits.forwarded_packets = 32;
  limits.answers_per_second = 100;
  if (!scarce) return;
  limits.pools.message_parts = 24;
  limits.pools.outbound_streams = 6;
  limits.pools.stream_pages = 3;
  limits.pools.sent_segments = 2;
  limits.pools.congestion_controllers = 6;
  limits.pools.associations = 3;
  limits.pools.pin_ledgers = 2;
  limits.pools.held_chunks = 12;
  limits.pools.held_pages = 2;
  limits.pools.tsn_maps = 1;
  limits.pools.inbound_stream_leaves = 1;
}

void set_limits(ip::Limits& limits) {
  limits.neighbours = 16;
  limits.pending_per_neighbour = 4;
  limits.pending_packets = 8;
  limits.reassembly_contexts = 4;
  limits.reassembly_bytes = 4 * 65536;
  limits.reassembly_fragments = 16;
  limits.reassembly_time = seconds(5);
  limits.icmp_errors_per_second = 20;
}

}  // namespace

void fail(const std::string& what) {
  std::fprintf(stderr, "pair: %s\n", what.c_str());
  std::abort();
}

Pair::Pair(Input& input) : seed_(input.u8()), random_(seed_), wire_(clock_, random_) {
  wire_.set_tap([this](const drivers::WireEvent& event) { on_wire(event); });
  for (std::uint32_t side = 0; side < 2; ++side) {
    options_[side] = read_options(input, side);
    stacks_[side] = std::make_unique<sim::SimStack>(wire_, clock_, seed_ + side, options_[side]);
    options_[side].port = stacks_[side]->port_number();
    for (std::uint16_t i = 0; i < options_[side].workers; ++i) order_.emplace_back(side, i);
    applications_[side] = std::make_unique<Application>(*stacks_[side], side + 1);
  }
  router_ = std::make_unique<sim::MtuRouter>(wire_, std::uint16_t{0});
  attacker_ = &wire_.add_port(attacker_config());
  for (std::uint32_t side = 0; side < 2; ++side)
    for (std::uint32_t which = 0; which < 2; ++which) endpoints_[side][which] = open_endpoint(side, which);
}

/// Everything that a stack has out must be back when it goes, whatever it was doing: the pools see to that.
Pair::~Pair() {
  for (auto& stack : stacks_) stack.reset();
}

sim::SimStackOptions Pair::read_options(Input& input, std::uint32_t side) {
  const std::uint8_t shape = input.u8();
  const std::uint8_t size = input.u8();
  sim::SimStackOptions options;
  options.name = side == 0 ? "a" : "b";
  options.host = static_cast<std::uint8_t>(side + 1);
  options.workers = (shape & 1) != 0 ? 2 : 1;
  options.queues = (shape & 2) != 0 ? 1 : 0;
  options.steering = (shape & 4) != 0 ? drivers::Steering::random : drivers::Steering::flow_hash;
  options.mtu = (shape & 8) != 0 ? 1280 : 1500;
  options.receive_ring = (shape & 16) != 0 ? 16 : 256;
  options.events = (shape & 32) != 0 ? 8 : 256;
  options.lent = (shape & 64) != 0 ? 8 : 256;
  set_limits(options.config.limits, (shape & 128) != 0);
  set_limits(options.config.ip.limits);
  options.config.link_interval = milliseconds(700);
  options.config.cookie_key_life = seconds(20);
  Parameters& parameters = options.config.parameters;
  parameters.path_mtu_max = options.mtu;
  parameters.rto_initial = milliseconds(200);
  parameters.rto_min = milliseconds(100);
  parameters.rto_max = seconds(2);
  parameters.heartbeat_interval = (size & 1) != 0 ? seconds(1) : seconds(10);
  parameters.sack_delay = (size & 2) != 0 ? Duration::zero() : Duration(milliseconds(40));
  parameters.association_max_retransmissions = (size & 4) != 0 ? 2 : 8;
  parameters.path_max_retransmissions = (size & 4) != 0 ? 1 : 4;
  parameters.max_init_retransmissions = 4;
  parameters.valid_cookie_life = seconds(3);
  parameters.send_buffer = (size & 8) != 0 ? 3'000 : 60'000;
  parameters.receive_window = (size & 16) != 0 ? 1'500 : 30'000;
  parameters.pin_limit = (size & 32) != 0 ? 30'000 : 200'000;
  parameters.partial_delivery_point = (size & 64) != 0 ? 600 : 20'000;
  parameters.outbound_streams = (size & 128) != 0 ? 300 : 4;
  parameters.max_inbound_streams = 200;
  return options;
}

// Endpoints and stacks

EndpointId Pair::open_endpoint(std::uint32_t side, std::uint32_t which) {
  worker::OpenEndpointArguments arguments;
  if (which == 0) {
    arguments.port = kPort;
    arguments.listen = true;
    arguments.backlog = 3;
  }
  sim::SimStack& stack = *stacks_[side];
  if (which == 1 && side == 1) arguments.addresses = {stack.v4()};
  stack.worker(0).open_endpoint(sim::kInline, arguments, 1);
  for (int turn = 0; turn < 100; ++turn) {
    worker::Reply reply;
    while (stack.events(0).poll_reply(reply)) {
      if (reply.request != 1) continue;  // of a close before
      open_[side][which] = reply.status == worker::CommandStatus::done;
      return reply.endpoint;
    }
    stack.group().poll_all();
  }
  fail("no reply to open_endpoint");
}

void Pair::toggle_endpoint(std::uint32_t side, std::uint32_t which) {
  if (!open_[side][which]) {
    held_up_[side] = 0;
    endpoints_[side][which] = open_endpoint(side, which);
    return;
  }
  open_[side][which] = false;
  stacks_[side]->worker(0).close_endpoint(sim::kInline, endpoints_[side][which], 2);
}

void Pair::restart(std::uint32_t side) {
  stacks_[side].reset();
  stacks_[side] = std::make_unique<sim::SimStack>(wire_, clock_, random_.u64(), options_[side]);
  held_up_[side] = 0;
  exact_ = false;
  applications_[side]->move_to(*stacks_[side]);
  applications_[1 - side]->set_inexact();
  for (std::uint32_t which = 0; which < 2; ++which) endpoints_[side][which] = open_endpoint(side, which);
}

void Pair::set_held_up(std::uint32_t side, std::uint16_t worker, bool held_up) {
  const std::uint32_t bit = 1u << worker % stacks_[side]->workers();
  held_up_[side] = held_up ? held_up_[side] | bit : held_up_[side] & ~bit;
}

// Time

bool Pair::step_all() {
  ++turns_;
  std::rotate(order_.begin(), order_.begin() + 1, order_.end());
  bool any = false;
  for (const auto& [side, index] : order_) {
    if ((held_up_[side] >> index & 1) != 0) continue;
    any |= stacks_[side]->worker(index).poll_once();
    any |= applications_[side]->take_events(index);
  }
  any |= listen_as_attacker();
  return router_->step() || any;
}

/// Hosts from kStrangers on are the attacker, so that packets to them leave and answers to their INITs are seen.
bool Pair::listen_as_attacker() {
  base::Buffer heard[8];
  const std::uint16_t n = attacker_->receive(0, heard);
  for (std::uint16_t i = 0; i < n; ++i) {
    Frame frame = arp_reply_to(heard[i].bytes(), kStrangers, attacker_->info().mac);
    if (frame.empty()) continue;
    base::Buffer reply = forged_.copy_of(frame);
    static_cast<void>(attacker_->transmit(0, {&reply, 1}));
  }
  return n > 0;
}

void Pair::settle() {
  for (std::uint32_t turn = 0; step_all(); ++turn)
    if (turn > kMostIdleTurns) fail("the stacks work on and on while time stands still");
}

void Pair::advance() {
  ++steps_;
  settle();
  Timestamp next =
      std::min({stacks_[0]->group().next_deadline(), stacks_[1]->group().next_deadline(), wire_.next_event()});
  if (next == kNever) next = clock_.now();
  // What is due and yet did nothing waits for something else: a stalled ring, a link, a worker that is held up.
  if (next <= clock_.now()) {
    idle_step_ = std::clamp(idle_step_ * 2, kLeastStep, kMostStep);
    next = clock_.now() + idle_step_;
  } else {
    idle_step_ = {};
  }
  clock_.advance_to(std::max(next, clock_.now() + kLeastStep));
}

void Pair::run_for(Duration time) {
  const Timestamp end = clock_.now() + time;
  while (clock_.now() < end && !exhausted()) advance();
  settle();
}

// The wire

drivers::WireConditions Pair::conditions(std::uint32_t from) const {
  return wire_.conditions(static_cast<std::uint16_t>(from), static_cast<std::uint16_t>(1 - from));
}

void Pair::set_conditions(std::uint32_t from, const drivers::WireConditions& conditions) {
  wire_.set_conditions(static_cast<std::uint16_t>(from), static_cast<std::uint16_t>(1 - from), conditions);
}

void Pair::heal() {
  router_tells_ = false;
  for (std::uint32_t side = 0; side < 2; ++side) {
    const auto port = static_cast<std::uint16_t>(side);
    held_up_[side] = 0;
    set_conditions(side, {});
    wire_.set_link(port, true);
    wire_.set_transmit_stalled(port, false);
    wire_.set_receive_blocks(port, UINT32_MAX);
  }
}

void Pair::set_inexact() {
  exact_ = false;
  for (const auto& application : applications_) application->set_inexact();
}

void Pair::inject(std::uint32_t side, std::span<const std::byte> frame) {
  set_inexact();
  if (frame.size() < kEthernet || frame.size() > 9000) return;
  base::Buffer copy = forged_.copy_of(frame);
  std::memcpy(copy.data(), wire_.port(stacks_[side]->port_number()).info().mac.octets.data(), 6);
  static_cast<void>(attacker_->transmit(0, {&copy, 1}));
}

std::span<const std::byte> Pair::captured(std::uint32_t back) const {
  return back < frames_ ? captured_[(frames_ - 1 - back) % kCaptured] : std::span<const std::byte>{};
}

void Pair::on_wire(const drivers::WireEvent& event) {
  if (event.from > 1) return;
  if (event.fate == drivers::WireFate::sent) {
    captured_[frames_++ % kCaptured].assign(event.frame.begin(), event.frame.end());
    note_tsns(1u - event.from, event.frame);
  }
  if (event.fate != drivers::WireFate::lost || !router_tells_) return;
  const std::uint16_t mtu = conditions(event.from).mtu;
  if (mtu != 0 && event.frame.size() > mtu + kEthernet) router_->dropped(event.frame, mtu);
}

void Pair::note_tsns(std::uint32_t to, std::span<const std::byte> frame) {
  wire::ChunkWalker chunks = wire::chunks_of(sctp_packet_of(frame));
  while (const auto chunk = chunks.next()) {
    if (const auto init = wire::InitChunk::parse(*chunk))
      last_tsn_[to] = last_acknowledged_[1 - to] = init->header().initial_tsn - 1;
    if (const auto data = wire::DataChunk::parse(*chunk)) last_tsn_[to] = data->tsn();
    if (const auto sack = wire::SackChunk::parse(*chunk)) last_acknowledged_[to] = sack->cumulative_tsn();
  }
}

}  // namespace sluice::fuzz
