#include "drivers/memory_wire.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "drivers/flow_hash.hpp"
#include "drivers/memory_port.hpp"

namespace sluice::drivers {
namespace {

constexpr std::uint32_t kMillion = 1'000'000;

Duration time_on_wire(std::uint32_t bytes, std::uint64_t bits_per_second) {
  return Duration(static_cast<std::int64_t>(std::uint64_t{bytes} * 8 * 1'000'000'000 / bits_per_second));
}

}  // namespace

/// The way from one port to another, with its own queue and memory.
struct MemoryWire::Direction {
  MemoryPort& from;
  MemoryPort& to;
  WireConditions conditions;
  Timestamp busy_until{};    // the rate-limited queue is empty then
  Timestamp last_arrival{};  // of frames that keep their order
  std::uint32_t losing = 0;  // further frames of a run of lost ones

  std::uint64_t backlog_bytes(Timestamp now) const {
    if (busy_until <= now) return 0;
    const auto waiting = static_cast<unsigned __int128>((busy_until - now).count());
    return static_cast<std::uint64_t>(waiting * conditions.bits_per_second / 8 / 1'000'000'000);
  }
  bool has_room(std::uint32_t bytes, Timestamp now) const {
    if (conditions.bits_per_second == 0) return true;
    const std::uint64_t backlog = backlog_bytes(now);
    return backlog == 0 || backlog + bytes <= conditions.queue_bytes;
  }
};

MemoryWire::MemoryWire(base::Clock& clock, base::Random& random) : clock_(clock), random_(random) {}
MemoryWire::~MemoryWire() = default;

Port& MemoryWire::add_port(const MemoryPortConfig& config) {
  SLUICE_CHECK(counters_.sent == 0);
  ports_.push_back(std::make_unique<MemoryPort>(*this, ports(), config));
  // One row and one column more; directions already there keep their conditions.
  std::vector<std::unique_ptr<Direction>> directions;
  for (std::uint16_t from = 0; from < ports(); ++from) {
    for (std::uint16_t to = 0; to < ports(); ++to) {
      const bool known = from + 1 < ports() && to + 1 < ports();
      directions.push_back(known ? std::move(directions_[std::size_t{from} * (ports() - 1u) + to])
                                 : std::make_unique<Direction>(Direction{*ports_[from], *ports_[to], {}}));
    }
  }
  directions_ = std::move(directions);
  return *ports_.back();
}

Port& MemoryWire::port(std::uint16_t number) {
  SLUICE_CHECK(number < ports());
  return *ports_[number];
}

std::uint16_t MemoryWire::segment(std::uint16_t port) const {
  SLUICE_CHECK(port < ports());
  return ports_[port]->segment();
}

MemoryWire::Direction& MemoryWire::direction(std::uint16_t from, std::uint16_t to) const {
  SLUICE_CHECK(from < ports() && to < ports());
  return *directions_[std::size_t{from} * ports() + to];
}

void MemoryWire::set_conditions(std::uint16_t from, std::uint16_t to, const WireConditions& conditions) {
  Direction& changed = direction(from, to);
  // A queue that drains at another rate from now on would need its bytes; it starts empty instead.
  if (changed.conditions.bits_per_second != conditions.bits_per_second) changed.busy_until = {};
  changed.conditions = conditions;
}

void MemoryWire::set_conditions(const WireConditions& conditions) {
  for (std::uint16_t from = 0; from < ports(); ++from)
    for (std::uint16_t to = 0; to < ports(); ++to)
      if (from != to) set_conditions(from, to, conditions);
}

const WireConditions& MemoryWire::conditions(std::uint16_t from, std::uint16_t to) const {
  return direction(from, to).conditions;
}

void MemoryWire::set_link(std::uint16_t number, bool up) {
  SLUICE_CHECK(number < ports());
  // What arrived before this moment met the link as it was.
  ports_[number]->settle(clock_.now());
  ports_[number]->set_link(up);
}

void MemoryWire::set_transmit_stalled(std::uint16_t number, bool stalled) {
  SLUICE_CHECK(number < ports());
  ports_[number]->set_stalled(stalled);
}

void MemoryWire::set_receive_blocks(std::uint16_t number, std::uint32_t limit) {
  SLUICE_CHECK(number < ports());
  ports_[number]->set_receive_blocks(limit);
}

Timestamp MemoryWire::next_event() const {
  Timestamp next = kNever;
  for (const auto& port : ports_) next = std::min(next, port->next_event());
  return next;
}

Timestamp MemoryWire::next_event(std::uint16_t number, std::uint16_t queue) const {
  return ports_[number]->next_event(queue);
}

std::uint64_t MemoryWire::in_flight() const {
  std::uint64_t frames = 0;
  for (const auto& port : ports_) frames += port->in_flight();
  return frames;
}

MemoryWire::Range MemoryWire::destinations(const MemoryPort& from, std::span<const std::byte> frame) const {
  base::MacAddress destination;
  if (frame.size() >= destination.octets.size())
    std::memcpy(destination.octets.data(), frame.data(), destination.octets.size());
  for (const auto& port : ports_)
    if (port->info().mac == destination && joined(from, port->number()))
      return {port->number(), static_cast<std::uint16_t>(port->number() + 1)};
  return {0, ports()};
}

/// What `from` sends can reach port `to`.
bool MemoryWire::joined(const MemoryPort& from, std::uint16_t to) const {
  return to != from.number() && ports_[to]->segment() == from.segment();
}

std::uint32_t MemoryWire::room(const MemoryPort& from) const {
  std::uint32_t room = from.info().transmit_descriptors;
  const Timestamp now = clock_.now();
  for (std::uint16_t to = 0; to < ports(); ++to) {
    const Direction& way = direction(from.number(), to);
    if (!joined(from, to) || !way.conditions.queue_refuses || way.conditions.bits_per_second == 0) continue;
    const std::uint64_t backlog = way.backlog_bytes(now);
    const std::uint64_t left =
        way.conditions.queue_bytes - std::min<std::uint64_t>(way.conditions.queue_bytes, backlog);
    room = std::min(room, static_cast<std::uint32_t>(left / (from.info().mtu + kMaxEthernetHeader)));
  }
  return room;
}

bool MemoryWire::send(MemoryPort& from, base::Buffer& frame, std::uint16_t queue) {
  const Range to = destinations(from, frame.bytes());
  bool taken = from.takes_frames();
  for (std::uint16_t port = to.first; port < to.last && taken; ++port) {
    const Direction& way = direction(from.number(), port);
    taken = !joined(from, port) || !way.conditions.queue_refuses || way.has_room(frame.size(), clock_.now());
  }
  if (!taken) {
    ++counters_.refused;
    return false;
  }
  ++counters_.sent;
  report(from.number(), from.number(), WireFate::sent, frame.bytes());
  for (std::uint16_t port = to.first; port < to.last; ++port) {
    if (!joined(from, port)) continue;
    const bool only = to.last - to.first == 1 || ports() == 2;
    carry(direction(from.number(), port), frame, queue, handing_over_ && only);
  }
  frame.reset();
  return true;
}

void MemoryWire::carry(Direction& way, base::Buffer& frame, std::uint16_t queue, bool may_hand_over) {
  if (loses(way, frame.bytes())) {
    report(way.from.number(), way.to.number(), WireFate::lost, frame.bytes());
    return;
  }
  const Timestamp arrival = arrival_time(way, frame.size());
  if (happens(way.conditions.duplication)) {
    ++counters_.duplicated;
    report(way.from.number(), way.to.number(), WireFate::duplicated, frame.bytes());
    deliver(way, frame, queue, arrival + up_to(way.conditions.jitter), false);
  }
  deliver(way, frame, queue, arrival, may_hand_over);
}

bool MemoryWire::loses(Direction& way, std::span<const std::byte> frame) {
  const WireConditions& conditions = way.conditions;
  const auto counted = [](std::uint64_t& counter) {
    ++counter;
    return true;
  };
  if (conditions.down) return counted(counters_.black_holed);
  if (conditions.mtu != 0 && frame.size() > conditions.mtu + ethernet_header_length(frame))
    return counted(counters_.too_long);
  if (way.losing > 0) {
    --way.losing;
    return counted(counters_.lost_in_bursts);
  }
  if (happens(conditions.burst_loss)) {
    way.losing = random_.below(std::max(1u, conditions.burst_length));
    return counted(counters_.lost_in_bursts);
  }
  if (happens(conditions.loss)) return counted(counters_.lost);
  const auto bytes = static_cast<std::uint32_t>(frame.size());
  if (!way.has_room(bytes, clock_.now())) return counted(counters_.queue_full);
  return false;
}

Timestamp MemoryWire::arrival_time(Direction& way, std::uint32_t bytes) {
  const WireConditions& conditions = way.conditions;
  Timestamp leaves = clock_.now();
  if (conditions.bits_per_second != 0) {
    way.busy_until = std::max(leaves, way.busy_until) + time_on_wire(bytes, conditions.bits_per_second);
    leaves = way.busy_until;
  }
  const Timestamp arrival = leaves + conditions.delay + up_to(conditions.jitter);
  if (happens(conditions.reordering)) {
    ++counters_.reordered;
    return arrival + up_to(conditions.reordering_delay);
  }
  way.last_arrival = std::max(way.last_arrival, arrival);
  return way.last_arrival;
}

void MemoryWire::deliver(Direction& way, base::Buffer& frame, std::uint16_t queue, Timestamp arrival,
                         bool may_hand_over) {
  const bool hand_over = may_hand_over && frame.block().references == 1;
  base::Buffer copy = hand_over ? std::move(frame) : transit_.copy_of(frame.bytes());
  copy.block().frame = {};  // what the sender wished for is no verdict
  if (happens(way.conditions.corruption)) {
    corrupt(copy.bytes());
    ++counters_.corrupted;
    report(way.from.number(), way.to.number(), WireFate::corrupted, copy.bytes());
  }
  const std::uint16_t queues = way.to.info().receive_queues;
  std::uint16_t to_queue = 0;
  if (queues > 1) {
    const std::uint32_t choice = way.to.steering() == Steering::flow_hash      ? flow_hash(copy.bytes())
                                 : way.to.steering() == Steering::sender_queue ? queue
                                                                               : random_.u32();
    to_queue = static_cast<std::uint16_t>(choice % queues);
  }
  way.to.expect(to_queue, Travelling{arrival, ++serial_, way.from.number(), std::move(copy)});
}

void MemoryWire::corrupt(std::span<std::byte> frame) {
  constexpr std::size_t kEthernetHeader = 14;  // the Ethernet checksum, which is not simulated, would find it there
  if (frame.empty()) return;
  const std::size_t from = frame.size() > kEthernetHeader ? kEthernetHeader : 0;
  const std::size_t at = from + random_.below(static_cast<std::uint32_t>(frame.size() - from));
  frame[at] ^= static_cast<std::byte>(1 + random_.below(255));
}

bool MemoryWire::happens(std::uint32_t parts_per_million) {
  return parts_per_million != 0 && random_.below(kMillion) < parts_per_million;
}

Duration MemoryWire::up_to(Duration limit) {
  if (limit <= Duration::zero()) return {};
  const auto bound = static_cast<unsigned __int128>(limit.count()) + 1;
  return Duration(static_cast<std::int64_t>(random_.u64() * bound >> 64));
}

void MemoryWire::report(std::uint16_t from, std::uint16_t to, WireFate fate, std::span<const std::byte> frame) {
  if (tap_) tap_(WireEvent{clock_.now(), from, to, fate, frame});
}

}  // namespace sluice::drivers
