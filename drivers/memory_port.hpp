#pragma once

#include <vector>

#include "drivers/arrival_queue.hpp"
#include "drivers/memory_wire.hpp"

namespace sluice::drivers {

/// One end of a MemoryWire; made by it alone.
class MemoryPort final : public Port {
 public:
  MemoryPort(MemoryWire& wire, std::uint16_t number, const MemoryPortConfig& config);

  const PortInfo& info() const noexcept override { return info_; }
  std::uint16_t receive(std::uint16_t queue, std::span<base::Buffer> out) noexcept override;
  std::uint16_t transmit(std::uint16_t queue, std::span<base::Buffer> frames) noexcept override;
  std::uint32_t transmit_room(std::uint16_t queue) noexcept override;
  base::BufferSource& receive_pool(std::uint16_t) noexcept override { return pool_; }
  LinkState link() noexcept override { return {link_up_, 0}; }
  int arm_receive_interrupt(std::uint16_t) noexcept override { return -1; }
  void disarm_receive_interrupt(std::uint16_t) noexcept override {}
  const QueueCounters& queue_counters(std::uint16_t queue) const noexcept override { return queues_[queue].counters; }
  DeviceCounters device_counters() noexcept override;

  std::uint16_t number() const { return number_; }
  std::uint16_t segment() const { return segment_; }
  Steering steering() const { return steering_; }
  /// A frame is to arrive at `queue` at item.arrival.
  void expect(std::uint16_t queue, Travelling&& item);
  /// All that is due now meets the link, the receive ring and the pool as they are now.
  void settle(Timestamp now);
  void set_link(bool up) { link_up_ = up; }
  void set_stalled(bool stalled) { stalled_ = stalled; }
  void set_receive_blocks(std::uint32_t limit) { pool_.set_limit(limit); }
  bool takes_frames() const { return link_up_ && !stalled_; }
  Timestamp next_event() const;
  Timestamp next_event(std::uint16_t queue) const;
  std::uint64_t in_flight() const;

 private:
  struct Queue {
    ArrivalQueue travelling;
    std::deque<Travelling> ready;  // at most receive_descriptors
    QueueCounters counters;
  };

  void settle(Queue& queue, Timestamp now);
  void arrive(Queue& queue, Travelling&& item);

  MemoryWire& wire_;
  std::uint16_t number_;
  std::uint16_t segment_;
  Steering steering_;
  std::uint16_t receive_burst_;
  PortInfo info_;
  base::HeapBuffers pool_;
  std::vector<Queue> queues_;
  bool link_up_ = true;
  bool stalled_ = false;
};

}  // namespace sluice::drivers
