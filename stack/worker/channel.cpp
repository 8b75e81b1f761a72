#include "stack/worker/channel.hpp"

#include "stack/base/check.hpp"

namespace sluice::worker {

Channel::Channel(const ChannelConfig& config, WakeUp& worker, WakeUp& application)
    : config_(config),
      worker_(worker),
      application_(application),
      commands_(config.commands),
      events_(config.events),
      returned_(config.lent),
      freed_(ArenaLayout(config.arena.size()).blocks()) {}

Event Channel::event(const EventRecord& record) const {
  Event event;
  event.type = record.type;
  event.begin = (record.flags & EventRecord::kBegin) != 0;
  event.end = (record.flags & EventRecord::kEnd) != 0;
  event.unordered = (record.flags & EventRecord::kUnordered) != 0;
  event.active = (record.flags & EventRecord::kActive) != 0;
  event.sent = (record.flags & EventRecord::kSent) != 0;
  event.stream = record.stream;
  event.ppid = record.ppid;
  event.association = record.association;
  event.endpoint = record.endpoint;
  event.message_id = record.message_id;
  event.length = record.length;
  event.error = record.error;
  event.path = record.path;
  event.path_state = record.path_state;
  event.streams_in = record.streams_in;
  event.streams_out = record.streams_out;
  event.context = record.context;
  event.handle = record.lent;
  if (record.lent != EventRecord::kNotLent)
    event.data = reinterpret_cast<const std::byte*>(config_.base_of(record.region) + record.offset);
  return event;
}

ChannelEnd::ChannelEnd(Channel& channel, ChannelCounters& counters)
    : channel_(channel),
      counters_(counters),
      arena_(channel.config_.arena, channel.freed_),
      lent_(channel.config_.lent) {}

std::size_t ChannelEnd::take_commands(std::span<CommandRecord> records) {
  push_waiting();
  if (!waiting_.empty()) return 0;
  const std::size_t n = channel_.commands_.pop(records);
  counters_.commands += n;
  return n;
}

bool ChannelEnd::take_returned() {
  std::array<std::uint32_t, 64> numbers;
  bool any = false;
  while (const std::size_t n = channel_.returned_.pop(numbers)) {
    for (std::size_t i = 0; i < n; ++i)
      if (!lent_.take_back(numbers[i])) ++counters_.bad_returns;
    any = true;
  }
  return any;
}

bool ChannelEnd::has_work() const {
  return !channel_.commands_.empty() || !channel_.returned_.empty() || closed();
}

base::Buffer ChannelEnd::payload(const CommandRecord& command) {
  base::Buffer buffer = arena_.take(command.block, command.offset, command.length);
  if (!buffer) ++counters_.bad_commands;
  return buffer;
}

EventRecord ChannelEnd::record_of(const Event& event) {
  EventRecord record;
  record.type = event.type;
  record.flags =
      static_cast<std::uint8_t>((event.begin ? EventRecord::kBegin : 0) | (event.end ? EventRecord::kEnd : 0) |
                                (event.unordered ? EventRecord::kUnordered : 0) |
                                (event.active ? EventRecord::kActive : 0) | (event.sent ? EventRecord::kSent : 0));
  record.path = event.path;
  record.path_state = event.path_state;
  record.stream = event.stream;
  record.error = event.error;
  record.streams_in = event.streams_in;
  record.streams_out = event.streams_out;
  record.association = event.association;
  record.endpoint = event.endpoint;
  record.ppid = event.ppid;
  record.message_id = event.message_id;
  record.length = event.length;
  record.context = event.context;
  return record;
}

void ChannelEnd::lend_if_possible(const Event& event, base::Buffer& buffer, EventRecord& record) noexcept {
  if (!buffer) return;
  if (lent_.full()) {
    record.length = 0;
    buffer.reset();
    return;
  }
  const bool ours = event.type != EventType::send_failed;
  record.region = ours ? EventRecord::Region::received : EventRecord::Region::arena;
  record.offset = reinterpret_cast<std::uintptr_t>(event.data) - channel_.config_.base_of(record.region);
  record.lent = lent_.lend(buffer);
}

bool ChannelEnd::deliver(const Event& event, base::Buffer& buffer) noexcept {
  if (!waiting_.empty() || channel_.events_.room() == 0) {
    ++counters_.events_deferred;
    return false;
  }
  if (buffer && lent_.full() && event.type == EventType::message) {
    ++counters_.lent_limit;
    return false;
  }
  EventRecord record = record_of(event);
  lend_if_possible(event, buffer, record);
  ++counters_.events;
  return channel_.events_.push(record);
}

void ChannelEnd::reply(const Reply& reply) {
  EventRecord record;
  record.kind = EventRecord::Kind::reply;
  record.error = static_cast<std::uint16_t>(reply.status);
  record.context = reply.request;
  record.association = reply.association;
  record.endpoint = reply.endpoint;
  record.length = reply.length;
  record.message_id = reply.value;
  push_or_wait(record);
}

void ChannelEnd::post(const Event& event, base::Buffer buffer) {
  EventRecord record = record_of(event);
  lend_if_possible(event, buffer, record);
  push_or_wait(record);
}

void ChannelEnd::push_or_wait(const EventRecord& record) {
  if (!waiting_.empty() || !channel_.events_.push(record)) waiting_.push_back(record);
}

void ChannelEnd::push_waiting() {
  while (!waiting_.empty() && channel_.events_.push(waiting_.front())) waiting_.pop_front();
}

void ChannelEnd::publish() {
  push_waiting();
  // In this order: who has an answer finds the block free that it came in.
  const bool freed = channel_.freed_.publish();
  if (channel_.events_.publish() || freed) channel_.application_.wake_if_sleeping();
}

}  // namespace sluice::worker
