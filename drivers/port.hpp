#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "drivers/port_counters.hpp"
#include "stack/base/buffer.hpp"
#include "stack/base/mac_address.hpp"

namespace sluice::drivers {

/// What a port can take off the stack's hands. What it lacks, the stack does in software.
struct Offloads {
  bool rx_sctp_checksum = false;   ///< received frames carry a verdict in FrameInfo::sctp_checksum
  bool tx_sctp_checksum = false;   ///< Checksum::offload is honoured
  bool rx_ipv4_checksum = false;   ///< received frames carry FrameInfo::ipv4_checksum_good
  bool tx_ipv4_checksum = false;   ///< FrameInfo::ipv4_checksum_offload is honoured
  bool spreads_flows = false;      ///< several receive queues, and a flow keeps to one of them (RSS or the like)
  bool receive_interrupt = false;  ///< arm_receive_interrupt() may work
};

/// What does not change while a port is open.
struct PortInfo {
  std::string name;  ///< as configured
  base::MacAddress mac;
  std::uint16_t mtu = 1500;                  ///< largest IP packet, in bytes; Ethernet header not counted
  std::uint16_t receive_queues = 1;          ///< may be fewer than were asked for, never more
  std::uint16_t transmit_queues = 1;         ///< may be fewer than were asked for, never more
  std::uint16_t receive_descriptors = 0;     ///< frames a receive queue holds until they are fetched
  std::uint16_t transmit_descriptors = 512;  ///< frames a transmit queue holds until they have left
  Offloads offloads;
};

struct LinkState {
  bool up = false;
  std::uint32_t megabits_per_second = 0;  ///< 0: unknown
  friend bool operator==(const LinkState&, const LinkState&) = default;
};

/// A network port: a NIC or virtual device under DPDK, or an end of the in-memory wire. Frames begin with the Ethernet
/// header and carry no frame check sequence.
///
/// Threads: each queue belongs to one thread at a time, receive and transmit queue of one number together. info() may
/// be called by any thread, link() and device_counters() by one (the control worker).
class Port {
 public:
  virtual ~Port() = default;

  virtual const PortInfo& info() const noexcept = 0;

  /// Fetches up to out.size() frames (at most kMaxBurst are useful) into the front of `out`, whose entries are empty,
  /// and returns how many. Each is one contiguous block with a single reference.
  virtual std::uint16_t receive(std::uint16_t queue, std::span<base::Buffer> out) noexcept = 0;

  /// Sends frames in order. Takes the first n, leaving those entries empty, and returns n; the rest stays with the
  /// caller: the ring is full, which is back-pressure and no loss. Each frame's FrameInfo says what the port is to
  /// compute. A frame taken is never seen again: frames longer than the MTU allows are dropped and counted.
  virtual std::uint16_t transmit(std::uint16_t queue, std::span<base::Buffer> frames) noexcept = 0;

  /// Frames that transmit() would probably take now. A hint, good for the poll turn that began with the last
  /// receive() on this queue.
  virtual std::uint32_t transmit_room(std::uint16_t queue) noexcept = 0;

  /// The blocks that this queue's received frames come from; ask it how much is left before holding on to one.
  virtual base::BufferSource& receive_pool(std::uint16_t queue) noexcept = 0;

  /// The link as it is now. Does not wait, but may make a system call: for the control worker, a few times a second.
  virtual LinkState link() noexcept = 0;

  /// Makes the queue's next frame readable at the returned file descriptor, so that a worker can sleep on it together
  /// with its own wake-up. Look at the queue again after arming and before sleeping. -1: not possible (now); sleep
  /// with a time limit instead.
  virtual int arm_receive_interrupt(std::uint16_t queue) noexcept = 0;
  /// After waking: undoes arm_receive_interrupt() and takes the event off the descriptor.
  virtual void disarm_receive_interrupt(std::uint16_t queue) noexcept = 0;

  /// What this software counted on one queue. For the queue's own thread.
  virtual const QueueCounters& queue_counters(std::uint16_t queue) const noexcept = 0;
  /// What the device counted, all queues together. May make a system call.
  virtual DeviceCounters device_counters() noexcept = 0;
};

/// More frames than this in one receive() or transmit() bring no further gain.
inline constexpr std::uint16_t kMaxBurst = 64;

/// Bytes that a frame may be longer than the MTU: an Ethernet header with two VLAN tags.
inline constexpr std::uint32_t kMaxEthernetHeader = 22;

}  // namespace sluice::drivers
