#include "tests/unit/ip/support.hpp"

// ARP and neighbour discovery through the whole layer.
namespace sluice::ip::testing {
namespace {

const IpAddress kAllNodes = address("ff02::1");
const MacAddress kAllNodesMac{{0x33, 0x33, 0, 0, 0, 1}};
const MacAddress kZeroMac{};

Bytes nd_frame(const MacAddress& to_mac, const MacAddress& from_mac, const IpAddress& from, const IpAddress& to,
               int type, unsigned flags, const IpAddress& target, const Bytes& options, int hop_limit = 255) {
  const Bytes message = icmpv6_message(from, to, type, 0, flags, raw(target) + options);
  return ip_frame(to_mac, from_mac, ipv6_packet(from, to, message, {.next_header = 58, .hop_limit = hop_limit}));
}
Bytes link_layer(int type, const MacAddress& mac) {
  return bytes_of({type, 1}) + raw(mac);
}

class Resolution : public ::testing::Test, public LayerFixture {
 protected:
  const Counters& counters() const { return layer.counters(); }
  void solicit(const Bytes& options, int hop_limit = 255, const IpAddress& from = kPeer6) {
    input(nd_frame({{0x33, 0x33, 0xff, 0, 0, 1}}, kPeerMac, from, address("ff02::1:ff00:1"), 135, 0, kOurs6, options,
                   hop_limit));
  }
  void advertise(unsigned flags, const Bytes& options, const IpAddress& to = kOurs6) {
    input(nd_frame(to == kOurs6 ? kOurMac : kAllNodesMac, kPeerMac, kPeer6, to, 136, flags, kPeer6, options));
  }
  Bytes mac_towards(const IpAddress& to) {
    sink.frames.clear();
    const SendResult result = send(departure(to), sctp_packet());
    return result == SendResult::sent ? slice(sink.take().frame, 0, 6) : Bytes{};
  }
};

TEST_F(Resolution, AnnouncesItsAddressesAtStart) {
  layer.start(now);
  ASSERT_EQ(sink.frames.size(), 2U);
  EXPECT_EQ(sink.take().frame,
            ethernet(kBroadcastMac, kOurMac, 0x0806, arp_packet(1, kOurMac, kOurs, kZeroMac, kOurs)));
  EXPECT_EQ(sink.take().frame,
            nd_frame(kAllNodesMac, kOurMac, kOurs6, kAllNodes, 136, 0x20000000, kOurs6, link_layer(2, kOurMac)));
}

TEST_F(Resolution, AnnouncesWhenALinkComesUpButOnlyOnTheFirstReplica) {
  LayerFixture other(one_port(), {1, 2});
  for (LayerFixture* fixture : {static_cast<LayerFixture*>(this), &other}) {
    fixture->layer.set_link(0, false, now);
    fixture->layer.start(now);
    EXPECT_TRUE(fixture->sink.frames.empty());
    fixture->layer.set_link(0, true, now);
    fixture->layer.set_link(0, true, now);
  }
  EXPECT_EQ(sink.frames.size(), 2U);
  EXPECT_TRUE(other.sink.frames.empty());
}

TEST_F(Resolution, AnswersArpRequestsAndLearnsWhoAsked) {
  input(ethernet(kBroadcastMac, kPeerMac, 0x0806, arp_packet(1, kPeerMac, kPeer, kZeroMac, kOurs)) + Bytes(18));
  ASSERT_EQ(sink.frames.size(), 1U);
  EXPECT_EQ(sink.take().frame, ethernet(kPeerMac, kOurMac, 0x0806, arp_packet(2, kOurMac, kOurs, kPeerMac, kPeer)));
  EXPECT_EQ(mac_towards(kPeer), raw(kPeerMac));
  ASSERT_EQ(sink.updates.size(), 1U);
  EXPECT_EQ(sink.updates[0].address, kPeer);
  EXPECT_EQ(sink.updates[0].mac, kPeerMac);
  EXPECT_TRUE(sink.updates[0].reachable);
}

TEST_F(Resolution, AnswersAnArpProbeWithoutLearning) {
  input(ethernet(kBroadcastMac, kPeerMac, 0x0806, arp_packet(1, kPeerMac, IpAddress::v4(0), kZeroMac, kOurs)));
  EXPECT_EQ(sink.frames.size(), 1U);
  EXPECT_TRUE(sink.updates.empty());
}

TEST_F(Resolution, DoesNotAnswerForOthersNorLearnFromTalkBetweenThem) {
  const IpAddress third = address("198.18.0.3");
  input(ethernet(kBroadcastMac, kPeerMac, 0x0806, arp_packet(1, kPeerMac, kPeer, kZeroMac, third)));
  EXPECT_TRUE(sink.frames.empty());
  EXPECT_TRUE(mac_towards(kPeer).empty());
}

TEST_F(Resolution, DoesNotLearnNeighboursThatAreNotOnTheLink) {
  input(ethernet(kBroadcastMac, kPeerMac, 0x0806, arp_packet(1, kPeerMac, kFar, kZeroMac, kOurs)));
  EXPECT_EQ(sink.frames.size(), 1U);
  EXPECT_TRUE(sink.updates.empty());
}

TEST_F(Resolution, AGratuitousArpMovesAKnownNeighbour) {
  learn_neighbours();
  input(ethernet(kBroadcastMac, kGatewayMac, 0x0806, arp_packet(1, kGatewayMac, kPeer, kZeroMac, kPeer)));
  EXPECT_EQ(mac_towards(kPeer), raw(kGatewayMac));
  const IpAddress unknown = address("198.18.0.3");
  input(ethernet(kBroadcastMac, kGatewayMac, 0x0806, arp_packet(1, kGatewayMac, unknown, kZeroMac, unknown)));
  EXPECT_TRUE(mac_towards(unknown).empty());
}

TEST_F(Resolution, NeverBelievesAnotherOwnerOfItsAddress) {
  input(ethernet(kBroadcastMac, kPeerMac, 0x0806, arp_packet(1, kPeerMac, kOurs, kZeroMac, kOurs)));
  EXPECT_EQ(counters().drop_martian, 1U);
  EXPECT_TRUE(sink.frames.empty());
  advertise(0x20000000, link_layer(2, kPeerMac));
  input(nd_frame(kOurMac, kPeerMac, kPeer6, kOurs6, 136, 0x60000000, kOurs6, link_layer(2, kPeerMac)));
  EXPECT_EQ(counters().drop_martian, 2U);
}

TEST_F(Resolution, RefusesMalformedArpAtEveryByte) {
  const Bytes good = ethernet(kBroadcastMac, kPeerMac, 0x0806, arp_packet(1, kPeerMac, kPeer, kZeroMac, kOurs));
  for (std::size_t length = 14; length < good.size(); ++length) input(slice(good, 0, length));
  EXPECT_EQ(counters().drop_arp_malformed, 28U);
  const auto with = [&](std::size_t at, int value) {
    Bytes frame = good;
    frame[14 + at] = static_cast<std::byte>(value);
    input(frame);
  };
  with(1, 6);     // hardware
  with(2, 0x86);  // protocol
  with(4, 8);     // address lengths
  with(5, 16);
  with(7, 3);      // operation
  with(8, 0x01);   // a group as sender
  with(14, 0xe0);  // multicast as sender
  EXPECT_EQ(counters().drop_arp_malformed, 35U);
  EXPECT_TRUE(sink.frames.empty());
}

TEST_F(Resolution, AnswersNeighbourSolicitationsAndLearnsWhoAsked) {
  solicit(link_layer(1, kPeerMac));
  ASSERT_EQ(sink.frames.size(), 1U);
  EXPECT_EQ(sink.take().frame,
            nd_frame(kPeerMac, kOurMac, kOurs6, kPeer6, 136, 0x60000000, kOurs6, link_layer(2, kOurMac)));
  EXPECT_EQ(mac_towards(kPeer6), raw(kPeerMac));
}

TEST_F(Resolution, AnswersAUnicastSolicitationWithoutALinkLayerAddress) {
  input(nd_frame(kOurMac, kPeerMac, kPeer6, kOurs6, 135, 0, kOurs6, {}));
  ASSERT_EQ(sink.frames.size(), 1U);
  EXPECT_EQ(slice(sink.take().frame, 0, 6), raw(kPeerMac));
  EXPECT_TRUE(sink.updates.empty());
}

TEST_F(Resolution, DefendsItsAddressAgainstDuplicateAddressDetection) {
  solicit({}, 255, IpAddress());
  ASSERT_EQ(sink.frames.size(), 1U);
  EXPECT_EQ(sink.take().frame,
            nd_frame(kAllNodesMac, kOurMac, kOurs6, kAllNodes, 136, 0x20000000, kOurs6, link_layer(2, kOurMac)));
  solicit(link_layer(1, kPeerMac), 255, IpAddress());  // must not carry its address (RFC 4861 §4.3)
  EXPECT_EQ(counters().drop_nd_malformed, 1U);
}

TEST_F(Resolution, RefusesMalformedDiscovery) {
  solicit(link_layer(1, kPeerMac), 254);
  solicit(bytes_of({1, 0, 0, 0, 0, 0, 0, 0}));
  solicit(bytes_of({1, 2, 0, 0, 0, 0, 0, 0}));
  solicit(bytes_of({1, 1, 0, 0}));
  solicit(link_layer(1, kAllNodesMac));
  advertise(0x40000000, link_layer(2, kPeerMac), kAllNodes);  // solicited, but to everybody
  EXPECT_EQ(counters().drop_nd_malformed, 6U);
  input(nd_frame(kOurMac, kPeerMac, kPeer6, kOurs6, 135, 0, kPeer6, {}));
  EXPECT_EQ(counters().drop_not_ours, 1U);
  Bytes bad_checksum = nd_frame(kOurMac, kPeerMac, kPeer6, kOurs6, 135, 0, kOurs6, {});
  bad_checksum.back() ^= std::byte{1};
  input(bad_checksum);
  EXPECT_EQ(counters().drop_icmp_malformed, 1U);
  EXPECT_TRUE(sink.frames.empty());
  EXPECT_TRUE(sink.updates.empty());
}

TEST_F(Resolution, AsksForAnIpv6NeighbourAndTakesTheAnswer) {
  EXPECT_EQ(send(departure(kPeer6), sctp_packet()), SendResult::queued);
  EXPECT_EQ(sink.take().frame, nd_frame({{0x33, 0x33, 0xff, 0, 0, 2}}, kOurMac, kOurs6, address("ff02::1:ff00:2"), 135,
                                        0, kPeer6, link_layer(1, kOurMac)));
  advertise(0x60000000, link_layer(2, kPeerMac));
  EXPECT_EQ(slice(sink.take().frame, 54), sctp_packet());
}

TEST_F(Resolution, AnAdvertisementWithoutOverrideOnlyCastsDoubt) {
  learn_neighbours();
  advertise(0x40000000, link_layer(2, kGatewayMac));
  ASSERT_EQ(sink.frames.size(), 1U);  // a probe, to where the neighbour was
  EXPECT_EQ(slice(sink.frames[0].frame, 0, 6), raw(kPeerMac));
  EXPECT_EQ(mac_towards(kPeer6), raw(kPeerMac));
  advertise(0x60000000, link_layer(2, kGatewayMac));
  EXPECT_EQ(mac_towards(kPeer6), raw(kGatewayMac));
}

TEST_F(Resolution, AnUnsolicitedAdvertisementMakesNoEntry) {
  advertise(0x20000000, link_layer(2, kPeerMac), kAllNodes);
  EXPECT_TRUE(mac_towards(kPeer6).empty());
}

TEST_F(Resolution, AnAnswerWithoutItsAddressConfirmsTheKnownOne) {
  learn_neighbours();
  now += 31s;
  EXPECT_EQ(mac_towards(kPeer6).size(), 6U);  // asks again, too
  advertise(0x40000000, {});
  now += 10s;
  sink.frames.clear();
  EXPECT_EQ(mac_towards(kPeer6), raw(kPeerMac));
  layer.poll(now);
  EXPECT_EQ(counters().neighbours_failed, 0U);
}

TEST_F(Resolution, DiscoveryInFragmentsIsIgnored) {
  const Bytes message = icmpv6_message(kPeer6, kOurs6, 135, 0, 0, raw(kOurs6) + link_layer(1, kPeerMac));
  input_ip(ipv6_packet(kPeer6, kOurs6, fragment_header(58, 0, true, 1) + slice(message, 0, 24),
                       {.next_header = 44, .hop_limit = 255}));
  input_ip(ipv6_packet(kPeer6, kOurs6, fragment_header(58, 24, false, 1) + slice(message, 24),
                       {.next_header = 44, .hop_limit = 255}));
  EXPECT_EQ(counters().rx_reassembled, 1U);
  EXPECT_EQ(counters().drop_icmp_ignored, 1U);
  EXPECT_TRUE(sink.frames.empty());
}

TEST_F(Resolution, AReplicaUsesWhatAnotherLearned) {
  LayerFixture other(one_port(), {1, 2});
  EXPECT_EQ(other.send(other.departure(kPeer), sctp_packet()), SendResult::queued);
  other.sink.frames.clear();
  input(ethernet(kOurMac, kPeerMac, 0x0806, arp_packet(2, kPeerMac, kPeer, kOurMac, kOurs)));
  ASSERT_EQ(sink.updates.size(), 1U);
  other.layer.apply(sink.updates[0], other.now);
  ASSERT_EQ(other.sink.frames.size(), 1U);
  EXPECT_EQ(slice(other.sink.take().frame, 0, 6), raw(kPeerMac));
  EXPECT_TRUE(other.sink.updates.empty());  // what came from a replica is not sent round again
}

}  // namespace
}  // namespace sluice::ip::testing
