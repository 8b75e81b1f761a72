#pragma once

#include <sluice/event.hpp>
#include <sluice/time.hpp>

#include "stack/assoc/handshake.hpp"
#include "stack/assoc/state.hpp"

namespace sluice::assoc {

/// One path as sluice-ctl shows it.
struct PathSnapshot {
  IpAddress source;
  IpAddress destination;
  PathState state = PathState::unconfirmed;
  bool primary = false;
  std::uint16_t port = 0;  ///< NIC
  std::uint16_t pmtu = 0;  ///< bytes of IP packet
  std::uint16_t error_count = 0;
  Duration rto{};
  Duration srtt{};                  ///< 0: not measured yet
  std::uint32_t cwnd = 0;           ///< bytes
  std::uint32_t ssthresh = 0;       ///< bytes
  std::uint32_t outstanding = 0;    ///< bytes
  std::uint64_t retransmitted = 0;  ///< DATA chunks sent again on it
};

/// One association as sluice-ctl shows it; a copy, taken by the owner.
struct Snapshot {
  AssocId id;
  EndpointId endpoint;
  State state = State::closed;
  std::uint16_t local_port = 0;
  std::uint16_t peer_port = 0;
  VTag local_tag;
  VTag peer_tag;
  std::uint16_t outbound_streams = 0;
  std::uint16_t inbound_streams = 0;
  std::uint16_t error_count = 0;     ///< consecutive errors (RFC 9260 §8.1)
  std::uint32_t failovers = 0;       ///< times new data moved to another path
  std::uint64_t buffered_bytes = 0;  ///< queued to send or not yet acknowledged
  std::uint32_t outstanding_bytes = 0;
  std::uint32_t chunks_unacknowledged = 0;  ///< sent, and not yet acknowledged cumulatively
  std::uint32_t chunks_pending = 0;         ///< received, and not yet delivered
  std::uint32_t peer_window = 0;            ///< bytes the peer has room for
  std::uint32_t local_window = 0;           ///< bytes we offer
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_received = 0;
  std::uint64_t data_chunks_sent = 0;      ///< retransmissions included
  std::uint64_t data_chunks_received = 0;  ///< duplicates and refused ones left out
  std::uint64_t data_chunks_retransmitted = 0;
  std::uint32_t data_chunks_timed_out = 0;  ///< in flight on a path whose T3-rtx expired
  std::uint32_t t1_expired = 0;             ///< times that T1-init or T1-cookie did
  std::uint32_t t2_expired = 0;             ///< times that T2-shutdown did
  AddressList local_addresses;
  base::BoundedVector<PathSnapshot, kMaxAddresses> paths;
};

}  // namespace sluice::assoc
