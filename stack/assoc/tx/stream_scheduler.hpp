#pragma once

#include "stack/assoc/tx/outbound_stream.hpp"

namespace sluice::assoc {

/// Decides which stream's message is sent next (RFC 8260 §3). Asked once a message, since all chunks of a message have
/// consecutive TSNs (RFC 9260 §6.9). Each message goes through it once: push, then take, then done.
class StreamScheduler {
 public:
  virtual ~StreamScheduler() = default;
  /// A message, of which `first` is the first part, was put at the end of the queue of `stream`.
  virtual void push(OutboundStream& stream, MessagePart& first) = 0;
  /// The stream whose first message is to be sent next; null if nothing waits.
  virtual OutboundStream* front() const = 0;
  /// That message is begun: it waits no longer.
  virtual void take() = 0;
  /// The message of `stream` that was taken last has left its queue.
  virtual void done(OutboundStream& stream) = 0;
};

}  // namespace sluice::assoc
