#pragma once

#include <array>
#include <span>
#include <vector>

#include "drivers/port.hpp"
#include "stack/base/arrival.hpp"
#include "stack/base/bounded_vector.hpp"
#include "stack/ip/layer.hpp"
#include "stack/worker/counters.hpp"
#include "stack/worker/mailbox.hpp"

namespace sluice::worker {

/// Where a worker's frames for one port go.
struct TransmitRoute {
  drivers::Port* port = nullptr;
  std::uint16_t queue = 0;                ///< the worker's own transmit queue, unless it goes through
  FrameRing* through = nullptr;           ///< to a worker that has one
  std::vector<FrameRing*> from_others{};  ///< of workers that send through `queue`
};

/// Gathers what one worker sends in a turn: checksums are computed several at a time where the port does not, and
/// frames leave in bursts. Says how much room there is, so that nothing is given a TSN that the port would refuse.
class Transmitter {
 public:
  Transmitter(std::vector<TransmitRoute> routes, base::BufferSource& pool, Counters& counters);
  ~Transmitter();

  /// Asks the ports for their room. `late`: so much time passed since the turn before that it says nothing of them.
  void begin_turn(Timestamp now, bool late);
  /// Hands everything gathered to the ports; what they refuse waits for the next turn.
  void end_turn(ip::Layer& ip, Timestamp now);

  /// Room for another packet over `port`.
  bool has_room(std::uint16_t port) const { return room_[port] > 0; }
  /// Since when `port` took nothing at all, though it was asked to or said at each turn that it would not; kNever when
  /// it goes on.
  Timestamp stalled_since(std::uint16_t port) const { return stalled_since_[port]; }
  /// A buffer for an SCTP packet of up to `bytes`; empty when the pool has none.
  base::Buffer allocate(std::uint32_t bytes);
  /// Takes an SCTP packet without its checksum.
  void send(base::OutboundPacket&& packet, ip::Layer& ip, Timestamp now);
  /// Takes an Ethernet frame. False: as many wait as may.
  bool send_frame(std::uint16_t port, base::Buffer&& frame);
  base::Buffer allocate_frame(std::uint32_t bytes);
  /// Takes frames of other workers, for ports whose queue is here, as far as there is room. False if it took none.
  /// First thing in a turn: what waits then is what the port refused in the one before.
  bool take_frames();
  /// take_frames() would find something, and room for it.
  bool has_frames_to_take() const;
  /// Of this worker's own frames that wait for a port that is down, a burst stays, by whose leaving it is seen to go
  /// on: they must not keep the buffers that other ports need. What is in a ring between workers stays there.
  void follow_port(std::uint16_t port, bool up);
  /// Nothing waits for `port`.
  bool idle(std::uint16_t port) const { return staged_[port].empty(); }

 private:
  static constexpr std::uint32_t kMaxStaged = 1024;  // what fragmentation and answers may add past the room
  static constexpr std::uint32_t kMaxRoom = 512;     // of SCTP packets a port in one turn
  static constexpr std::size_t kChecksumBurst = 16;
  // While so many frames wait that the port refused, none of other workers are taken.
  static constexpr std::size_t kMaxWaiting = 4 * drivers::kMaxBurst;

  /// This worker's own packets come first in this turn.
  bool own_turn(std::uint16_t port) const { return turn_[port] == routes_[port].from_others.size(); }
  bool take_frames(std::uint16_t port);
  bool may_take_frames(std::uint16_t port) const {
    return staged_[port].size() < kMaxWaiting && (!own_turn(port) || staged_[port].empty());
  }
  void compute_checksums(ip::Layer& ip, Timestamp now);
  void hand_over(std::uint16_t port);

  std::vector<TransmitRoute> routes_;
  base::BufferSource& pool_;
  Counters& counters_;
  std::vector<std::vector<base::Buffer>> staged_;  // by port
  std::vector<std::uint32_t> most_staged_;         // by port
  std::vector<std::uint32_t> room_;                // by port
  std::vector<Timestamp> stalled_since_;           // by port
  std::vector<std::size_t> turn_;                  // by port: who comes first, from_others or this worker
  std::array<base::OutboundPacket, kChecksumBurst> unsummed_;
  std::size_t unsummed_count_ = 0;
};

}  // namespace sluice::worker
