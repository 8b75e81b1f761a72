// An application behind rings on one stack, one in its worker's loop on the other.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "tests/sim/run_pair.hpp"
#include "tests/unit/worker/rings_client.hpp"

namespace sluice::worker {
namespace {

using std::chrono::seconds;

class RingsTest : public testing::TestWithParam<std::uint16_t> {
 protected:
  RingsTest() {
    sim::SimStackOptions options;
    options.workers = GetParam();
    options.config.parameters.send_buffer = 20'000;
    options.config.parameters.receive_window = 10'000;
    a = std::make_unique<sim::SimStack>(wire, clock, 1, options);
    options.name = "b";
    options.host = 2;
    b = std::make_unique<sim::SimStack>(wire, clock, 2, options);
    ApplicationRings::Options rings_options;
    rings_options.send_arena = ArenaLayout::kLeastBytes * 16;
    rings_options.events = 16;
    rings = std::make_unique<RingsClient>(b->group(), rings_options);
  }
  ~RingsTest() override {
    if (!rings->detached()) leave();
    take_inline(1000);
  }

  void run(Duration time) {
    sim::run_pair(clock, wire, *a, *b, clock.now() + time, Duration(50'000), [this] {
      const bool took = rings->take();
      return (inline_reads && take_inline(16)) || took;
    });
  }
  bool take_inline(std::size_t most) {
    std::vector<Event> events(most);
    bool any = false;
    for (std::uint16_t i = 0; i < a->workers(); ++i) {
      const std::size_t n = a->events(i).poll(events);
      for (std::size_t k = 0; k < n; ++k) {
        any = true;
        if (events[k].type == EventType::message)
          received.insert(received.end(), events[k].data, events[k].data + events[k].length);
        if (events[k].data != nullptr) {
          EXPECT_TRUE(a->events(i).release(events[k].handle));
        }
        inline_events.push_back(events[k]);
      }
    }
    return any;
  }
  void leave() {
    rings->close();
    run(seconds(30));
    EXPECT_TRUE(rings->detached());
  }
  /// An association that the ring application opened to the inline one.
  AssocId connect() {
    OpenEndpointArguments listen;
    listen.port = 5000;
    listen.listen = true;
    a->open(listen);
    rings->command(0, rings->with_block(CommandType::open_endpoint, OpenEndpointArguments{}));
    run(seconds(1));
    const EventRecord opened = rings->reply_to(rings->requests);
    EXPECT_EQ(opened.error, static_cast<std::uint16_t>(CommandStatus::done));
    endpoint = opened.endpoint;
    ConnectArguments to;
    to.peers = {a->v4()};
    to.port = 5000;
    CommandRecord record = rings->with_block(CommandType::connect, to);
    record.endpoint = endpoint;
    record.context = 55;
    rings->command(static_cast<std::uint16_t>(rings->workers() - 1), record);
    run(seconds(1));
    for (const Event& event : rings->events)
      if (event.type == EventType::association_up) {
        EXPECT_EQ(event.context, 55u);
        return event.association;
      }
    ADD_FAILURE() << "did not come up";
    return {};
  }

  /// As connect(), of an application that may be lent one buffer, has it, and gives nothing back.
  AssocId connect_and_keep_all() {
    leave();
    ApplicationRings::Options few;
    few.events = 16;
    few.lent = 1;
    rings = std::make_unique<RingsClient>(b->group(), few);
    rings->keeps = true;
    const AssocId association = connect();
    AssocId peer;
    for (const Event& event : inline_events)
      if (event.type == EventType::association_up) peer = event.association;
    EXPECT_EQ(a->send(peer, std::as_bytes(std::span("kept", 4))), assoc::SendStatus::queued);
    run(seconds(1));
    return association;
  }
  /// Of 1000 bytes each, which are the message's number.
  void send_300(AssocId association) {
    for (std::uint32_t i = 0; i < 300; ++i) send(association, i, StreamId(0), Ppid(7), true);
  }
  void send(AssocId association, std::uint32_t number, StreamId stream, Ppid ppid, bool end) {
    const auto piece = rings->arena().allocate(1000);
    ASSERT_TRUE(piece);
    std::memset(piece->bytes.data(), static_cast<int>(number % 251), 1000);
    CommandRecord record;
    record.association = association;
    record.stream = stream;
    if (end) record.flags = CommandRecord::kEnd;
    record.ppid = ppid;
    record.block = piece->block;
    record.length = 1000;
    record.context = number;
    record.lifetime = lifetime.count();
    rings->command(owner_of(association), record);
  }

  Duration lifetime{};  ///< of what send() sends
  base::SimClock clock;
  base::SeededRandom random{5};
  drivers::MemoryWire wire{clock, random};
  std::unique_ptr<sim::SimStack> a, b;
  std::unique_ptr<RingsClient> rings;
  std::vector<Event> inline_events;
  std::vector<std::byte> received;
  bool inline_reads = true;
  EndpointId endpoint;
};

// Sent, queued and parked alike, in order, as they were given (RFC 9260 §11.1.14, §11.1.15).
TEST_P(RingsTest, MessagesThatWereNotAcknowledgedAreGivenBack) {
  const AssocId association = connect();
  inline_reads = false;
  send_300(association);
  run(seconds(2));
  rings->events.clear();
  CommandRecord abort;
  abort.type = CommandType::abort;
  abort.association = association;
  rings->command(owner_of(association), abort);
  run(seconds(2));
  EXPECT_EQ(rings->events.back().type, EventType::association_lost) << "something came behind the end";
  std::erase_if(rings->events, [](const Event& event) { return event.type != EventType::send_failed; });
  ASSERT_EQ(rings->events.size(), rings->given_back.size());
  ASSERT_GT(rings->events.size(), 200u);
  EXPECT_GT(b->counter("worker.parked_sends"), 100u);
  std::uint64_t number = 300 - rings->events.size();
  for (std::size_t i = 0; i < rings->events.size(); ++i, ++number) {
    ASSERT_EQ(rings->events[i].context, number);
    ASSERT_EQ(rings->given_back[i], std::vector(1000, static_cast<std::byte>(number % 251)));
    EXPECT_TRUE(rings->events[i].end);
    EXPECT_EQ(rings->events[i].ppid, Ppid(7));
  }
  EXPECT_FALSE(rings->events.back().sent);
  EXPECT_EQ(rings->arena().out(), 0u);
}

TEST_P(RingsTest, ASendThatIsRefusedForGoodSaysWhy) {
  const AssocId association = connect();
  rings->events.clear();
  send(association, 1, StreamId(60000), Ppid(7), true);
  send(association, 2, StreamId(0), Ppid(7), false);
  send(association, 3, StreamId(0), Ppid(8), true);
  run(seconds(1));
  ASSERT_EQ(rings->events.size(), 2u);
  EXPECT_EQ(rings->events[0].context, 1u);
  EXPECT_EQ(rings->events[0].reason(), Reason::invalid_stream);
  EXPECT_EQ(rings->events[1].context, 3u);
  EXPECT_EQ(rings->events[1].reason(), Reason::wrong_part);
}

TEST_P(RingsTest, ASendBehindAShutdownSaysThatTheAssociationIsClosed) {
  const AssocId association = connect();
  rings->events.clear();
  CommandRecord shutdown;
  shutdown.type = CommandType::shutdown;
  shutdown.association = association;
  rings->command(owner_of(association), shutdown);
  send(association, 1, StreamId(0), Ppid(7), true);
  run(seconds(1));
  ASSERT_EQ(rings->events.size(), 2u);
  EXPECT_EQ(rings->events[0].type, EventType::send_failed);
  EXPECT_EQ(rings->events[0].context, 1u);
  EXPECT_EQ(rings->events[0].reason(), Reason::closed);
  EXPECT_EQ(rings->given_back.size(), 1u);
}

// Far more than the send buffer holds: what finds it full is parked and goes on by itself, in order.
TEST_P(RingsTest, SendsBeyondTheSendBufferAreParkedAndArriveInOrder) {
  const AssocId association = connect();
  inline_reads = false;
  send_300(association);
  run(seconds(2));
  EXPECT_GT(b->counter("worker.parked_sends"), 100u);
  inline_reads = true;
  run(seconds(60));
  ASSERT_EQ(received.size(), 300'000u);
  for (std::size_t i = 0; i < received.size(); ++i)
    ASSERT_EQ(std::to_integer<std::uint32_t>(received[i]), i / 1000 % 251) << "at byte " << i;
  EXPECT_EQ(rings->arena().out(), 0u);
}

// §11.1.5: what was not sent in time comes back, also what was parked, and is not sent later.
TEST_P(RingsTest, MessagesThatAreTooOldComeBack) {
  const AssocId association = connect();
  inline_reads = false;
  lifetime = seconds(1);
  send_300(association);
  run(seconds(5));
  std::size_t expired = 0;
  for (const Event& event : rings->events)
    expired += event.type == EventType::send_failed && event.reason() == Reason::expired;
  EXPECT_GT(expired, 200u);
  inline_reads = true;
  run(seconds(60));
  EXPECT_EQ(received.size(), (300 - expired) * 1000);
  EXPECT_EQ(rings->arena().out(), 0u);
}

TEST_P(RingsTest, MessagesFromThePeerAreLentAndComeBack) {
  connect();
  for (const Event& event : inline_events) {
    if (event.type != EventType::association_up) continue;
    const std::vector<std::byte> bytes(500, std::byte{7});
    for (int i = 0; i < 20; ++i) EXPECT_EQ(a->send(event.association, bytes), assoc::SendStatus::queued);
    break;
  }
  run(seconds(20));
  std::size_t messages = 0;
  for (const Event& event : rings->events) messages += event.type == EventType::message;
  EXPECT_EQ(messages, 20u);
  EXPECT_EQ(b->buffers_out(), 0u);
}

TEST_P(RingsTest, StatusAndListingsComeIntoABlockOfTheArena) {
  const AssocId association = connect();
  struct Room {
    std::byte bytes[sizeof(assoc::Snapshot) * 2];
  };
  CommandRecord status = rings->with_block(CommandType::status, Room{});
  status.association = association;
  rings->command(owner_of(association), status);
  CommandRecord listing = rings->with_block(CommandType::snapshot, Room{});
  listing.value = 10;
  rings->command(owner_of(association), listing);
  run(seconds(1));
  for (const CommandRecord& asked : {status, listing}) {
    const EventRecord reply = rings->reply_to(asked.request);
    EXPECT_EQ(reply.error, static_cast<std::uint16_t>(CommandStatus::done));
    ASSERT_EQ(reply.length, sizeof(assoc::Snapshot));
    assoc::Snapshot snapshot;
    std::memcpy(&snapshot, rings->arena().memory().data() + rings->arena().layout().offset(asked.block),
                sizeof snapshot);
    EXPECT_EQ(snapshot.id, association);
    EXPECT_EQ(snapshot.state, assoc::State::established);
    EXPECT_EQ(snapshot.peer_port, 5000);
  }
}

TEST_P(RingsTest, WhatIsOutOfRangeIsRefusedAndCounted) {
  connect();
  CommandRecord bad;
  bad.type = static_cast<CommandType>(99);
  bad.request = 1001;
  rings->command(0, bad);
  bad.type = CommandType::open_endpoint;
  bad.block = 1 << 30;
  bad.length = sizeof(OpenEndpointArguments);
  bad.request = 1002;
  rings->command(0, bad);
  OpenEndpointArguments foreign;
  foreign.addresses = {IpAddress::v4(0x01020304)};
  const CommandRecord not_ours = rings->with_block(CommandType::open_endpoint, foreign);
  rings->command(0, not_ours);
  OpenEndpointArguments reckless;
  reckless.has_parameters = true;
  reckless.parameters.rto_alpha_shift = 200;
  const CommandRecord out_of_range = rings->with_block(CommandType::open_endpoint, reckless);
  rings->command(0, out_of_range);
  run(seconds(1));
  EXPECT_EQ(rings->reply_to(1001).error, static_cast<std::uint16_t>(CommandStatus::bad_record));
  EXPECT_EQ(rings->reply_to(1002).error, static_cast<std::uint16_t>(CommandStatus::bad_record));
  EXPECT_EQ(rings->reply_to(not_ours.request).error, static_cast<std::uint16_t>(CommandStatus::bad_arguments));
  EXPECT_EQ(rings->reply_to(out_of_range.request).error, static_cast<std::uint16_t>(CommandStatus::bad_arguments));
  EXPECT_EQ(b->counter("channel.bad_commands"), 2u);
}

TEST_P(RingsTest, TwoEndpointsCannotHaveOnePort) {
  OpenEndpointArguments arguments;
  arguments.port = 6000;
  arguments.listen = true;
  const CommandRecord first = rings->with_block(CommandType::open_endpoint, arguments);
  rings->command(0, first);
  const CommandRecord second = rings->with_block(CommandType::open_endpoint, arguments);
  rings->command(static_cast<std::uint16_t>(rings->workers() - 1), second);
  run(seconds(1));
  const std::uint16_t one = rings->reply_to(first.request).error, other = rings->reply_to(second.request).error;
  EXPECT_NE(one == 0, other == 0);
  EXPECT_EQ(one + other, static_cast<std::uint16_t>(CommandStatus::port_in_use));
}

TEST_P(RingsTest, AnApplicationThatLeavesTakesItsAssociationsAlong) {
  connect();
  EXPECT_EQ(b->associations(), 1u);
  leave();
  EXPECT_EQ(b->associations(), 0u);
  bool lost = false;
  for (const Event& event : inline_events)
    lost |= event.type == EventType::association_lost && event.reason() == Reason::peer_abort;
  EXPECT_TRUE(lost);
}

TEST_P(RingsTest, AnApplicationMayLeaveWithWhatWasGivenBackToIt) {
  connect();
  send(AssocId(12345), 1, StreamId(0), Ppid(7), true);
  for (int turn = 0; turn < 10; ++turn) b->group().poll_all();
  ASSERT_TRUE(rings->has_events());
  rings->close();
  for (int turn = 0; turn < 1000 && !rings->detached(); ++turn) {
    b->group().poll_all();
    clock.advance_to(clock.now() + std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(rings->detached());
}

TEST_P(RingsTest, NobodyConnectsOnAnEndpointOfAnother) {
  connect();
  rings->events.clear();
  RingsClient other(b->group(), {});
  ConnectArguments to;
  to.peers = {a->v4()};
  to.port = 5000;
  CommandRecord record = other.with_block(CommandType::connect, to);
  record.endpoint = endpoint;
  record.context = 66;
  other.command(0, record);
  run(seconds(1));
  other.take();
  ASSERT_EQ(other.events.size(), 1u);
  EXPECT_EQ(other.events[0].type, EventType::connect_failed);
  EXPECT_EQ(other.events[0].context, 66u);
  EXPECT_TRUE(rings->events.empty());
  other.close();
  run(seconds(1));
  EXPECT_TRUE(other.detached());
}

// Its request comes to the control worker when that has let it go.
TEST_P(RingsTest, NoEndpointOpensForAnApplicationThatLeft) {
  RingsClient other(b->group(), {});
  OpenEndpointArguments listen;
  listen.port = 7000;
  listen.listen = true;
  other.command(static_cast<std::uint16_t>(other.workers() - 1), other.with_block(CommandType::open_endpoint, listen));
  other.close();
  run(seconds(1));
  ASSERT_TRUE(other.detached());
  rings->command(0, rings->with_block(CommandType::open_endpoint, listen));
  run(seconds(1));
  EXPECT_EQ(rings->reply_to(rings->requests).error, static_cast<std::uint16_t>(CommandStatus::done));
}

TEST_P(RingsTest, ClosingAnEndpointAbortsItsAssociationsAndFreesItsPort) {
  const AssocId association = connect();
  CommandRecord close;
  close.type = CommandType::close_endpoint;
  close.endpoint = endpoint;
  close.request = 2001;
  rings->command(0, close);
  run(seconds(5));
  EXPECT_EQ(rings->reply_to(2001).error, static_cast<std::uint16_t>(CommandStatus::done));
  bool lost = false;
  for (const Event& event : rings->events)
    lost |= event.type == EventType::association_lost && event.association == association;
  EXPECT_TRUE(lost);
  EXPECT_EQ(b->associations(), 0u);
}

// All that may be lent is held, and more failures are to be told than the ring takes.
TEST_P(RingsTest, AnAssociationEndsThoughNothingMoreMayBeLent) {
  const AssocId association = connect_and_keep_all();
  inline_reads = false;
  wire.set_link(a->port_number(), false);
  for (std::uint32_t i = 0; i < 40; ++i) send(association, i, StreamId(0), Ppid(7), true);
  CommandRecord close;
  close.type = CommandType::close_endpoint;
  close.endpoint = endpoint;
  close.request = 2001;
  rings->command(0, close);
  run(seconds(5));
  EXPECT_EQ(rings->reply_to(2001).error, static_cast<std::uint16_t>(CommandStatus::done));
  const auto count = [&](EventType type) {
    return std::count_if(rings->events.begin(), rings->events.end(),
                         [&](const Event& event) { return event.type == type && event.association == association; });
  };
  EXPECT_EQ(count(EventType::message), 1);
  EXPECT_EQ(count(EventType::send_failed), 40);
  EXPECT_EQ(count(EventType::association_lost), 1);
}

// The ring is full when it comes up, and nothing is given back later.
TEST_P(RingsTest, AnAssociationComesUpThoughNothingMoreMayBeLent) {
  connect_and_keep_all();
  const auto ups = [&] {
    return std::count_if(rings->events.begin(), rings->events.end(),
                         [](const Event& event) { return event.type == EventType::association_up; });
  };
  ConnectArguments to;
  to.peers = {a->v4()};
  to.port = 5000;
  CommandRecord record = rings->with_block(CommandType::connect, to);
  record.endpoint = endpoint;
  rings->command(0, record);
  for (std::uint16_t i = 0; i < b->workers(); ++i)
    for (std::uint32_t k = 0; k < 16; ++k) send(encode({endpoint::WorkerId(i), 999, 1}), k, StreamId(0), Ppid(7), true);
  sim::run_pair(clock, wire, *a, *b, clock.now() + seconds(1), Duration(50'000), [this] { return take_inline(16); });
  ASSERT_EQ(b->associations(), 2u);
  ASSERT_EQ(ups(), 1);
  run(seconds(1));
  EXPECT_EQ(ups(), 2);
}

INSTANTIATE_TEST_SUITE_P(Workers, RingsTest, testing::Values(1, 3));

}  // namespace
}  // namespace sluice::worker
