#include "stack/worker/channel.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <thread>
#include <vector>

#include "stack/base/heap_buffers.hpp"
#include "stack/worker/inline_events.hpp"

namespace sluice::worker {
namespace {

class ChannelTest : public testing::Test {
 protected:
  static ChannelConfig config(std::span<std::byte> arena) {
    ChannelConfig config;
    config.commands = 8;
    config.events = 8;
    config.lent = 4;
    config.arena = arena;
    return config;
  }
  Event message() {
    Event event;
    event.association = AssocId(7);
    event.stream = StreamId(3);
    event.ppid = Ppid(46);
    event.begin = event.end = true;
    event.message_id = 9;
    return event;
  }
  bool deliver_message(std::size_t bytes) { return deliver(message(), bytes); }
  bool deliver(Event event, std::size_t bytes) {
    const std::vector<std::byte> contents(bytes, std::byte{0x5a});
    base::Buffer buffer = buffers.copy_of(contents);
    event.data = buffer.data();
    event.length = static_cast<std::uint32_t>(bytes);
    return end.deliver(event, buffer);
  }
  std::vector<EventRecord> poll() {
    std::vector<EventRecord> records(16);
    records.resize(channel.poll(records));
    return records;
  }

  std::vector<std::byte> memory = std::vector<std::byte>(ArenaLayout::kLeastBytes);
  base::HeapBuffers buffers;
  SendArena arena{memory};
  WakeUp worker, application;
  Channel channel{config(memory), worker, application};
  ChannelCounters counters;
  ChannelEnd end{channel, counters};
};

TEST_F(ChannelTest, CommandsArriveWithTheirPayload) {
  const auto piece = arena.allocate(5);
  std::memcpy(piece->bytes.data(), "hello", 5);
  CommandRecord record;
  record.block = piece->block;
  record.length = 5;
  record.context = 11;
  ASSERT_TRUE(channel.command(record));
  std::vector<CommandRecord> taken(4);
  EXPECT_EQ(end.take_commands(taken), 0u) << "before publish()";
  channel.publish();
  ASSERT_EQ(end.take_commands(taken), 1u);
  EXPECT_EQ(taken[0].context, 11u);
  base::Buffer payload = end.payload(taken[0]);
  ASSERT_TRUE(payload);
  EXPECT_EQ(std::memcmp(payload.data(), "hello", 5), 0);
  payload.reset();
  end.publish();
  EXPECT_EQ(channel.reclaim(arena), 1u);
  EXPECT_EQ(arena.out(), 0u);
}

TEST_F(ChannelTest, ABadBlockIsCounted) {
  CommandRecord record;
  record.block = 1 << 30;
  record.length = 5;
  EXPECT_FALSE(end.payload(record));
  EXPECT_EQ(counters.bad_commands, 1u);
}

TEST_F(ChannelTest, AMessageIsLentUntilItIsGivenBack) {
  ASSERT_TRUE(deliver_message(100));
  end.publish();
  const auto records = poll();
  ASSERT_EQ(records.size(), 1u);
  const Event event = channel.event(records[0]);
  EXPECT_EQ(event.type, EventType::message);
  EXPECT_EQ(event.association, AssocId(7));
  EXPECT_EQ(event.stream, StreamId(3));
  EXPECT_EQ(event.ppid, Ppid(46));
  EXPECT_EQ(event.message_id, 9u);
  EXPECT_TRUE(event.begin && event.end && !event.unordered);
  ASSERT_EQ(event.length, 100u);
  EXPECT_EQ(event.data[99], std::byte{0x5a});
  EXPECT_EQ(buffers.out(), 1u);
  channel.give_back(static_cast<std::uint32_t>(event.handle));
  channel.publish();
  EXPECT_TRUE(end.take_returned());
  EXPECT_EQ(buffers.out(), 0u);
}

TEST_F(ChannelTest, WhatWasNotLentCannotBeGivenBack) {
  ASSERT_TRUE(deliver_message(10));
  channel.give_back(0);
  channel.give_back(0);
  channel.give_back(3);
  channel.give_back(UINT32_MAX);
  channel.publish();
  end.take_returned();
  EXPECT_EQ(counters.bad_returns, 3u);
  EXPECT_EQ(buffers.out(), 0u);
}

TEST_F(ChannelTest, AFullRingTakesNothing) {
  Event up = message();
  up.type = EventType::association_up;
  base::Buffer none;
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(end.deliver(up, none));
  EXPECT_FALSE(end.deliver(up, none));
  EXPECT_EQ(counters.events_deferred, 1u);
  end.publish();
  EXPECT_EQ(poll().size(), 8u);
  EXPECT_TRUE(end.deliver(up, none));
}

TEST_F(ChannelTest, NoMoreIsLentThanTheLimit) {
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(deliver_message(10));
  EXPECT_FALSE(deliver_message(10));
  EXPECT_EQ(counters.lent_limit, 1u);
  EXPECT_EQ(buffers.out(), 4u);
}

// Who gives nothing back hears of the end.
TEST_F(ChannelTest, WhatIsNoMessageComesWithoutDataBeyondTheLimit) {
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(deliver_message(10));
  EXPECT_TRUE(end.has_room());
  EXPECT_FALSE(end.may_lend());
  Event lost = message();
  lost.type = EventType::association_lost;
  EXPECT_TRUE(deliver(lost, 10));
  EXPECT_EQ(buffers.out(), 4u);
  end.publish();
  const auto records = poll();
  ASSERT_EQ(records.size(), 5u);
  const Event event = channel.event(records[4]);
  EXPECT_EQ(event.type, EventType::association_lost);
  EXPECT_EQ(event.length, 0u);
  EXPECT_EQ(event.data, nullptr);
}

TEST(InlineEvents, WhatIsNoMessageComesWithoutDataBeyondTheLimit) {
  base::HeapBuffers buffers;
  InlineEvents events(8, 1);
  const std::array<std::byte, 10> contents{};
  const auto deliver = [&](EventType type) {
    base::Buffer buffer = buffers.copy_of(contents);
    Event event;
    event.type = type;
    event.data = buffer.data();
    event.length = buffer.size();
    return events.deliver(event, buffer);
  };
  EXPECT_TRUE(deliver(EventType::message));
  EXPECT_FALSE(deliver(EventType::message));
  EXPECT_TRUE(deliver(EventType::send_failed));
  EXPECT_EQ(buffers.out(), 1u);
  std::array<Event, 3> taken;
  ASSERT_EQ(events.poll(taken), 2u);
  EXPECT_EQ(taken[1].type, EventType::send_failed);
  EXPECT_EQ(taken[1].length, 0u);
  EXPECT_EQ(taken[1].data, nullptr);
  EXPECT_EQ(taken[1].handle, EventRecord::kNotLent);
  EXPECT_TRUE(events.release(taken[0].handle));
}

TEST_F(ChannelTest, RepliesAreNotLostAndEventsDoNotOvertakeThem) {
  Event up = message();
  up.type = EventType::association_up;
  base::Buffer none;
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(end.deliver(up, none));
  end.reply({1, CommandStatus::port_in_use, {}, EndpointId(5), 0, 77});
  ASSERT_TRUE(channel.command({}));
  channel.publish();
  std::vector<CommandRecord> taken(4);
  EXPECT_EQ(end.take_commands(taken), 0u) << "commands wait while replies do";
  end.publish();
  EXPECT_EQ(poll().size(), 8u);
  EXPECT_FALSE(end.deliver(up, none)) << "the reply comes first";
  end.publish();
  EXPECT_TRUE(end.deliver(up, none));
  end.publish();
  const auto records = poll();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].kind, EventRecord::Kind::reply);
  EXPECT_EQ(records[0].error, static_cast<std::uint16_t>(CommandStatus::port_in_use));
  EXPECT_EQ(records[0].context, 1u);
  EXPECT_EQ(records[0].endpoint, EndpointId(5));
  EXPECT_EQ(records[0].message_id, 77u);
  EXPECT_EQ(end.take_commands(taken), 1u);
}

// Both directions at full speed between two threads that sleep when they find nothing: every message comes back.
TEST(ChannelThreads, EchoesEveryMessage) {
  constexpr std::uint32_t kMessages = 20'000;
  std::vector<std::byte> memory(ArenaLayout::kLeastBytes);
  SendArena arena(memory);
  WakeUp worker_wake_up, application_wake_up;
  ChannelConfig config;
  config.commands = 64;
  config.events = 64;
  config.lent = 128;
  config.arena = memory;
  Channel channel(config, worker_wake_up, application_wake_up);
  std::thread worker([&] {
    ChannelCounters counters;
    ChannelEnd end(channel, counters);
    std::vector<base::Buffer> waiting;
    std::vector<CommandRecord> commands(16);
    std::uint32_t echoed = 0;
    std::size_t next = 0;
    while (echoed < kMessages || !end.drained()) {
      bool progress = end.take_returned();
      if (next == waiting.size()) {
        waiting.clear();
        next = 0;
        const std::size_t n = end.take_commands(commands);
        for (std::size_t i = 0; i < n; ++i) waiting.push_back(end.payload(commands[i]));
      }
      for (; next < waiting.size(); ++next, ++echoed, progress = true) {
        Event event;
        event.data = waiting[next].data();
        event.length = waiting[next].size();
        if (!end.deliver(event, waiting[next])) break;
      }
      end.publish();
      if (progress) continue;
      worker_wake_up.announce();
      if (!end.has_work()) worker_wake_up.sleep(std::chrono::hours(1));
      worker_wake_up.withdraw();
    }
    EXPECT_EQ(counters.bad_commands + counters.bad_returns, 0u);
    end.publish();
  });
  std::uint32_t sent = 0, received = 0;
  std::vector<EventRecord> records(16);
  while (received < kMessages) {
    channel.reclaim(arena);
    while (sent < kMessages) {
      const auto piece = arena.allocate(sizeof sent);
      if (!piece) break;
      std::memcpy(piece->bytes.data(), &sent, sizeof sent);
      CommandRecord record;
      record.block = piece->block;
      record.length = sizeof sent;
      if (!channel.command(record)) {
        arena.free(piece->block);
        break;
      }
      ++sent;
    }
    channel.publish();
    const std::size_t n = channel.poll(records);
    for (std::size_t i = 0; i < n; ++i) {
      const Event event = channel.event(records[i]);
      std::uint32_t value = 0;
      std::memcpy(&value, event.data, sizeof value);
      ASSERT_EQ(value, received++);
      channel.give_back(static_cast<std::uint32_t>(event.handle));
    }
    channel.publish();
    if (n > 0) continue;
    application_wake_up.announce();
    if (!channel.has_events()) application_wake_up.sleep(std::chrono::hours(1));
    application_wake_up.withdraw();
  }
  worker.join();
}

}  // namespace
}  // namespace sluice::worker
