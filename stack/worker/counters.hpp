#pragma once

#include "stack/base/counters.hpp"

namespace sluice::worker {

// clang-format off
#define SLUICE_WORKER_COUNTERS(X)                                                                        \
  X(turns,                     "poll turns")                                                             \
  X(idle_turns,                "poll turns in which there was nothing to do")                            \
  X(sleeps,                    "times the worker slept")                                                 \
  X(late_turns,                "poll turns that began late, and emptied their queues before the timers") \
  X(rx_frames,                 "frames received from ports")                                             \
  X(rx_packets,                "SCTP packets, before their checksum is looked at")                       \
  X(rx_checksum_software,      "checksums verified in software")                                         \
  X(drop_checksum_bad,         "SCTP packets dropped: wrong CRC32c")                                     \
  X(drop_checksum_zero,        "SCTP packets dropped: no CRC32c (RFC 9653 was not agreed on)")           \
  X(drop_malformed,            "SCTP packets dropped: no chunk, or tag 0 without INIT")                  \
  X(steered_own,               "SCTP packets that arrived at their owner")                               \
  X(steered_away,              "SCTP packets forwarded to the worker that their tag names")              \
  X(steered_to_directory,      "SCTP packets without a tag of ours, forwarded to their directory")       \
  X(steered_to_owner,          "packets that the directory forwarded to an owner")                       \
  X(fragments_forwarded,       "IP fragments forwarded to the worker that joins them")                   \
  X(forwarded_in,              "packets taken from other workers")                                       \
  X(drop_ring_full,            "packets dropped: the ring to another worker was full")                   \
  X(tag_misses,                "packets with a tag of ours that is in no use, or not from its peer")     \
  X(drop_no_owner,             "packets dropped: the association was gone when they reached its owner")  \
  X(icmp_notices,              "ICMP errors about packets of ours")                                      \
  X(icmp_strays,               "ICMP errors ignored: about packets of no association")                   \
  X(drop_icmp_limit,           "ICMP errors dropped: too many in one poll turn")                         \
  X(drop_icmp_ring_full,       "ICMP errors dropped: the ring to another worker was full")               \
  X(tx_frames,                 "frames handed to ports")                                                 \
  X(tx_frames_forwarded,       "frames sent through another worker's transmit queue")                    \
  X(tx_checksum_software,      "checksums computed in software")                                         \
  X(tx_back_pressure,          "times a packet had to wait: transmit ring full")                         \
  X(tx_stalls,                 "times a port was given up: its transmit ring stood still")               \
  X(drop_port_down,            "frames dropped: they waited for a port that was given up")               \
  X(tx_no_buffer,              "times a packet had to wait: no transmit buffer")                         \
  X(timers_fired,              "association deadlines that fired")                                       \
  X(associations_opened,       "associations begun, passive ones included")                              \
  X(associations_ended,        "associations disposed of")                                               \
  X(refused_association_limit, "associations refused: the limit of associations")                        \
  X(refused_opening_limit,     "connects refused: the limit of opening attempts")                        \
  X(refused_endpoint_limit,    "endpoints refused: the limit of endpoints")                              \
  X(refused_reservation,       "connects refused: the directory has the addresses, or no port was left") \
  X(refused_parked_sends,      "messages refused: too many wait for room in send buffers")               \
  X(parked_sends,              "messages that waited for room in a send buffer")                         \
  X(control_sent,              "messages sent to other workers")                                         \
  X(control_overflows,         "messages to other workers that waited for room in a ring")               \
  X(neighbour_updates,         "neighbour updates for the other workers")                                 \
  X(drop_neighbour_ring_full,  "neighbour updates dropped: the ring to another worker was full")
// clang-format on

/// What one worker counts; see also the rooms below and ChannelCounters.
SLUICE_DEFINE_COUNTERS(Counters, SLUICE_WORKER_COUNTERS);

}  // namespace sluice::worker
