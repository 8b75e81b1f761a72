#include "stack/ip/ipv4.hpp"
#include "stack/ip/ipv6.hpp"
#include "tests/unit/ip/support.hpp"

namespace sluice::ip::testing {
namespace {

HeaderFault fault4(const Bytes& packet) {
  Datagram header;
  return parse_ipv4(packet, false, header);
}
HeaderFault fault6(const Bytes& packet) {
  Datagram header;
  return parse_ipv6(packet, header);
}

TEST(Ipv4Header, ReadsEveryField) {
  Datagram header;
  const Bytes packet = ipv4_packet(
      kPeer, kOurs, pattern(40),
      {.protocol = 17, .tos = 0xb9, .id = 0x1234, .flags_offset = 0x2000 | 5, .options = bytes_of({1, 1, 1, 0})});
  ASSERT_EQ(parse_ipv4(packet + Bytes(9), false, header), HeaderFault::none);
  EXPECT_EQ(header.source, kPeer);
  EXPECT_EQ(header.destination, kOurs);
  EXPECT_EQ(header.payload_offset, 24U);
  EXPECT_EQ(header.payload_length, 40U);
  EXPECT_EQ(header.protocol, 17);
  EXPECT_EQ(header.traffic_class, 0xb9);
  EXPECT_EQ(header.hop_limit, 64);
  ASSERT_TRUE(header.fragment);
  EXPECT_EQ(header.fragment->id, 0x1234U);
  EXPECT_EQ(header.fragment->offset, 40U);
  EXPECT_TRUE(header.fragment->more);
}

TEST(Ipv4Header, RefusesWrongLengthsAndVersions) {
  const Bytes good = ipv4_packet(kPeer, kOurs, pattern(20));
  const auto broken = [&](std::size_t at, int value) {
    Bytes packet = good;
    packet[at] = static_cast<std::byte>(value);
    put16(packet, 10, 0);
    put16(packet, 10, plain_checksum(slice(packet, 0, 20)));
    return fault4(packet);
  };
  EXPECT_EQ(fault4(good), HeaderFault::none);
  EXPECT_EQ(broken(0, 0x65), HeaderFault::malformed);
  EXPECT_EQ(broken(0, 0x44), HeaderFault::malformed);
  EXPECT_EQ(broken(0, 0x4f), HeaderFault::malformed);  // a header longer than the packet
  EXPECT_EQ(broken(3, 41), HeaderFault::malformed);    // one byte more than there is
  EXPECT_EQ(broken(3, 19), HeaderFault::malformed);
  EXPECT_EQ(broken(3, 20), HeaderFault::none);
}

TEST(Ipv4Header, StepsOverOptionsButTakesNoSourceRoute) {
  const auto with = [](std::initializer_list<int> options) {
    return fault4(ipv4_packet(kPeer, kOurs, pattern(20), {.options = bytes_of(options)}));
  };
  EXPECT_EQ(with({1, 1, 1, 1}), HeaderFault::none);
  EXPECT_EQ(with({148, 4, 0, 0}), HeaderFault::none);
  EXPECT_EQ(with({0, 131, 3, 4}), HeaderFault::none);  // behind the end
  EXPECT_EQ(with({148, 0, 0, 0}), HeaderFault::options);
  EXPECT_EQ(with({148, 1, 0, 0}), HeaderFault::options);
  EXPECT_EQ(with({148, 5, 0, 0}), HeaderFault::options);
  EXPECT_EQ(with({1, 1, 1, 148}), HeaderFault::options);
  EXPECT_EQ(with({131, 3, 4, 0}), HeaderFault::options);
  EXPECT_EQ(with({137, 3, 4, 0}), HeaderFault::options);
}

TEST(Ipv4Header, WritesWhatTheReferenceBuilderWrites) {
  OutgoingHeader header;
  header.source = kOurs;
  header.destination = kPeer;
  header.protocol = 132;
  header.traffic_class = 0xb9;
  Bytes written(20);
  write_ipv4(written.data(), header, 100, 77, std::nullopt, false);
  EXPECT_EQ(written,
            slice(ipv4_packet(kOurs, kPeer, Bytes(100), {.tos = 0xb9, .id = 77, .flags_offset = 0x4000}), 0, 20));
  write_ipv4(written.data(), header, 100, 77, Fragment{77, 1480, true}, false);
  EXPECT_EQ(written,
            slice(ipv4_packet(kOurs, kPeer, Bytes(100), {.tos = 0xb9, .id = 77, .flags_offset = 0x2000 | 185}), 0, 20));
}

TEST(Ipv6Header, ReadsEveryField) {
  Datagram header;
  const Bytes packet = ipv6_packet(kPeer6, kOurs6, fragment_header(132, 1232, true, 0xdeadbeef) + pattern(40),
                                   {.next_header = 44, .traffic_class = 0xb9, .hop_limit = 3});
  ASSERT_EQ(parse_ipv6(packet + Bytes(9), header), HeaderFault::none);
  EXPECT_EQ(header.source, kPeer6);
  EXPECT_EQ(header.destination, kOurs6);
  EXPECT_EQ(header.payload_offset, 48U);
  EXPECT_EQ(header.payload_length, 40U);
  EXPECT_EQ(header.protocol, 132);
  EXPECT_EQ(header.traffic_class, 0xb9);
  EXPECT_EQ(header.hop_limit, 3);
  ASSERT_TRUE(header.fragment);
  EXPECT_EQ(header.fragment->id, 0xdeadbeefU);
  EXPECT_EQ(header.fragment->offset, 1232U);
  EXPECT_TRUE(header.fragment->more);
}

TEST(Ipv6Header, RefusesWrongLengthsAndVersions) {
  const Bytes good = ipv6_packet(kPeer6, kOurs6, pattern(20));
  EXPECT_EQ(fault6(good), HeaderFault::none);
  Bytes packet = good;
  packet[0] = std::byte{0x40};
  EXPECT_EQ(fault6(packet), HeaderFault::malformed);
  packet = good;
  put16(packet, 4, 21);
  EXPECT_EQ(fault6(packet), HeaderFault::malformed);
}

TEST(Ipv6Header, WalksExtensionsInBounds) {
  const auto with = [](int first, const Bytes& chain) {
    return fault6(ipv6_packet(kPeer6, kOurs6, chain + pattern(16), {.next_header = first}));
  };
  const Bytes pad = hex("0104 0000 0000");
  const auto header = [&](int next) { return bytes_of({next, 0}) + pad; };
  EXPECT_EQ(with(0, header(60) + header(132)), HeaderFault::none);
  EXPECT_EQ(with(60, header(0) + header(132)), HeaderFault::options);   // hop-by-hop options come first
  EXPECT_EQ(with(60, bytes_of({132, 3}) + pad), HeaderFault::options);  // past the end
  EXPECT_EQ(with(60, bytes_of({132, 0, 1, 5, 0, 0, 0, 0})), HeaderFault::options);
  EXPECT_EQ(with(60, bytes_of({132, 0, 1, 2, 0, 0, 1, 1})), HeaderFault::options);
  EXPECT_EQ(with(60, bytes_of({132, 0, 0x1e, 4, 0, 0, 0, 0})), HeaderFault::none);  // unknown, to be skipped
  EXPECT_EQ(with(60, bytes_of({132, 0, 0x5e, 4, 0, 0, 0, 0})), HeaderFault::options);
  EXPECT_EQ(with(60, bytes_of({132, 0, 0xc2, 4, 0, 0, 0, 0})), HeaderFault::options);  // jumbo payload
  EXPECT_EQ(with(43, bytes_of({132, 0, 4, 0, 0, 0, 0, 0})), HeaderFault::none);
  EXPECT_EQ(with(43, bytes_of({132, 0, 4, 1, 0, 0, 0, 0})), HeaderFault::options);  // segments left
  Bytes chain;
  for (int i = 0; i < 8; ++i) chain = chain + header(i == 7 ? 132 : 60);
  EXPECT_EQ(with(60, chain), HeaderFault::none);
  EXPECT_EQ(with(60, header(60) + chain), HeaderFault::options);
}

TEST(Ipv6Header, BoundsTheOptionsOfAHeader) {
  Bytes options = bytes_of({132, 4}) + Bytes(38);
  for (std::size_t i = 0; i < 19; ++i) options[2 + 2 * i] = std::byte{1};  // nineteen PadN of nothing
  EXPECT_EQ(fault6(ipv6_packet(kPeer6, kOurs6, options + pattern(16), {.next_header = 60})), HeaderFault::options);
}

}  // namespace
}  // namespace sluice::ip::testing
