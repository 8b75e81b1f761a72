#pragma once

#include <sluice/event.hpp>
#include <sluice/parameters.hpp>
#include <sluice/time.hpp>

#include <cstdint>

#include "stack/assoc/path/rto.hpp"
#include "stack/base/arrival.hpp"
#include "stack/base/serial.hpp"

namespace sluice::assoc {

class CongestionController;

/// One way to the peer: a destination transport address with the source address used towards it, and all that RFC 9260
/// keeps per destination (§13.3). Owned by its association.
struct Path {
  PathId id;
  PathState state = PathState::unconfirmed;
  base::Departure route;   ///< source, destination, next hop, DSCP; copied into each packet
  std::uint16_t port = 0;  ///< NIC the route leaves by
  std::uint16_t pmtu = 0;  ///< bytes of IP packet
  Rto rto;
  CongestionController* congestion = nullptr;

  std::uint32_t outstanding = 0;  ///< bytes of DATA in flight on this path (§1.5 "flight size")
  std::uint16_t error_count = 0;
  Timestamp t3_deadline = kNever;         ///< T3-rtx
  Timestamp heartbeat_deadline = kNever;  ///< next HEARTBEAT, or the verdict on the one under way
  Timestamp last_sent;                    ///< last DATA or HEARTBEAT: idle decay, heartbeat scheduling
  std::uint64_t heartbeat_nonce = 0;      ///< 0: none under way
  bool rtt_measuring = false;             ///< one chunk a round trip carries a sample (§6.3.1 C4)
  Tsn rtt_tsn;                            ///< the chunk that does
  Timestamp rtt_sent;

  /// Bytes of SCTP packet, common header included, that fit this path's MTU without IP fragmentation.
  std::uint32_t max_packet_size() const;
};

}  // namespace sluice::assoc
