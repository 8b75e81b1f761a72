#pragma once

#include <sluice/ids.hpp>

#include "stack/base/buffer.hpp"
#include "stack/base/serial.hpp"

namespace sluice::assoc {

/// The user data of one DATA chunk that cannot be delivered yet: out of order, of an incomplete message, or refused by
/// the application's ring. Holds a reference to the received packet, or to a copy.
struct HeldChunk {
  base::Buffer buffer;
  const std::byte* data = nullptr;  ///< in `buffer`; null in the waiting list: not data, but a delivery_aborted event
  std::uint32_t length = 0;
  Tsn tsn;
  Tsn other_end;                 ///< of the run of fragments of which this is the first or the last: its other end
  std::uint32_t message_id = 0;  ///< given when it is first offered upwards
  Ppid ppid;
  StreamId stream;
  Ssn ssn;
  bool begin = false;
  bool end = false;
  bool unordered = false;
  HeldChunk* next = nullptr;      ///< in the list it stands in
  HeldChunk* previous = nullptr;  ///< there too, in a TurnTable
};

/// First in, first out; linked through HeldChunk::next. Does not own.
struct HeldList {
  HeldChunk* head = nullptr;
  HeldChunk* tail = nullptr;

  bool empty() const { return head == nullptr; }
  void push_back(HeldChunk& chunk) {
    chunk.next = nullptr;
    (tail == nullptr ? head : tail->next) = &chunk;
    tail = &chunk;
  }
  HeldChunk* pop_front() {
    HeldChunk* const chunk = head;
    if (chunk == nullptr) return nullptr;
    head = chunk->next;
    if (head == nullptr) tail = nullptr;
    return chunk;
  }
};

}  // namespace sluice::assoc
