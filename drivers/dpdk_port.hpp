#pragma once

#include <memory>
#include <vector>

#include "drivers/eal.hpp"
#include "drivers/kernel_interface.hpp"
#include "drivers/packet_pool.hpp"
#include "drivers/pmd/device.hpp"
#include "drivers/port.hpp"
#include "drivers/port_config.hpp"

struct rte_eth_dev_info;
struct rte_mbuf;

namespace sluice::drivers {

/// A port under DPDK; made by open_port() alone.
class DpdkPort final : public Port {
 public:
  /// Makes, configures and starts the device. Throws SetupError, with nothing left behind.
  DpdkPort(const Eal& eal, const PortConfig& config, pmd::Device device, std::span<PacketPool* const> receive_pools);
  DpdkPort(const DpdkPort&) = delete;
  DpdkPort& operator=(const DpdkPort&) = delete;
  ~DpdkPort() override;

  const PortInfo& info() const noexcept override { return info_; }
  std::uint16_t receive(std::uint16_t queue, std::span<base::Buffer> out) noexcept override;
  std::uint16_t transmit(std::uint16_t queue, std::span<base::Buffer> frames) noexcept override;
  std::uint32_t transmit_room(std::uint16_t queue) noexcept override { return queues_[queue].transmit_room; }
  base::BufferSource& receive_pool(std::uint16_t queue) noexcept override { return *queues_[queue].pool; }
  LinkState link() noexcept override;
  int arm_receive_interrupt(std::uint16_t queue) noexcept override;
  void disarm_receive_interrupt(std::uint16_t queue) noexcept override;
  const QueueCounters& queue_counters(std::uint16_t queue) const noexcept override { return queues_[queue].counters; }
  DeviceCounters device_counters() noexcept override;

 private:
  // A line of its own: queues belong to different threads.
  struct alignas(64) Queue {
    PacketPool* pool = nullptr;
    std::uint32_t transmit_room = 0;
    // An edge-triggered set around the device's descriptor, which nobody ever reads and which so stays readable.
    int interrupt_set = -1;
    QueueCounters counters;
  };

  // Setting up, in this order.
  void make_device();
  void configure(std::span<PacketPool* const> receive_pools);
  int try_configure(const rte_eth_dev_info& limits, bool interrupts);
  void set_up_queues(const rte_eth_dev_info& limits);
  void start();
  void set_address();
  void close() noexcept;
  [[noreturn]] void fail(const std::string& what, int error) const;

  base::Buffer take(Queue& queue, rte_mbuf& mbuf) const noexcept;
  /// One burst, of which the first `n` of `out` are kept; returns how many there were.
  std::uint16_t receive_burst(std::uint16_t queue, std::span<base::Buffer> out, std::uint16_t& n) noexcept;
  static base::Buffer drop_too_long(Queue& queue, rte_mbuf& mbuf) noexcept;
  base::Buffer linearise(Queue& queue, rte_mbuf& mbuf) const noexcept;
  base::FrameInfo verdict(const rte_mbuf& mbuf) const noexcept;
  std::uint16_t fit_run(Queue& queue, std::span<base::Buffer> frames, bool& unfit) const noexcept;
  bool make_fit(Queue& queue, base::Buffer& frame) const noexcept;
  bool copy_to_send(Queue& queue, base::Buffer& frame) const noexcept;
  std::uint16_t send(std::uint16_t queue, std::span<base::Buffer> frames) noexcept;
  void set_offloads(rte_mbuf& mbuf, const base::FrameInfo& wish) const noexcept;

  const Eal& eal_;
  const PortConfig config_;
  const pmd::Device device_;
  PortInfo info_;
  std::unique_ptr<KernelInterface> kernel_;
  std::uint16_t port_ = 0;
  bool found_ = false;  // port_ is known
  bool made_ = false;   // the device is ours to remove
  bool started_ = false;
  bool prepares_ = false;  // frames with offloads go through the PMD's preparation
  std::vector<Queue> queues_;
};

}  // namespace sluice::drivers
