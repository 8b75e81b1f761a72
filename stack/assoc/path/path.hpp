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
struct Pools;

/// One way to the peer: a destination transport address with the source address used towards it, and all that RFC 9260
/// keeps per destination (§13.3). Owned by its association; a plain record that the association and its sender fill:
/// first where packets go, then what DATA changes, last what belongs to HEARTBEATs or is rare.
struct Path {
  base::Departure route;  ///< source, destination, next hop, DSCP; copied into each packet
  PathId id;              ///< its index among the association's paths
  PathState state = PathState::unconfirmed;
  bool rtt_measuring = false;    ///< one chunk a round trip carries a sample (§6.3.1 C4)
  bool cwnd_filled = false;      ///< when sending last stopped, `outstanding` had reached the cwnd
  bool heartbeat_waits = false;  ///< for its answer, until heartbeat_deadline
  bool after_timeout = false;    ///< T3-rtx expired: one packet in flight until something is acknowledged (§7.2.3)
  std::uint16_t error_count = 0;
  std::uint16_t port = 0;         ///< NIC the route leaves by
  std::uint16_t pmtu = 0;         ///< bytes of IP packet
  std::uint16_t link_mtu = 0;     ///< of that NIC: larger packets cannot even be made
  std::uint16_t learned_mtu = 0;  ///< what a router said that the way takes (RFC 9260 §10); 0: nothing

  CongestionController* congestion = nullptr;  ///< from open_path() to close_path()
  std::uint32_t outstanding = 0;   ///< bytes of DATA in flight on this path, headers and padding counted (flight size)
  Tsn lowest_outstanding;          ///< the earliest TSN in flight here, while `outstanding` is not 0 (§6.3.2 R3)
  Timestamp t3_deadline = kNever;  ///< T3-rtx
  Timestamp last_sent;             ///< last new DATA or HEARTBEAT: heartbeat scheduling
  Timestamp last_data_sent = kNever;      ///< last DATA, kNever before the first: idle decay (§7.2.1)
  Timestamp rtt_sent;                     ///< when the chunk that carries the sample left
  Tsn rtt_tsn;                            ///< that chunk
  std::uint16_t max_retransmissions = 0;  ///< Path.Max.Retrans of this path (§8.2)
  Rto rto;

  Timestamp heartbeat_deadline = kNever;    ///< next HEARTBEAT, or the verdict on the one under way
  Duration heartbeat_interval{};            ///< HB.interval of this path; 0: no heartbeats
  std::uint64_t heartbeat_nonce = 0;        ///< of all since one was answered: a late answer is one, too; 0: none
  Timestamp heartbeat_sent;                 ///< when the last one left
  Timestamp learned_mtu_deadline = kNever;  ///< until when learned_mtu is believed
  std::uint64_t retransmitted = 0;          ///< DATA chunks sent again on this path

  /// Bytes of SCTP packet, common header included, that fit this path's MTU without IP fragmentation: the PMTU of the
  /// RFC's own terms, rounded down to a multiple of 4.
  std::uint32_t max_packet_size() const;
  /// As max_packet_size() of the link: what is larger than the path takes, and no larger than this, may leave by IP
  /// fragmentation (§6.9).
  std::uint32_t max_fragmented_size() const;
  /// PMDCS: bytes of the largest DATA chunk, its header included, that fits such a packet.
  std::uint32_t max_data_chunk() const;

 private:
  std::uint32_t room_in(std::uint32_t mtu) const;
};

/// Gives `path`, whose route and pmtu are set, its initial RTO and a congestion controller. False: the pool is empty.
bool open_path(Path& path, const Parameters& parameters, Pools& pools);
/// Gives the congestion controller back. A path that has none stays as it is.
void close_path(Path& path, Pools& pools);

}  // namespace sluice::assoc
