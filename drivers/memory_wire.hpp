#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "drivers/port.hpp"
#include "drivers/wire_counters.hpp"
#include "stack/base/clock.hpp"
#include "stack/base/heap_buffers.hpp"
#include "stack/base/random.hpp"

namespace sluice::drivers {

/// What happens to frames on the way from one port to another. Probabilities are in parts per million of frames. The
/// default is a perfect wire.
struct WireConditions {
  std::uint32_t loss = 0;
  std::uint32_t burst_loss = 0;    ///< that a frame is the first of a run of lost ones
  std::uint32_t burst_length = 8;  ///< longest such run, in frames; lengths are uniform from 1
  std::uint32_t duplication = 0;   ///< the second copy takes its own delay
  std::uint32_t reordering = 0;    ///< that a frame is held back by up to reordering_delay
  Duration reordering_delay = std::chrono::milliseconds(5);
  std::uint32_t corruption = 0;  ///< that bits of one byte behind the Ethernet header are flipped
  Duration delay{};
  Duration jitter{};                       ///< up to this is added to the delay; frames keep their order
  std::uint64_t bits_per_second = 0;       ///< 0: no limit
  std::uint32_t queue_bytes = 256 * 1024;  ///< with a rate limit: what waits beyond this is lost
  bool queue_refuses = false;              ///< or, as a full transmit ring does, is not taken
  std::uint16_t mtu = 0;                   ///< IP packets longer than this vanish; 0: no limit
  bool down = false;                       ///< a black hole: all is lost; the link state does not tell
};

/// How a port with several receive queues spreads frames over them.
enum class Steering : std::uint8_t {
  flow_hash,     ///< like RSS: by addresses, protocol and ports; fragments by addresses and protocol
  sender_queue,  ///< like memif and vhost: the queue it was sent on, modulo the number of queues
  random,        ///< the adversary
};

struct MemoryPortConfig {
  std::string name{};
  base::MacAddress mac{};
  std::uint16_t mtu = 1500;
  std::uint16_t queues = 1;
  Steering steering = Steering::flow_hash;
  std::uint16_t receive_ring = 1024;         ///< frames a receive queue holds; later ones are missed
  std::uint16_t receive_burst = UINT16_MAX;  ///< frames that one receive() gives at most, though more wait
  std::uint16_t segment = 0;                 ///< ports of different segments never hear each other
};

/// What became of a frame, for taps.
enum class WireFate : std::uint8_t { sent, lost, duplicated, corrupted, delivered, missed };

/// One thing that happened to a frame. `frame` is valid during the call.
struct WireEvent {
  Timestamp time;
  std::uint16_t from = 0;  ///< port numbers, in the order in which they were added
  std::uint16_t to = 0;    ///< with `sent`, the same as `from`: it may have several destinations or none
  WireFate fate = WireFate::sent;
  std::span<const std::byte> frame;
};

class MemoryPort;

/// A simulated Ethernet between ports in one thread: a switch that knows all its ports' addresses, so that frames to
/// one of them reach it alone and all others reach every other port. There is one such switch for each segment. Time,
/// chance and faults are the caller's: the same calls with the same clock and seed give the same result, byte for byte.
///
/// A frame travels as a copy in an exact-size heap block, so that AddressSanitizer sees one byte too far; with
/// set_handing_over(true), for benchmarks, the sender's block itself goes to a single receiver.
class MemoryWire {
 public:
  MemoryWire(base::Clock& clock, base::Random& random);
  MemoryWire(const MemoryWire&) = delete;
  MemoryWire& operator=(const MemoryWire&) = delete;
  ~MemoryWire();

  /// Ports are numbered from 0. The wire owns them. All before the first frame.
  Port& add_port(const MemoryPortConfig& config);
  Port& port(std::uint16_t number);
  std::uint16_t ports() const { return static_cast<std::uint16_t>(ports_.size()); }
  std::uint16_t segment(std::uint16_t port) const;

  /// From now on, for frames sent later; frames under way keep their fate.
  void set_conditions(std::uint16_t from, std::uint16_t to, const WireConditions& conditions);
  /// Between all ports.
  void set_conditions(const WireConditions& conditions);
  const WireConditions& conditions(std::uint16_t from, std::uint16_t to) const;

  /// Pulls port `number`'s cable or puts it back: its link() says so, what it sends is refused, and nothing reaches it.
  void set_link(std::uint16_t number, bool up);
  /// Lets port `number` refuse every frame, as a transmit ring that the device has stopped emptying.
  void set_transmit_stalled(std::uint16_t number, bool stalled);
  /// How many blocks port `number` may have out at once: an empty receive pool at will. Frames that find none are lost.
  void set_receive_blocks(std::uint16_t number, std::uint32_t limit);

  void set_handing_over(bool on) { handing_over_ = on; }
  /// Called for everything that happens, in order; an empty function ends it.
  void set_tap(std::function<void(const WireEvent&)> tap) { tap_ = std::move(tap); }

  /// When the next frame under way reaches a port; kNever when there is none. May be in the past: then it waits to be
  /// fetched.
  Timestamp next_event() const;
  /// The same for one receive queue of port `number`.
  Timestamp next_event(std::uint16_t number, std::uint16_t queue) const;
  /// Frames under way or waiting to be fetched.
  std::uint64_t in_flight() const;
  /// What happened so far, all directions together.
  const WireCounters& counters() const { return counters_; }

 private:
  friend class MemoryPort;
  struct Direction;
  struct Range {
    std::uint16_t first = 0;
    std::uint16_t last = 0;  // one past
  };

  // For the ports: takes `frame`, or leaves it and returns false; frames there would be room for.
  bool send(MemoryPort& from, base::Buffer& frame, std::uint16_t queue);
  std::uint32_t room(const MemoryPort& from) const;

  Direction& direction(std::uint16_t from, std::uint16_t to) const;
  Range destinations(const MemoryPort& from, std::span<const std::byte> frame) const;
  bool joined(const MemoryPort& from, std::uint16_t to) const;
  void carry(Direction& way, base::Buffer& frame, std::uint16_t queue, bool may_hand_over);
  bool loses(Direction& way, std::span<const std::byte> frame);
  Timestamp arrival_time(Direction& way, std::uint32_t bytes);
  void deliver(Direction& way, base::Buffer& frame, std::uint16_t queue, Timestamp arrival, bool may_hand_over);
  void corrupt(std::span<std::byte> frame);
  bool happens(std::uint32_t parts_per_million);
  Duration up_to(Duration limit);
  void report(std::uint16_t from, std::uint16_t to, WireFate fate, std::span<const std::byte> frame);

  base::Clock& clock_;
  base::Random& random_;
  base::HeapBuffers transit_;  // what is under way; outlives the ports, whose queues hold it
  std::vector<std::unique_ptr<MemoryPort>> ports_;
  std::vector<std::unique_ptr<Direction>> directions_;  // [from * ports + to]
  std::function<void(const WireEvent&)> tap_;
  WireCounters counters_;
  std::uint64_t serial_ = 0;
  bool handing_over_ = false;
};

}  // namespace sluice::drivers
