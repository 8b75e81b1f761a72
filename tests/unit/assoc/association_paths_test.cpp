#include <gmock/gmock.h>

#include "tests/unit/assoc/multihomed_peer.hpp"

namespace sluice::assoc {
namespace {

class AssociationPaths : public MultihomedPeer {};

TEST_F(AssociationPaths, IdlePathIsProbedOnceAPeriodWithJitter) {
  std::vector<Duration> waits;
  for (int i = 0; i < 20; ++i) {
    go_established();
    const Timestamp begin = now_;
    const SentPacket packet = next_heartbeat();
    EXPECT_EQ(packet.types(), Types{ChunkType::heartbeat});
    EXPECT_EQ(packet.departure.destination, kThere);
    waits.push_back(now_ - begin);
    EXPECT_GE(waits.back(), 30500ms);
    EXPECT_LE(waits.back(), 31500ms);
  }
  EXPECT_GT(*std::max_element(waits.begin(), waits.end()) - *std::min_element(waits.begin(), waits.end()), 300ms);
}

TEST_F(AssociationPaths, HeartbeatAckMeasuresAndClearsErrors) {
  go_established();
  next_heartbeat();
  expire();  // unanswered
  EXPECT_EQ(association().paths()[0].error_count, 1);
  EXPECT_EQ(association().paths()[0].rto.value(), 2s);
  const SentPacket packet = next_heartbeat();
  now_ += 40ms;
  answer(*packet.find(ChunkType::heartbeat));
  EXPECT_EQ(association().paths()[0].error_count, 0);
  EXPECT_EQ(association().paths()[0].rto.srtt(), 40ms);
  EXPECT_EQ(association().paths()[0].rto.value(), 1s);
}

TEST_F(AssociationPaths, HeartbeatAckWithAnotherNonceIsNotBelieved) {
  go_established();
  const SentPacket packet = next_heartbeat();
  answer(*packet.find(ChunkType::heartbeat), 1);
  EXPECT_FALSE(association().paths()[0].rto.measured());
  answer(*packet.find(ChunkType::heartbeat));
  EXPECT_TRUE(association().paths()[0].rto.measured());
  // A second time it says nothing.
  const auto unexpected = counters().unexpected_chunks;
  answer(*packet.find(ChunkType::heartbeat));
  EXPECT_EQ(counters().unexpected_chunks, unexpected + 1);
}

TEST_F(AssociationPaths, DataInFlightKeepsHeartbeatsAway) {
  go_established();
  for (std::uint32_t i = 0; i < 60; ++i) {
    now_ += 1s;
    if (now_ >= association().next_deadline()) association().on_deadline(now_);
    send("data");
    for (const SentPacket& packet : flush()) EXPECT_EQ(packet.find(ChunkType::heartbeat), nullptr);
    inject_sack(kOurTsn + i);
  }
}

TEST_F(AssociationPaths, NoHeartbeatsIfTheIntervalIsZero) {
  side_.parameters.heartbeat_interval = 0s;
  go_established();
  EXPECT_EQ(association().next_deadline(), kNever);
}

TEST_F(AssociationPaths, HeartbeatsEndWithShutdown) {
  go_shutdown_sent();
  EXPECT_EQ(association().paths()[0].heartbeat_deadline, kNever);
}

// Found by the simulation: the path where SHUTDOWN went was broken, and the timer that tries another one never expired.
TEST_F(AssociationPaths, InShutdownSentAHeartbeatIsAnsweredWithShutdownWhereItCameFrom) {
  go_multihomed();
  ASSERT_TRUE(association().shutdown(now_));
  EXPECT_EQ(flush().at(0).departure.destination, kThere);
  inject(
      kOurTag, [](wire::PacketWriter& packet) { wire::append_heartbeat(packet, std::as_bytes(std::span("!", 1))); },
      kThere2);
  const std::vector<SentPacket> packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), (Types{ChunkType::heartbeat_ack, ChunkType::shutdown}));
  EXPECT_EQ(packets[0].departure.destination, kThere2);
}

TEST_F(AssociationPaths, LateHeartbeatAckDoesNotBeginHeartbeatsAnewInShutdown) {
  go_established();
  const SentPacket packet = next_heartbeat();
  association().shutdown(now_);
  flush();
  answer(*packet.find(ChunkType::heartbeat));
  EXPECT_EQ(association().paths()[0].heartbeat_deadline, kNever);
}

TEST_F(AssociationPaths, UnansweredHeartbeatsMakeThePathInactiveAndThenEndTheAssociation) {
  side_.parameters.association_max_retransmissions = 4;
  go_established();
  for (int i = 0; i < 3; ++i) {
    next_heartbeat();
    expire();
  }
  const Event change = only(EventType::path_changed);
  EXPECT_EQ(change.path, PathId(0));
  EXPECT_EQ(change.path_state, PathState::inactive);
  next_heartbeat();
  expire();
  EXPECT_EQ(association().state(), State::established);
  next_heartbeat();
  expire();
  EXPECT_EQ(only(EventType::association_lost).reason(), Reason::retransmissions);
}

TEST_F(AssociationPaths, TimeoutsOfDataEndTheAssociationBeyondTheLimit) {
  side_.parameters.association_max_retransmissions = 3;
  go_established();
  send("unanswered");
  flush();
  for (int i = 0; i < 3; ++i) {
    expire();
    EXPECT_EQ(flush().at(0).types(), Types{ChunkType::data});
  }
  EXPECT_EQ(association().state(), State::established);
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::abort});
  EXPECT_EQ(only(EventType::association_lost).reason(), Reason::retransmissions);
  EXPECT_EQ(last_event().event.type, EventType::association_lost);
  EXPECT_EQ(host().seen(EventType::send_failed).size(), 1u);
  EXPECT_EQ(counters().t3_expired, 4u);
}

TEST_F(AssociationPaths, AcknowledgedDataClearsErrorsAndBringsThePathBack) {
  go_established();
  send("answered late");
  flush();
  for (int i = 0; i < 3; ++i) {
    expire();
    flush();
  }
  EXPECT_EQ(association().paths()[0].state, PathState::inactive);
  inject_sack(kOurTsn);
  EXPECT_EQ(association().paths()[0].state, PathState::active);
  EXPECT_EQ(association().paths()[0].error_count, 0);
  EXPECT_EQ(host().seen(EventType::path_changed).size(), 2u);
  Snapshot snapshot;
  association().snapshot(snapshot);
  EXPECT_EQ(snapshot.error_count, 0);
}

TEST_F(AssociationPaths, UnconfirmedAddressesAreProbedAtOnceAndGetNothingElse) {
  accept(two_paths());
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 2u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::cookie_ack});
  EXPECT_EQ(packets[0].departure.destination, kThere);
  EXPECT_EQ(packets[1].types(), Types{ChunkType::heartbeat});
  EXPECT_EQ(packets[1].departure.destination, kThere2);
  EXPECT_FALSE(association().set_primary(PathId(1)));
  answer(*packets[1].find(ChunkType::heartbeat));
  EXPECT_EQ(association().paths()[1].state, PathState::active);
  EXPECT_EQ(only(EventType::path_changed).path, PathId(1));
  EXPECT_TRUE(association().set_primary(PathId(1)));
  send("over there");
  EXPECT_EQ(flush().at(0).departure.destination, kThere2);
}

TEST_F(AssociationPaths, OneUnconfirmedAddressIsProbedInEachRtoAndAllInTurn) {
  Handshake handshake = agreed();
  for (std::uint32_t i = 0; i < 4; ++i)
    ASSERT_TRUE(handshake.peer_addresses.push_back(IpAddress::v4(kThere2.v4_value() + i)));
  accept(handshake);
  std::vector<IpAddress> probed;
  Timestamp last{};
  while (probed.size() < 8) {
    for (const SentPacket& packet : flush()) {
      if (packet.find(ChunkType::heartbeat) == nullptr) continue;
      EXPECT_GE(now_ - last, association().paths()[0].rto.value());
      last = now_;
      probed.push_back(packet.departure.destination);
    }
    ASSERT_LT(now_, Timestamp(30s));
    expire();
  }
  for (std::uint32_t i = 0; i < 8; ++i) EXPECT_EQ(probed[i].v4_value(), kThere2.v4_value() + i % 4);
}

TEST_F(AssociationPaths, ProbesOfUnconfirmedAddressesDoNotCountAgainstTheAssociation) {
  side_.parameters.association_max_retransmissions = 1;
  accept(two_paths());
  flush();
  for (int i = 0; i < 6; ++i) {
    now_ = association().paths()[1].heartbeat_deadline;
    if (now_ == kNever) break;
    association().on_deadline(now_);
    for (const SentPacket& packet : flush())
      if (packet.departure.destination == kThere)
        if (const wire::Chunk* const beat = packet.find(ChunkType::heartbeat)) answer(*beat);
  }
  EXPECT_EQ(association().state(), State::established);
  EXPECT_EQ(association().paths()[1].state, PathState::unconfirmed);
  EXPECT_EQ(association().paths()[1].error_count, 3);
}

TEST_F(AssociationPaths, SackGoesWhereDataCameFrom) {
  go_multihomed();
  inject(
      kOurTag, [](wire::PacketWriter& packet) { write_data(packet, kPeerTsn, "from there"); }, kThere2);
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].departure.destination, kThere2);
}

TEST_F(AssociationPaths, SacksOfDuplicatesGoAnotherWayEachTime) {  // §6.4
  go_multihomed();
  const auto sack_of = [this](Tsn tsn) {
    inject(
        kOurTag, [=](wire::PacketWriter& packet) { write_data(packet, tsn, "from there"); }, kThere2);
    const auto packets = flush();
    return packets.empty() ? IpAddress() : packets[0].departure.destination;
  };
  EXPECT_EQ(sack_of(kPeerTsn), kThere2);
  EXPECT_EQ(sack_of(kPeerTsn), kThere);
  EXPECT_EQ(sack_of(kPeerTsn), kThere2);
  EXPECT_EQ(sack_of(kPeerTsn), kThere);
  sack_of(kPeerTsn + 1);
  EXPECT_EQ(sack_of(kPeerTsn + 2), kThere2);
}

TEST_F(AssociationPaths, SackFromAnotherAddressCountsForThePathOfTheData) {
  go_multihomed();
  send("goes to the primary path");
  EXPECT_EQ(flush().at(0).departure.destination, kThere);
  inject(
      kOurTag, [](wire::PacketWriter& packet) { wire::append_sack(packet, kOurTsn, 1500, {}, {}); }, kThere2);
  EXPECT_EQ(association().paths()[0].outstanding, 0u);
  EXPECT_EQ(association().paths()[0].t3_deadline, kNever);
  send("so does the next");
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].departure.destination, kThere);
  EXPECT_EQ(wire::DataChunk::parse(*packets[0].find(ChunkType::data))->tsn(), kOurTsn + 1);
}

TEST_F(AssociationPaths, NoSackAndNoShutdownCompleteGoToAnUnconfirmedAddress) {
  accept(two_paths());
  flush();
  inject(
      kOurTag, [](wire::PacketWriter& packet) { write_data(packet, kPeerTsn, "from there"); }, kThere2);
  const auto sack = flush();
  ASSERT_EQ(sack.size(), 1u);
  EXPECT_EQ(sack[0].types(), Types{ChunkType::sack});
  EXPECT_EQ(sack[0].departure.destination, kThere);
  association().shutdown(now_);
  flush();
  inject(
      kOurTag, [](wire::PacketWriter& packet) { wire::append_shutdown_ack(packet); }, kThere2);
  const auto complete = sent();
  ASSERT_EQ(complete.size(), 1u);
  EXPECT_EQ(complete[0].types(), Types{ChunkType::shutdown_complete});
  EXPECT_EQ(complete[0].departure.destination, kThere);
}

TEST_F(AssociationPaths, HeartbeatIsAnsweredWhereItCameFrom) {
  accept(two_paths());
  flush();
  inject(
      kOurTag, [](wire::PacketWriter& p) { wire::append_heartbeat(p, std::as_bytes(std::span("beat", 4))); }, kThere2);
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].departure.destination, kThere2);
}

TEST_F(AssociationPaths, WhatTimedOutGoesToAnotherActivePath) {
  go_multihomed();
  send("lost");
  EXPECT_EQ(flush().at(0).departure.destination, kThere);
  now_ = association().paths()[0].t3_deadline;
  association().on_deadline(now_);
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].departure.destination, kThere2);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::data});
  send("new");
  EXPECT_EQ(flush().at(0).departure.destination, kThere);
}

TEST_F(AssociationPaths, NewDataDoesNotFollowWhatTimedOutToAnotherPath) {
  go_multihomed();
  send("lost");
  flush();
  now_ = association().paths()[0].t3_deadline;
  association().on_deadline(now_);
  send("new");
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 2u);
  EXPECT_EQ(packets[0].departure.destination, kThere2);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::data});
  EXPECT_EQ(packets[1].departure.destination, kThere);
  EXPECT_EQ(packets[1].types(), Types{ChunkType::data});
}

TEST_F(AssociationPaths, DataMovesToAnotherPathWhenThePrimaryFailsAndReturns) {
  go_multihomed();
  Tsn tsn = kOurTsn;
  for (int i = 0; i < 3; ++i, ++tsn) {
    send("lost on the primary path");
    EXPECT_EQ(flush().at(0).departure.destination, kThere);
    now_ = association().paths()[0].t3_deadline;
    association().on_deadline(now_);
    EXPECT_EQ(flush().at(0).departure.destination, kThere2);
    inject_sack(tsn);
  }
  EXPECT_EQ(association().paths()[0].state, PathState::inactive);
  EXPECT_EQ(counters().failovers, 1u);
  send("elsewhere");
  EXPECT_EQ(flush().at(0).departure.destination, kThere2);
  inject_sack(tsn);
  // The primary path answers a HEARTBEAT again.
  while (association().paths()[0].heartbeat_nonce == 0) {
    expire();
    for (const SentPacket& packet : flush())
      if (const wire::Chunk* const beat = packet.find(ChunkType::heartbeat)) answer(*beat);
    if (association().paths()[0].state == PathState::active) break;
  }
  EXPECT_EQ(association().paths()[0].state, PathState::active);
  send("home again");
  EXPECT_EQ(flush().at(0).departure.destination, kThere);
}

TEST_F(AssociationPaths, RoutesAreAskedForAgainUntilThereIsOne) {
  host().routed = false;
  go_established();
  EXPECT_EQ(association().paths()[0].route.next_hop, 0u);
  const int asked = host().resolved;
  send("anyway");
  EXPECT_EQ(flush().size(), 1u);
  EXPECT_GT(host().resolved, asked);
  host().routed = true;
  inject_sack(kOurTsn);
  send("now");
  EXPECT_EQ(flush().at(0).departure.next_hop, 7u);
}

TEST_F(AssociationPaths, PathWithoutARouteKeepsTheMtuItHad) {
  side_.parameters.path_mtu_max = 9000;
  host().routed = false;
  go_established();
  EXPECT_EQ(association().paths()[0].pmtu, 1280);
  host().routed = true;
  association().refresh_routes();
  EXPECT_EQ(association().paths()[0].pmtu, 1500);
  host().routed = false;
  association().refresh_routes();
  EXPECT_EQ(association().paths()[0].pmtu, 1500);
  EXPECT_EQ(association().paths()[0].route.next_hop, 0u);
}

TEST_F(AssociationPaths, ChunksCutBeforeTheMtuFellLeaveByIpFragmentation) {
  go_established();
  send(std::string(1400, 'x'));
  EXPECT_TRUE(flush().at(0).departure.dont_fragment);
  host().mtu = 1000;
  association().refresh_routes();
  EXPECT_EQ(association().paths()[0].pmtu, 1000);
  expire();
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_FALSE(packets[0].departure.dont_fragment);
  EXPECT_GT(packets[0].buffer.size(), 1400u);
  inject_sack(kOurTsn);
  send(std::string(1400, 'y'));
  for (const SentPacket& packet : flush()) {
    EXPECT_LE(packet.buffer.size(), 980u);
    EXPECT_TRUE(packet.departure.dont_fragment);
  }
}

TEST_F(AssociationPaths, SnapshotShowsTheAssociationAndItsPaths) {
  go_multihomed();
  send("outstanding");
  flush();
  inject_data(kPeerTsn, "x");
  Snapshot snapshot;
  association().snapshot(snapshot);
  EXPECT_EQ(snapshot.id, AssocId(11));
  EXPECT_EQ(snapshot.state, State::established);
  EXPECT_EQ(snapshot.local_tag, kOurTag);
  EXPECT_EQ(snapshot.peer_tag, kPeerTag);
  EXPECT_EQ(snapshot.local_addresses.size(), 1u);
  ASSERT_EQ(snapshot.paths.size(), 2u);
  EXPECT_TRUE(snapshot.paths[0].primary);
  EXPECT_EQ(snapshot.paths[0].pmtu, 1500);
  EXPECT_EQ(snapshot.paths[0].source, kHere);
  EXPECT_GT(snapshot.paths[0].outstanding, 0u);
  EXPECT_GT(snapshot.paths[0].cwnd, 0u);
  EXPECT_EQ(snapshot.buffered_bytes, 11u);
  EXPECT_EQ(snapshot.data_chunks_sent, 1u);
  EXPECT_EQ(snapshot.data_chunks_received, 1u);
}

TEST_F(AssociationPaths, AckOfWhatWasSentAgainGivesTheNextMessageAllItsRetransmissions) {
  side_.parameters = {};
  side_.parameters.heartbeat_interval = 0s;
  go_established();
  send("answered after three");
  flush();
  for (int i = 0; i < 3; ++i) {
    expire();
    EXPECT_EQ(flush().at(0).types(), Types{ChunkType::data});
  }
  inject_sack(kOurTsn);
  send("never answered");
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::data});
  for (int i = 0; i < 10; ++i) {
    expire();
    const auto packets = flush();
    ASSERT_EQ(packets.size(), 1u);
    ASSERT_EQ(packets[0].types(), Types{ChunkType::data});
    EXPECT_EQ(wire::DataChunk::parse(packets[0].chunks[0])->tsn(), kOurTsn + 1);
  }
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::abort});
  EXPECT_EQ(only(EventType::association_lost).reason(), Reason::retransmissions);
}

TEST_F(AssociationPaths, RetransmissionsFollowEachOtherByAnRtoThatDoublesUpToItsLimit) {
  side_.parameters.heartbeat_interval = 0s;
  side_.parameters.path_max_retransmissions = 5;
  side_.parameters.rto_initial = side_.parameters.rto_min = 100ms;
  side_.parameters.rto_max = 800ms;
  go_cookie_echoed();
  inject([](wire::PacketWriter& packet) { wire::append_cookie_ack(packet); });
  send("lost");
  ASSERT_EQ(flush().size(), 1u);
  for (const Duration wait : {100ms, 200ms, 400ms, 800ms, 800ms}) {
    EXPECT_EQ(association().next_deadline(), now_ + wait);
    expire();
    const auto packets = flush();
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].types(), Types{ChunkType::data});
  }
}

TEST_F(AssociationPaths, RetransmissionsGoFromPathToPathAndEachHasItsOwnTimeout) {
  side_.parameters.path_max_retransmissions = 5;
  go_multihomed();
  side_.parameters.heartbeat_interval = 0s;
  association().set_parameters(now_, side_.parameters);
  send("lost");
  EXPECT_EQ(flush().at(0).departure.destination, kThere);
  Duration wait = 1s;
  for (int i = 1; i <= 10; ++i) {
    EXPECT_EQ(association().next_deadline(), now_ + wait);
    expire();
    const auto packets = flush();
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].types(), Types{ChunkType::data});
    EXPECT_EQ(packets[0].departure.destination, i % 2 == 0 ? kThere : kThere2);
    if (i % 2 == 0) wait *= 2;  // both have backed off
  }
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::abort});
  EXPECT_EQ(only(EventType::association_lost).reason(), Reason::retransmissions);
}

TEST_F(AssociationPaths, ShutdownAckGoesWhereTheShutdownCameFrom) {
  const auto shutdown_from_there = [&] {
    inject(
        kOurTag, [](wire::PacketWriter& packet) { wire::append_shutdown(packet, kOurTsn - 1); }, kThere2);
    const auto packets = flush();
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].types(), Types{ChunkType::shutdown_ack});
    EXPECT_EQ(packets[0].departure.destination, kThere2);
  };
  go_multihomed();
  shutdown_from_there();  // in ESTABLISHED
  go_multihomed();
  association().shutdown(now_);
  flush();
  shutdown_from_there();  // in SHUTDOWN-SENT
  go_multihomed();
  inject_shutdown(kOurTsn - 1);
  flush();
  shutdown_from_there();  // in SHUTDOWN-ACK-SENT
}

TEST_F(AssociationPaths, ErrorsForAnUnconfirmedAddressGoToAConfirmedOne) {
  accept(two_paths());
  flush();
  inject(
      kOurTag, [](wire::PacketWriter& packet) { write_data(packet, kPeerTsn, "x", StreamId(20)); }, kThere2);
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), (Types{ChunkType::error, ChunkType::sack}));
  EXPECT_EQ(packets[0].departure.destination, kThere);
}

// The way to the primary address is broken; the peer, whose timeouts are shorter than ours, uses the other one.
TEST_F(AssociationPaths, RepeatedShutdownsDoNotKeepShutdownAckOnADeadPath) {
  go_multihomed();
  bool arrived = false;
  const auto look = [&] {
    for (const SentPacket& packet : flush()) arrived |= packet.departure.destination == kThere2;
  };
  for (int i = 0; i < 10; ++i) {
    inject(
        kOurTag, [](wire::PacketWriter& packet) { wire::append_shutdown(packet, kOurTsn - 1); }, kThere2);
    look();
    const Timestamp next = now_ + 500ms;
    for (; association().next_deadline() <= next; look()) expire();
    now_ = next;
  }
  EXPECT_TRUE(arrived);
}

// §6.1 A, in spirit: the window closed over what was in flight; the peer answers each time.
TEST_F(AssociationPaths, PeerThatKeepsItsWindowClosedOverWhatWasInFlightIsNotGivenUp) {
  go_established();
  send("taken");
  send("dropped");
  flush();
  for (int i = 0; i < 30 && association().state() == State::established; ++i) {
    inject_sack(kOurTsn, 0);
    flush();
    expire();
    flush();
  }
  EXPECT_EQ(association().state(), State::established);
}

// §12.4: one packet provokes no more than one, SACKs and DATA aside.
TEST_F(AssociationPaths, ARefusedRestartFromAnotherAddressIsAnsweredWithOnePacket) {
  go_multihomed();
  inject_shutdown(kOurTsn - 1);
  flush();
  ASSERT_EQ(association().state(), State::shutdown_ack_sent);
  base::Buffer echo = this->packet(kOurTag, [](wire::PacketWriter& writer) {
    wire::append_cookie_echo(writer, std::as_bytes(std::span("cookie", 6)));
  });
  association().receive_cookie(
      now_, CookieAction::restart, two_paths(),
      {.arrival = {.source = kThere2, .destination = kHere, .time = now_}, .buffer = std::move(echo)});
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].departure.destination, kThere2);
}

TEST_F(AssociationPaths, HeartbeatAndShutdownFromAnotherAddressAreAnsweredWithOnePacket) {
  go_multihomed();
  inject(
      kOurTag,
      [](wire::PacketWriter& packet) {
        wire::append_heartbeat(packet, std::as_bytes(std::span("beat", 4)));
        wire::append_shutdown(packet, kOurTsn - 1);
      },
      kThere2);
  EXPECT_EQ(flush().size(), 1u);
}

TEST_F(AssociationPaths, WhatAClosedWindowKeptOutLeavesAsSoonAsItOpens) {
  go_established();
  send("taken");
  send("dropped");
  flush();
  for (int i = 0; i < 4; ++i) {
    inject_sack(kOurTsn, 0);
    flush();
    expire();
    flush();
  }
  inject_sack(kOurTsn, 0);
  inject_sack(kOurTsn, 10000);
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::data});
}

TEST_F(AssociationPaths, AHeartbeatBehindWhatIsReportedStillConfirmsItsAddress) {
  accept(two_paths());
  flush();
  inject(
      kOurTag,
      [](wire::PacketWriter& packet) {
        write_data(packet, kPeerTsn, "x", StreamId(20));
        wire::append_heartbeat(packet, std::as_bytes(std::span("beat", 4)));
      },
      kThere2);
  bool answered = false;
  for (const SentPacket& packet : flush())
    answered |= packet.departure.destination == kThere2 && packet.find(ChunkType::heartbeat_ack) != nullptr;
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace sluice::assoc
