#include "stack/ip/route_table.hpp"

#include "stack/ip/token_bucket.hpp"
#include "tests/unit/ip/support.hpp"

namespace sluice::ip::testing {
namespace {

const IpAddress kAny;

// Two ports on two subnets, each with a default route, the first with a longer one besides.
Config two_ports() {
  Config config;
  Interface first;
  first.mac = kOurMac;
  first.addresses = {{address("198.18.1.1"), 24},
                     {address("198.18.1.9"), 24},
                     {address("fe80::1"), 64},
                     {address("2001:db8:1::1"), 64}};
  Interface second = first;
  second.mac = kOurSecondMac;
  second.mtu = 9000;
  second.addresses = {{address("198.18.2.1"), 25}, {address("2001:db8:2::1"), 64}};
  config.interfaces = {first, second};
  config.routes = {{{address("0.0.0.0"), 0}, address("198.18.1.254"), 0},
                   {{address("0.0.0.0"), 0}, address("198.18.2.126"), 1},
                   {{address("198.19.0.0"), 16}, address("198.18.1.253"), 0},
                   {{address("198.18.8.0"), 24}, kAny, 1},
                   {{address("2001:db8::"), 32}, address("fe80::99"), 0}};
  return config;
}

class RouteTableTest : public ::testing::Test {
 protected:
  std::string way(const char* destination, const IpAddress& hint = {}) {
    const auto* const entry = table.find(table.resolve(address(destination), hint));
    if (entry == nullptr) return "none";
    return std::to_string(entry->port) + (entry->via_gateway ? ' ' + entry->gateway.to_string() : "");
  }
  std::string source(const char* destination) {
    const auto found = table.source_for(address(destination));
    return found ? found->to_string() : "none";
  }
  const Config config = two_ports();
  RouteTable table{config};
};

TEST_F(RouteTableTest, TheLongestPrefixWins) {
  EXPECT_EQ(way("198.18.1.7"), "0");
  EXPECT_EQ(way("198.18.2.7"), "1");
  EXPECT_EQ(way("198.18.2.200"), "0 198.18.1.254");  // past the second port's /25
  EXPECT_EQ(way("198.19.3.4"), "0 198.18.1.253");
  EXPECT_EQ(way("192.0.2.1"), "0 198.18.1.254");
  EXPECT_EQ(way("198.18.8.3"), "1");
  EXPECT_EQ(way("2001:db8:2::7"), "1");
  EXPECT_EQ(way("2001:db8:9::7"), "0 fe80::99");
  EXPECT_EQ(way("2001:db9::1"), "none");
}

TEST_F(RouteTableTest, TheSourcesPortComesFirst) {
  EXPECT_EQ(way("192.0.2.1", address("198.18.2.1")), "1 198.18.2.126");
  EXPECT_EQ(way("198.19.3.4", address("198.18.2.1")), "1 198.18.2.126");
  EXPECT_EQ(way("198.18.1.7", address("198.18.2.1")), "1 198.18.2.126");
  EXPECT_EQ(way("2001:db8:9::7", address("2001:db8:2::1")), "0 fe80::99");  // its port has no way there
}

TEST_F(RouteTableTest, DownedPortsAreNotUsed) {
  table.set_link(0, false);
  EXPECT_EQ(way("192.0.2.1"), "1 198.18.2.126");
  EXPECT_EQ(way("192.0.2.1", address("198.18.1.1")), "none");
  EXPECT_EQ(way("2001:db8:9::7"), "none");
  table.set_link(0, true);
  EXPECT_EQ(way("192.0.2.1", address("198.18.1.1")), "0 198.18.1.254");
}

TEST_F(RouteTableTest, OnlySingleStationsElsewhereHaveAWay) {
  for (const char* to : {"0.0.0.0", "127.0.0.1", "224.0.0.5", "255.255.255.255", "198.18.1.255", "198.18.1.0",
                         "198.18.1.1", "198.18.2.1", "::", "::1", "ff02::1", "fe80::1"})
    EXPECT_EQ(way(to), "none") << to;
}

TEST_F(RouteTableTest, HandlesFollowFromTheConfiguration) {
  RouteTable other(config);
  other.set_link(1, false);
  EXPECT_EQ(table.resolve(kFar, {}), other.resolve(kFar, {}));
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(table.find(1000), nullptr);
  EXPECT_EQ(table.find(table.resolve(address("198.18.2.7"), {}))->mtu, 9000);
}

TEST_F(RouteTableTest, ChoosesTheSourceAddress) {
  EXPECT_EQ(source("198.18.1.7"), "198.18.1.1");
  EXPECT_EQ(source("198.18.1.10"), "198.18.1.9");  // the longer match
  EXPECT_EQ(source("198.18.2.7"), "198.18.2.1");
  EXPECT_EQ(source("192.0.2.1"), "198.18.1.1");
  EXPECT_EQ(source("2001:db8:9::7"), "2001:db8:1::1");  // not the link-local one, though the gateway is
  EXPECT_EQ(source("fe80::7"), "fe80::1");
  EXPECT_EQ(source("2001:db9::1"), "none");
}

TEST(Prefix, ContainsWhatItsBitsSay) {
  EXPECT_TRUE((Prefix{address("198.18.0.0"), 15}.contains(address("198.19.255.255"))));
  EXPECT_FALSE((Prefix{address("198.18.0.0"), 15}.contains(address("198.20.0.0"))));
  EXPECT_TRUE((Prefix{address("0.0.0.0"), 0}.contains(address("255.1.2.3"))));
  EXPECT_FALSE((Prefix{address("0.0.0.0"), 0}.contains(address("2001:db8::1"))));
  EXPECT_FALSE((Prefix{address("::"), 0}.contains(address("1.2.3.4"))));
  EXPECT_TRUE((Prefix{address("::"), 0}.contains(address("2001:db8::1"))));
  EXPECT_TRUE((Prefix{kOurs, 32}.contains(kOurs)));
  EXPECT_FALSE((Prefix{kOurs6, 128}.contains(kPeer6)));
}

TEST(FindError, AcceptsWhatIsSound) {
  EXPECT_EQ(find_error(one_port()), std::nullopt);
  EXPECT_EQ(find_error(two_ports()), std::nullopt);
}

TEST(FindError, SaysWhatIsWrong) {
  const auto error = [](auto&& change) {
    Config config = two_ports();
    change(config);
    return find_error(config).value_or("sound");
  };
  using C = Config&;
  EXPECT_EQ(error([](C c) { c.interfaces.clear(); }), "no interface is configured");
  EXPECT_THAT(error([](C c) { c.interfaces[1].mac = {}; }), ::testing::HasSubstr("interface 1: the Ethernet address"));
  EXPECT_THAT(error([](C c) { c.interfaces[1].mac = kBroadcastMac; }), ::testing::HasSubstr("Ethernet address"));
  EXPECT_THAT(error([](C c) { c.interfaces[0].mtu = 575; }), ::testing::HasSubstr("at least 576"));
  EXPECT_THAT(error([](C c) { c.interfaces[0].mtu = 1279; }), ::testing::HasSubstr("at least 1280"));
  EXPECT_THAT(error([](C c) { c.interfaces[0].vlan = 4095; }), ::testing::HasSubstr("VLAN"));
  EXPECT_THAT(error([](C c) {
                c.interfaces[1].addresses.push_back({address("198.18.1.1"), 24});
              }),
              ::testing::HasSubstr("stands twice"));
  EXPECT_THAT(error([](C c) {
                c.interfaces[1].addresses.push_back({address("224.0.0.1"), 24});
              }),
              ::testing::HasSubstr("not a unicast"));
  EXPECT_THAT(error([](C c) {
                c.interfaces[1].addresses.push_back({address("198.18.9.1"), 33});
              }),
              ::testing::HasSubstr("prefix length"));
  EXPECT_THAT(error([](C c) { c.routes[0].port = 2; }), ::testing::HasSubstr("port 2 does not exist"));
  EXPECT_THAT(error([](C c) { c.routes[0].gateway = address("198.18.5.1"); }), ::testing::HasSubstr("not on the link"));
  EXPECT_THAT(error([](C c) { c.routes[0].gateway = address("fe80::9"); }),
              ::testing::HasSubstr("other address family"));
  EXPECT_THAT(error([](C c) { c.limits.neighbours = 0; }), ::testing::HasSubstr("neighbours"));
  EXPECT_THAT(error([](C c) { c.limits.neighbour_tries = 256; }), ::testing::HasSubstr("neighbour_tries"));
  EXPECT_THAT(error([](C c) { c.limits.reassembly_contexts = 2000; }), ::testing::HasSubstr("reassembly_contexts"));
  EXPECT_THAT(error([](C c) { c.limits.reassembly_time = 0s; }), ::testing::HasSubstr("time"));
}

TEST(TokenBucket, LetsItsRatePass) {
  Timestamp now{1h};
  TokenBucket bucket(10);
  int passed = 0;
  for (int i = 0; i < 50; ++i) passed += bucket.take(now);
  EXPECT_EQ(passed, 10);
  for (int i = 0; i < 200; ++i) {
    now += 10ms;
    passed += bucket.take(now);
  }
  EXPECT_EQ(passed, 30);
  EXPECT_FALSE(TokenBucket(0).take(now));
}

}  // namespace
}  // namespace sluice::ip::testing
