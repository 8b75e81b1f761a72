// Messages in: queues, limits, parts, the events that say what became of them.

#include "stack/assoc/tx/round_robin_scheduler.hpp"
#include "tests/unit/assoc/tx_fixture.hpp"

namespace sluice::assoc {
namespace {

class SendTest : public SenderTest {};

TEST_F(SendTest, MessageLeavesWholeWithItsStreamAndPpid) {
  start();
  EXPECT_EQ(send("hello", 4), SendStatus::queued);
  const SentPacket packet = flat(flush());
  ASSERT_EQ(packet.size(), 1u);
  const SentData& chunk = packet[0];
  EXPECT_EQ(chunk.tsn, Tsn(1000));
  EXPECT_EQ(chunk.stream, StreamId(4));
  EXPECT_EQ(chunk.ssn, Ssn(0));
  EXPECT_EQ(chunk.ppid, Ppid(51));
  EXPECT_TRUE(chunk.begin && chunk.end);
  EXPECT_FALSE(chunk.unordered);
  EXPECT_EQ(chunk.text, "hello");
}

TEST_F(SendTest, SsnCountsPerStreamAndLeavesUnorderedOut) {
  start();
  send("a", 1);
  send("b", 2);
  send("c", 1);
  SendRequest loose = request("d", 1);
  loose.unordered = true;
  sender->send(std::move(loose));
  send("e", 1);
  const SentPacket sent = flat(flush());
  ASSERT_EQ(sent.size(), 5u);
  EXPECT_EQ(sent[0].ssn, Ssn(0));
  EXPECT_EQ(sent[1].ssn, Ssn(0));
  EXPECT_EQ(sent[2].ssn, Ssn(1));
  EXPECT_TRUE(sent[3].unordered);
  EXPECT_EQ(sent[4].ssn, Ssn(2));
}

TEST_F(SendTest, SsnWrapsToZero) {
  parameters.send_buffer = 1 << 30;
  start();
  for (std::uint32_t i = 0; i < 65537; ++i) {
    send("x");
    const SentPacket sent = flat(flush());
    ASSERT_EQ(sent.size(), 1u);
    ASSERT_EQ(sent[0].ssn, Ssn(static_cast<std::uint16_t>(i)));
    sack({.cumulative = sent[0].tsn.value()});
  }
}

TEST_F(SendTest, StreamsNotGrantedAreRefused) {
  start();
  EXPECT_EQ(send("x", 9), SendStatus::queued);
  EXPECT_EQ(send("x", 10), SendStatus::invalid_stream);
}

TEST_F(SendTest, MessagesQueuedBeforeTheStartLeaveAfterIt) {
  make();
  EXPECT_EQ(send("early"), SendStatus::queued);
  EXPECT_FALSE(sender->has_data_for(paths[0]));
  start();
  EXPECT_EQ(flat(flush()).at(0).text, "early");
}

TEST_F(SendTest, MessagesQueuedForStreamsThatWereNotGrantedFail) {
  make();
  send("one", 0);
  send_with_context("two", 22, 8);
  send("three", 1);
  handshake.outbound_streams = 4;
  start();
  const SentPacket sent = flat(flush());
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[1].text, "three");
  ASSERT_EQ(host.count(EventType::send_failed), 1u);
  EXPECT_EQ(host.events[0].context, 22u);
  EXPECT_EQ(host.events[0].reason(), Reason::invalid_stream);
}

TEST_F(SendTest, All65535StreamsCanBeUsed) {
  parameters.send_buffer = 1 << 30;
  parameters.outbound_streams = 65535;
  handshake.outbound_streams = 65535;
  start();
  open_cwnd(paths[0], 100000);
  paths[0].congestion->on_acked(now, {});
  for (std::uint32_t i = 0; i < 65535; ++i) ASSERT_EQ(send("x", static_cast<std::uint16_t>(i)), SendStatus::queued);
  const SentPacket sent = flat(flush());
  ASSERT_EQ(sent.size(), 65535u);
  for (std::uint32_t i = 0; i < 65535; ++i) ASSERT_EQ(sent[i].stream.value, i);
  EXPECT_EQ(pools->outbound_streams.out(), 65535u);
}

TEST_F(SendTest, UnusedStreamsCostNothing) {
  handshake.outbound_streams = 65535;
  start();
  EXPECT_EQ(pools->outbound_streams.out() + pools->stream_pages.out() + pools->sent_segments.out(), 0u);
  send("x");
  EXPECT_EQ(pools->outbound_streams.out(), 1u);
  EXPECT_EQ(pools->stream_pages.out(), 0u);
}

TEST_F(SendTest, NothingIsHeldForDataOnceItIsAcked) {
  start();
  send("x");
  flush();
  EXPECT_EQ(pools->sent_segments.out(), 1u);
  EXPECT_EQ(buffers.out(), 1u);
  sack({.cumulative = 1000});
  EXPECT_EQ(pools->sent_segments.out(), 0u);
  EXPECT_EQ(buffers.out(), 0u);
  EXPECT_TRUE(sender->drained());
  EXPECT_EQ(sender->buffered_bytes(), 0u);
}

TEST_F(SendTest, FirstComeFirstServedKeepsTheOrderAcrossStreams) {
  start();
  const std::uint16_t streams[] = {3, 1, 3, 2, 1};
  for (const std::uint16_t stream : streams) send("m", stream);
  const SentPacket sent = flat(flush());
  ASSERT_EQ(sent.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(sent[i].stream.value, streams[i]);
}

TEST_F(SendTest, RoundRobinTakesTurns) {
  RoundRobinScheduler round_robin;
  start();
  sender->set_scheduler(round_robin);
  for (int i = 0; i < 3; ++i) send("m", 1);
  for (int i = 0; i < 2; ++i) send("m", 2);
  send("m", 3);
  const SentPacket sent = flat(flush());
  std::string order;
  for (const SentData& chunk : sent) order += std::to_string(chunk.stream.value);
  EXPECT_EQ(order, "123121");
  send("m", 3);
  EXPECT_EQ(flat(flush()).size(), 1u) << "a stream that ran empty comes back";
  sender.reset();
}

TEST_F(SendTest, RoundRobinDoesNotMixTheFragmentsOfMessages) {
  RoundRobinScheduler round_robin;
  start();
  open_cwnd(paths[0]);
  sender->set_scheduler(round_robin);
  send_bytes(4000, 1);
  send_bytes(4000, 2);
  const SentPacket sent = flat(flush());
  std::size_t changes = 0;
  for (std::size_t i = 1; i < sent.size(); ++i) changes += sent[i].stream != sent[i - 1].stream ? 1 : 0;
  EXPECT_EQ(changes, 1u);
  sender.reset();
}

TEST_F(SendTest, FullBufferBlocksAndAQuarterFreeSaysWritable) {
  parameters.send_buffer = 4000;
  start();
  open_cwnd(paths[0]);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(send_bytes(1000 - Sender::kPartOverhead), SendStatus::queued);
  SendRequest refused = request("more");
  EXPECT_EQ(sender->send(std::move(refused)), SendStatus::would_block);
  EXPECT_EQ(to_string(refused.payload.bytes()), "more") << "nothing was taken";
  refused.payload.reset();
  flush();
  EXPECT_EQ(host.count(EventType::writable), 0u);
  sack({.cumulative = 1000});
  EXPECT_EQ(host.count(EventType::writable), 1u);
  sack({.cumulative = 1001});
  EXPECT_EQ(host.count(EventType::writable), 1u) << "only after a send that would have blocked";
}

TEST_F(SendTest, MessageLargerThanTheBufferIsTakenWhole) {
  parameters.send_buffer = 4000;
  start();
  EXPECT_EQ(send_bytes(100000), SendStatus::queued);
  EXPECT_EQ(send("x"), SendStatus::would_block);
}

TEST_F(SendTest, WritableWaitsUntilTheApplicationHasRoom) {
  parameters.send_buffer = 1000;
  start();
  send_bytes(1000);
  EXPECT_EQ(send("x"), SendStatus::would_block);
  flush();
  host.room = 0;
  sack({.cumulative = 1000});
  EXPECT_TRUE(sender->delivery_waiting());
  EXPECT_FALSE(sender->resume_delivery(now));
  host.room = 1;
  EXPECT_TRUE(sender->resume_delivery(now));
  EXPECT_EQ(host.count(EventType::writable), 1u);
}

TEST_F(SendTest, EmptyPoolBlocksAndRoomInItSaysWritable) {
  limits.message_parts = 8;
  start();
  Sender other(*services, parameters, AssocId(8), EndpointId(3));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(send("x"), SendStatus::queued);
  EXPECT_EQ(other.send(request("y")), SendStatus::would_block);
  flush();
  sack({.cumulative = 1007});
  ASSERT_EQ(host.count(EventType::writable), 1u);
  EXPECT_EQ(host.events.back().association, AssocId(8));
  EXPECT_EQ(other.send(request("y")), SendStatus::queued);
}

TEST_F(SendTest, RoomInOnePoolDoesNotWakeThoseThatWaitForAnother) {
  limits.outbound_streams = 1;
  start();
  Sender other(*services, parameters, AssocId(8), EndpointId(3));
  EXPECT_EQ(send("x"), SendStatus::queued);
  EXPECT_EQ(other.send(request("y")), SendStatus::would_block);
  flush();
  sack({.cumulative = 1000});
  EXPECT_EQ(host.count(EventType::writable), 0u);
  sender.reset();
  EXPECT_EQ(host.count(EventType::writable), 1u);
  EXPECT_EQ(other.send(request("y")), SendStatus::queued);
}

TEST_F(SendTest, SenderThatWaitsForAPoolMayGo) {
  limits.message_parts = 1;
  start();
  send("x");
  {
    Sender other(*services, parameters, AssocId(8), EndpointId(3));
    EXPECT_EQ(other.send(request("y")), SendStatus::would_block);
  }
  flush();
  sack({.cumulative = 1000});
  EXPECT_EQ(host.count(EventType::writable), 0u);
}

TEST_F(SendTest, PartsAreOneMessage) {
  start();
  EXPECT_EQ(send_part("one ", false), SendStatus::queued);
  EXPECT_EQ(send_part("two ", false), SendStatus::queued);
  SentPacket sent = flat(flush());
  EXPECT_EQ(send_part("three", true), SendStatus::queued);
  EXPECT_EQ(send("next"), SendStatus::queued);
  const SentPacket rest = flat(flush());
  sent.insert(sent.end(), rest.begin(), rest.end());
  ASSERT_EQ(sent.size(), 4u);
  EXPECT_TRUE(sent[0].begin && !sent[0].end);
  EXPECT_TRUE(!sent[1].begin && !sent[1].end);
  EXPECT_TRUE(!sent[2].begin && sent[2].end);
  EXPECT_EQ(sent[2].ssn, Ssn(0));
  EXPECT_TRUE(sent[3].begin && sent[3].end);
  EXPECT_EQ(sent[3].ssn, Ssn(1));
  EXPECT_EQ(counters.messages_fragmented, 1u);
}

TEST_F(SendTest, NothingCutsIntoAMessageThatWaitsForItsNextPart) {
  start();
  send_part("begun ", false, 1);
  send("other", 2);
  EXPECT_EQ(flat(flush()).size(), 1u);
  EXPECT_FALSE(sender->has_data_for(paths[0]));
  send_part("ended", true, 1);
  const SentPacket sent = flat(flush());
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].text, "ended");
  EXPECT_EQ(sent[1].text, "other");
}

TEST_F(SendTest, PartThatDoesNotContinueItsMessageIsRefused) {
  start();
  send_part("begun", false);
  SendRequest other = request("x");
  other.ppid = Ppid(52);
  EXPECT_EQ(sender->send(std::move(other)), SendStatus::wrong_part);
  SendRequest loose = request("x");
  loose.unordered = true;
  EXPECT_EQ(sender->send(std::move(loose)), SendStatus::wrong_part);
  EXPECT_EQ(send_part("end", true), SendStatus::queued);
  other.payload.reset();
  loose.payload.reset();
}

TEST_F(SendTest, MessageWithoutAByteIsRefused) {
  start();
  EXPECT_EQ(send(""), SendStatus::wrong_part);
  EXPECT_EQ(sender->send({}), SendStatus::wrong_part);
  EXPECT_TRUE(sender->drained());
}

TEST_F(SendTest, PartThatAllElseWaitsForIsTakenIntoAFullBuffer) {
  parameters.send_buffer = 1000;
  start();
  open_cwnd(paths[0]);
  send_part("begun", false, 1);
  flush();
  send_bytes(2000, 2);
  EXPECT_EQ(send("x", 2), SendStatus::would_block);
  EXPECT_EQ(send_part("more", false, 1), SendStatus::queued);
  EXPECT_EQ(send_part("more", false, 1), SendStatus::would_block) << "now another one is there";
  flush();
  EXPECT_EQ(host.count(EventType::writable), 1u) << "the message under way waits for its next part";
  EXPECT_EQ(send_part("end", true, 1), SendStatus::queued);
  EXPECT_EQ(flat(flush()).back().stream, StreamId(2));
}

TEST_F(SendTest, LargeMessageInPartsPassesASmallBuffer) {
  parameters.send_buffer = 256 << 10;
  parameters.max_burst = 0;
  start();
  open_cwnd(paths[0]);
  constexpr std::size_t kSize = 16 << 20;
  constexpr std::size_t kPart = 60000;
  std::size_t given = 0, received = 0;
  for (int turn = 0; turn < 100000 && received < kSize; ++turn) {
    while (given < kSize) {
      const std::size_t n = std::min(kPart, kSize - given);
      const SendStatus status = send_part(std::string(n, static_cast<char>('a' + given % 26)), given + n == kSize);
      if (status == SendStatus::would_block) break;
      ASSERT_EQ(status, SendStatus::queued);
      given += n;
    }
    ASSERT_LE(sender->buffered_bytes(), parameters.send_buffer + kPart);
    Tsn last = sender->cumulative_tsn();
    for (const SentData& chunk : flat(flush())) {
      EXPECT_EQ(chunk.begin, received == 0);
      received += chunk.text.size();
      EXPECT_EQ(chunk.end, received == kSize);
      last = chunk.tsn;
    }
    now += 1ms;
    sender->on_cumulative_ack(now, last, paths);
  }
  EXPECT_EQ(received, kSize);
  EXPECT_TRUE(sender->drained());
}

TEST_F(SendTest, FailAllReportsEachMessageOnceInOrder) {
  start();
  send_with_context("acked", 1);
  send_with_context("in flight", 2);
  flush();
  sack({.cumulative = 1000});
  send_part("part", false, 3, 3);
  flush();
  send_part("part", false, 3, 4);
  send_part("part", true, 3, 5);
  send_with_context("queued", 6, 1);
  send_part("open", false, 2, 7);
  send_part("open", false, 2, 8);
  sender->fail_all(Reason::peer_abort);
  struct Given {
    std::uint64_t context;
    const char* text;
    bool end, sent;
  };
  const Given given_back[] = {
      {2, "in flight", true, true}, {3, "part", false, true},  {4, "part", false, false}, {5, "part", true, false},
      {6, "queued", true, false},   {7, "open", false, false}, {8, "open", false, false},
  };
  ASSERT_EQ(host.events.size(), std::size(given_back));
  for (std::size_t i = 0; i < std::size(given_back); ++i) {
    const Event& event = host.events[i];
    EXPECT_EQ(event.type, EventType::send_failed);
    EXPECT_EQ(event.context, given_back[i].context);
    EXPECT_EQ(host.texts[i], given_back[i].text);
    EXPECT_EQ(event.end, given_back[i].end) << i;
    EXPECT_EQ(event.sent, given_back[i].sent) << i;
    EXPECT_EQ(event.reason(), Reason::peer_abort);
    EXPECT_EQ(event.association, AssocId(7));
    EXPECT_EQ(event.endpoint, EndpointId(3));
  }
  EXPECT_EQ(sender->buffered_bytes(), 0u);
  EXPECT_EQ(buffers.out(), 0u);
}

TEST_F(SendTest, FailuresWaitUntilTheApplicationHasRoom) {
  start();
  for (std::uint64_t i = 0; i < 5; ++i) send_with_context("x", i);
  host.room = 2;
  sender->fail_all(Reason::closed);
  EXPECT_EQ(buffers.out(), 3u) << "those that wait";
  EXPECT_EQ(host.events.size(), 2u);
  EXPECT_FALSE(sender->resume_delivery(now));
  host.room = 10;
  EXPECT_TRUE(sender->resume_delivery(now));
  ASSERT_EQ(host.events.size(), 5u);
  EXPECT_EQ(host.events[4].context, 4u);
  EXPECT_EQ(buffers.out(), 0u);
}

TEST_F(SendTest, RestartReportsWhatWasUnderWayAndBeginsAnew) {
  start();
  send("acked");
  flush();
  sack({.cumulative = 1000});
  send_with_context("lost", 9);
  flush();
  handshake.local_initial_tsn = Tsn(5);
  start();
  ASSERT_EQ(host.count(EventType::send_failed), 1u);
  EXPECT_EQ(host.events[0].context, 9u);
  EXPECT_EQ(host.events[0].reason(), Reason::restarted);
  check_scoreboard();
  send("new");
  const SentPacket sent = flat(flush());
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].tsn, Tsn(5));
  EXPECT_EQ(sent[0].ssn, Ssn(0));
}

TEST_F(SendTest, RestOfAMessageThatARestartBrokeIsRefused) {
  start();
  send_part("begun", false);
  flush();
  start();
  EXPECT_EQ(send_part("middle", false), SendStatus::wrong_part);
  EXPECT_EQ(send_part("end", true), SendStatus::wrong_part);
  EXPECT_EQ(send("new message"), SendStatus::queued);
  EXPECT_EQ(flat(flush()).at(0).text, "new message");
}

TEST_F(SendTest, ItsEndEndsTheRefusalEvenOfAStreamThatIsGone) {
  handshake.outbound_streams = 5;
  start();
  send_part("begun", false, 4);
  flush();
  handshake.outbound_streams = 4;
  start();
  EXPECT_EQ(send_part("end", true, 4), SendStatus::wrong_part);
  EXPECT_EQ(send("no such stream", 4), SendStatus::invalid_stream);
  handshake.outbound_streams = 5;
  start();
  EXPECT_EQ(send("new message", 4), SendStatus::queued);
}

// Life times (§11.1.5).

TEST_F(SendTest, AMessageThatIsTooOldIsNotSent) {
  start();
  SendRequest old = request("too old");
  old.expires = now + 1s;
  old.context = 7;
  ASSERT_EQ(sender->send(std::move(old)), SendStatus::queued);
  ASSERT_EQ(send("fresh"), SendStatus::queued);
  now += 1s;
  EXPECT_TRUE(fill(paths[0]).empty()) << "not even by mistake";
  sender->drop_expired(now);
  ASSERT_EQ(host.count(EventType::send_failed), 1u);
  EXPECT_EQ(host.events[0].reason(), Reason::expired);
  EXPECT_EQ(host.events[0].context, 7u);
  EXPECT_FALSE(host.events[0].sent);
  EXPECT_EQ(flat(flush()).at(0).text, "fresh");
}

TEST_F(SendTest, WhatWasBegunInTimeIsFinished) {
  start();
  SendRequest large = request(std::string(3 * kFragment, 'x'));
  large.expires = now + 1s;
  ASSERT_EQ(sender->send(std::move(large)), SendStatus::queued);
  ASSERT_EQ(fill(paths[0]).size(), 1u);
  now += 2s;
  sender->drop_expired(now);
  EXPECT_EQ(sender->expiry_deadline(), kNever);
  EXPECT_EQ(host.count(EventType::send_failed), 0u);
  EXPECT_EQ(flat(flush()).size(), 2u);
}

TEST_F(SendTest, TheRestOfAMessageThatExpiredIsRefused) {
  start();
  SendRequest first = request("first part");
  first.end = false;
  first.expires = now + 1s;
  ASSERT_EQ(sender->send(std::move(first)), SendStatus::queued);
  now += 1s;
  sender->drop_expired(now);
  EXPECT_EQ(send_part("last part", true), SendStatus::wrong_part);
  EXPECT_EQ(send("another"), SendStatus::queued);
}

TEST_F(SendTest, WhoWasRefusedIsToldWhenWhatExpiredMadeRoom) {
  parameters.send_buffer = 10'000;
  handshake.peer_window = 0;
  start();
  for (SendStatus status = SendStatus::queued; status == SendStatus::queued;) {
    SendRequest one = request(std::string(1000, 'x'));
    one.expires = now + 1s;
    status = sender->send(std::move(one));
  }
  now += 1s;
  sender->drop_expired(now);
  EXPECT_EQ(host.count(EventType::writable), 1u);
}

}  // namespace
}  // namespace sluice::assoc
