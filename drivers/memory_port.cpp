#include "drivers/memory_port.hpp"

#include <utility>

namespace sluice::drivers {

MemoryPort::MemoryPort(MemoryWire& wire, std::uint16_t number, const MemoryPortConfig& config)
    : wire_(wire),
      number_(number),
      segment_(config.segment),
      steering_(config.steering),
      receive_burst_(config.receive_burst),
      queues_(config.queues) {
  SLUICE_CHECK(config.queues > 0);
  info_.name = config.name;
  info_.mac = config.mac;
  info_.mtu = config.mtu;
  info_.receive_queues = info_.transmit_queues = config.queues;
  info_.receive_descriptors = config.receive_ring;
  info_.offloads.spreads_flows = config.queues > 1 && config.steering == Steering::flow_hash;
}

std::uint16_t MemoryPort::receive(std::uint16_t queue_number, std::span<base::Buffer> out) noexcept {
  Queue& queue = queues_[queue_number];
  settle(queue, wire_.clock_.now());
  std::uint16_t n = 0;
  const std::size_t most = std::min<std::size_t>(out.size(), receive_burst_);
  while (n < most && !queue.ready.empty()) {
    Travelling& item = queue.ready.front();
    wire_.report(item.from, number_, WireFate::delivered, item.frame.bytes());
    ++wire_.counters_.delivered;
    ++queue.counters.rx_packets;
    queue.counters.rx_bytes += item.frame.size();
    out[n++] = std::move(item.frame);
    queue.ready.pop_front();
  }
  return n;
}

std::uint16_t MemoryPort::transmit(std::uint16_t queue_number, std::span<base::Buffer> frames) noexcept {
  QueueCounters& counters = queues_[queue_number].counters;
  std::uint16_t n = 0;
  for (base::Buffer& frame : frames) {
    const std::uint32_t size = frame.size();
    if (size > info_.mtu + kMaxEthernetHeader) {
      frame.reset();
      ++counters.tx_too_long;
    } else if (wire_.send(*this, frame, queue_number)) {
      ++counters.tx_packets;
      counters.tx_bytes += size;
    } else {
      break;
    }
    ++n;
  }
  counters.tx_refused += frames.size() - n;
  return n;
}

std::uint32_t MemoryPort::transmit_room(std::uint16_t) noexcept {
  return takes_frames() ? wire_.room(*this) : 0;
}

DeviceCounters MemoryPort::device_counters() noexcept {
  DeviceCounters sum;
  for (const Queue& queue : queues_) {
    sum.rx_packets += queue.counters.rx_packets;
    sum.rx_bytes += queue.counters.rx_bytes;
    sum.rx_missed += queue.counters.rx_missed;
    sum.rx_no_mbuf += queue.counters.rx_no_buffer;
    sum.tx_packets += queue.counters.tx_packets;
    sum.tx_bytes += queue.counters.tx_bytes;
  }
  return sum;
}

void MemoryPort::expect(std::uint16_t queue_number, Travelling&& item) {
  queues_[queue_number].travelling.push(std::move(item));
}

void MemoryPort::settle(Timestamp now) {
  for (Queue& queue : queues_) settle(queue, now);
}

void MemoryPort::settle(Queue& queue, Timestamp now) {
  while (queue.travelling.next() <= now && !queue.travelling.empty()) arrive(queue, queue.travelling.pop());
}

void MemoryPort::arrive(Queue& queue, Travelling&& item) {
  const auto drop = [&](std::uint64_t& counter, WireFate fate) {
    wire_.report(item.from, number_, fate, item.frame.bytes());
    ++counter;
    item.frame.reset();
  };
  if (!link_up_) return drop(wire_.counters_.unplugged, WireFate::lost);
  if (queue.ready.size() >= info_.receive_descriptors) {
    ++queue.counters.rx_missed;
    return drop(wire_.counters_.missed, WireFate::missed);
  }
  base::Block& block = item.frame.block();
  const bool handed_over = block.owner != &wire_.transit_;
  if (!handed_over && !pool_.take_over(block, wire_.transit_)) {
    ++queue.counters.rx_no_buffer;
    return drop(wire_.counters_.no_buffer, WireFate::missed);
  }
  queue.ready.push_back(std::move(item));
}

Timestamp MemoryPort::next_event() const {
  Timestamp next = kNever;
  for (std::uint16_t queue = 0; queue < queues_.size(); ++queue) next = std::min(next, next_event(queue));
  return next;
}

Timestamp MemoryPort::next_event(std::uint16_t queue_number) const {
  const Queue& queue = queues_[queue_number];
  return queue.ready.empty() ? queue.travelling.next() : queue.ready.front().arrival;
}

std::uint64_t MemoryPort::in_flight() const {
  std::uint64_t frames = 0;
  for (const Queue& queue : queues_) frames += queue.travelling.size() + queue.ready.size();
  return frames;
}

}  // namespace sluice::drivers
