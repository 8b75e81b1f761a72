#pragma once

#include "stack/base/counters.hpp"

namespace sluice::endpoint {

// clang-format off
#define SLUICE_ENDPOINT_COUNTERS(X)                                                                               \
  X(inits_received,            "INITs that were read, by the directory or an owner")                              \
  X(init_acks_sent,            "INITs answered with INIT ACK")                                                    \
  X(init_rate_limited,         "INITs dropped: more of them than the limit allows")                               \
  X(init_zero_tag,             "INITs dropped: Initiate Tag 0")                                                   \
  X(init_not_alone,            "INITs dropped: other chunks in the packet")                                       \
  X(init_nonzero_packet_tag,   "INITs dropped: a verification tag other than 0")                                  \
  X(init_malformed,            "INITs dropped or aborted: too short, or parameters that do not fill them")        \
  X(init_bad_values,           "INITs aborted: no streams, or a window below 1500")                               \
  X(init_host_name,            "INITs aborted: Host Name Address")                                                \
  X(init_no_endpoint,          "INITs aborted: no endpoint listens there")                                        \
  X(init_backlog_full,         "INITs aborted: too many associations wait for the application")                   \
  X(init_new_addresses,        "INITs aborted: a restart with new addresses")                                     \
  X(init_wrong_peer,           "INITs dropped: from an address that an opening attempt did not name")             \
  X(init_addresses_ignored,    "peer addresses left out of INITs: too many, or not usable")                       \
  X(init_parameters_reported,  "unrecognised parameters of INITs reported")                                       \
  X(cookie_echoes_received,    "COOKIE ECHOs whose cookie was looked at")                                         \
  X(cookie_rate_limited,       "COOKIE ECHOs dropped: too many forged ones came before them")                     \
  X(cookie_bad_mac,            "COOKIE ECHOs dropped: not our MAC")                                               \
  X(cookie_unknown_key,        "COOKIE ECHOs dropped: the key is gone")                                           \
  X(cookie_malformed,          "COOKIE ECHOs dropped: no cookie of ours has that form")                           \
  X(cookie_stale,              "COOKIE ECHOs answered with Stale Cookie")                                         \
  X(cookie_mismatch,           "COOKIE ECHOs dropped: made for other ports, tag or addresses")                    \
  X(cookie_no_endpoint,        "COOKIE ECHOs aborted: the endpoint no longer listens")                            \
  X(cookie_backlog_full,       "COOKIE ECHOs aborted: too many associations wait for the application")            \
  X(cookie_directory_full,     "COOKIE ECHOs aborted: the directory is full")                                     \
  X(cookie_discarded,          "COOKIE ECHOs for an association that Table 12 discards")                          \
  X(cookie_replayed,           "COOKIE ECHOs dropped: their association ended a while ago")                       \
  X(cookie_tag_in_use,         "COOKIE ECHOs called stale: another association has their tag")                    \
  X(cookie_table_full,         "COOKIE ECHOs aborted: as many associations as may be")                            \
  X(associations_ordered,      "associations that the directory told an owner to create")                         \
  X(restarts,                  "COOKIE ECHOs that restarted an association (action A)")                           \
  X(collisions,                "COOKIE ECHOs that met an opening attempt (action B)")                             \
  X(cookie_duplicates,         "COOKIE ECHOs of the association itself (action D)")                               \
  X(forwarded_to_owner,        "packets without a tag of ours that the directory forwarded to an owner")          \
  X(not_unicast,               "packets dropped: to or from a non-unicast address")                               \
  X(ootb_received,             "out-of-the-blue packets")                                                         \
  X(ootb_malformed,            "out-of-the-blue packets dropped: chunks that do not fill them, or too many")      \
  X(ootb_abort,                "out-of-the-blue packets dropped: with an ABORT")                                  \
  X(ootb_shutdown_complete,    "out-of-the-blue packets dropped: with a SHUTDOWN COMPLETE")                       \
  X(ootb_silent,               "out-of-the-blue packets dropped: COOKIE ACK, or a Stale Cookie error")            \
  X(wrong_tag,                 "packets dropped: from a peer of ours with another tag")                           \
  X(association_gone,          "packets dropped: forwarded to an association that has ended")                     \
  X(wrong_local_address,       "packets dropped: to an address that is not the association's")                    \
  X(aborts_sent,               "ABORTs sent to INITs, COOKIE ECHOs and out-of-the-blue packets")                  \
  X(shutdown_completes_sent,   "SHUTDOWN COMPLETEs sent with the T bit")                                          \
  X(stale_errors_sent,         "Stale Cookie errors sent")                                                        \
  X(answers_rate_limited,      "answers not sent: more of them than the limit allows")                            \
  X(answers_no_buffer,         "answers not sent: no buffer")                                                     \
  X(directory_reserved,        "reservations in the directory")                                                   \
  X(directory_conflicts,       "reservations refused: an address belongs to another association")                 \
  X(directory_full,            "reservations refused: the directory is full")                                     \
  X(directory_released,        "reservations let go")                                                             \
  X(ports_exhausted,           "active opens refused: no ephemeral port")
// clang-format on

/// What one worker counts in the roles of directory and owner.
SLUICE_DEFINE_COUNTERS(Counters, SLUICE_ENDPOINT_COUNTERS);

}  // namespace sluice::endpoint
