#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <span>

#include "stack/base/counters.hpp"
#include "stack/base/spsc_ring.hpp"
#include "stack/worker/channel_records.hpp"
#include "stack/worker/lent_buffers.hpp"
#include "stack/worker/send_arena.hpp"
#include "stack/worker/wake_up.hpp"

namespace sluice::worker {

/// Memory that both ends of a channel see, each at an address of its own.
struct Region {
  std::uintptr_t base = 0;
  std::uint64_t bytes = 0;
};

/// The whole address space as one region: for channels whose two ends are threads of one process.
inline Region process_region() {
  return {0, UINT64_MAX};
}

struct ChannelConfig {
  std::uint32_t commands = 4096;
  std::uint32_t events = 8192;
  std::uint32_t lent = 32768;  ///< received buffers that the application may hold at once
  std::span<std::byte> arena;  ///< send memory, one for all channels of an application
  Region receive_region = process_region();

  std::uintptr_t base_of(EventRecord::Region region) const {
    return region == EventRecord::Region::arena ? reinterpret_cast<std::uintptr_t>(arena.data()) : receive_region.base;
  }
};

/// What joins one application thread with one worker: commands in, events out, and the way back for received buffers
/// and for blocks of send memory. The application's end is here; the worker's is ChannelEnd.
///
/// Application: push commands and returned buffers, then publish(), once a burst; take events with poll().
class Channel {
 public:
  /// `worker` is signalled when something was published to a worker that sleeps, `application` the other way round.
  Channel(const ChannelConfig& config, WakeUp& worker, WakeUp& application);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// False: the ring is full; try again after the worker's next turn.
  [[nodiscard]] bool command(const CommandRecord& record) { return commands_.push(record); }
  /// Commands that can be pushed now.
  std::size_t room() { return commands_.room(); }
  /// Gives back the buffer that an event lent.
  void give_back(std::uint32_t lent) { static_cast<void>(returned_.push(lent)); }
  void publish() {
    const bool commands = commands_.publish();
    if (returned_.publish() || commands) worker_.wake_if_sleeping();
  }
  /// Takes events, in order.
  std::size_t poll(std::span<EventRecord> records) { return events_.pop(records); }
  /// Whether poll() would find something: look after WakeUp::announce().
  bool has_events() const { return !events_.empty(); }
  /// Puts the blocks of send memory that the worker is done with back into `arena`. Returns how many.
  std::size_t reclaim(SendArena& arena) {
    return reclaim(arena, [](std::uint32_t) {});
  }
  /// As reclaim(), calling visit(index) for each block.
  template <class Visit>
  std::size_t reclaim(SendArena& arena, Visit&& visit) {
    std::array<std::uint32_t, 64> blocks;
    std::size_t total = 0;
    while (const std::size_t n = freed_.pop(blocks)) {
      for (std::size_t i = 0; i < n; ++i) {
        visit(blocks[i]);
        arena.free(blocks[i]);
      }
      total += n;
    }
    return total;
  }
  /// The event that `record` (of Kind::event) tells; Event::handle is its `lent`.
  Event event(const EventRecord& record) const;

  /// The application leaves: it touches the channel no more, except for detached(). What its associations still had to
  /// send is sent; the associations themselves are aborted.
  void close() noexcept {
    closed_.store(true, std::memory_order_release);
    worker_.wake_if_sleeping();
  }
  /// The worker holds nothing of the channel any more: it may be destroyed.
  bool detached() const noexcept { return detached_.load(std::memory_order_acquire); }

 private:
  friend class ChannelEnd;

  const ChannelConfig config_;
  WakeUp& worker_;
  WakeUp& application_;
  base::SpscRing<CommandRecord> commands_;
  base::SpscRing<EventRecord> events_;
  base::SpscRing<std::uint32_t> returned_;
  base::SpscRing<std::uint32_t> freed_;
  std::atomic<bool> closed_{false};
  std::atomic<bool> detached_{false};
};

// clang-format off
#define SLUICE_CHANNEL_COUNTERS(X)                                                            \
  X(commands,         "commands taken from applications")                                     \
  X(events,           "events handed to applications")                                        \
  X(events_deferred,  "times an event waited because an application's ring was full")         \
  X(lent_limit,       "times an event waited because an application held too many buffers")   \
  X(bad_commands,     "commands refused: a type, block, offset or length out of range")       \
  X(bad_returns,      "returned buffers refused: the application did not hold them")
// clang-format on

SLUICE_DEFINE_COUNTERS(ChannelCounters, SLUICE_CHANNEL_COUNTERS);

/// What a command came to; see CommandStatus.
struct Reply {
  std::uint64_t request = 0;
  CommandStatus status = CommandStatus::done;
  AssocId association;
  EndpointId endpoint;
  std::uint32_t length = 0;
  std::uint32_t value = 0;
};

/// The worker's end of a channel. Everything that comes through it is checked; nothing that an application does to its
/// end can harm more than its own associations.
class ChannelEnd {
 public:
  ChannelEnd(Channel& channel, ChannelCounters& counters);

  /// Takes commands. None while replies wait for room: commands meet would-block, replies are never lost.
  std::size_t take_commands(std::span<CommandRecord> records);
  /// Takes back what the application returned. True if there was anything, so that events may flow again.
  bool take_returned();
  /// Anything to do on this channel: look after WakeUp::announce().
  bool has_work() const;
  /// The contents of the block that `command` names; empty, and counted, if it names none.
  base::Buffer payload(const CommandRecord& command);

  /// deliver() would take an event; messages, if may_lend().
  bool has_room() { return waiting_.empty() && channel_.events_.room() > 0; }
  bool may_lend() const { return !lent_.full(); }
  /// Lends `buffer`, if there is one. When as many are lent as may be, messages wait, and with them the end of their
  /// association; what else has data comes without it. False: no room; nothing was taken.
  bool deliver(const Event& event, base::Buffer& buffer) noexcept;
  /// As deliver(), for an event of which nobody else keeps a copy: it is never refused.
  void post(const Event& event, base::Buffer buffer);
  void reply(const Reply& reply);
  /// Shows the application what was delivered, and wakes it if it sleeps. Once a burst.
  void publish();

  bool closed() const { return channel_.closed_.load(std::memory_order_acquire); }
  /// What the application holds of ours and will not give back, because it left.
  void take_all_back() { lent_.take_all_back(); }
  /// No buffer of the send arena is held here any more.
  bool drained() const { return arena_.out() == 0; }
  Channel& channel() const { return channel_; }
  /// This end of `channel` is gone: lets the application destroy it.
  static void detach(Channel& channel) { channel.detached_.store(true, std::memory_order_release); }

 private:
  static EventRecord record_of(const Event& event);
  void lend_if_possible(const Event& event, base::Buffer& buffer, EventRecord& record) noexcept;
  void push_or_wait(const EventRecord& record);
  void push_waiting();

  Channel& channel_;
  ChannelCounters& counters_;
  ArenaBlocks arena_;
  LentBuffers lent_;
  std::deque<EventRecord> waiting_;  // replies, and what was posted
};

}  // namespace sluice::worker
