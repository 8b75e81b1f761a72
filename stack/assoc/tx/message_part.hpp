#pragma once

#include <sluice/event.hpp>
#include <sluice/time.hpp>

#include "stack/base/buffer.hpp"
#include "stack/base/serial.hpp"

namespace sluice::assoc {

struct OutboundStream;

/// What one send request brought: a whole message, or one of the parts it is sent by. Waits in its stream's queue until
/// it is wholly cut into chunks, then belongs to those chunks until all of them are cumulatively acknowledged.
struct MessagePart {
  base::Buffer payload;
  std::uint64_t context = 0;
  Timestamp expires = kNever;  ///< of the first part of a message
  OutboundStream* stream = nullptr;
  MessagePart* next = nullptr;          ///< behind it in its stream's queue, or in the queue of send failures
  MessagePart* next_arrival = nullptr;  ///< for the scheduler: the message that was queued after this one
  Ppid ppid;
  std::uint32_t cut = 0;          ///< bytes of payload already cut into chunks
  std::uint32_t chunks = 0;       ///< chunks cut from it and not yet cumulatively acknowledged
  Ssn ssn;                        ///< given with the first chunk; means nothing if unordered
  Reason failure = Reason::none;  ///< why it was given up, while it waits to be reported
  bool begin = true;              ///< the first part of its message
  bool end = true;                ///< the last part of its message
  bool unordered = false;
  bool sack_immediately = false;
  PathId path;  ///< kAnyPath, or the one to go by

  std::uint32_t uncut() const { return payload.size() - cut; }
};

}  // namespace sluice::assoc
