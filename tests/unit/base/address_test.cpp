#include <gtest/gtest.h>
#include <sluice/transport_address.hpp>

namespace sluice {
namespace {

TEST(IpAddress, ReadsAndWritesBothFamilies) {
  EXPECT_EQ(IpAddress::parse("198.18.0.1"), IpAddress::v4(0xc6120001));
  EXPECT_EQ(IpAddress::v4(0xc6120001).to_string(), "198.18.0.1");
  EXPECT_EQ(IpAddress::v4(0xc6120001).v4_value(), 0xc6120001u);
  const auto six = IpAddress::parse("2001:db8:0:0:1:0:0:1");
  ASSERT_TRUE(six);
  EXPECT_TRUE(six->is_v6());
  EXPECT_EQ(six->to_string(), "2001:db8::1:0:0:1");
}

TEST(IpAddress, TakesTheMappedFormForIpv4) {
  EXPECT_EQ(IpAddress::parse("::ffff:198.18.0.1"), IpAddress::v4(0xc6120001));
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
  for (const char* text : {"", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "fe80::1%eth0", "2001:db8::g", "1.2.3.4 ",
                           "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
}

TEST(IpAddress, IsOrderedAsItsBytesAre) {
  for (std::size_t i = 0; i < 16; ++i) {
    IpAddress::Bytes smaller{};
    smaller[i] = 0x7f;
    for (std::size_t j = i + 1; j < 16; ++j) smaller[j] = 0xff;
    IpAddress::Bytes larger{};
    larger[i] = 0x80;
    EXPECT_LT(IpAddress::v6(smaller), IpAddress::v6(larger)) << i;
    EXPECT_NE(IpAddress::v6(smaller), IpAddress::v6(larger)) << i;
    EXPECT_EQ(IpAddress::v6(larger), IpAddress::v6(larger)) << i;
  }
  static_assert(IpAddress::v4(1) < IpAddress::v4(256) && IpAddress() < IpAddress::v4(0));
}

TEST(IpAddress, KnowsSpecialAddresses) {
  EXPECT_TRUE(IpAddress().is_unspecified());
  EXPECT_TRUE(IpAddress::v4(0).is_unspecified());
  EXPECT_TRUE(IpAddress::parse("127.9.9.9")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("169.254.1.1")->is_link_local());
  EXPECT_TRUE(IpAddress::parse("febf::1")->is_link_local());
  EXPECT_FALSE(IpAddress::parse("fec0::1")->is_link_local());
  EXPECT_TRUE(IpAddress::parse("224.0.0.1")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("ff02::1")->is_multicast());
  EXPECT_FALSE(IpAddress::parse("240.0.0.1")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("255.255.255.255")->is_broadcast());
}

TEST(TransportAddress, ReadsAndWritesBothFamilies) {
  for (const char* text : {"198.18.0.1:2905", "[2001:db8::1]:36412", "0.0.0.0:0"}) {
    const auto address = TransportAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
}

TEST(TransportAddress, RefusesWhatIsNone) {
  for (const char* text : {"198.18.0.1", "198.18.0.1:", "198.18.0.1:65536", "198.18.0.1:x", "[198.18.0.1]:1",
                           "2001:db8::1:36412", "[2001:db8::1]36412", ":1", "[]:1", "198.18.0.1:-1", "198.18.0.1:1x"})
    EXPECT_FALSE(TransportAddress::parse(text)) << text;
}

}  // namespace
}  // namespace sluice
