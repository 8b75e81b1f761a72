#include "stack/ip/icmp.hpp"

#include "tests/unit/ip/support.hpp"

// ICMP, ICMPv6 and UDP through the whole layer.
namespace sluice::ip::testing {
namespace {

using Kind = IcmpNotice::Kind;

class Icmp : public ::testing::Test, public LayerFixture {
 protected:
  const Counters& counters() const { return layer.counters(); }
  void error4(int type, int code, unsigned rest, const Bytes& quote) {
    input_ip(ipv4_packet(kGateway, kOurs, icmp_message(type, code, rest, quote), {.protocol = 1}));
  }
  void error6(int type, int code, unsigned rest, const Bytes& quote) {
    input_ip(ipv6_packet(kPeer6, kOurs6, icmpv6_message(kPeer6, kOurs6, type, code, rest, quote), {.next_header = 58}));
  }
};

TEST_F(Icmp, AnswersEchoRequests) {
  const Bytes body = pattern(57);
  input_ip(ipv4_packet(kPeer, kOurs, icmp_message(8, 0, 0x00070001, body), {.protocol = 1, .id = 9}));
  Bytes expected =
      ipv4_packet(kOurs, kPeer, icmp_message(0, 0, 0x00070001, body), {.protocol = 1, .flags_offset = 0x4000});
  EXPECT_EQ(sink.take().frame, ip_frame(kPeerMac, kOurMac, expected));
  input_ip(ipv6_packet(kPeer6, kOurs6, icmpv6_message(kPeer6, kOurs6, 128, 0, 0x00070002, body), {.next_header = 58}));
  expected = ipv6_packet(kOurs6, kPeer6, icmpv6_message(kOurs6, kPeer6, 129, 0, 0x00070002, body), {.next_header = 58});
  EXPECT_EQ(sink.take().frame, ip_frame(kPeerMac, kOurMac, expected));
  EXPECT_EQ(counters().rx_echo, 2U);
  EXPECT_EQ(received.out(), 0U);
}

TEST_F(Icmp, AnswersAnEchoRequestThatCameAndGoesInFragments) {
  const Bytes message = icmp_message(8, 0, 1, pattern(4000));
  for (unsigned at = 0; at < message.size(); at += 1480)
    input_ip(
        ipv4_packet(kPeer, kOurs, slice(message, at, 1480),
                    {.protocol = 1, .id = 3, .flags_offset = (at + 1480 < message.size() ? 0x2000U : 0U) | at / 8}));
  ASSERT_EQ(sink.frames.size(), 3U);
  Bytes reply;
  for (const auto& sent : sink.frames) reply = reply + slice(sent.frame, 34);
  EXPECT_EQ(reply, icmp_message(0, 0, 1, pattern(4000)));
  EXPECT_EQ(blocks.out(), 0U);
}

TEST_F(Icmp, AnswersASmallEchoRequestThatCameInFragments) {
  const Bytes message = icmpv6_message(kPeer6, kOurs6, 128, 0, 1, pattern(92));
  input_ip(ipv6_packet(kPeer6, kOurs6, fragment_header(58, 0, true, 1) + slice(message, 0, 64), {.next_header = 44}));
  input_ip(ipv6_packet(kPeer6, kOurs6, fragment_header(58, 64, false, 1) + slice(message, 64), {.next_header = 44}));
  ASSERT_EQ(sink.frames.size(), 1U);
  EXPECT_EQ(slice(sink.take().frame, 54), icmpv6_message(kOurs6, kPeer6, 129, 0, 1, pattern(92)));
}

TEST_F(Icmp, DoesNotAnswerGroupsOrBrokenRequests) {
  input_ip(ipv4_packet(kPeer, address("198.18.0.255"), icmp_message(8, 0, 1, pattern(8)), {.protocol = 1}));
  const IpAddress group = address("ff02::1");
  input_ip(ipv6_packet(kPeer6, group, icmpv6_message(kPeer6, group, 128, 0, 1, pattern(8)), {.next_header = 58}));
  Bytes broken = icmp_message(8, 0, 1, pattern(8));
  broken.back() ^= std::byte{1};
  input_ip(ipv4_packet(kPeer, kOurs, broken, {.protocol = 1}));
  broken = icmpv6_message(kPeer6, kOurs, 128, 0, 1, pattern(8));  // the pseudo-header of another address
  input_ip(ipv6_packet(kPeer6, kOurs6, broken, {.next_header = 58}));
  input_ip(ipv4_packet(kPeer, kOurs, icmp_message(13, 0, 1, pattern(12)), {.protocol = 1}));  // timestamp
  EXPECT_TRUE(sink.frames.empty());
  EXPECT_EQ(counters().drop_icmp_malformed, 2U);
  EXPECT_EQ(counters().drop_icmp_ignored, 2U);
}

TEST_F(Icmp, TellsWhatIpv4ErrorsSay) {
  const Bytes quote = slice(ipv4_packet(kOurs, kFar, sctp_packet()), 0, 28);
  const std::pair<int, Kind> kinds[] = {{0, Kind::network_unreachable},
                                        {1, Kind::host_unreachable},
                                        {2, Kind::protocol_unreachable},
                                        {3, Kind::port_unreachable},
                                        {13, Kind::host_unreachable}};
  for (const auto& [code, kind] : kinds) {
    error4(3, code, 0, quote);
    ASSERT_EQ(sink.notices.size(), 1U) << code;
    const IcmpNotice notice = sink.notices[0];
    sink.notices.clear();
    EXPECT_EQ(notice.kind, kind);
    EXPECT_EQ(notice.source, kOurs);
    EXPECT_EQ(notice.destination, kFar);
    EXPECT_EQ(notice.source_port, 2905);
    EXPECT_EQ(notice.destination_port, 3868);
    EXPECT_EQ(notice.verification_tag, 0xcafe0001U);
    EXPECT_FALSE(notice.initiate_tag);
  }
  EXPECT_EQ(counters().rx_icmp_errors, 5U);
}

TEST_F(Icmp, TellsWhatIpv6ErrorsSay) {
  const Bytes quote = ipv6_packet(kOurs6, kFar6, sctp_packet());
  const std::tuple<int, int, unsigned, Kind> kinds[] = {{1, 0, 0, Kind::network_unreachable},
                                                        {1, 3, 0, Kind::host_unreachable},
                                                        {1, 4, 0, Kind::port_unreachable},
                                                        {4, 1, 6, Kind::protocol_unreachable},
                                                        {2, 0, 1280, Kind::packet_too_big}};
  for (const auto& [type, code, rest, kind] : kinds) {
    error6(type, code, rest, quote);
    ASSERT_EQ(sink.notices.size(), 1U) << type << '/' << code;
    EXPECT_EQ(sink.notices[0].kind, kind);
    EXPECT_EQ(sink.notices[0].destination, kFar6);
    EXPECT_EQ(sink.notices[0].verification_tag, 0xcafe0001U);
    sink.notices.clear();
  }
}

TEST_F(Icmp, TellsTheMtuOrGuessesIt) {
  const auto mtu_for = [&](unsigned told, unsigned total) {
    Bytes quote = ipv4_packet(kOurs, kFar, sctp_packet());
    put16(quote, 2, total);
    error4(3, 4, told, quote);
    const unsigned mtu = sink.notices.empty() ? 0 : sink.notices[0].mtu;
    sink.notices.clear();
    return mtu;
  };
  EXPECT_EQ(mtu_for(1400, 1500), 1400U);
  EXPECT_EQ(mtu_for(68, 1500), 68U);
  EXPECT_EQ(mtu_for(67, 1500), 0U);
  EXPECT_EQ(mtu_for(0, 1500), 1492U);
  EXPECT_EQ(mtu_for(0, 1492), 1006U);
  EXPECT_EQ(mtu_for(0, 100), 68U);
  error6(2, 0, 1279, ipv6_packet(kOurs6, kFar6, sctp_packet()));  // RFC 8201 §4
  EXPECT_TRUE(sink.notices.empty());
}

TEST_F(Icmp, TellsTheInitiateTagOfAQuotedInit) {
  const Bytes init = be16(1) + be16(2) + be32(0) + be32(0) + bytes_of({1, 0, 0, 20}) + be32(0xabcd1234);
  error4(3, 2, 0, ipv4_packet(kOurs, kFar, init));
  ASSERT_EQ(sink.notices.size(), 1U);
  EXPECT_EQ(sink.notices[0].initiate_tag, 0xabcd1234U);
  error4(3, 2, 0, ipv4_packet(kOurs, kFar, slice(init, 0, 19)));
  EXPECT_FALSE(sink.notices[1].initiate_tag);
}

TEST_F(Icmp, IgnoresQuotesThatAreNotOfOurSctp) {
  error4(3, 3, 0, ipv4_packet(kFar, kOurs, sctp_packet()));                       // not sent by us
  error4(3, 3, 0, ipv4_packet(kOurs, kFar, sctp_packet(), {.protocol = 6}));      // not SCTP
  error4(3, 3, 0, ipv4_packet(kOurs, kFar, sctp_packet(), {.flags_offset = 3}));  // a later fragment
  error4(3, 5, 0, ipv4_packet(kOurs, kFar, sctp_packet()));                       // source route failed
  EXPECT_EQ(counters().drop_icmp_not_ours, 4U);
  EXPECT_TRUE(sink.notices.empty());
}

TEST_F(Icmp, SurvivesQuotesCutOffAnywhere) {
  const Bytes quote4 = ipv4_packet(kOurs, kFar, sctp_packet());
  for (std::size_t length = 0; length < 28; ++length) error4(3, 3, 0, slice(quote4, 0, length));
  const Bytes quote6 =
      ipv6_packet(kOurs6, kFar6, fragment_header(132, 0, true, 1) + sctp_packet(), {.next_header = 44});
  for (std::size_t length = 0; length < 56; ++length) error6(1, 4, 0, slice(quote6, 0, length));
  EXPECT_TRUE(sink.notices.empty());
  error4(3, 3, 0, slice(quote4, 0, 28));
  error6(1, 4, 0, slice(quote6, 0, 56));
  EXPECT_EQ(sink.notices.size(), 2U);
}

TEST_F(Icmp, SaysThatAProtocolIsUnknown) {
  const Bytes tcp = ipv4_packet(kPeer, kOurs, pattern(40), {.protocol = 6});
  EXPECT_FALSE(input_ip(tcp));
  Bytes expected = ipv4_packet(kOurs, kPeer, icmp_message(3, 2, 0, tcp), {.protocol = 1, .flags_offset = 0x4000});
  EXPECT_EQ(sink.take().frame, ip_frame(kPeerMac, kOurMac, expected));
  const Bytes options = bytes_of({6, 0, 1, 4, 0, 0, 0, 0});
  const Bytes tcp6 = ipv6_packet(kPeer6, kOurs6, options + pattern(40), {.next_header = 60});
  EXPECT_FALSE(input_ip(tcp6));
  expected = ipv6_packet(kOurs6, kPeer6, icmpv6_message(kOurs6, kPeer6, 4, 1, 40, tcp6), {.next_header = 58});
  EXPECT_EQ(sink.take().frame, ip_frame(kPeerMac, kOurMac, expected));
  EXPECT_EQ(counters().drop_unknown_protocol, 2U);
  EXPECT_EQ(counters().tx_icmp_errors, 2U);
  input_ip(ipv6_packet(kPeer6, kOurs6, {}, {.next_header = 59}));
  input_ip(ipv4_packet(kPeer, kOurs, pattern(40), {.protocol = 58}));  // ICMPv6 has no place in IPv4
  EXPECT_EQ(counters().tx_icmp_errors, 3U);
}

TEST_F(Icmp, ErrorsKeepToTheirSizeAndRate) {
  for (int i = 0; i < 150; ++i) input_ip(ipv4_packet(kPeer, kOurs, pattern(1400), {.protocol = 6}));
  EXPECT_EQ(sink.frames.size(), 100U);
  EXPECT_EQ(sink.frames[0].frame.size(), 14U + 576U);
  EXPECT_EQ(counters().drop_icmp_rate_limited, 50U);
  now += 100ms;
  for (int i = 0; i < 20; ++i) input_ip(ipv6_packet(kPeer6, kOurs6, pattern(1400), {.next_header = 6}));
  ASSERT_EQ(sink.frames.size(), 110U);
  EXPECT_EQ(sink.frames.back().frame.size(), 14U + 1280U);
}

TEST_F(Icmp, SaysThatAUdpPortIsClosed) {
  const Bytes udp = ipv4_packet(kPeer, kOurs, udp_datagram(kPeer, kOurs, 5000, 53, pattern(9)), {.protocol = 17});
  EXPECT_FALSE(input_ip(udp));
  const Bytes expected = ipv4_packet(kOurs, kPeer, icmp_message(3, 3, 0, udp), {.protocol = 1, .flags_offset = 0x4000});
  EXPECT_EQ(sink.take().frame, ip_frame(kPeerMac, kOurMac, expected));
  const Bytes udp6 =
      ipv6_packet(kPeer6, kOurs6, udp_datagram(kPeer6, kOurs6, 5000, 53, pattern(9)), {.next_header = 17});
  EXPECT_FALSE(input_ip(udp6));
  EXPECT_EQ(slice(sink.take().frame, 54), icmpv6_message(kOurs6, kPeer6, 1, 4, 0, udp6));
  EXPECT_EQ(counters().drop_udp_port, 2U);
}

TEST_F(Icmp, TakesSctpOutOfUdp) {
  Config config = one_port();
  config.udp_encapsulation_port = 9899;
  LayerFixture fixture(config);
  const Bytes sctp = sctp_packet();
  auto packet = fixture.input_ip(
      ipv4_packet(kPeer, kOurs, udp_datagram(kPeer, kOurs, 5000, 9899, sctp) + pattern(3), {.protocol = 17}));
  ASSERT_TRUE(packet);
  EXPECT_EQ(contents(packet->buffer), sctp);
  EXPECT_EQ(packet->arrival.udp_source_port, 5000);
  packet = fixture.input_ip(
      ipv6_packet(kPeer6, kOurs6, udp_datagram(kPeer6, kOurs6, 5001, 9899, sctp), {.next_header = 17}));
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->arrival.udp_source_port, 5001);

  Bytes datagram = udp_datagram(kPeer, kOurs, 5000, 9899, sctp);
  put16(datagram, 6, 0);  // no checksum: right for IPv4, wrong for IPv6
  EXPECT_TRUE(fixture.input_ip(ipv4_packet(kPeer, kOurs, datagram, {.protocol = 17})));
  EXPECT_FALSE(fixture.input_ip(ipv6_packet(kPeer6, kOurs6, datagram, {.next_header = 17})));
  datagram = udp_datagram(kPeer, kOurs, 5000, 9899, sctp);
  datagram.back() ^= std::byte{1};
  EXPECT_FALSE(fixture.input_ip(ipv4_packet(kPeer, kOurs, datagram, {.protocol = 17})));
  for (const unsigned length : {7U, 8U + 32U + 1U}) {
    datagram = udp_datagram(kPeer, kOurs, 5000, 9899, sctp);
    put16(datagram, 4, length);
    put16(datagram, 6, 0);
    EXPECT_FALSE(fixture.input_ip(ipv4_packet(kPeer, kOurs, datagram, {.protocol = 17})));
  }
  EXPECT_FALSE(fixture.input_ip(ipv4_packet(kPeer, kOurs, pattern(7), {.protocol = 17})));
  EXPECT_EQ(fixture.layer.counters().drop_udp_malformed, 5U);
  EXPECT_FALSE(fixture.input_ip(
      ipv4_packet(kPeer, kOurs, udp_datagram(kPeer, kOurs, 5000, 9899, pattern(11)), {.protocol = 17})));
  EXPECT_EQ(fixture.layer.counters().drop_sctp_short, 1U);
}

TEST_F(Icmp, TellsErrorsAboutEncapsulatedPackets) {
  Config config = one_port();
  config.udp_encapsulation_port = 9899;
  LayerFixture fixture(config);
  const Bytes udp = be16(9899) + be16(5000) + be16(100) + be16(0) + sctp_packet();
  const auto error = [&](const Bytes& quoted) {
    const Bytes quote = ipv4_packet(kOurs, kFar, quoted, {.protocol = 17});
    fixture.input_ip(ipv4_packet(kGateway, kOurs, icmp_message(3, 3, 0, quote), {.protocol = 1}));
  };
  error(udp);
  ASSERT_EQ(fixture.sink.notices.size(), 1U);
  EXPECT_EQ(fixture.sink.notices[0].udp_destination_port, 5000);
  EXPECT_EQ(fixture.sink.notices[0].verification_tag, 0xcafe0001U);
  error(slice(udp, 0, 8));
  error(be16(53) + slice(udp, 2));
  EXPECT_EQ(fixture.sink.notices.size(), 1U);
}

}  // namespace
}  // namespace sluice::ip::testing
