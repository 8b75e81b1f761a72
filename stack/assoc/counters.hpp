#pragma once

#include "stack/base/counters.hpp"

namespace sluice::assoc {

// clang-format off
#define SLUICE_ASSOCIATION_COUNTERS(X)                                                              \
  /* RFC 3873 §3.1, by the meaning of its objects */                                                \
  X(active_establishments,  "associations that reached ESTABLISHED after we opened them")          \
  X(passive_establishments, "associations that reached ESTABLISHED after the peer opened them")    \
  X(aborted,                "associations that ended by ABORT, ours or the peer's, or by failure")  \
  X(shutdowns,              "associations that ended gracefully")                                   \
  X(control_chunks_sent,    "control chunks sent, retransmissions left out")                        \
  X(ordered_chunks_sent,    "ordered DATA chunks sent, retransmissions left out")                   \
  X(unordered_chunks_sent,  "unordered DATA chunks sent, retransmissions left out")                 \
  X(control_chunks_received,   "control chunks received, duplicates left out")                      \
  X(ordered_chunks_received,   "ordered DATA chunks received, duplicates left out")                 \
  X(unordered_chunks_received, "unordered DATA chunks received, duplicates left out")               \
  X(messages_fragmented,    "messages cut into several chunks")                                     \
  X(messages_reassembled,   "messages joined from several chunks")                                  \
  X(packets_sent,           "SCTP packets sent")                                                    \
  X(packets_received,       "SCTP packets received that belong to an association")                  \
  /* what this stack counts besides */                                                              \
  X(bytes_sent,             "user bytes sent, retransmissions left out")                            \
  X(bytes_received,         "user bytes received, duplicates left out")                             \
  X(chunks_retransmitted,   "DATA chunks sent again")                                               \
  X(fast_retransmits,       "DATA chunks sent again after three miss indications")                  \
  X(t1_expired,             "T1-init and T1-cookie expiries")                                       \
  X(t2_expired,             "T2-shutdown expiries")                                                 \
  X(t3_expired,             "T3-rtx expiries")                                                      \
  X(heartbeats_sent,        "HEARTBEAT chunks sent")                                                \
  X(heartbeat_timeouts,     "HEARTBEATs that were not answered in time")                            \
  X(sacks_sent,             "SACK chunks sent")                                                     \
  X(sacks_received,         "SACK chunks received")                                                 \
  X(window_probes_sent,     "DATA chunks sent into a closed window")                                \
  X(duplicate_tsns_received, "DATA chunks received a second time")                                  \
  X(failovers,              "times new data moved to another path")                                 \
  X(restarts,               "associations that the peer restarted")
// clang-format on

/// What the associations of one worker count; the worker's snapshot sums them. Drops: see DropCounters.
SLUICE_DEFINE_COUNTERS(Counters, SLUICE_ASSOCIATION_COUNTERS);

}  // namespace sluice::assoc
