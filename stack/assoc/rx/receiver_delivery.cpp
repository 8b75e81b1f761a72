#include "stack/assoc/pools.hpp"
#include "stack/assoc/rx/receiver.hpp"

// How the receiver hands messages upwards.

namespace sluice::assoc {

/// A message in one chunk, whose turn it is. False: it could be neither delivered nor kept; nothing changed.
bool Receiver::deliver_whole(const wire::DataChunk& chunk, InboundStream& stream, base::Buffer& packet) {
  if (!deliver_from_packet(chunk, stream.next_message_id, chunk.ppid(), packet)) return false;
  ++stream.next_message_id;
  if (!chunk.unordered()) ++stream.next_ssn;
  return true;
}

/// Hands a piece of a message upwards where it stands, or keeps it for when there is room. False: neither was possible.
bool Receiver::deliver_from_packet(const wire::DataChunk& chunk, std::uint32_t message_id, Ppid ppid,
                                   base::Buffer& packet) {
  if (waiting_.empty()) {
    const std::span<const std::byte> payload = chunk.payload();
    base::Buffer buffer;
    Event event;
    event.data = keep_for_application(buffer, payload, packet, chunk.tsn());
    if (event.data == nullptr) return false;
    event.begin = chunk.begin();
    event.end = chunk.end();
    event.unordered = chunk.unordered();
    event.stream = chunk.stream();
    event.ppid = ppid;
    event.association = association_;
    event.endpoint = endpoint_;
    event.message_id = message_id;
    event.length = static_cast<std::uint32_t>(payload.size());
    if (services_.host.deliver(event, buffer)) return true;
    ++services_.counters.deliveries_held_back;
  }
  HeldChunk* const held = hold(chunk, packet);
  if (held == nullptr) return false;
  held->message_id = message_id;
  held->ppid = ppid;
  waiting_.push_back(*held);
  return true;
}

/// A whole message whose turn it is and whose chunks are all held beyond the cumulative TSN.
void Receiver::deliver_run(HeldChunk& first, InboundStream& stream) {
  const std::uint32_t message_id = stream.next_message_id++;
  const Ppid ppid = first.ppid;
  const Tsn last = first.other_end;
  Tsn tsn = first.tsn;
  if (!first.unordered) ++stream.next_ssn;
  if (tsn != last) ++services_.counters.messages_reassembled;
  for (;; ++tsn) {
    HeldChunk& held = *map_->take(tsn);
    held.message_id = message_id;
    held.ppid = ppid;
    deliver_held(held);
    if (tsn == last) return;
  }
}

/// A message of stream `id` was delivered in order: those that waited for it follow.
void Receiver::deliver_turns(StreamId id, InboundStream& stream) {
  for (;;) {
    // That one came first: if the other one has its SSN, too, the peer will hear of it.
    if (HeldChunk* const skipped = take_skipped(id, stream.next_ssn)) {
      ++stream.next_ssn;
      skipped->message_id = stream.next_message_id++;
      deliver_held(*skipped);
      continue;
    }
    HeldChunk* const first = map_ == nullptr ? nullptr : map_->turns().take(id, stream.next_ssn);
    if (first == nullptr) return;
    deliver_run(*first, stream);
  }
}

HeldChunk* Receiver::take_skipped(StreamId id, Ssn ssn) {
  HeldChunk* found = nullptr;
  HeldList others;
  while (HeldChunk* const held = skipped_.pop_front()) {
    if (held->stream == id && held->ssn == ssn)
      found = held;
    else
      others.push_back(*held);
  }
  skipped_ = others;
  return found;
}

void Receiver::begin_open_message(StreamId stream, Ssn ssn, Ppid ppid, bool unordered) {
  open_ = OpenMessage{};
  open_.open = true;
  open_.stream = stream;
  open_.ssn = ssn;
  open_.ppid = ppid;
  open_.unordered = unordered;
}

/// A fragment with the next TSN, which begins a message or continues the open one. False: no memory for it.
bool Receiver::take_open_fragment(const wire::DataChunk& chunk, InboundStream& stream, base::Buffer& packet) {
  if (!open_.partial) {
    if (HeldChunk* const held = hold(chunk, packet)) {
      if (chunk.begin()) begin_open_message(chunk.stream(), chunk.ssn(), chunk.ppid(), chunk.unordered());
      append_to_open_message(*held, stream);
      return true;
    }
    // Without memory to hold it, the message goes to the application in parts, from its first fragment on if need be.
    if (!open_.open) begin_open_message(chunk.stream(), chunk.ssn(), chunk.ppid(), chunk.unordered());
    deliver_open_parts(stream);
  }
  if (!deliver_from_packet(chunk, open_.message_id, open_.ppid, packet)) {
    if (chunk.begin()) {
      open_ = OpenMessage{};
      --stream.next_message_id;
    }
    return false;
  }
  if (chunk.end()) finish_open_message(stream);
  return true;
}

void Receiver::append_to_open_message(HeldChunk& held, InboundStream& stream) {
  const bool end = held.end;
  open_.bytes += held.length;
  open_.chunks.push_back(held);
  if (end)
    finish_open_message(stream);
  else if (open_.partial || open_.bytes >= parameters_->partial_delivery_point || window_.memory_short(pinned()))
    deliver_open_parts(stream);
}

void Receiver::deliver_open_parts(InboundStream& stream) {
  if (!open_.partial) {
    ++services_.counters.partial_deliveries;
    open_.partial = true;
    open_.message_id = stream.next_message_id++;
  }
  deliver_open_chunks();
}

void Receiver::finish_open_message(InboundStream& stream) {
  if (!open_.partial) open_.message_id = stream.next_message_id++;
  ++services_.counters.messages_reassembled;
  deliver_open_chunks();
  open_.open = open_.partial = false;
  if (!open_.unordered) ++stream.next_ssn;
  if (turns_wait()) deliver_held_back(stream);
}

/// What had to wait while the message was open: others of its stream alone, as only one message is open at a time.
void Receiver::deliver_held_back(InboundStream& stream) {
  while (HeldChunk* const first = map_ == nullptr ? nullptr : map_->turns().take_unordered())
    deliver_run(*first, stream);
  deliver_turns(open_.stream, stream);
}

void Receiver::deliver_open_chunks() {
  while (HeldChunk* const held = open_.chunks.pop_front()) {
    held->message_id = open_.message_id;
    held->ppid = open_.ppid;
    deliver_held(*held);
  }
  open_.bytes = 0;
}

/// Lets go of the open message; if parts of it were delivered, says that the rest will not come.
void Receiver::abort_open_message() {
  let_go(open_.chunks);
  if (open_.partial) {
    if (HeldChunk* const notice = services_.pools.held_chunks.make()) {
      ++held_count_;
      notice->stream = open_.stream;
      notice->message_id = open_.message_id;
      notice->unordered = open_.unordered;
      deliver_held(*notice);
    }
  }
  open_ = OpenMessage{};
}

void Receiver::deliver_held(HeldChunk& held) {
  if (waiting_.empty() && offer(held)) return let_go(held);
  ++services_.counters.deliveries_held_back;
  waiting_.push_back(held);
}

bool Receiver::offer(HeldChunk& held) {
  Event event;
  event.type = held.data == nullptr ? EventType::delivery_aborted : EventType::message;
  event.begin = held.begin;
  event.end = held.end;
  event.unordered = held.unordered;
  event.stream = held.stream;
  event.ppid = held.ppid;
  event.association = association_;
  event.endpoint = endpoint_;
  event.message_id = held.message_id;
  event.data = held.data;
  event.length = held.length;
  return services_.host.deliver(event, held.buffer);
}

}  // namespace sluice::assoc
