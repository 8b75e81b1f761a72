#pragma once

#include <sluice/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice {

/// What happened. The comment of each names the members of Event that it fills, besides `association` and `endpoint`.
enum class EventType : std::uint8_t {
  message,            ///< a piece of a message: data, stream, ppid, message_id, begin, end, unordered; what came in
                      ///< several DATA chunks is told in as many pieces; those of a stream's messages do not mix
  association_up,     ///< COMMUNICATION UP (RFC 9260 §11.2): streams_in, streams_out; `active` if we connected
  association_lost,   ///< COMMUNICATION LOST: error (a Reason); after the peer's ABORT also data and length if it gave
                      ///< a reason, and not as many buffers are lent as may be: any bytes, none promised to be text
  connect_failed,     ///< an association that we opened never came up: error (a Reason); data and length as above
  restarted,          ///< RESTART: the peer began anew; messages not acknowledged before are lost and were reported;
                      ///< streams_in, streams_out
  shutdown_received,  ///< the peer shuts down: no new message can be sent, one begun in parts should be ended; what
                      ///< it sent still arrives
  closed,             ///< SHUTDOWN COMPLETE: the graceful end; the last event of an association
  path_changed,       ///< NETWORK STATUS CHANGE: path, path_state
  send_failed,   ///< SEND FAILURE (§11.1.14, §11.1.15 give the message back): context of what was not acknowledged,
                 ///< error (a Reason), stream, ppid, unordered, `sent`, data and end as they were given. One event for
                 ///< each send(), in order; without data if as many buffers are lent as may be
  remote_error,  ///< an ERROR chunk: error is its first cause code
  delivery_aborted,  ///< the rest of the message `message_id` on `stream`, of which parts were delivered, will not come
  writable,          ///< after a send that would have blocked: there is room again
};

/// Why an association ended or a message was not delivered.
enum class Reason : std::uint16_t {
  none,
  local_abort,         ///< we aborted it
  peer_abort,          ///< the peer aborted it
  retransmissions,     ///< the peer does not answer: a retransmission limit was passed
  init_failed,         ///< no answer to INIT or COOKIE ECHO
  refused,             ///< the peer answered the INIT with ABORT
  protocol_violation,  ///< the peer broke the protocol; we aborted
  no_resources,        ///< a limit of ours was reached
  closed,              ///< the stack, the endpoint or the association was closing or closed
  restarted,           ///< the peer restarted before it was acknowledged
  invalid_stream,      ///< the peer granted fewer streams than the message's
  wrong_part,          ///< it does not continue the message begun on its stream, or that one is lost
  expired,             ///< its life time was over before any of it was sent
};

enum class PathState : std::uint8_t { unconfirmed, active, potentially_failed, inactive };

/// One thing that an application is told, in the order in which it happened to the association. What `data`
/// points to stays valid until the event is released.
struct Event {
  EventType type = EventType::message;
  bool begin : 1 = false;      ///< first piece of its message
  bool end : 1 = false;        ///< last piece of its message
  bool unordered : 1 = false;  ///< the U bit
  bool active : 1 = false;
  bool sent : 1 = false;  ///< at least a part of it had left, and may have arrived
  StreamId stream;
  Ppid ppid;
  AssocId association;
  EndpointId endpoint;
  std::uint32_t message_id = 0;  ///< counts a stream's messages as they begin to be told; from 0 after `restarted`
  const std::byte* data = nullptr;
  std::uint32_t length = 0;
  std::uint16_t error = 0;
  PathId path;
  PathState path_state = PathState::active;
  std::uint16_t streams_in = 0;
  std::uint16_t streams_out = 0;
  std::uint64_t context = 0;  ///< what the application gave with the message or the connect
  std::uint64_t handle = 0;   ///< the stack's own name for the memory behind `data`; 0: none

  std::span<const std::byte> bytes() const { return {data, length}; }
  Reason reason() const { return static_cast<Reason>(error); }
};

}  // namespace sluice
