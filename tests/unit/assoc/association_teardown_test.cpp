#include <gmock/gmock.h>

#include "tests/unit/assoc/scripted_peer.hpp"

namespace sluice::assoc {
namespace {

using ::testing::ElementsAre;

class AssociationTeardown : public ScriptedPeer {
 protected:
  /// Alone, under the peer's tag; and that was the end.
  void expect_shutdown_complete() {
    const auto packets = flush();
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].types(), Types{ChunkType::shutdown_complete});
    EXPECT_EQ(packets[0].header.tag, kPeerTag);
    EXPECT_FALSE(wire::ShutdownCompleteChunk::parse(packets[0].chunks[0])->tag_reflected);
    EXPECT_EQ(last_event().event.type, EventType::closed);
  }
  void inject_shutdown_ack() {
    inject([](wire::PacketWriter& packet) { wire::append_shutdown_ack(packet); });
  }
  void inject_shutdown_complete(VTag tag, bool reflected) {
    inject(tag, [=](wire::PacketWriter& packet) { wire::append_shutdown_complete(packet, reflected); });
  }
  void inject_abort(VTag tag, bool reflected) {
    inject(tag, [=](wire::PacketWriter& packet) { wire::append_abort(packet, reflected); });
  }
};

TEST_F(AssociationTeardown, ShutdownWaitsForAcknowledgementsAndThenLeaves) {
  go_shutdown_pending();
  expect_silence();
  EXPECT_EQ(send("late"), SendStatus::not_connected);
  EXPECT_FALSE(association().shutdown(now_));
  inject_sack(kOurTsn);
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::shutdown});
  EXPECT_EQ(wire::ShutdownChunk::parse(packets[0].chunks[0])->cumulative_tsn, kPeerTsn - 1);
  EXPECT_EQ(association().state(), State::shutdown_sent);
}

TEST_F(AssociationTeardown, IsShutDownByItselfWhenIdleForLongEnough) {
  side_.parameters.autoclose = 5s;
  go_established();
  now_ += 3s;
  send("a sign of life");
  flush();
  inject_sack(kOurTsn);
  now_ += 3s;
  inject_data(kPeerTsn, "another");
  flush();
  EXPECT_EQ(association().next_deadline(), now_ + 5s);
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown});
}

TEST_F(AssociationTeardown, IsNotShutDownByItselfWhileThePeerOwesAnAcknowledgement) {
  side_.parameters.autoclose = 500ms;
  go_established();
  send("not acknowledged");
  flush();
  expire();
  EXPECT_EQ(association().state(), State::established);
  inject_sack(kOurTsn);
  expire();
  EXPECT_EQ(association().state(), State::shutdown_sent);
}

TEST_F(AssociationTeardown, ShutdownAckIsAnsweredWithShutdownCompleteAlone) {
  go_shutdown_sent();
  inject_shutdown_ack();
  expect_shutdown_complete();
  EXPECT_TRUE(association().finished());
  EXPECT_EQ(association().next_deadline(), kNever);
  EXPECT_EQ(counters().shutdowns, 1u);
}

TEST_F(AssociationTeardown, PeersShutdownIsAnsweredWhenOurDataIsAcknowledged) {
  go_shutdown_received();
  EXPECT_EQ(host().seen(EventType::shutdown_received).size(), 1u);
  EXPECT_EQ(send("late"), SendStatus::not_connected);
  EXPECT_FALSE(association().shutdown(now_));
  expect_silence();
  inject_shutdown(kOurTsn);  // its cumulative TSN acknowledges as well
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown_ack});
  EXPECT_EQ(association().state(), State::shutdown_ack_sent);
  EXPECT_EQ(host().seen(EventType::shutdown_received).size(), 1u);
  inject_shutdown_complete(kOurTag, false);
  EXPECT_EQ(last_event().event.type, EventType::closed);
}

TEST_F(AssociationTeardown, QueuedDataStillLeavesInShutdownReceived) {
  go_established();
  send("queued");
  inject_shutdown(kOurTsn - 1);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::data});
  EXPECT_EQ(association().state(), State::shutdown_received);
}

TEST_F(AssociationTeardown, DataStillGoesAgainInShutdownReceived) {
  go_shutdown_received();
  for (int i = 0; i < 3; ++i) {
    expire();
    const auto packets = flush();
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].types(), Types{ChunkType::data});
    EXPECT_EQ(wire::DataChunk::parse(packets[0].chunks[0])->tsn(), kOurTsn);
  }
  inject_data(kPeerTsn, "too late");  // neither delivered nor answered (§6)
  expect_silence();
  EXPECT_TRUE(host().seen(EventType::message).empty());
  inject_sack(kOurTsn);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown_ack});
}

TEST_F(AssociationTeardown, ShutdownThatAcknowledgesWhatWasNeverSentIsAborted) {
  go_established();
  inject_shutdown(kOurTsn + 5);
  EXPECT_THAT(causes(flush().at(0)), ElementsAre(CauseCode::protocol_violation));
}

TEST_F(AssociationTeardown, ShutdownIsRepeatedUpToTheLimitWithTheTsnThen) {
  side_.parameters.association_max_retransmissions = 2;
  go_shutdown_sent();
  const std::uint64_t before = counters().control_chunks_sent;
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown});
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown});
  EXPECT_EQ(counters().control_chunks_sent, before) << "retransmissions do not count";
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::abort});
  EXPECT_EQ(only(EventType::association_lost).reason(), Reason::retransmissions);
  EXPECT_EQ(counters().t2_expired, 3u);
}

TEST_F(AssociationTeardown, ShutdownAckIsRepeatedUpToTheLimit) {
  side_.parameters.association_max_retransmissions = 1;
  go_shutdown_ack_sent();
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown_ack});
  expire();
  EXPECT_EQ(only(EventType::association_lost).reason(), Reason::retransmissions);
}

TEST_F(AssociationTeardown, DataInShutdownSentIsAnsweredWithShutdownAtOnceAndProlongsIt) {
  side_.parameters.association_max_retransmissions = 1;
  go_shutdown_sent();
  for (std::uint32_t i = 0; i < 5; ++i) {
    expire();
    flush();
    inject_data(kPeerTsn + i, "still");
    const auto packets = flush();
    ASSERT_EQ(packets.size(), 1u);
    const wire::Chunk* const shutdown = packets[0].find(ChunkType::shutdown);
    ASSERT_NE(shutdown, nullptr);
    EXPECT_EQ(wire::ShutdownChunk::parse(*shutdown)->cumulative_tsn, kPeerTsn + i);
  }
  EXPECT_EQ(association().state(), State::shutdown_sent);
}

// The peer should have begun with SSN 0 (§6.5). That is no reason not to acknowledge it (§6.2).
TEST_F(AssociationTeardown, DataInShutdownSentWithAnSsnTooHighIsAcknowledgedAndHeld) {
  go_shutdown_sent();
  inject([](wire::PacketWriter& packet) {
    const wire::DataHeader header{.tsn = kPeerTsn,
                                  .stream = StreamId(),
                                  .ssn = Ssn(1),
                                  .ppid = Ppid(),
                                  .flags = std::uint8_t{wire::kDataBegin | wire::kDataEnd}};
    *wire::append_data(packet, header, 1) = std::byte{'x'};
  });
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  const wire::Chunk* const shutdown = packets[0].find(ChunkType::shutdown);
  ASSERT_NE(shutdown, nullptr);
  EXPECT_EQ(wire::ShutdownChunk::parse(*shutdown)->cumulative_tsn, kPeerTsn);
  EXPECT_EQ(association().state(), State::shutdown_sent);
  EXPECT_TRUE(host().seen(EventType::message).empty());
}

TEST_F(AssociationTeardown, AnyPacketInShutdownSentProlongsIt) {
  go_shutdown_sent();
  const Timestamp due = association().next_deadline();
  now_ += 100ms;
  inject_sack(kOurTsn - 1);
  expect_silence();
  EXPECT_EQ(association().next_deadline(), due + 100ms);
}

// Found by the simulation: beside the HEARTBEATs of three paths the timer never expired.
TEST_F(AssociationTeardown, HeartbeatsDoNotKeepALostShutdownFromGoingAgain) {
  go_shutdown_sent();
  for (int i = 0; i < 30; ++i) {
    const Timestamp due = association().next_deadline();
    now_ += 100ms;
    inject([](wire::PacketWriter& packet) { wire::append_heartbeat(packet, std::as_bytes(std::span("beat!", 5))); });
    EXPECT_EQ(flush().at(0).types(), (Types{ChunkType::heartbeat_ack, ChunkType::shutdown}));
    EXPECT_EQ(association().next_deadline(), due + 100ms);
  }
  EXPECT_EQ(counters().t2_expired, 0u);
}

TEST_F(AssociationTeardown, GapsInShutdownSentAreToldByASack) {
  go_shutdown_sent();
  inject_data(kPeerTsn + 1, "beyond a gap");
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  ASSERT_NE(packets[0].find(ChunkType::sack), nullptr);
  EXPECT_EQ(wire::SackChunk::parse(*packets[0].find(ChunkType::sack))->gap_count(), 1u);
  EXPECT_NE(packets[0].find(ChunkType::shutdown), nullptr);
}

TEST_F(AssociationTeardown, GuardTimerBoundsTheShutdown) {
  side_.parameters.rto_max = 2s;
  side_.parameters.association_max_retransmissions = 100;
  go_shutdown_sent();
  const Timestamp begin = now_;
  while (association().state() != State::closed) {
    expire();
    association().flush(now_);
  }
  EXPECT_EQ(now_ - begin, 10s);
  const auto packets = sent();
  EXPECT_EQ(packets.back().types(), Types{ChunkType::abort});
  EXPECT_EQ(only(EventType::association_lost).reason(), Reason::retransmissions);
}

TEST_F(AssociationTeardown, ShutdownWaitsForTheEndOfAMessageSentInParts) {
  go_established();
  EXPECT_EQ(send_part("begun", false, StreamId(3)), SendStatus::queued);
  EXPECT_EQ(send("queued behind", StreamId(4)), SendStatus::queued);
  flush();
  EXPECT_TRUE(association().shutdown(now_));
  inject_sack(kOurTsn);
  expect_silence();
  EXPECT_EQ(association().state(), State::shutdown_pending);
  EXPECT_EQ(send("new", StreamId(4)), SendStatus::not_connected);
  EXPECT_EQ(send_part("ended", true, StreamId(3)), SendStatus::queued);
  EXPECT_EQ(send("new", StreamId(3)), SendStatus::not_connected);
  EXPECT_EQ(flush().at(0).types(), (Types{ChunkType::data, ChunkType::data}));
  inject_sack(kOurTsn + 2);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown});
}

TEST_F(AssociationTeardown, NoMessageIsCutOffByAShutdown) {
  go_established();
  send_part("begun", false);
  flush();
  inject_sack(kOurTsn);
  EXPECT_TRUE(association().shutdown(now_));
  expect_silence();
  EXPECT_EQ(association().state(), State::shutdown_pending);
  send_part("ended", true);
  flush();
  inject_sack(kOurTsn + 1);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown});
}

TEST_F(AssociationTeardown, PeersShutdownWaitsForTheEndOfAMessageSentInParts) {
  go_established();
  send_part("begun", false);
  flush();
  inject_shutdown(kOurTsn);
  expect_silence();
  EXPECT_EQ(association().state(), State::shutdown_received);
  EXPECT_EQ(send_part("ended", true), SendStatus::queued);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::data});
  inject_shutdown(kOurTsn + 1);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown_ack});
}

TEST_F(AssociationTeardown, GuardTimerBoundsTheWaitForAPart) {
  for (const bool peers : {false, true}) {
    SCOPED_TRACE(peers);
    host().events.clear();
    go_established();
    send_part("begun", false);
    flush();
    inject_sack(kOurTsn);
    if (peers)
      inject_shutdown(kOurTsn);
    else
      association().shutdown(now_);
    EXPECT_EQ(association().next_deadline(), now_ + 5 * side_.parameters.rto_max);
    expire();
    EXPECT_THAT(causes(flush().at(0)), ElementsAre(CauseCode::user_initiated_abort));
    EXPECT_EQ(only(EventType::association_lost).reason(), Reason::local_abort);
  }
}

TEST_F(AssociationTeardown, GuardTimerRunsOnlyWhileTheApplicationIsAwaited) {
  go_established();
  send_part("begun", false);
  flush();
  inject_sack(kOurTsn);
  association().shutdown(now_);
  now_ += 4 * side_.parameters.rto_max;
  send_part("more", false);
  flush();
  EXPECT_LT(association().next_deadline(), now_ + 2s);  // T3-rtx alone
  inject_sack(kOurTsn + 1);
  EXPECT_EQ(association().next_deadline(), now_ + 5 * side_.parameters.rto_max);
  send_part("ended", true);
  flush();
  inject_sack(kOurTsn + 2);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown});
}

TEST_F(AssociationTeardown, MessageBegunBeforeItWasUpIsEndedBeforeTheShutdown) {
  go_cookie_echoed();
  send_part("begun", false);
  association().shutdown(now_);
  EXPECT_EQ(send("new", StreamId(2)), SendStatus::not_connected);
  EXPECT_EQ(send_part("ended", true), SendStatus::queued);
  inject([](wire::PacketWriter& packet) { wire::append_cookie_ack(packet); });
  EXPECT_EQ(flush().at(0).types(), (Types{ChunkType::data, ChunkType::data}));
  inject_sack(kOurTsn + 1);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown});
}

TEST_F(AssociationTeardown, BothSidesMayShutDownAtOnce) {
  go_shutdown_sent();
  inject_shutdown(kOurTsn - 1);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown_ack});
  EXPECT_EQ(association().state(), State::shutdown_ack_sent);
  inject_shutdown_ack();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown_complete});
  EXPECT_EQ(last_event().event.type, EventType::closed);
}

TEST_F(AssociationTeardown, ShutdownWhileSettingUpIsDropped) {
  for (const State state : {State::cookie_wait, State::cookie_echoed}) {
    go(state);
    inject_shutdown(kOurTsn - 1);
    expect_silence();
    EXPECT_EQ(association().state(), state);
  }
}

TEST_F(AssociationTeardown, DelayedSackIsNotAwaitedOnceShutdownAckWasSent) {
  go_established();
  inject_data(kPeerTsn, "acknowledged at once");
  flush();
  inject_data(kPeerTsn + 1, "acknowledged later");
  inject_shutdown(kOurTsn - 1);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown_ack});
  now_ += 2 * side_.parameters.sack_delay;
  expect_silence();
  EXPECT_GT(association().next_deadline(), now_);
}

TEST_F(AssociationTeardown, ShutdownInShutdownPendingIsFollowed) {
  go_shutdown_pending();
  inject_shutdown(kOurTsn);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown_ack});
}

TEST_F(AssociationTeardown, RepeatedShutdownAndInitBringShutdownAckAgain) {
  go_shutdown_ack_sent();
  inject_shutdown(kOurTsn - 1);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown_ack});
  association().repeat_shutdown_ack(kThere);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown_ack});
  go_established();
  association().repeat_shutdown_ack(kThere);
  expect_silence();
}

TEST_F(AssociationTeardown, ShutdownCompleteCountsOnlyInShutdownAckSentAndWithTheRightTag) {
  for (const State state : {State::cookie_wait, State::cookie_echoed, State::established, State::shutdown_pending,
                            State::shutdown_sent, State::shutdown_received}) {
    go(state);
    inject_shutdown_complete(kOurTag, false);
    EXPECT_EQ(association().state(), state);
  }
  go_shutdown_ack_sent();
  inject_shutdown_complete(kOurTag, true);
  inject_shutdown_complete(kPeerTag, false);
  EXPECT_EQ(association().state(), State::shutdown_ack_sent);
  inject_shutdown_complete(kPeerTag, true);
  EXPECT_EQ(association().state(), State::closed);
}

TEST_F(AssociationTeardown, AbortIsTakenWithOurTagOrReflectedWithThePeers) {
  for (const State state : {State::cookie_echoed, State::established, State::shutdown_pending, State::shutdown_sent,
                            State::shutdown_received, State::shutdown_ack_sent}) {
    SCOPED_TRACE(name(state));
    go(state);
    flush();
    inject_abort(kOurTag, true);
    inject_abort(kPeerTag, false);
    EXPECT_EQ(association().state(), state);
    inject_abort(kPeerTag, true);
    EXPECT_EQ(association().state(), State::closed);
    expect_silence();
    go(state);
    inject_abort(kOurTag, false);
    EXPECT_EQ(association().state(), State::closed);
  }
}

TEST_F(AssociationTeardown, NothingInAPacketWithAbortIsAnswered) {
  go_established();
  inject([](wire::PacketWriter& packet) {
    wire::append_heartbeat(packet, std::as_bytes(std::span("beat", 4)));
    write_data(packet, kPeerTsn, "x");
    wire::append_abort(packet, false);
  });
  expect_silence();
  EXPECT_EQ(only(EventType::association_lost).reason(), Reason::peer_abort);
  EXPECT_EQ(counters().aborted, 1u);
}

TEST_F(AssociationTeardown, ReasonOfThePeersAbortReachesTheApplication) {
  go_established();
  inject([](wire::PacketWriter& packet) {
    wire::ChunkWriter abort = wire::append_abort(packet, false);
    wire::append_invalid_mandatory_parameter(abort);
    wire::append_user_initiated_abort(abort, "out of order");
  });
  host().event_room = 0;
  association().flush(now_);
  host().event_room = TestHost::kUnlimited;
  EXPECT_TRUE(association().resume_delivery(now_));
  EXPECT_EQ(last_event().event.reason(), Reason::peer_abort);
  EXPECT_EQ(last_event().data, "out of order");
}

TEST_F(AssociationTeardown, AbortWithoutAReasonBringsNone) {
  go_established();
  inject_abort(kOurTag, false);
  EXPECT_EQ(last_event().event.reason(), Reason::peer_abort);
  EXPECT_EQ(last_event().event.length, 0u);
}

TEST_F(AssociationTeardown, AbortTellsThePeerTheReason) {
  go_established();
  send("never sent");
  association().abort(now_, "out of order");
  const auto packets = sent();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::abort});
  EXPECT_EQ(packets[0].header.tag, kPeerTag);
  wire::CauseWalker walker = wire::AbortChunk::parse(packets[0].chunks[0])->causes();
  EXPECT_EQ(wire::read_information(*walker.next()), "out of order");
  EXPECT_EQ(last_event().event.reason(), Reason::local_abort);
  EXPECT_EQ(only(EventType::send_failed).reason(), Reason::local_abort);
  EXPECT_TRUE(association().finished());
  association().abort(now_, "again");
  expect_silence();
}

TEST_F(AssociationTeardown, AbortBeforeThePeersTagIsKnownSaysNothing) {
  connect();
  association().abort(now_, "never mind");
  expect_silence();
  EXPECT_EQ(only(EventType::connect_failed).reason(), Reason::local_abort);
}

TEST_F(AssociationTeardown, AClosedAssociationIsDeaf) {
  go(State::closed);
  flush();
  host().events.clear();
  inject_data(kPeerTsn, "x");
  inject_abort(kOurTag, false);
  association().on_deadline(now_ + 1h);
  EXPECT_EQ(send("x"), SendStatus::not_connected);
  EXPECT_FALSE(association().shutdown(now_));
  expect_silence();
  EXPECT_TRUE(host().events.empty());
}

TEST_F(AssociationTeardown, ShutdownAckMeansNothingBeforeOurShutdown) {
  for (const State state : {State::established, State::shutdown_pending, State::shutdown_received}) {
    SCOPED_TRACE(name(state));
    go(state);
    host().events.clear();
    const Timestamp due = association().next_deadline();
    inject_shutdown_ack();
    expect_silence();
    EXPECT_EQ(association().state(), state);
    EXPECT_EQ(association().next_deadline(), due);
    EXPECT_TRUE(host().events.empty());
  }
}

TEST_F(AssociationTeardown, WhenBothShutDownT2BeginsAnewWithShutdownAck) {
  go_shutdown_sent();
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown});
  now_ += 100ms;
  inject_shutdown(kOurTsn - 1);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown_ack});
  EXPECT_EQ(association().next_deadline(), now_ + association().paths()[0].rto.value());
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown_ack});
}

TEST_F(AssociationTeardown, ShutdownAckInShutdownAckSentIsAnsweredUnderThePeersTag) {
  go_shutdown_ack_sent();
  inject_shutdown_ack();
  expect_shutdown_complete();
  EXPECT_EQ(association().next_deadline(), kNever);
}

TEST_F(AssociationTeardown, WhatBearsAWrongTagDoesNotStopT2) {
  go_shutdown_sent();
  Timestamp due = association().next_deadline();
  now_ += 100ms;
  inject(VTag(kOurTag.value + 1), [](wire::PacketWriter& packet) { wire::append_shutdown_ack(packet); });
  expect_silence();
  EXPECT_EQ(association().next_deadline(), due);
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown});
  inject_shutdown_ack();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown_complete});

  go_shutdown_ack_sent();
  due = association().next_deadline();
  now_ += 100ms;
  inject_shutdown_complete(VTag(kOurTag.value + 1), false);
  inject_shutdown_complete(VTag(kOurTag.value + 1), true);
  expect_silence();
  EXPECT_EQ(association().next_deadline(), due);
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown_ack});
  inject_shutdown_complete(kOurTag, false);
  EXPECT_EQ(association().state(), State::closed);
}

TEST_F(AssociationTeardown, DataBehindShutdownAckSentIsNeitherDeliveredNorAnswered) {
  go_shutdown_ack_sent();
  host().events.clear();
  const Timestamp due = association().next_deadline();
  now_ += 200ms;
  inject_data(kPeerTsn + 1, "late");
  expect_silence();
  EXPECT_TRUE(host().events.empty());
  EXPECT_EQ(association().next_deadline(), due);
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown_ack});
}

TEST_F(AssociationTeardown, ShutdownsThatAcknowledgeNothingKeepNoAssociationAlive) {
  go_shutdown_received();
  for (int i = 0; i < 50 && association().state() == State::shutdown_received; ++i) {
    expire();
    flush();
    if (association().state() == State::shutdown_received) inject_shutdown(kOurTsn - 1);
  }
  EXPECT_EQ(only(EventType::association_lost).reason(), Reason::retransmissions);
  EXPECT_EQ(counters().t3_expired, side_.parameters.association_max_retransmissions + 1u);
}

TEST_F(AssociationTeardown, AnOldShutdownTakesNothingBack) {
  go_established();
  send("one");
  send("two");
  flush();
  inject_sack(kOurTsn + 1);
  inject_shutdown(kOurTsn - 1);  // overtaken by the SACK
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::shutdown_ack});
  EXPECT_EQ(association().state(), State::shutdown_ack_sent);
}

TEST_F(AssociationTeardown, ShutdownGoesOnWhenAllThatWasLeftHasExpired) {  // §11.1.5
  go_established();
  inject_sack(kOurTsn - 1, 0);
  SendRequest request;
  request.payload = side_.payloads.copy_of(std::as_bytes(std::span("late", 4)));
  request.expires = now_ + 100ms;
  ASSERT_EQ(association().send(std::move(request)), SendStatus::queued);
  association().shutdown(now_);
  expect_silence();
  ASSERT_EQ(association().next_deadline(), now_ + 100ms);
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown});
  EXPECT_EQ(only(EventType::send_failed).reason(), Reason::expired);
}

}  // namespace
}  // namespace sluice::assoc
