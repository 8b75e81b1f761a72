#include "stack/assoc/congestion/congestion_controller.hpp"
#include "tests/unit/assoc/scripted_peer.hpp"

namespace sluice::assoc {
namespace {

using Kind = IcmpReport::Kind;

class AssociationIcmp : public ScriptedPeer {
 protected:
  void report(IcmpReport report) { association().on_icmp(now_, report); }
  void too_big(std::uint32_t mtu, VTag tag = kPeerTag) {
    report({.kind = Kind::packet_too_big, .destination = kThere, .tag = tag, .mtu = mtu});
  }
  const Path& path() const { return side_.association->paths()[0]; }
};

TEST_F(AssociationIcmp, PacketTooBigLowersThePathMtuAndWhatWasInFlightGoesAgainAtOnce) {
  go_established();
  send(std::string(1400, 'x'));
  EXPECT_TRUE(flush().at(0).departure.dont_fragment);
  const std::uint32_t cwnd = path().congestion->cwnd();
  too_big(1000);
  EXPECT_EQ(path().pmtu, 1000);
  EXPECT_EQ(counters().path_mtus_lowered, 1u);
  const auto again = flush();
  ASSERT_EQ(again.size(), 1u);
  // It was cut before: it leaves by IP fragmentation.
  EXPECT_FALSE(again[0].departure.dont_fragment);
  EXPECT_GT(again[0].buffer.size(), 1400u);
  EXPECT_EQ(path().congestion->cwnd(), cwnd);
  EXPECT_EQ(counters().t3_expired, 0u);
  EXPECT_NE(path().t3_deadline, kNever);
  inject_sack(kOurTsn);
  EXPECT_EQ(path().t3_deadline, kNever);
  send(std::string(1400, 'y'));
  const auto packets = flush();
  EXPECT_EQ(packets.size(), 2u);
  for (const SentPacket& packet : packets) {
    EXPECT_LE(packet.buffer.size(), 980u);
    EXPECT_TRUE(packet.departure.dont_fragment);
  }
}

TEST_F(AssociationIcmp, RoutesThatChangeDoNotRaiseWhatWasLearned) {
  go_established();
  too_big(1000);
  association().refresh_routes();
  EXPECT_EQ(path().pmtu, 1000);
  host().mtu = 900;
  association().refresh_routes();
  EXPECT_EQ(path().pmtu, 900);
}

TEST_F(AssociationIcmp, WhatWasLearnedIsForgottenAfterTenMinutes) {
  go_established();
  too_big(1000);
  EXPECT_EQ(association().next_deadline(), now_ + 10min);
  expire();
  EXPECT_EQ(path().pmtu, 1500);
  EXPECT_EQ(association().next_deadline(), kNever);
}

TEST_F(AssociationIcmp, RepeatedAndLargerMtusChangeNothing) {
  go_established();
  too_big(1000);
  send(std::string(700, 'x'));
  flush();
  too_big(1000);
  too_big(1200);
  too_big(1500);
  expect_silence();
  EXPECT_EQ(path().pmtu, 1000);
  EXPECT_EQ(counters().icmp_ignored, 3u);
}

TEST_F(AssociationIcmp, BelowTheFloorIpFragments) {
  go_established();
  too_big(300);
  EXPECT_EQ(path().pmtu, 512);
  send(std::string(600, 'x'));
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 2u);
  for (const SentPacket& packet : packets) {
    EXPECT_LE(packet.buffer.size(), 492u);
    EXPECT_FALSE(packet.departure.dont_fragment);
  }
  too_big(300);
  too_big(400);
  expect_silence();
  EXPECT_EQ(counters().path_mtus_lowered, 1u);
}

TEST_F(AssociationIcmp, NoIpv6PathTakesLessThan1280) {
  const IpAddress there = *IpAddress::parse("2001:db8::2");
  Handshake v6 = ours();
  v6.local_addresses = {*IpAddress::parse("2001:db8::1")};
  v6.peer_addresses = {there};
  side_.open().connect(now_, v6);
  IcmpReport report{.kind = Kind::packet_too_big, .destination = there, .initiate_tag = kOurTag, .mtu = 1279};
  association().on_icmp(now_, report);
  EXPECT_EQ(path().pmtu, 1500);
  report.mtu = 1280;
  association().on_icmp(now_, report);
  EXPECT_EQ(path().pmtu, 1280);
}

TEST_F(AssociationIcmp, QuotesWithAWrongTagAreIgnored) {
  go_established();
  too_big(1000, VTag(kPeerTag.value + 1));
  too_big(1000, kOurTag);
  too_big(1000, VTag(0));  // too short to tell the Initiate Tag
  report({.kind = Kind::protocol_unreachable, .destination = kThere, .tag = kOurTag});
  report({.kind = Kind::protocol_unreachable, .destination = kThere, .initiate_tag = kPeerTag});
  EXPECT_EQ(path().pmtu, 1500);
  EXPECT_EQ(association().state(), State::established);
  EXPECT_EQ(counters().icmp_wrong_tags, 5u);
}

TEST_F(AssociationIcmp, AddressesThatAreNotThePeersAreIgnored) {
  go_established();
  report({.kind = Kind::packet_too_big, .destination = kElsewhere, .tag = kPeerTag, .mtu = 1000});
  EXPECT_EQ(path().pmtu, 1500);
  EXPECT_EQ(counters().icmp_ignored, 1u);
}

TEST_F(AssociationIcmp, ProtocolUnreachableEndsAsAnAbortDoes) {
  go_established();
  send("lost");
  flush();
  report({.kind = Kind::protocol_unreachable, .destination = kThere, .tag = kPeerTag});
  expect_silence();
  EXPECT_EQ(only(EventType::association_lost).reason(), Reason::peer_abort);
  EXPECT_EQ(host().seen(EventType::send_failed).size(), 1u);
  EXPECT_TRUE(association().finished());
}

TEST_F(AssociationIcmp, ProtocolUnreachableForAnInitEndsTheAttempt) {
  connect();
  report({.kind = Kind::protocol_unreachable, .destination = kThere});
  EXPECT_EQ(association().state(), State::cookie_wait);
  EXPECT_EQ(counters().icmp_wrong_tags, 1u);
  report({.kind = Kind::protocol_unreachable, .destination = kThere, .initiate_tag = kOurTag});
  EXPECT_EQ(only(EventType::connect_failed).reason(), Reason::refused);
}

TEST_F(AssociationIcmp, ProtocolUnreachableForAnInitSaysNothingLater) {
  go_cookie_echoed();
  report({.kind = Kind::protocol_unreachable, .destination = kThere, .initiate_tag = kOurTag});
  EXPECT_EQ(association().state(), State::cookie_echoed);
  EXPECT_EQ(counters().icmp_ignored, 1u);
}

TEST_F(AssociationIcmp, OtherUnreachablesAreCountedAndIgnored) {
  go_established();
  report({.kind = Kind::other, .destination = kThere, .tag = kPeerTag});
  EXPECT_EQ(association().state(), State::established);
  EXPECT_EQ(path().error_count, 0);
  EXPECT_EQ(counters().icmp_ignored, 1u);
}

TEST_F(AssociationIcmp, CookieEchoThatWasTooBigGoesAgainAtOnce) {
  connect();
  inject([this](wire::PacketWriter& packet) {
    wire::ChunkWriter chunk = wire::append_init_ack(packet, init_header());
    std::memset(wire::append_state_cookie(chunk, 900), 'c', 900);
  });
  EXPECT_TRUE(flush().at(0).departure.dont_fragment);
  too_big(800);
  const auto again = flush();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].types(), Types{ChunkType::cookie_echo});
  EXPECT_FALSE(again[0].departure.dont_fragment);
}

}  // namespace
}  // namespace sluice::assoc
