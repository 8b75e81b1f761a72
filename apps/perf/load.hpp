#pragma once

#include <sluice/application.hpp>

#include <cstdint>

#include "apps/perf/content.hpp"

namespace sluice::apps {

/// Sends the messages of a workload over one association, one after the other, in parts where they are larger than what
/// send() takes at once.
class Load {
 public:
  Load(AssocId association, const Content& content) : association_(association), content_(content) {}

  /// Queues the next message, or what is left of it. False when the stack has no room: a writable event
  /// follows; and when the association is about to end: an event that says so does.
  bool send_next(Application& application);
  /// A message was begun and not all of it queued.
  bool in_message() const { return offset_ > 0; }
  std::uint64_t messages() const { return messages_; }
  std::uint64_t bytes() const { return bytes_; }
  /// The sequence number of the next message.
  std::uint32_t sequence() const { return sequence_; }

 private:
  AssocId association_;
  const Content& content_;
  std::uint32_t sequence_ = 0;
  std::uint32_t offset_ = 0;  // of the message under way
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace sluice::apps
