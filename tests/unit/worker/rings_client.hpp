#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "stack/worker/application_rings.hpp"

namespace sluice::worker {

/// An application behind rings that gives its commands record by record, and keeps what it is told.
class RingsClient : public ApplicationRings {
 public:
  using ApplicationRings::ApplicationRings;

  CommandRecord with_bytes(CommandType type, std::span<const std::byte> contents) {
    const auto piece = arena().allocate(static_cast<std::uint32_t>(contents.size()));
    std::copy(contents.begin(), contents.end(), piece->bytes.begin());
    CommandRecord record;
    record.type = type;
    record.block = piece->block;
    record.length = static_cast<std::uint32_t>(contents.size());
    record.request = ++requests;
    return record;
  }
  template <class Contents>
  CommandRecord with_block(CommandType type, const Contents& contents) {
    return with_bytes(type, std::as_bytes(std::span(&contents, 1)));
  }
  /// What `record` names of the send memory; it stays readable until that is given out again.
  std::span<const std::byte> block(const CommandRecord& record) {
    return arena().memory().subspan(arena().layout().offset(record.block), record.length);
  }
  void command(std::uint16_t worker, const CommandRecord& record) {
    EXPECT_TRUE(channel(worker).command(record));
    publish();
  }
  EventRecord reply_to(std::uint64_t request) {
    for (const EventRecord& reply : replies)
      if (reply.context == request) return reply;
    ADD_FAILURE() << "no reply";
    return {};
  }
  /// Takes what the workers have for it; true if there was anything.
  bool take() {
    std::vector<EventRecord> records(16);
    bool any = false;
    for (std::uint16_t i = 0; i < workers(); ++i) {
      const std::size_t n = channel(i).poll(records);
      for (std::size_t k = 0; k < n; ++k) take(channel(i), records[k]);
      any |= n > 0;
    }
    publish();
    reclaim();
    return any;
  }

  std::vector<Event> events;
  std::vector<EventRecord> replies;
  std::vector<std::vector<std::byte>> given_back;  ///< by send_failed events
  std::uint64_t requests = 0;
  bool keeps = false;  ///< what it is lent

 private:
  void take(Channel& from, const EventRecord& record) {
    if (record.kind == EventRecord::Kind::reply) return replies.push_back(record);
    const Event event = from.event(record);
    events.push_back(event);
    if (event.type == EventType::send_failed) given_back.emplace_back(event.bytes().begin(), event.bytes().end());
    if (event.data != nullptr && !keeps) from.give_back(static_cast<std::uint32_t>(event.handle));
  }
};

}  // namespace sluice::worker
