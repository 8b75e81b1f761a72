#pragma once

#include "stack/assoc/tx/message_part.hpp"

namespace sluice::assoc {

/// The sending side of one stream; made when the stream is first used.
struct OutboundStream {
  explicit OutboundStream(StreamId stream) : id(stream) {}

  MessagePart* head = nullptr;  ///< what is not wholly cut yet, in the order of sending
  MessagePart* tail = nullptr;
  OutboundStream* next_ready = nullptr;  ///< for the scheduler
  std::uint32_t ordered_in_window = 0;   ///< ordered messages begun and not yet wholly acknowledged (RFC 9260 §6.1)
  Ppid open_ppid;                        ///< of the message that `open` tells of
  StreamId id;
  Ssn next_ssn;
  bool open = false;  ///< a message was begun by a part with `end` false: the next part continues it
  bool open_unordered = false;
  bool refusing = false;  ///< the open message was given up: the rest of its parts is refused
  bool ready = false;     ///< for the scheduler: waits in its list

  bool empty() const { return head == nullptr; }
  void push(MessagePart& part) {
    part.next = nullptr;
    (tail == nullptr ? head : tail->next) = &part;
    tail = &part;
  }
  void pop() {
    head = head->next;
    if (head == nullptr) tail = nullptr;
  }
};

}  // namespace sluice::assoc
