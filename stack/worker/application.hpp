#pragma once

#include <memory>

#include "stack/base/intrusive_list.hpp"
#include "stack/worker/channel.hpp"
#include "stack/worker/inline_events.hpp"
#include "stack/worker/mailbox.hpp"

namespace sluice::worker {

struct AssociationRecord;
/// The list of associations whose events wait for room.
struct WaitingForRoom;

/// What a worker knows of one application: one of the two deliveries, and who waits for it.
struct ApplicationRecord {
  ApplicationId id;
  std::unique_ptr<ChannelEnd> channel;  ///< rings; or
  InlineEvents* events = nullptr;       ///< run to completion
  base::IntrusiveList<AssociationRecord, WaitingForRoom> waiting;
  std::uint32_t associations = 0;
  bool leaving = false;  ///< it takes nothing any more: what is delivered is let go

  bool deliver(const Event& event, base::Buffer& buffer) noexcept {
    if (leaving) {
      buffer.reset();
      return true;
    }
    return channel != nullptr ? channel->deliver(event, buffer) : events->deliver(event, buffer);
  }
  bool has_room() const {
    if (leaving) return true;
    return channel != nullptr ? channel->has_room() : events->has_room();
  }
  void post(const Event& event) {
    if (leaving) return;
    channel != nullptr ? channel->post(event) : events->post(event);
  }
  void reply(const Reply& reply) {
    if (leaving) return;
    channel != nullptr ? channel->reply(reply) : events->reply(reply);
  }
};

}  // namespace sluice::worker
