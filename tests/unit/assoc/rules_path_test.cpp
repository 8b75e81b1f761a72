// Rules of RFC 9260 about the addresses of a peer that no other test watches; see tests/RFC9260.md.
#include <gmock/gmock.h>

#include <deque>
#include <set>

#include "stack/assoc/congestion/congestion_controller.hpp"
#include "tests/unit/assoc/scripted_peer.hpp"

namespace sluice::assoc {
namespace {

class RulesPath : public ScriptedPeer {
 protected:
  RulesPath() {
    side_.parameters.heartbeat_interval = 30s;
    side_.parameters.path_max_retransmissions = 2;
  }

  std::span<const Path> paths() const { return side_.association->paths(); }
  std::uint16_t errors_of_the_association() const {
    Snapshot snapshot;
    side_.association->snapshot(snapshot);
    return snapshot.error_count;
  }
  Handshake to(std::initializer_list<IpAddress> others) const {
    Handshake handshake = agreed();
    for (const IpAddress& other : others) EXPECT_TRUE(handshake.peer_addresses.push_back(other));
    return handshake;
  }
  base::InboundPacket cookie_echo(const IpAddress& source = kThere) {
    base::Buffer packet = this->packet(kOurTag, [](wire::PacketWriter& writer) {
      wire::append_cookie_echo(writer, std::as_bytes(std::span("cookie", 6)));
    });
    return {.arrival = {.source = source, .destination = kHere, .time = now_}, .buffer = std::move(packet)};
  }
  void accept(const Handshake& agreed) { side_.open().accept(now_, agreed, cookie_echo()); }
  /// A HEARTBEAT ACK, as a peer sends it.
  void answer(const wire::Chunk& heartbeat) {
    const std::vector<std::byte> info(heartbeat.body().begin() + 4, heartbeat.body().end());
    inject([&](wire::PacketWriter& packet) { wire::append_heartbeat_ack(packet, info); });
  }
  /// Lets the next deadline come. HEARTBEATs to `silent` stay unanswered. Returns where HEARTBEATs went.
  std::vector<IpAddress> turn(const std::optional<IpAddress>& silent = std::nullopt) {
    expire();
    return answer_all(silent);
  }
  std::vector<IpAddress> answer_all(const std::optional<IpAddress>& silent = std::nullopt) {
    std::vector<IpAddress> probed;
    for (const SentPacket& packet : flush()) {
      const wire::Chunk* const beat = packet.find(ChunkType::heartbeat);
      if (beat == nullptr) continue;
      probed.push_back(packet.departure.destination);
      if (packet.departure.destination != silent) answer(*beat);
    }
    return probed;
  }
  /// All paths confirmed.
  void go_multihomed(std::initializer_list<IpAddress> others = {kThere2}) {
    accept(to(others));
    answer_all();
    for (int i = 0; i < 20 && !all_active(); ++i) turn();
    ASSERT_TRUE(all_active());
    host().events.clear();
  }
  bool all_active() const {
    return std::all_of(paths().begin(), paths().end(), [](const Path& p) { return p.state == PathState::active; });
  }
};

TEST_F(RulesPath, ProbesBearANonceOf64BitsThatIsNeverTheSame) {  // §3.3.5, §5.4
  std::set<std::vector<std::byte>> seen;
  std::vector<std::set<std::byte>> values(8);
  for (int i = 0; i < 50; ++i) {
    accept(to({kThere2}));
    const auto packets = flush();
    ASSERT_EQ(packets.size(), 2u);
    const auto info = wire::HeartbeatChunk::parse(*packets[1].find(ChunkType::heartbeat))->info();
    ASSERT_GE(info.size(), 8u);
    EXPECT_TRUE(seen.emplace(info.begin(), info.begin() + 8).second);
    for (std::size_t at = 0; at < 8; ++at) values[at].insert(info[at]);
  }
  for (const auto& of_one_byte : values) EXPECT_GT(of_one_byte.size(), 20u);
}

TEST_F(RulesPath, CookieAckGoesToAConfirmedAddress) {  // §5.4
  side_.open().accept(now_, to({kThere2}), cookie_echo(kThere2));
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 2u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::cookie_ack});
  EXPECT_EQ(packets[0].departure.destination, kThere);
  EXPECT_EQ(packets[1].types(), Types{ChunkType::heartbeat});
}

TEST_F(RulesPath, CookieAckGoesWhereTheCookieEchoCameFrom) {  // §6.4
  go_multihomed();
  association().receive_cookie(now_, CookieAction::duplicate, to({kThere2}), cookie_echo(kThere2));
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::cookie_ack});
  EXPECT_EQ(packets[0].departure.destination, kThere2);
}

TEST_F(RulesPath, RtoIsThatOfTheAddressWhereItGoesAgain) {  // §6.3.3
  accept(to({kThere2}));
  const auto packets = flush();
  now_ += 500ms;
  answer(*packets.at(1).find(ChunkType::heartbeat));
  ASSERT_EQ(paths()[1].rto.value(), 1500ms);
  send("lost");
  flush();
  now_ = paths()[0].t3_deadline;
  association().on_deadline(now_);
  ASSERT_EQ(paths()[0].rto.value(), 2s);
  EXPECT_EQ(flush().at(0).departure.destination, kThere2);
  EXPECT_EQ(paths()[1].t3_deadline, now_ + 1500ms);
}

TEST_F(RulesPath, FastRetransmissionGoesWhereTheDataWent) {  // §6.4
  go_multihomed();
  for (int i = 0; i < 6; ++i) {
    send("x");
    EXPECT_EQ(flush().at(0).departure.destination, kThere);
  }
  for (std::uint16_t end = 2; end < 5; ++end)
    inject([end](wire::PacketWriter& packet) {
      const wire::GapAckBlock gap{2, end};
      wire::append_sack(packet, kOurTsn - 1, 100000, std::span(&gap, 1), {});
    });
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].departure.destination, kThere);
  EXPECT_EQ(wire::DataChunk::parse(*packets[0].find(ChunkType::data))->tsn(), kOurTsn);
  EXPECT_EQ(counters().fast_retransmits, 1u);
}

TEST_F(RulesPath, EachPathHasItsOwnMtu) {  // §7.3
  go_multihomed();
  association().on_icmp(
      now_, {.kind = IcmpReport::Kind::packet_too_big, .destination = kThere2, .tag = kPeerTag, .mtu = 1000});
  EXPECT_EQ(paths()[0].pmtu, 1500);
  EXPECT_EQ(paths()[1].pmtu, 1000);
  // Chunks are cut so that they can leave by either.
  send(std::string(1400, 'x'));
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), (Types{ChunkType::data, ChunkType::data}));
  for (const wire::Chunk& chunk : packets[0].chunks) EXPECT_LE(chunk.bytes.size(), 1000u - 20 - 12);
}

TEST_F(RulesPath, AnotherRouteBeginsCongestionControlAnew) {  // §7.2.5
  go_established();
  const CongestionController& congestion = *paths()[0].congestion;
  const std::uint32_t cwnd = congestion.cwnd();
  const std::uint32_t ssthresh = congestion.ssthresh();
  send(std::string(1000, 'x'));
  flush();
  expire();
  flush();
  const std::uint32_t reduced = congestion.cwnd();
  ASSERT_NE(reduced, cwnd);
  association().refresh_routes();
  EXPECT_EQ(congestion.cwnd(), reduced) << "the same way";
  host().next_hop = 8;
  association().refresh_routes();
  EXPECT_EQ(paths()[0].route.next_hop, 8u);
  EXPECT_EQ(congestion.cwnd(), cwnd);
  EXPECT_EQ(congestion.ssthresh(), ssthresh);
}

TEST_F(RulesPath, AnotherDscpBeginsCongestionControlAnew) {  // §7.2.5.1
  go_established();
  const CongestionController& congestion = *paths()[0].congestion;
  const std::uint32_t cwnd = congestion.cwnd();
  send(std::string(1000, 'x'));
  flush();
  expire();
  flush();
  const std::uint32_t reduced = congestion.cwnd();
  ASSERT_NE(reduced, cwnd);
  Parameters other = side_.parameters;
  other.rto_max *= 2;
  association().set_parameters(now_, other);
  EXPECT_EQ(congestion.cwnd(), reduced) << "the same DSCP";
  Parameters another = other;
  another.dscp = 46;
  association().set_parameters(now_, another);
  EXPECT_EQ(congestion.cwnd(), cwnd);
}

TEST_F(RulesPath, HeartbeatAckClearsTheErrorsOfTheAssociation) {  // §8.1, §8.3
  go_established();
  while (paths()[0].error_count == 0) turn(kThere);
  EXPECT_EQ(errors_of_the_association(), 1);
  while (paths()[0].error_count != 0) turn();
  EXPECT_EQ(errors_of_the_association(), 0);
}

TEST_F(RulesPath, HeartbeatsBesideThePathInUseDoNotCountAgainstTheAssociation) {  // §8.1, §8.2
  side_.parameters.association_max_retransmissions = 1;
  go_multihomed();
  for (int i = 0; i < 100 && paths()[1].state == PathState::active; ++i) turn(kThere2);
  EXPECT_EQ(paths()[1].state, PathState::inactive);
  EXPECT_EQ(paths()[1].error_count, 3);
  EXPECT_EQ(paths()[0].error_count, 0);
  EXPECT_EQ(errors_of_the_association(), 0);
  EXPECT_EQ(association().state(), State::established);
}

TEST_F(RulesPath, InactivePathIsStillProbedAndItsErrorsStopCounting) {  // §8.3
  go_multihomed();
  for (int i = 0; i < 100 && paths()[1].state == PathState::active; ++i) turn(kThere2);
  ASSERT_EQ(paths()[1].state, PathState::inactive);
  int probes = 0;
  for (int i = 0; i < 100 && probes < 5; ++i)
    for (const IpAddress& probed : turn(kThere2)) probes += probed == kThere2 ? 1 : 0;
  EXPECT_EQ(probes, 5);
  EXPECT_EQ(paths()[1].error_count, 3);
  host().events.clear();
  for (int i = 0; i < 100 && paths()[1].state == PathState::inactive; ++i) turn();
  EXPECT_EQ(paths()[1].error_count, 0);
  const Event change = only(EventType::path_changed);
  EXPECT_EQ(change.path, PathId(1));
  EXPECT_EQ(change.path_state, PathState::active);
}

TEST_F(RulesPath, OneAlternatePathReplacesThePrimary) {  // §8.2
  go_multihomed({kThere2, kThere3});
  Tsn tsn = kOurTsn;
  for (int i = 0; i < 3; ++i, ++tsn) {
    send("lost on the primary path");
    flush();
    now_ = paths()[0].t3_deadline;
    association().on_deadline(now_);
    flush();
    inject_sack(tsn);
  }
  ASSERT_EQ(paths()[0].state, PathState::inactive);
  std::set<std::string> used;
  for (int i = 0; i < 10; ++i, ++tsn) {
    send("elsewhere");
    for (const SentPacket& packet : flush())
      if (packet.find(ChunkType::data) != nullptr) used.insert(packet.departure.destination.to_string());
    inject_sack(tsn);
  }
  EXPECT_EQ(used.size(), 1u);
  EXPECT_EQ(used.count(kThere.to_string()), 0u);
}

TEST_F(RulesPath, OneHeartbeatForEachExpiry) {  // §8.3
  go_multihomed({kThere2, kThere3});
  std::size_t beats = 0;
  for (int i = 0; i < 60; ++i) {
    const std::size_t now = turn().size();
    EXPECT_LE(now, 1u);
    beats += now;
  }
  EXPECT_GE(beats, 20u);
}

TEST_F(RulesPath, AnAnswerThatComesAfterItsTimeoutCounts) {  // §8.3: any HEARTBEAT ACK
  side_.parameters.rto_max = 2s;                             // shorter than the way is
  side_.parameters.association_max_retransmissions = 3;
  accept(agreed());
  flush();
  std::deque<std::pair<Timestamp, std::vector<std::byte>>> under_way;
  for (int i = 0; i < 20; ++i) {
    ASSERT_NE(association().next_deadline(), kNever);
    const Timestamp next = association().next_deadline();
    if (!under_way.empty() && under_way.front().first <= next) {
      now_ = std::max(now_, under_way.front().first);
      inject([&](wire::PacketWriter& packet) { wire::append_heartbeat_ack(packet, under_way.front().second); });
      under_way.pop_front();
    } else {
      now_ = std::max(now_, next);
      association().on_deadline(now_);
    }
    ASSERT_NE(association().state(), State::closed);
    for (const SentPacket& packet : flush())
      if (const wire::Chunk* const beat = packet.find(ChunkType::heartbeat))
        under_way.emplace_back(now_ + 5s, std::vector(beat->body().begin() + 4, beat->body().end()));
  }
  EXPECT_EQ(paths()[0].rto.srtt(), 5s);
}

TEST_F(RulesPath, WhatIsSentAgainDoesNotMakeAPathUsed) {  // §8.3: it measures no RTT
  go_multihomed();
  std::uint32_t probes = 0;
  for (std::uint32_t i = 0; i < 40; ++i) {
    send("lost on the primary path, and sent again on the other");
    ASSERT_EQ(flush().size(), 1u);
    now_ = paths()[0].t3_deadline;
    association().on_deadline(now_);
    for (const SentPacket& packet : flush()) {
      const bool other = packet.departure.destination == kThere2;
      EXPECT_TRUE(other || packet.find(ChunkType::data) == nullptr);
      const wire::Chunk* const beat = packet.find(ChunkType::heartbeat);
      if (beat == nullptr) continue;
      probes += other;
      answer(*beat);
    }
    inject_sack(kOurTsn + 2 * i);
    send("this one arrives, and keeps the primary path up");
    flush();
    inject_sack(kOurTsn + 2 * i + 1);
  }
  EXPECT_GT(probes, 0u);
}

TEST_F(RulesPath, HeartbeatsSwitchedOnAgainProbeAnAddressThatWasGivenUp) {  // §8.3 C
  side_.parameters.heartbeat_interval = 0s;
  accept(to({kThere2}));
  while (association().next_deadline() != kNever) turn(kThere2);
  ASSERT_EQ(paths()[1].state, PathState::unconfirmed);
  ASSERT_TRUE(association().set_path(now_, PathId(1), {.heartbeat_interval = 30s, .max_retransmissions = {}}));
  ASSERT_NE(association().next_deadline(), kNever);
  EXPECT_EQ(turn(), std::vector{kThere2});
  EXPECT_EQ(paths()[1].state, PathState::active);
}

TEST_F(RulesPath, AnAddressThatDoesNotAnswerItsProbesIsReportedOnce) {  // §5.4, §8.2
  accept(to({kThere2}));
  for (int i = 0; i < 10; ++i) turn(kThere2);
  const auto changes = host().seen(EventType::path_changed);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].event.path, PathId(1));
  EXPECT_EQ(changes[0].event.path_state, PathState::inactive);
  EXPECT_EQ(paths()[1].state, PathState::unconfirmed) << "no DATA goes there";
}

TEST_F(RulesPath, AnotherRouteWithAnotherMtuBeginsWithTheCwndOfThatMtu) {  // §7.2.1, §7.2.5.2
  side_.parameters.path_mtu_max = 9000;
  host().mtu = 9000;
  accept(agreed());
  send("x");
  flush();
  inject_sack(kOurTsn);
  host().next_hop = 8;
  host().mtu = 1500;
  association().refresh_routes();
  EXPECT_EQ(paths()[0].congestion->cwnd(), 4404u);
}

TEST_F(RulesPath, BeforeTheFirstDataTheCwndFollowsTheMtu) {  // §7.2.1
  accept(agreed());
  Parameters smaller = side_.parameters;
  smaller.path_mtu_max = 1000;
  association().set_parameters(now_, smaller);
  EXPECT_EQ(paths()[0].congestion->cwnd(), 4 * (1000u - 20 - 12));
}

}  // namespace
}  // namespace sluice::assoc
