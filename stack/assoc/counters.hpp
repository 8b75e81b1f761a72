#pragma once

#include "stack/base/counters.hpp"

namespace sluice::assoc {

// clang-format off
#define SLUICE_ASSOCIATION_COUNTERS(X)                                                              \
  /* RFC 3873 §3.1, by the meaning of its objects */                                                \
  X(active_establishments,  "associations that reached ESTABLISHED after we opened them")          \
  X(passive_establishments, "associations that reached ESTABLISHED after the peer opened them")    \
  X(aborted,                "associations that ended by ABORT, ours or the peer's, or by failure")  \
  X(established_entered,    "times an association entered ESTABLISHED, SHUTDOWN-PENDING or SHUTDOWN-RECEIVED") \
  X(established_left,       "and left these three states: the difference is how many are in them now")      \
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
  X(stale_sacks,            "SACK chunks ignored, older than one seen before")                      \
  X(chunks_reneged,         "DATA chunks that the peer acknowledged and then took back")            \
  X(sends_refused,          "send requests that met a full send buffer or an empty pool")           \
  X(sacks_sent,             "SACK chunks sent")                                                     \
  X(sacks_received,         "SACK chunks received")                                                 \
  X(window_probes_sent,     "DATA chunks sent into a closed window")                                \
  X(ssns_skipped,           "messages received that wait for an SSN that the peer left out")        \
  X(messages_never_due,     "of those, messages whose turn had not come when the association ended") \
  X(duplicate_tsns_received, "DATA chunks received a second time")                                  \
  X(data_chunks_beyond_window, "DATA chunks dropped: too far ahead, or the window was closed")       \
  X(data_chunks_refused,    "DATA chunks dropped: a limit of memory was reached, or the little left is for others") \
  X(data_chunks_reneged,    "DATA chunks given back after a gap ack block reported them")           \
  X(data_chunks_copied_out, "DATA chunks copied out of the packet because they had to wait")        \
  X(invalid_streams_received, "DATA chunks received for a stream that does not exist")              \
  X(partial_deliveries,     "messages delivered in parts before their end came")                    \
  X(deliveries_held_back,   "pieces of messages that found the application's ring full")            \
  X(window_updates_sent,    "SACK chunks sent only because the window opened")                      \
  X(failovers,              "times new data moved to another path")                                 \
  X(paths_without_link,     "paths that failed because the link of their port went down")            \
  X(primary_switchovers,    "times another path became the primary one for good (RFC 7829 section 5)") \
  X(restarts,               "associations that the peer restarted")                                \
  X(restarts_put_off,       "COOKIE ECHOs for a restart dropped: earlier messages were not taken")  \
  X(path_mtus_lowered,      "times a router said that a path takes smaller packets")                 \
  /* what was dropped, and why */                                                                   \
  X(malformed_packets,      "packets whose chunk lengths do not add up")                            \
  X(malformed_chunks,       "chunks with a length or parameters that their type does not allow")    \
  X(wrong_tags,             "packets with a verification tag that is not ours")                     \
  X(foreign_sources,        "packets from an address that is not the peer's, or INIT ACKs that speak for none we were given") \
  X(stale_cookies_doubted,  "Stale Cookie errors that may be for a cookie before, and were not believed")                      \
  X(unexpected_chunks,      "chunks that mean nothing in the association's state, or SACKs beyond the second of a packet") \
  X(unrecognized_chunks,    "chunks of a type that we do not know")                                 \
  X(icmp_wrong_tags,        "ICMP messages ignored: what they quote is no packet of ours")           \
  X(icmp_ignored,           "ICMP messages ignored: of another kind, or no news")                    \
  X(replies_dropped,        "replies not sent, for a limit or for want of a buffer")                \
  X(addresses_left_out,     "INIT ACKs with more addresses than an association can have")         \
  X(addresses_ignored,      "addresses in INIT ACKs that are no peer's: our own, or not usable")
// clang-format on

/// What the associations of one worker count; the worker's snapshot sums them. Drops: see DropCounters.
SLUICE_DEFINE_COUNTERS(Counters, SLUICE_ASSOCIATION_COUNTERS);

}  // namespace sluice::assoc
