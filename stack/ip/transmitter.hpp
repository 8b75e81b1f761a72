#pragma once

#include <cstdint>

#include "stack/base/buffer.hpp"
#include "stack/base/random.hpp"
#include "stack/ip/config.hpp"
#include "stack/ip/counters.hpp"
#include "stack/ip/datagram.hpp"
#include "stack/ip/ethernet.hpp"
#include "stack/ip/frame_sink.hpp"

namespace sluice::ip {

/// What became of a packet to send. Whatever it says, the layer took the buffer.
enum class SendResult : std::uint8_t {
  sent,             ///< the port has it (or all its fragments)
  queued,           ///< it waits for its neighbour's Ethernet address, and is sent or dropped by itself
  no_route,         ///< dropped: `next_hop` is 0 or names nothing, or encapsulation was asked for and is off
  link_down,        ///< dropped: the port's link is down
  too_big,          ///< dropped: longer than mtu(next_hop), and dont_fragment is set
  unreachable,      ///< dropped: the neighbour does not answer
  no_room,          ///< dropped: transmit ring, buffers or the pending queue were full
  offload_refused,  ///< dropped: a checksum offload was asked for that may_offload_checksum() refuses
};

/// Which of the stack's replicas a layer is. Makes datagram identifiers of replicas distinct.
struct Replica {
  std::uint32_t index = 0;
  std::uint32_t count = 1;
};

/// Puts IP and Ethernet headers in front of payloads, cuts what must be cut, and hands frames to the sink.
class Transmitter {
 public:
  /// The references outlive the transmitter.
  Transmitter(const Config& config, FrameSink& sink, Counters& counters, base::Random& random, Replica replica);

  /// Sends `payload` as one datagram, behind `link` and `header`, or in fragments. `offload_sctp`: the port fills in
  /// the SCTP checksum; the caller knows that it can and that the datagram is not cut.
  SendResult send(std::uint16_t port, const LinkHeader& link, const OutgoingHeader& header, base::Buffer&& payload,
                  bool offload_sctp = false);
  /// Sends `payload` behind `link` alone.
  bool send_frame(std::uint16_t port, const LinkHeader& link, base::Buffer&& payload);

  /// A buffer whose contents are `bytes` of rubbish to be overwritten, with kLowerHeadroom in front; empty, and
  /// counted, when there is none.
  base::Buffer allocate(std::uint16_t port, std::uint32_t bytes);

 private:
  bool send_piece(std::uint16_t port, const LinkHeader& link, const OutgoingHeader& header,
                  std::span<const std::byte> piece, const std::optional<Fragment>& fragment);
  bool finish(std::uint16_t port, const LinkHeader& link, const OutgoingHeader& header, base::Buffer&& payload,
              const std::optional<Fragment>& fragment, bool offload_sctp);
  std::uint32_t next_id();

  const Config& config_;
  FrameSink& sink_;
  Counters& counters_;
  const Replica replica_;
  const std::uint32_t id_step_;  // a power of two, so that replicas keep apart when the 16 bits of IPv4 wrap round
  std::uint32_t id_;
};

}  // namespace sluice::ip
