#pragma once

#include <sluice/event.hpp>
#include <sluice/time.hpp>

#include "stack/base/buffer.hpp"

namespace sluice::assoc {

/// No path in particular.
inline constexpr PathId kAnyPath{UINT8_MAX};

/// A message, or a part of one, to send (RFC 9260 §11.1.5).
struct SendRequest {
  base::Buffer payload;  ///< at least one byte
  StreamId stream;
  Ppid ppid;
  bool unordered = false;
  bool end = true;                ///< false: more parts of the same message follow on this stream
  bool sack_immediately = false;  ///< set the I bit on its last chunk (RFC 7053)
  PathId path = kAnyPath;         ///< goes there while that is active and without errors
  std::uint64_t context = 0;      ///< comes back in a send_failed event
  Timestamp expires = kNever;     ///< when it will not be sent any more, unless it was begun
};

/// The send_failed event that gives `request` back.
inline Event send_failure(const SendRequest& request, Reason reason) {
  Event event;
  event.type = EventType::send_failed;
  event.end = request.end;
  event.unordered = request.unordered;
  event.stream = request.stream;
  event.ppid = request.ppid;
  event.context = request.context;
  event.error = static_cast<std::uint16_t>(reason);
  if (request.payload) {
    event.data = request.payload.data();
    event.length = request.payload.size();
  }
  return event;
}

enum class SendStatus : std::uint8_t {
  queued,
  would_block,     ///< the send buffer is full; a writable event follows when a quarter of it is free
  invalid_stream,  ///< the stream is not below the number of outbound streams
  not_connected,   ///< shutting down, closed, or never up
  wrong_part,      ///< a part that does not continue the message begun on this stream (PPID, order)
};

/// What a send_failed event says of a request that was refused for good.
inline Reason reason_of(SendStatus refusal) {
  switch (refusal) {
    case SendStatus::invalid_stream:
      return Reason::invalid_stream;
    case SendStatus::wrong_part:
      return Reason::wrong_part;
    default:
      return Reason::closed;
  }
}

}  // namespace sluice::assoc
