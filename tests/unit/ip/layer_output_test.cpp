#include "tests/unit/ip/support.hpp"

namespace sluice::ip::testing {
namespace {

class LayerOutput : public ::testing::Test, public LayerFixture {
 protected:
  const Counters& counters() const { return layer.counters(); }
};

TEST_F(LayerOutput, SendsIpv4WithEveryFieldInPlace) {
  learn_neighbours();
  base::Departure d = departure(kPeer);
  d.dscp = 46;
  d.ecn = base::Ecn::ect0;
  const Bytes sctp = sctp_packet();
  EXPECT_EQ(send(d, sctp), SendResult::sent);
  const auto sent = sink.take();
  EXPECT_EQ(sent.port, 0);
  Bytes expected = ipv4_packet(kOurs, kPeer, sctp, {.tos = 46 << 2 | 2, .flags_offset = 0x4000});
  EXPECT_EQ(sent.frame, ip_frame(kPeerMac, kOurMac, expected));
  EXPECT_EQ(sent.info.l2_length, 14);
  EXPECT_EQ(sent.info.l3_length, 20);
  EXPECT_EQ(sent.info.sctp_checksum, base::Checksum::good);
  EXPECT_FALSE(sent.info.ipv4_checksum_offload);
  EXPECT_EQ(counters().tx_packets, 1U);
  EXPECT_EQ(received.out(), 0U);
}

TEST_F(LayerOutput, SendsIpv6WithEveryFieldInPlace) {
  learn_neighbours();
  base::Departure d = departure(kPeer6);
  d.dscp = 10;
  d.ecn = base::Ecn::ect1;
  const Bytes sctp = sctp_packet();
  EXPECT_EQ(send(d, sctp), SendResult::sent);
  const auto sent = sink.take();
  EXPECT_EQ(sent.frame, ip_frame(kPeerMac, kOurMac, ipv6_packet(kOurs6, kPeer6, sctp, {.traffic_class = 10 << 2 | 1})));
  EXPECT_EQ(sent.info.l3_length, 40);
}

TEST_F(LayerOutput, TagsFramesOfAVlan) {
  Config config = one_port();
  config.interfaces[0].vlan = 100;
  LayerFixture fixture(config);
  fixture.learn_neighbours();
  EXPECT_EQ(fixture.send(fixture.departure(kPeer), sctp_packet()), SendResult::sent);
  const auto sent = fixture.sink.take();
  EXPECT_EQ(slice(sent.frame, 12, 6), be16(0x8100) + be16(100) + be16(0x0800));
  EXPECT_EQ(sent.info.l2_length, 18);
}

TEST_F(LayerOutput, LeavesChecksumsToThePortThatCanDoThem) {
  Config config = one_port();
  config.interfaces[0].offloads = {.ipv4_checksum_tx = true, .sctp_checksum_tx = true};
  LayerFixture fixture(config);
  fixture.learn_neighbours();
  base::Departure d = fixture.departure(kPeer);
  d.checksum = base::Checksum::offload;
  EXPECT_TRUE(fixture.layer.may_offload_checksum(d, 32));
  EXPECT_EQ(fixture.send(d, sctp_packet()), SendResult::sent);
  const auto sent = fixture.sink.take();
  EXPECT_TRUE(sent.info.ipv4_checksum_offload);
  EXPECT_EQ(sent.info.sctp_checksum, base::Checksum::offload);
  EXPECT_EQ(get16(sent.frame, 14 + 10), 0U);
}

TEST_F(LayerOutput, RefusesAnOffloadThatIsNotPossible) {
  learn_neighbours();
  base::Departure d = departure(kPeer);
  d.checksum = base::Checksum::offload;
  EXPECT_FALSE(layer.may_offload_checksum(d, 32));
  EXPECT_EQ(send(d, sctp_packet()), SendResult::offload_refused);
  Config config = one_port();
  config.interfaces[0].offloads.sctp_checksum_tx = true;
  LayerFixture fixture(config);
  fixture.learn_neighbours();
  d = fixture.departure(kPeer);
  d.checksum = base::Checksum::offload;
  d.dont_fragment = false;
  EXPECT_FALSE(fixture.layer.may_offload_checksum(d, 1481));
  EXPECT_EQ(fixture.send(d, sctp_packet(1481)), SendResult::offload_refused);
  EXPECT_TRUE(fixture.layer.may_offload_checksum(d, 1480));
  EXPECT_EQ(counters().drop_tx_offload, 1U);
}

TEST_F(LayerOutput, PrefersTheGatewayForWhatIsFar) {
  learn_neighbours();
  EXPECT_EQ(send(departure(kFar), sctp_packet()), SendResult::sent);
  EXPECT_EQ(slice(sink.take().frame, 0, 6), raw(kGatewayMac));
}

TEST_F(LayerOutput, RefusesWithoutARouteOrALink) {
  learn_neighbours();
  base::Departure d = departure(kFar6);
  EXPECT_EQ(d.next_hop, 0U);
  EXPECT_EQ(send(d, sctp_packet()), SendResult::no_route);
  d = departure(kPeer);
  layer.set_link(0, false, now);
  EXPECT_EQ(send(d, sctp_packet()), SendResult::link_down);
  EXPECT_EQ(layer.resolve(kPeer, kOurs), 0U);
  layer.set_link(0, true, now);
  sink.frames.clear();
  EXPECT_EQ(send(d, sctp_packet()), SendResult::sent);
  EXPECT_EQ(counters().drop_tx_no_route, 1U);
  EXPECT_EQ(counters().drop_tx_link_down, 1U);
}

TEST_F(LayerOutput, RefusesWhatIsTooBigAndMustStayWhole) {
  learn_neighbours();
  EXPECT_EQ(send(departure(kPeer), pattern(1480)), SendResult::sent);
  EXPECT_EQ(send(departure(kPeer), pattern(1481)), SendResult::too_big);
  EXPECT_EQ(send(departure(kPeer6), pattern(1460)), SendResult::sent);
  EXPECT_EQ(send(departure(kPeer6), pattern(1461)), SendResult::too_big);
  EXPECT_EQ(counters().drop_tx_too_big, 2U);
  EXPECT_EQ(received.out(), 0U);
}

TEST_F(LayerOutput, CountsAFullTransmitRing) {
  learn_neighbours();
  sink.room = 0;
  EXPECT_EQ(send(departure(kPeer), sctp_packet()), SendResult::no_room);
  EXPECT_EQ(counters().drop_tx_ring_full, 1U);
  EXPECT_EQ(received.out(), 0U);
}

// What one layer cuts, another one joins.
class LayerFragments : public ::testing::TestWithParam<std::tuple<bool, unsigned, unsigned>> {};

TEST_P(LayerFragments, ALargeDatagramCrossesASmallLink) {
  const auto [is_v4, mtu, size] = GetParam();
  Config config = one_port();
  config.interfaces[0].mtu = static_cast<std::uint16_t>(mtu);
  LayerFixture sender(config);
  sender.learn_neighbours();
  base::Departure d = sender.departure(is_v4 ? kPeer : kPeer6);
  d.dont_fragment = false;
  const Bytes sctp = pattern(size);
  EXPECT_TRUE(sender.layer.will_fragment(d, size));
  EXPECT_EQ(sender.send(d, sctp), SendResult::sent);

  Config other = one_port();
  other.interfaces[0].mac = kPeerMac;
  other.interfaces[0].addresses = {{kPeer, 24}, {kPeer6, 64}};
  LayerFixture receiver(other);
  std::optional<base::InboundPacket> packet;
  const std::size_t largest = 14 + (is_v4 ? mtu : 1280);
  const std::size_t count = sender.sink.frames.size();
  for (const auto& sent : sender.sink.frames) {
    EXPECT_FALSE(packet);
    EXPECT_LE(sent.frame.size(), largest);
    packet = receiver.input(sent.frame);
  }
  ASSERT_TRUE(packet);
  EXPECT_EQ(contents(packet->buffer), sctp);
  const std::size_t piece = is_v4 ? (mtu - 20) / 8 * 8 : 1232;
  EXPECT_EQ(count, (size + piece - 1) / piece);
  EXPECT_EQ(sender.layer.counters().tx_fragmented, 1U);
  EXPECT_EQ(sender.layer.counters().tx_fragments, count);
}

INSTANTIATE_TEST_SUITE_P(Sizes, LayerFragments,
                         ::testing::Values(std::tuple{true, 1500, 1481}, std::tuple{true, 1500, 65515},
                                           std::tuple{true, 1280, 65515}, std::tuple{true, 576, 4000},
                                           std::tuple{false, 1500, 1241}, std::tuple{false, 1500, 65515},
                                           std::tuple{false, 1280, 65515}, std::tuple{false, 9000, 8000}));

TEST_F(LayerOutput, WithoutDontFragmentASmallPacketStaysWhole) {
  learn_neighbours();
  base::Departure d = departure(kPeer);
  d.dont_fragment = false;
  EXPECT_FALSE(layer.will_fragment(d, 1480));
  EXPECT_EQ(send(d, pattern(1480)), SendResult::sent);
  ASSERT_EQ(sink.frames.size(), 1U);
  EXPECT_EQ(get16(sink.take().frame, 14 + 6), 0U);  // routers may cut it
  d = departure(kPeer6);
  d.dont_fragment = false;
  EXPECT_FALSE(layer.will_fragment(d, 1240));
  EXPECT_EQ(send(d, pattern(1240)), SendResult::sent);
  EXPECT_EQ(sink.frames.size(), 1U);
}

TEST_F(LayerOutput, MoreThanADatagramHoldsIsRefused) {
  learn_neighbours();
  base::Departure d = departure(kPeer);
  d.dont_fragment = false;
  EXPECT_EQ(send(d, pattern(65516)), SendResult::too_big);
}

TEST_F(LayerOutput, StopsFragmentingWhenTheRingOrTheBuffersRunOut) {
  learn_neighbours();
  base::Departure d = departure(kPeer);
  d.dont_fragment = false;
  sink.room = 3;
  EXPECT_EQ(send(d, pattern(20000)), SendResult::no_room);
  EXPECT_EQ(sink.frames.size(), 3U);
  EXPECT_EQ(counters().drop_tx_ring_full, 1U);
  sink.buffers.set_limit(0);
  EXPECT_EQ(send(d, pattern(20000)), SendResult::no_room);
  EXPECT_EQ(counters().drop_tx_no_buffer, 1U);
  EXPECT_EQ(received.out(), 0U);
  EXPECT_EQ(sink.buffers.out(), 0U);
}

TEST_F(LayerOutput, ReplicasNumberTheirDatagramsApart) {
  std::vector<unsigned> seen;
  for (const std::uint32_t index : {0U, 1U}) {
    LayerFixture replica(one_port(), {index, 2});
    replica.learn_neighbours();
    base::Departure d = replica.departure(kPeer);
    d.dont_fragment = false;
    for (int i = 0; i < 100; ++i) {
      replica.send(d, sctp_packet());
      seen.push_back(get16(replica.sink.take().frame, 14 + 4));
    }
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
}

TEST_F(LayerOutput, ReplicasKeepApartWhenIdentifiersWrapRoundWhateverTheirNumber) {
  constexpr int kEach = 25000;  // three times that is more than 16 bits count
  std::vector<int> giver(65536, -1);
  for (const std::uint32_t index : {0U, 1U, 2U}) {
    LayerFixture replica(one_port(), {index, 3});
    replica.learn_neighbours();
    base::Departure d = replica.departure(kPeer);
    d.dont_fragment = false;
    for (int i = 0; i < kEach; ++i) {
      replica.send(d, sctp_packet());
      int& owner = giver[get16(replica.sink.take().frame, 14 + 4)];
      ASSERT_TRUE(owner < 0 || owner == static_cast<int>(index)) << "replicas " << owner << " and " << index;
      owner = static_cast<int>(index);
    }
  }
}

TEST_F(LayerOutput, WaitsForTheNeighbourAndThenSends) {
  EXPECT_EQ(send(departure(kPeer), sctp_packet(1)), SendResult::queued);
  EXPECT_EQ(send(departure(kPeer), sctp_packet(2)), SendResult::queued);
  ASSERT_EQ(sink.frames.size(), 1U);
  EXPECT_EQ(sink.take().frame,
            ethernet(kBroadcastMac, kOurMac, 0x0806, arp_packet(1, kOurMac, kOurs, MacAddress{}, kPeer)));
  input(ethernet(kOurMac, kPeerMac, 0x0806, arp_packet(2, kPeerMac, kPeer, kOurMac, kOurs)));
  ASSERT_EQ(sink.frames.size(), 2U);
  EXPECT_EQ(slice(sink.take().frame, 34), sctp_packet(1));
  const auto second = sink.take();
  EXPECT_EQ(slice(second.frame, 34), sctp_packet(2));
  EXPECT_EQ(slice(second.frame, 0, 6), raw(kPeerMac));
  EXPECT_EQ(counters().tx_packets, 2U);
  EXPECT_EQ(counters().tx_queued, 2U);
}

TEST_F(LayerOutput, GivesANeighbourUpThatDoesNotAnswer) {
  EXPECT_EQ(send(departure(kPeer), sctp_packet()), SendResult::queued);
  advance(1s);
  advance(1s);
  EXPECT_EQ(counters().tx_arp, 3U);
  EXPECT_EQ(received.out(), 1U);
  advance(1s);
  EXPECT_EQ(counters().tx_arp, 3U);
  EXPECT_EQ(received.out(), 0U);
  EXPECT_EQ(counters().neighbours_failed, 1U);
  EXPECT_EQ(counters().drop_tx_neighbour_failed, 1U);
  ASSERT_EQ(sink.updates.size(), 1U);
  EXPECT_FALSE(sink.updates[0].reachable);
  EXPECT_EQ(send(departure(kPeer), sctp_packet()), SendResult::unreachable);
  advance(2s);
  EXPECT_EQ(send(departure(kPeer), sctp_packet()), SendResult::queued);
  EXPECT_EQ(counters().tx_arp, 4U);
}

TEST_F(LayerOutput, LinkDownDropsWhatWaits) {
  EXPECT_EQ(send(departure(kPeer), sctp_packet()), SendResult::queued);
  layer.set_link(0, false, now);
  EXPECT_EQ(received.out(), 0U);
  EXPECT_EQ(counters().drop_tx_link_down, 1U);
  EXPECT_EQ(layer.next_deadline(), kNever);
}

TEST_F(LayerOutput, EncapsulatesInUdp) {
  Config config = one_port();
  config.udp_encapsulation_port = 9899;
  LayerFixture fixture(config);
  fixture.learn_neighbours();
  for (const IpAddress& to : {kPeer, kPeer6}) {
    base::Departure d = fixture.departure(to);
    d.udp_destination_port = 12345;
    EXPECT_EQ(fixture.send(d, sctp_packet()), SendResult::sent);
    const Bytes datagram = udp_datagram(d.source, to, 9899, 12345, sctp_packet());
    Ipv4Options four{.protocol = 17, .flags_offset = 0x4000};
    const Bytes packet =
        to.is_v4() ? ipv4_packet(kOurs, to, datagram, four) : ipv6_packet(kOurs6, to, datagram, {.next_header = 17});
    EXPECT_EQ(fixture.sink.take().frame, ip_frame(kPeerMac, kOurMac, packet));
  }
  base::Departure d = fixture.departure(kPeer);
  d.udp_destination_port = 12345;
  EXPECT_EQ(fixture.send(d, pattern(1473)), SendResult::too_big);
  d.dont_fragment = false;
  EXPECT_TRUE(fixture.layer.will_fragment(d, 1473));
  EXPECT_FALSE(fixture.layer.will_fragment(d, 1472));
}

TEST_F(LayerOutput, DoesNotEncapsulateWhenThatIsOff) {
  learn_neighbours();
  base::Departure d = departure(kPeer);
  d.udp_destination_port = 9899;
  EXPECT_EQ(send(d, sctp_packet()), SendResult::no_route);
}

}  // namespace
}  // namespace sluice::ip::testing
