#pragma once

#include <sluice/event.hpp>
#include <sluice/time.hpp>
#include <sluice/transport_address.hpp>

#include <string>
#include <vector>

namespace sluice {

/// What is known of one path of an association (RFC 9260 §11.1.8).
struct PathStatus {
  PathId id;
  PathState state = PathState::unconfirmed;
  bool primary = false;
  IpAddress source;
  IpAddress destination;
  std::uint32_t pmtu = 0;  ///< bytes of IP packet
  Duration rto{};
  Duration srtt{};
  std::uint32_t cwnd = 0;
  std::uint32_t ssthresh = 0;
  std::uint32_t outstanding = 0;
  std::uint16_t error_count = 0;
  std::uint64_t retransmitted = 0;  ///< DATA chunks sent again on it
};

/// What is known of one association (RFC 9260 §11.1.8, STATUS).
struct AssociationStatus {
  AssocId id;
  EndpointId endpoint;
  std::uint16_t worker = 0;
  const char* state = "";  ///< the name of the state in RFC 9260 §4
  std::uint16_t local_port = 0;
  std::uint16_t peer_port = 0;
  std::uint16_t streams_in = 0;
  std::uint16_t streams_out = 0;
  std::uint32_t peer_window = 0;
  std::uint32_t receive_window = 0;
  std::uint64_t buffered_bytes = 0;  ///< queued to send or not yet acknowledged
  std::uint32_t outstanding_bytes = 0;
  std::uint32_t chunks_unacknowledged = 0;  ///< sent, and not yet acknowledged for good
  std::uint32_t chunks_pending = 0;         ///< received, and not yet delivered
  std::uint64_t chunks_sent = 0;
  std::uint64_t chunks_received = 0;
  std::uint64_t chunks_retransmitted = 0;
  std::uint32_t chunks_timed_out = 0;  ///< in flight on a path whose T3-rtx expired
  std::uint32_t t1_expired = 0;        ///< times that T1-init or T1-cookie did
  std::uint32_t t2_expired = 0;        ///< times that T2-shutdown did
  std::uint16_t error_count = 0;       ///< consecutive ones; see association_max_retransmissions
  std::uint32_t failovers = 0;         ///< times new data moved to another path
  std::vector<PathStatus> paths;
};

/// One counter of the stack, summed over its workers.
struct CounterStatus {
  std::string name;  ///< `room.counter`, for example `association.t3_expired`
  std::string help;
  std::uint64_t value = 0;
};

}  // namespace sluice
