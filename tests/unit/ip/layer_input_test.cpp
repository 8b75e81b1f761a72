#include "tests/unit/ip/support.hpp"

namespace sluice::ip::testing {
namespace {

class LayerInput : public ::testing::Test, public LayerFixture {
 protected:
  const Counters& counters() const { return layer.counters(); }
};

TEST_F(LayerInput, HandsUpAnIpv4SctpPacketWithItsArrival) {
  const Bytes sctp = sctp_packet();
  const auto packet = input_ip(ipv4_packet(kPeer, kOurs, sctp, {.tos = 46 << 2 | 3}));
  ASSERT_TRUE(packet);
  EXPECT_EQ(contents(packet->buffer), sctp);
  EXPECT_EQ(packet->arrival.source, kPeer);
  EXPECT_EQ(packet->arrival.destination, kOurs);
  EXPECT_EQ(packet->arrival.time, now);
  EXPECT_EQ(packet->arrival.dscp, 46);
  EXPECT_EQ(packet->arrival.ecn, base::Ecn::ce);
  EXPECT_EQ(packet->arrival.checksum, base::Checksum::unknown);
  EXPECT_EQ(packet->arrival.udp_source_port, 0);
}

TEST_F(LayerInput, HandsUpAnIpv6SctpPacketWithItsArrival) {
  const Bytes sctp = sctp_packet();
  const auto packet = input_ip(ipv6_packet(kPeer6, kOurs6, sctp, {.traffic_class = 10 << 2 | 2}));
  ASSERT_TRUE(packet);
  EXPECT_EQ(contents(packet->buffer), sctp);
  EXPECT_EQ(packet->arrival.source, kPeer6);
  EXPECT_EQ(packet->arrival.dscp, 10);
  EXPECT_EQ(packet->arrival.ecn, base::Ecn::ect0);
}

TEST_F(LayerInput, CutsEthernetPaddingOff) {
  const Bytes sctp = sctp_packet(0);
  const auto packet = input(ip_frame(kOurMac, kPeerMac, ipv4_packet(kPeer, kOurs, sctp)) + Bytes(14));
  ASSERT_TRUE(packet);
  EXPECT_EQ(contents(packet->buffer), sctp);
}

TEST_F(LayerInput, SurvivesTruncationAtEveryByte) {
  const Bytes options = bytes_of({60, 0, 1, 4, 0, 0, 0, 0}) + bytes_of({132, 0, 1, 4, 0, 0, 0, 0});
  for (const Bytes& packet : {ipv4_packet(kPeer, kOurs, sctp_packet(), {.options = bytes_of({1, 1, 1, 0})}),
                              ipv6_packet(kPeer6, kOurs6, options + sctp_packet(), {.next_header = 0}),
                              ipv4_packet(kPeer, kOurs, icmp_message(8, 0, 1, pattern(32)), {.protocol = 1})}) {
    const Bytes frame = ip_frame(kOurMac, kPeerMac, packet);
    for (std::size_t length = 0; length < frame.size(); ++length) {
      EXPECT_FALSE(input(slice(frame, 0, length))) << length;
      EXPECT_TRUE(sink.frames.empty()) << length;
    }
  }
}

TEST_F(LayerInput, TakesThePortsChecksumVerdictOnlyWhenThePortGivesOne) {
  Config config = one_port();
  config.interfaces[0].offloads.sctp_checksum_rx = true;
  LayerFixture offloading(config);
  for (const base::Checksum verdict : {base::Checksum::good, base::Checksum::bad, base::Checksum::zero}) {
    for (LayerFixture* fixture : {static_cast<LayerFixture*>(this), &offloading}) {
      base::Buffer frame =
          fixture->received.copy_of(ip_frame(kOurMac, kPeerMac, ipv4_packet(kPeer, kOurs, sctp_packet())));
      frame.block().frame.sctp_checksum = verdict;
      const auto packet = fixture->layer.input(0, std::move(frame), now);
      ASSERT_TRUE(packet);
      EXPECT_EQ(packet->arrival.checksum, fixture == this ? base::Checksum::unknown : verdict);
    }
  }
}

TEST_F(LayerInput, ChecksTheIpv4HeaderChecksumUnlessThePortDid) {
  Bytes packet = ipv4_packet(kPeer, kOurs, sctp_packet());
  put16(packet, 10, get16(packet, 10) ^ 1);
  EXPECT_FALSE(input_ip(packet));
  EXPECT_EQ(counters().drop_ipv4_checksum, 1U);

  Config config = one_port();
  config.interfaces[0].offloads.ipv4_checksum_rx = true;
  LayerFixture offloading(config);
  EXPECT_FALSE(offloading.input_ip(packet));  // the port could, but says nothing of this frame
  base::Buffer frame = offloading.received.copy_of(ip_frame(kOurMac, kPeerMac, packet));
  frame.block().frame.ipv4_checksum_good = true;
  EXPECT_TRUE(offloading.layer.input(0, std::move(frame), now));
}

TEST_F(LayerInput, RefusesWrongFrames) {
  const Bytes good = ipv4_packet(kPeer, kOurs, sctp_packet());
  EXPECT_FALSE(input(ip_frame(kOurMac, kPeerMac, good), 1));
  EXPECT_EQ(counters().drop_bad_port, 1U);
  EXPECT_FALSE(input(ip_frame(kOurSecondMac, kPeerMac, good)));
  EXPECT_FALSE(input(ip_frame(kOurMac, kBroadcastMac, good)));
  EXPECT_EQ(counters().drop_other_mac, 2U);
  EXPECT_FALSE(input(ethernet(kOurMac, kPeerMac, 0x88cc, good)));
  EXPECT_EQ(counters().drop_ethertype, 1U);
  EXPECT_FALSE(input(ip_frame(kBroadcastMac, kPeerMac, good)));
  EXPECT_EQ(counters().drop_not_ours, 1U);
}

TEST_F(LayerInput, TakesOnlyItsOwnVlan) {
  const Bytes packet = ipv4_packet(kPeer, kOurs, sctp_packet());
  const auto tagged = [&](unsigned tag) {
    return raw(kOurMac) + raw(kPeerMac) + be16(0x8100) + be16(tag) + be16(0x0800) + packet;
  };
  EXPECT_FALSE(input(tagged(100)));
  EXPECT_EQ(counters().drop_vlan, 1U);
  EXPECT_TRUE(input(tagged(5 << 13)));  // a priority tag names no VLAN

  Config config = one_port();
  config.interfaces[0].vlan = 100;
  LayerFixture in_vlan(config);
  EXPECT_TRUE(in_vlan.input(tagged(3 << 13 | 100)));
  EXPECT_FALSE(in_vlan.input(tagged(101)));
  EXPECT_FALSE(in_vlan.input_ip(packet));
  EXPECT_EQ(in_vlan.layer.counters().drop_vlan, 2U);
}

TEST_F(LayerInput, RefusesMartianSources) {
  std::uint64_t expected = 0;
  for (const char* source : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
                             "198.18.0.255", "198.18.0.0", "198.18.0.1"}) {
    EXPECT_FALSE(input_ip(ipv4_packet(address(source), kOurs, sctp_packet()))) << source;
    EXPECT_EQ(counters().drop_martian, ++expected) << source;
  }
  for (const char* source : {"::", "::1", "ff02::1", "2001:db8::1"}) {
    EXPECT_FALSE(input_ip(ipv6_packet(address(source), kOurs6, sctp_packet()))) << source;
    EXPECT_EQ(counters().drop_martian, ++expected) << source;
  }
  Bytes mapped = ipv6_packet(kPeer6, kOurs6, sctp_packet());
  const Bytes prefix = hex("00000000000000000000ffffc6120002");
  std::copy(prefix.begin(), prefix.end(), mapped.begin() + 8);
  EXPECT_FALSE(input_ip(mapped));
  EXPECT_EQ(counters().drop_martian, expected + 1);
}

TEST_F(LayerInput, RefusesDestinationsThatAreNotItsOwn) {
  for (const char* to : {"198.18.0.3", "198.18.0.255", "255.255.255.255", "224.0.0.1"})
    EXPECT_FALSE(input_ip(ipv4_packet(kPeer, address(to), sctp_packet()))) << to;
  for (const char* to : {"2001:db8::3", "ff02::1", "ff02::1:ff00:1"})
    EXPECT_FALSE(input_ip(ipv6_packet(kPeer6, address(to), sctp_packet()))) << to;
  EXPECT_EQ(counters().drop_not_ours, 7U);
}

TEST_F(LayerInput, WhatItTookInAFrameToUsIsNotTakenInABroadcastFrame) {
  const Bytes packet = ipv4_packet(kPeer, kOurs, sctp_packet());
  EXPECT_TRUE(input(ip_frame(kOurMac, kPeerMac, packet)));
  EXPECT_TRUE(input(ip_frame(kOurMac, kPeerMac, packet)));
  EXPECT_FALSE(input(ip_frame(kBroadcastMac, kPeerMac, packet)));
  EXPECT_FALSE(input(ip_frame(kOurMac, kPeerMac, ipv4_packet(kPeer, kPeer, sctp_packet()))));
  EXPECT_FALSE(input(ip_frame(kOurMac, kPeerMac, ipv4_packet(kOurs, kOurs, sctp_packet()))));
  EXPECT_EQ(counters().drop_not_ours, 2U);
  EXPECT_EQ(counters().drop_martian, 1U);
}

TEST_F(LayerInput, TakesAnAddressOfAnotherPort) {
  Config config = one_port();
  Interface second;
  second.mac = kOurSecondMac;
  second.addresses = {{address("198.18.1.1"), 24}};
  config.interfaces.push_back(second);
  LayerFixture fixture(config);
  const auto packet = fixture.input(ip_frame(kOurSecondMac, kPeerMac, ipv4_packet(kPeer, kOurs, sctp_packet())), 1);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->arrival.port, 1);
}

TEST_F(LayerInput, RefusesAPayloadWithoutACommonHeader) {
  EXPECT_FALSE(input_ip(ipv4_packet(kPeer, kOurs, pattern(11))));
  EXPECT_FALSE(input_ip(ipv6_packet(kPeer6, kOurs6, pattern(11))));
  EXPECT_FALSE(input_ip(ipv6_packet(kPeer6, kOurs6, {})));
  EXPECT_EQ(counters().drop_sctp_short, 3U);
  EXPECT_TRUE(input_ip(ipv4_packet(kPeer, kOurs, pattern(12))));
}

TEST_F(LayerInput, JoinsFragmentsOfBothFamilies) {
  const Bytes sctp = sctp_packet(60000);
  std::optional<base::InboundPacket> packet;
  for (std::size_t at = 0; at < sctp.size(); at += 1480) {
    const bool more = at + 1480 < sctp.size();
    EXPECT_FALSE(packet);
    packet = input_ip(
        ipv4_packet(kPeer, kOurs, slice(sctp, at, 1480),
                    {.tos = 8, .id = 7, .flags_offset = (more ? 0x2000U : 0U) | static_cast<unsigned>(at / 8)}));
  }
  ASSERT_TRUE(packet);
  EXPECT_EQ(contents(packet->buffer), sctp);
  EXPECT_EQ(packet->arrival.dscp, 2);
  packet.reset();
  // In IPv6, options for the destination stand behind the fragment header, in the first fragment.
  const Bytes joined = bytes_of({132, 0, 1, 4, 0, 0, 0, 0}) + sctp;
  for (std::size_t at = 0; at < joined.size(); at += 1232) {
    const bool more = at + 1232 < joined.size();
    EXPECT_FALSE(packet);
    packet = input_ip(ipv6_packet(kPeer6, kOurs6,
                                  fragment_header(60, static_cast<unsigned>(at), more, 9) + slice(joined, at, 1232),
                                  {.next_header = 44}));
  }
  ASSERT_TRUE(packet);
  EXPECT_EQ(contents(packet->buffer), sctp);
  EXPECT_EQ(counters().rx_reassembled, 2U);
  packet.reset();
  EXPECT_EQ(blocks.out(), 0U);
}

TEST_F(LayerInput, TheVerdictOnAFragmentIsNotThatOfThePacket) {
  Config config = one_port();
  config.interfaces[0].offloads.sctp_checksum_rx = true;
  LayerFixture fixture(config);
  const Bytes sctp = sctp_packet(100);
  for (const unsigned at : {0U, 80U}) {
    base::Buffer frame = fixture.received.copy_of(ip_frame(
        kOurMac, kPeerMac,
        ipv4_packet(kPeer, kOurs, slice(sctp, at, 80), {.id = 1, .flags_offset = at == 0 ? 0x2000U : at / 8})));
    frame.block().frame.sctp_checksum = base::Checksum::good;
    const auto packet = fixture.layer.input(0, std::move(frame), now);
    ASSERT_EQ(packet.has_value(), at == 80);
    if (packet) {
      EXPECT_EQ(packet->arrival.checksum, base::Checksum::unknown);
    }
  }
}

TEST_F(LayerInput, AnAtomicFragmentIsWhole) {
  const Bytes sctp = sctp_packet();
  const auto packet =
      input_ip(ipv6_packet(kPeer6, kOurs6, fragment_header(132, 0, false, 5) + sctp, {.next_header = 44}));
  ASSERT_TRUE(packet);
  EXPECT_EQ(contents(packet->buffer), sctp);
  EXPECT_EQ(counters().rx_fragments, 0U);
}

TEST_F(LayerInput, ForgetsFragmentsInTime) {
  input_ip(ipv4_packet(kPeer, kOurs, pattern(80), {.id = 1, .flags_offset = 0x2000}));
  EXPECT_EQ(blocks.out(), 1U);
  EXPECT_EQ(layer.next_deadline(), now + 30s);
  advance(30s);
  EXPECT_EQ(blocks.out(), 0U);
  EXPECT_EQ(counters().drop_reassembly_expired, 1U);
  EXPECT_EQ(layer.next_deadline(), kNever);
}

TEST_F(LayerInput, AllFragmentsOfADatagramHashAlikeAndOnlyFragmentsHash) {
  const auto hash4 = [](unsigned id, unsigned flags_offset) {
    return Layer::fragment_hash(
        ip_frame(kOurMac, kPeerMac, ipv4_packet(kPeer, kOurs, pattern(80), {.id = id, .flags_offset = flags_offset})));
  };
  ASSERT_TRUE(hash4(1, 0x2000));
  EXPECT_EQ(hash4(1, 0x2000), hash4(1, 10));
  EXPECT_NE(hash4(1, 0x2000), hash4(2, 0x2000));
  EXPECT_FALSE(hash4(1, 0x4000));
  const auto hash6 = [](unsigned offset, bool more) {
    return Layer::fragment_hash(ip_frame(
        kOurMac, kPeerMac,
        ipv6_packet(kPeer6, kOurs6, fragment_header(132, offset, more, 5) + pattern(80), {.next_header = 44})));
  };
  ASSERT_TRUE(hash6(0, true));
  EXPECT_EQ(hash6(0, true), hash6(80, false));
  EXPECT_FALSE(hash6(0, false));
  const Bytes whole = ip_frame(kOurMac, kPeerMac, ipv6_packet(kPeer6, kOurs6, sctp_packet()));
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    const Bytes cut = slice(whole, 0, length);
    EXPECT_FALSE(Layer::fragment_hash(cut));
  }
}

}  // namespace
}  // namespace sluice::ip::testing
