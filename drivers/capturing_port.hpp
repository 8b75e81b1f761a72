#pragma once

#include <memory>
#include <vector>

#include "drivers/pcap_writer.hpp"
#include "drivers/port.hpp"
#include "stack/base/clock.hpp"

namespace sluice::drivers {

/// A port that writes every frame that another port receives or takes for sending, to a file for each queue. For
/// looking into things, at a price: system calls on the data path.
///
/// Checksums left to the port show as they are before it computes them.
class CapturingPort final : public Port {
 public:
  /// Queue n writes to "PATH-n.pcap". `since_epoch` is what to add to the clock to get UTC. Throws SetupError.
  CapturingPort(std::unique_ptr<Port> port, base::Clock& clock, Duration since_epoch, const std::string& path);

  const PortInfo& info() const noexcept override { return port_->info(); }
  std::uint16_t receive(std::uint16_t queue, std::span<base::Buffer> out) noexcept override;
  std::uint16_t transmit(std::uint16_t queue, std::span<base::Buffer> frames) noexcept override;
  std::uint32_t transmit_room(std::uint16_t queue) noexcept override { return port_->transmit_room(queue); }
  base::BufferSource& receive_pool(std::uint16_t queue) noexcept override { return port_->receive_pool(queue); }
  LinkState link() noexcept override { return port_->link(); }
  int arm_receive_interrupt(std::uint16_t queue) noexcept override { return port_->arm_receive_interrupt(queue); }
  void disarm_receive_interrupt(std::uint16_t queue) noexcept override { port_->disarm_receive_interrupt(queue); }
  const QueueCounters& queue_counters(std::uint16_t queue) const noexcept override {
    return port_->queue_counters(queue);
  }
  DeviceCounters device_counters() noexcept override { return port_->device_counters(); }

 private:
  struct Queue {
    std::unique_ptr<PcapWriter> writer;
    std::vector<std::byte> copy;  // of the frame being sent
  };

  const std::unique_ptr<Port> port_;
  base::Clock& clock_;
  const Duration since_epoch_;
  std::vector<Queue> queues_;  // each is its own thread's
};

}  // namespace sluice::drivers
