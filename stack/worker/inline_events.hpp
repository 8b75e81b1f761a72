#pragma once

#include <sluice/event.hpp>

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "stack/worker/channel.hpp"
#include "stack/worker/lent_buffers.hpp"

namespace sluice::worker {

/// Where a worker puts events for an application that runs in its own loop: no ring, no copy, no other thread. Event
/// order and back-pressure are those of a Channel.
class InlineEvents {
 public:
  InlineEvents(std::uint32_t events, std::uint32_t lent) : ring_(events), lent_(lent) {}

  /// Takes up to out.size() events, in order. Event::handle names what release() wants back.
  std::size_t poll(std::span<Event> out) {
    std::size_t n = 0;
    for (; n < out.size() && size_ > 0; ++n, --size_) {
      out[n] = ring_[head_];
      head_ = head_ + 1 == ring_.size() ? 0 : head_ + 1;
    }
    for (; n < out.size() && !posted_.empty(); ++n, posted_.pop_front()) out[n] = posted_.front();
    return n;
  }
  /// Gives the memory behind an event back. False: it was not lent.
  bool release(std::uint64_t handle) { return lent_.take_back(static_cast<std::uint32_t>(handle)); }
  /// The next reply to a command; false: none waits.
  bool poll_reply(Reply& reply) {
    if (replies_.empty()) return false;
    reply = replies_.front();
    replies_.pop_front();
    return true;
  }
  std::uint32_t lent() const { return lent_.out(); }
  bool empty() const { return size_ == 0 && posted_.empty() && replies_.empty(); }

  // The worker's side.
  // As ChannelEnd's, each.
  bool has_room() const { return size_ < ring_.size() && posted_.empty(); }
  bool may_lend() const { return !lent_.full(); }
  bool deliver(const Event& event, base::Buffer& buffer) noexcept {
    if (!has_room() || (buffer && lent_.full() && event.type == EventType::message)) return false;
    const std::size_t tail = head_ + size_ < ring_.size() ? head_ + size_ : head_ + size_ - ring_.size();
    Event& slot = ring_[tail];
    slot = event;
    lend_if_possible(buffer, slot);
    ++size_;
    return true;
  }
  void post(const Event& event, base::Buffer buffer) { lend_if_possible(buffer, posted_.emplace_back(event)); }
  /// The worker goes: what it lent is charged to accounts of its own, and the events that name it are void.
  void abandon() {
    head_ = size_ = 0;
    lent_.take_all_back();
  }
  void reply(const Reply& reply) { replies_.push_back(reply); }

 private:
  void lend_if_possible(base::Buffer& buffer, Event& event) noexcept {
    event.handle = EventRecord::kNotLent;
    if (!buffer) return;
    if (!lent_.full()) {
      event.handle = lent_.lend(buffer);
      return;
    }
    event.data = nullptr;
    event.length = 0;
    buffer.reset();
  }

  std::vector<Event> ring_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
  LentBuffers lent_;
  std::deque<Event> posted_;
  std::deque<Reply> replies_;
};

}  // namespace sluice::worker
