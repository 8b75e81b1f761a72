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

/// What a worker knows of one application: one of the two deliveries, and who waits for it. The one that runs workers'
/// loops has no delivery yet at a worker whose loop it has not taken over: there, events wait in their associations.
struct ApplicationRecord {
  ApplicationId id;
  std::unique_ptr<ChannelEnd> channel;  ///< rings; or
  InlineEvents* events = nullptr;       ///< run to completion
  base::IntrusiveList<AssociationRecord, WaitingForRoom> waiting;
  std::uint32_t associations = 0;
  bool leaving = false;  ///< it takes nothing any more: what is delivered is let go

  bool attached() const { return channel != nullptr || events != nullptr; }
  bool deliver(const Event& event, base::Buffer& buffer) noexcept {
    if (leaving) {
      buffer.reset();
      return true;
    }
    if (!attached()) return false;
    return channel != nullptr ? channel->deliver(event, buffer) : events->deliver(event, buffer);
  }
  bool has_room() const {
    if (leaving) return true;
    if (!attached()) return false;
    return channel != nullptr ? channel->has_room() : events->has_room();
  }
  bool may_lend() const {
    if (leaving) return true;
    if (!attached()) return false;
    return channel != nullptr ? channel->may_lend() : events->may_lend();
  }
  // What it asked for itself is answered by these two: it is attached then.
  void post(const Event& event, base::Buffer buffer = {}) {
    if (leaving || !attached()) return;
    channel != nullptr ? channel->post(event, std::move(buffer)) : events->post(event, std::move(buffer));
  }
  void reply(const Reply& reply) {
    if (leaving || !attached()) return;
    channel != nullptr ? channel->reply(reply) : events->reply(reply);
  }
};

}  // namespace sluice::worker
