// Potentially failed paths and primary path switch-over (RFC 7829), and ports whose link goes down.
#include "tests/unit/assoc/multihomed_peer.hpp"

namespace sluice::assoc {
namespace {

class FailingPaths : public MultihomedPeer {
 protected:
  FailingPaths() {
    side_.parameters.potentially_failed_threshold = 0;
    host().second_port_destination = kThere2;
  }

  const Path& path(std::uint8_t number) { return association().paths()[number]; }
  /// Where the next DATA goes; fails if none leaves.
  IpAddress data_goes_to() {
    for (const SentPacket& packet : flush())
      if (packet.find(ChunkType::data) != nullptr) return packet.departure.destination;
    ADD_FAILURE() << "no DATA";
    return {};
  }
  /// Sends on the primary path and lets T3-rtx expire there.
  void time_out() {
    send("lost");
    EXPECT_EQ(data_goes_to(), kThere);
    now_ = path(0).t3_deadline;
    association().on_deadline(now_);
  }
  /// Data times out on the first path, then on the second, and goes to the first again.
  void time_out_on_both() {
    go_multihomed();
    time_out();
    EXPECT_EQ(data_goes_to(), kThere2);
    now_ = path(1).t3_deadline;
    association().on_deadline(now_);
    EXPECT_EQ(data_goes_to(), kThere);
  }
  /// Both paths become inactive, and what was lost on each goes to the first again.
  void fail_both() {
    side_.parameters.potentially_failed_threshold = UINT16_MAX;
    side_.parameters.path_max_retransmissions = 0;
    side_.parameters.heartbeat_interval = 0s;
    time_out_on_both();
  }
  std::vector<IpAddress> heartbeats(const std::vector<SentPacket>& packets) {
    std::vector<IpAddress> to;
    for (const SentPacket& packet : packets)
      if (packet.find(ChunkType::heartbeat) != nullptr) to.push_back(packet.departure.destination);
    return to;
  }
};

TEST_F(FailingPaths, OneTimeoutMakesAPathPotentiallyFailedAndMovesData) {
  go_multihomed();
  time_out();
  EXPECT_EQ(path(0).state, PathState::potentially_failed);
  const Event change = only(EventType::path_changed);
  EXPECT_EQ(change.path, PathId(0));
  EXPECT_EQ(change.path_state, PathState::potentially_failed);
  send("new");
  const auto packets = sent();
  ASSERT_FALSE(packets.empty());
  for (const SentPacket& packet : packets)
    EXPECT_EQ(packet.departure.destination, packet.find(ChunkType::data) != nullptr ? kThere2 : kThere);
  EXPECT_EQ(heartbeats(packets), std::vector{kThere}) << "at once (RFC 7829 §3.2 6)";
  EXPECT_EQ(data_goes_to(), kThere2);
  EXPECT_EQ(counters().failovers, 1u);
}

TEST_F(FailingPaths, WithoutAThresholdAPathStaysActiveUntilItFails) {
  side_.parameters.potentially_failed_threshold = UINT16_MAX;
  go_multihomed();
  time_out();
  EXPECT_EQ(path(0).state, PathState::active);
  EXPECT_TRUE(host().seen(EventType::path_changed).empty());
}

TEST_F(FailingPaths, HeartbeatsFollowEachOtherByTheRtoUntilThePathHasFailed) {
  go_multihomed();
  time_out();
  const Timestamp begin = now_;
  std::vector<Duration> sent_after;
  while (sent_after.size() < 3) {
    for (const SentPacket& packet : flush()) {
      const wire::Chunk* const beat = packet.find(ChunkType::heartbeat);
      if (beat != nullptr && packet.departure.destination == kThere) sent_after.push_back(now_ - begin);
      if (beat != nullptr && packet.departure.destination == kThere2) answer(*beat);
      if (packet.find(ChunkType::data) != nullptr) inject_sack(kOurTsn);
    }
    expire();
  }
  EXPECT_EQ(sent_after[0], 0s);
  EXPECT_EQ(sent_after[1], 2s) << "the RTO, which the timeout had doubled";
  EXPECT_GE(sent_after[2], 30s) << "as it failed, by HB.interval";
  EXPECT_EQ(path(0).state, PathState::inactive);
  EXPECT_EQ(path(0).error_count, 3);
}

TEST_F(FailingPaths, AnAnsweredHeartbeatBringsThePathAndItsDataBack) {
  go_multihomed();
  time_out();
  for (const SentPacket& packet : flush())
    if (const wire::Chunk* const beat = packet.find(ChunkType::heartbeat)) answer(*beat);
  EXPECT_EQ(path(0).state, PathState::active);
  EXPECT_EQ(path(0).error_count, 0);
  inject_sack(kOurTsn);
  send("back again");
  EXPECT_EQ(data_goes_to(), kThere);
}

TEST_F(FailingPaths, DataSentOnSeveralPathsProvesNone) {
  go_multihomed();
  time_out();
  EXPECT_EQ(data_goes_to(), kThere2);
  inject_sack(kOurTsn);
  EXPECT_EQ(path(0).state, PathState::potentially_failed);
  EXPECT_EQ(path(0).error_count, 1);
}

TEST_F(FailingPaths, DataSentElsewhereBeforeProvesNotEvenTheLastPath) {
  side_.parameters.path_max_retransmissions = 5;
  side_.parameters.heartbeat_interval = 0s;
  time_out_on_both();
  inject_sack(kOurTsn);
  EXPECT_EQ(path(0).state, PathState::potentially_failed);
  EXPECT_EQ(path(0).error_count, 1);
}

TEST_F(FailingPaths, DataSentThereAloneProvesThePath) {
  go_multihomed();
  time_out();
  inject_sack(kOurTsn);  // before it left again: the timeout was spurious
  EXPECT_EQ(path(0).state, PathState::active);
  EXPECT_EQ(path(0).error_count, 0);
}

TEST_F(FailingPaths, WithoutHeartbeatsNoneIsSent) {
  side_.parameters.heartbeat_interval = 0s;
  go_multihomed();
  time_out();
  EXPECT_TRUE(heartbeats(flush()).empty());
}

TEST_F(FailingPaths, OfPathsInDoubtTheOneWithFewerErrorsIsUsed) {
  side_.parameters.path_max_retransmissions = 5;
  side_.parameters.heartbeat_interval = 0s;
  go_multihomed();
  time_out();
  EXPECT_EQ(data_goes_to(), kThere2);
  now_ = path(1).t3_deadline;
  association().on_deadline(now_);
  EXPECT_EQ(path(1).state, PathState::potentially_failed);
  EXPECT_EQ(data_goes_to(), kThere);
  now_ = path(0).t3_deadline;
  association().on_deadline(now_);
  EXPECT_EQ(path(0).error_count, 2);
  EXPECT_EQ(data_goes_to(), kThere2);
  inject_sack(kOurTsn);
  send("new");
  EXPECT_EQ(data_goes_to(), kThere2);
}

TEST_F(FailingPaths, PrimaryPathIsSwitchedOverForGood) {
  side_.parameters.primary_switchover_threshold = 0;
  go_multihomed();
  time_out();
  EXPECT_EQ(counters().primary_switchovers, 1u);
  for (const SentPacket& packet : flush())
    if (const wire::Chunk* const beat = packet.find(ChunkType::heartbeat)) answer(*beat);
  EXPECT_EQ(path(0).state, PathState::active);
  inject_sack(kOurTsn);
  send("stays");
  EXPECT_EQ(data_goes_to(), kThere2);
  Snapshot snapshot;
  association().snapshot(snapshot);
  EXPECT_TRUE(snapshot.paths[1].primary);
}

TEST_F(FailingPaths, PrimaryPathIsSwitchedOverForGoodLongAfterItFailed) {
  side_.parameters.primary_switchover_threshold = 5;
  go_multihomed();
  time_out();
  std::uint32_t answered = 0;
  while (counters().primary_switchovers == 0 && answered < 100) {
    for (const SentPacket& packet : flush()) {
      const wire::Chunk* const beat = packet.find(ChunkType::heartbeat);
      if (beat != nullptr && packet.departure.destination == kThere2) ++answered, answer(*beat);
      if (packet.find(ChunkType::data) != nullptr) inject_sack(kOurTsn);
    }
    expire();
  }
  EXPECT_EQ(path(0).error_count, 6);
  EXPECT_EQ(counters().primary_switchovers, 1u);
}

TEST_F(FailingPaths, NoHeartbeatFollowsShutdown) {
  go_multihomed();
  association().shutdown(now_);
  ASSERT_EQ(flush().at(0).types(), std::vector{ChunkType::shutdown});
  expire();  // T2
  EXPECT_EQ(path(0).state, PathState::potentially_failed);
  for (int turns = 0; turns < 3; ++turns) {
    EXPECT_TRUE(heartbeats(flush()).empty());
    expire();
  }
}

// Seed 237315: what is known of the paths is old by then. A SACK by another way than the SHUTDOWN was lost each time,
// and the peer, whose DATA the SHUTDOWN acknowledged, did not hear that the window is open.
TEST_F(FailingPaths, InShutdownSentASackGoesAlongWithTheShutdown) {
  side_.parameters.path_max_retransmissions = 0;
  go_multihomed();
  association().shutdown(now_);
  flush();
  expire();  // T2
  flush();
  ASSERT_EQ(path(0).state, PathState::inactive);
  ASSERT_EQ(path(1).state, PathState::active);
  for (int i = 0; i < 3; ++i) {
    inject_data(kPeerTsn + i, "from there");
    const auto packets = flush();
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].types(), (std::vector{ChunkType::shutdown, ChunkType::sack}));
    EXPECT_EQ(packets[0].departure.destination, kThere);
  }
}

TEST_F(FailingPaths, ALateHeartbeatAckAfterShutdownBeginsNoNewOnes) {
  go_multihomed();
  ASSERT_TRUE(association().request_heartbeat(PathId(0)));
  const auto packets = flush();
  ASSERT_EQ(heartbeats(packets), std::vector{kThere});
  association().shutdown(now_);
  flush();
  for (const SentPacket& packet : packets)
    if (const wire::Chunk* const beat = packet.find(ChunkType::heartbeat)) answer(*beat);
  EXPECT_EQ(path(0).heartbeat_deadline, kNever);
}

TEST_F(FailingPaths, HeartbeatsThatAreSwitchedOffEndThoughThePathIsInDoubt) {
  side_.parameters.path_max_retransmissions = 20;
  go_multihomed();
  ASSERT_TRUE(association().set_path(now_, PathId(0), {.heartbeat_interval = 0s, .max_retransmissions = {}}));
  time_out();
  ASSERT_EQ(path(0).state, PathState::potentially_failed);
  ASSERT_TRUE(association().request_heartbeat(PathId(0)));
  std::size_t sent_there = 0;
  for (int turns = 0; turns < 10; ++turns) {
    for (const SentPacket& packet : flush()) {
      const wire::Chunk* const beat = packet.find(ChunkType::heartbeat);
      if (beat != nullptr && packet.departure.destination == kThere) ++sent_there;
      if (beat != nullptr && packet.departure.destination == kThere2) answer(*beat);
      if (packet.find(ChunkType::data) != nullptr) inject_sack(kOurTsn);
    }
    expire();
  }
  EXPECT_EQ(sent_there, 1u) << "the one that was asked for";
}

TEST_F(FailingPaths, LinkDownMovesWhatIsInFlightAtOnce) {
  go_multihomed();
  send("in flight");
  EXPECT_EQ(data_goes_to(), kThere);
  EXPECT_TRUE(association().on_link(TestHost::kFirstPort, false));
  EXPECT_EQ(path(0).state, PathState::inactive);
  EXPECT_EQ(data_goes_to(), kThere2);
  EXPECT_EQ(counters().t3_expired, 0u);
  EXPECT_EQ(counters().paths_without_link, 1u);
  EXPECT_FALSE(association().on_link(TestHost::kFirstPort, false)) << "told twice";
  inject_sack(kOurTsn);
  EXPECT_TRUE(association().on_link(TestHost::kFirstPort, true));
  for (const SentPacket& packet : flush())
    if (const wire::Chunk* const beat = packet.find(ChunkType::heartbeat)) answer(*beat);
  EXPECT_EQ(path(0).state, PathState::active);
  send("back again");
  EXPECT_EQ(data_goes_to(), kThere);
}

TEST_F(FailingPaths, WhatArrivedBeforeItsLinkWentDownRevivesNoPath) {
  go_multihomed();
  send("arrives");
  EXPECT_EQ(data_goes_to(), kThere);
  association().on_link(TestHost::kFirstPort, false);
  inject_sack(kOurTsn);  // before it left again
  EXPECT_EQ(path(0).state, PathState::inactive);
  send("goes on elsewhere");
  EXPECT_EQ(data_goes_to(), kThere2);
}

TEST_F(FailingPaths, AHeartbeatFromBeforeItsLinkWentDownRevivesNoPath) {
  go_multihomed();
  ASSERT_TRUE(association().request_heartbeat(PathId(0)));
  const std::vector<SentPacket> packets = flush();
  ASSERT_EQ(heartbeats(packets), std::vector{kThere});
  association().on_link(TestHost::kFirstPort, false);
  answer(*packets[0].find(ChunkType::heartbeat));
  EXPECT_EQ(path(0).state, PathState::inactive);
  send("goes on elsewhere");
  EXPECT_EQ(data_goes_to(), kThere2);
}

TEST_F(FailingPaths, LinkDownChangesNothingWithoutAnotherWay) {
  host().second_port_destination = {};  // both by the first port
  go_multihomed();
  EXPECT_FALSE(association().on_link(TestHost::kFirstPort, false));
  EXPECT_FALSE(association().on_link(TestHost::kSecondPort, false));
  EXPECT_EQ(path(0).state, PathState::active);
  EXPECT_EQ(path(1).state, PathState::active);
}

TEST_F(FailingPaths, SacksLeaveADeadLinkToo) {
  go_multihomed();
  inject_data(kPeerTsn, "from there");
  association().on_link(TestHost::kFirstPort, false);
  for (const SentPacket& packet : flush()) EXPECT_EQ(packet.departure.destination, kThere2);
}

TEST_F(FailingPaths, SacksDoNotGoToAnAddressThatDoesNotAnswer) {  // though DATA comes from there
  go_multihomed();
  association().on_link(TestHost::kSecondPort, false);
  for (int i = 0; i < 4; ++i) {
    inject(
        kOurTag, [=](wire::PacketWriter& packet) { write_data(packet, kPeerTsn + i, "from there"); }, kThere2);
    for (const SentPacket& packet : flush()) EXPECT_EQ(packet.departure.destination, kThere);
  }
  EXPECT_GE(counters().sacks_sent, 2u);
}

TEST_F(FailingPaths, WhileAllAreInactiveSacksGoWhereDataCameFrom) {
  fail_both();
  int acknowledged = 0;
  for (int i = 0; i < 4; ++i) {
    inject(
        kOurTag,
        [=](wire::PacketWriter& packet) { write_data(packet, kPeerTsn + i, "from there", {}, wire::kDataImmediate); },
        kThere2);
    for (const SentPacket& packet : flush())
      if (packet.find(ChunkType::sack) != nullptr) acknowledged += packet.departure.destination == kThere2;
  }
  EXPECT_EQ(acknowledged, 4);
}

TEST_F(FailingPaths, WhileAllAreInactiveDataGoesWhereItWasPerhapsAnswered) {
  fail_both();
  inject_sack(kOurTsn);
  EXPECT_EQ(path(0).state, PathState::inactive) << "sent both ways, it proves neither";
  send("new");
  EXPECT_EQ(data_goes_to(), kThere);
  inject_sack(kOurTsn + 1);
  EXPECT_EQ(path(0).state, PathState::active);
}

TEST_F(FailingPaths, ParametersChangeWhileItLives) {
  go_multihomed();
  Parameters other = side_.parameters;
  other.heartbeat_interval = 2s;
  other.path_max_retransmissions = 0;
  other.potentially_failed_threshold = UINT16_MAX;
  other.dscp = 46;
  association().set_parameters(now_, other);
  EXPECT_LE(path(0).heartbeat_deadline, now_ + 2s + path(0).rto.value() * 2);
  time_out();
  EXPECT_EQ(path(0).state, PathState::inactive);
  EXPECT_EQ(path(0).route.dscp, 46);
  EXPECT_EQ(&association().parameters(), &other);
}

TEST_F(FailingPaths, OnePathHasALimitAndAHeartbeatOfItsOwn) {
  side_.parameters.potentially_failed_threshold = UINT16_MAX;
  go_multihomed();
  EXPECT_TRUE(association().set_path(now_, PathId(0), {.heartbeat_interval = 0s, .max_retransmissions = 0}));
  EXPECT_FALSE(association().set_path(now_, PathId(2), {.heartbeat_interval = {}, .max_retransmissions = 0}));
  EXPECT_EQ(path(0).heartbeat_deadline, kNever);
  EXPECT_NE(path(1).heartbeat_deadline, kNever);
  time_out();
  EXPECT_EQ(path(0).state, PathState::inactive);
  EXPECT_EQ(path(1).max_retransmissions, 2);
}

TEST_F(FailingPaths, AHeartbeatCanBeAskedFor) {
  go_multihomed();
  EXPECT_TRUE(association().request_heartbeat(PathId(1)));
  EXPECT_FALSE(association().request_heartbeat(PathId(2)));
  EXPECT_EQ(heartbeats(flush()), std::vector{kThere2});
  EXPECT_TRUE(association().request_heartbeat(PathId(1)));
  EXPECT_TRUE(heartbeats(flush()).empty()) << "one is under way";
}

TEST_F(FailingPaths, HeartbeatsSwitchedOnBeginAtOnceOnAPathInDoubt) {  // RFC 7829 §3.2 5
  side_.parameters.heartbeat_interval = 0s;
  go_multihomed();
  time_out();
  ASSERT_EQ(path(0).state, PathState::potentially_failed);
  EXPECT_TRUE(heartbeats(flush()).empty());
  ASSERT_TRUE(association().set_path(now_, PathId(0), {.heartbeat_interval = 30s, .max_retransmissions = {}}));
  EXPECT_EQ(heartbeats(flush()), std::vector{kThere});
}

TEST_F(FailingPaths, ThePrimaryPathGivesWayAsSoonAsAnotherOneIsFit) {  // RFC 7829 §5
  side_.parameters.primary_switchover_threshold = 0;
  go_multihomed();
  ASSERT_TRUE(association().on_link(TestHost::kSecondPort, false));
  time_out();
  EXPECT_EQ(counters().primary_switchovers, 0u) << "there is no other";
  association().on_link(TestHost::kSecondPort, true);
  for (const SentPacket& packet : flush())
    if (const wire::Chunk* const beat = packet.find(ChunkType::heartbeat))
      if (packet.departure.destination == kThere2) answer(*beat);
  EXPECT_EQ(counters().primary_switchovers, 1u);
}

TEST_F(FailingPaths, APrimaryPathThatTheUserSetsStaysThoughItHasErrors) {
  side_.parameters.primary_switchover_threshold = 0;
  go_multihomed();
  time_out();
  ASSERT_EQ(counters().primary_switchovers, 1u);
  EXPECT_TRUE(association().set_primary(PathId(0)));
  Snapshot snapshot;
  association().snapshot(snapshot);
  EXPECT_TRUE(snapshot.paths[0].primary);
  EXPECT_EQ(counters().primary_switchovers, 1u);
}

TEST_F(FailingPaths, FastRetransmissionsGoWhereTheDataWentAlsoAfterFailback) {  // §6.4
  go_multihomed();
  ASSERT_TRUE(association().on_link(TestHost::kFirstPort, false));
  for (int i = 0; i < 6; ++i) {
    send("over the other path");
    EXPECT_EQ(data_goes_to(), kThere2);
  }
  association().on_link(TestHost::kFirstPort, true);
  for (const SentPacket& packet : flush())
    if (const wire::Chunk* const beat = packet.find(ChunkType::heartbeat)) answer(*beat);
  send("over the primary path again");
  ASSERT_EQ(data_goes_to(), kThere);
  for (std::uint16_t last = 2; last <= 4; ++last)
    inject([&](wire::PacketWriter& packet) {
      const wire::GapAckBlock gap{2, last};
      wire::append_sack(packet, kOurTsn - 1, 100000, {&gap, 1}, {});
    });
  EXPECT_EQ(data_goes_to(), kThere2);
}

// What the application asks of a single message (§11.1.5).

class PathOfAMessage : public FailingPaths {
 protected:
  void by_the_other(std::string_view text) {
    SendRequest request;
    request.payload = side_.payloads.copy_of(std::as_bytes(std::span(text)));
    request.path = PathId(1);
    EXPECT_EQ(association().send(std::move(request)), SendStatus::queued);
  }
};

TEST_F(PathOfAMessage, IsUsedWhileItWorks) {
  go_multihomed();
  send("one");
  by_the_other("two");
  send("three");
  std::vector<IpAddress> to;
  for (const SentPacket& packet : flush()) to.push_back(packet.departure.destination);
  EXPECT_EQ(to, (std::vector{kThere, kThere2, kThere}));
  inject_sack(kOurTsn + 2);
  ASSERT_TRUE(association().on_link(TestHost::kSecondPort, false));
  by_the_other("four");
  EXPECT_EQ(data_goes_to(), kThere);
}

TEST_F(PathOfAMessage, IsLeftWhenItFallsSilent) {
  side_.parameters.potentially_failed_threshold = UINT16_MAX;
  go_multihomed();
  by_the_other("lost");
  ASSERT_EQ(data_goes_to(), kThere2);
  by_the_other("waits");
  now_ = path(1).t3_deadline;
  association().on_deadline(now_);
  std::size_t chunks = 0;
  for (const SentPacket& packet : flush()) {
    EXPECT_EQ(packet.departure.destination, kThere);
    chunks += packet.chunks.size();
  }
  EXPECT_EQ(chunks, 2u);
}

}  // namespace
}  // namespace sluice::assoc
