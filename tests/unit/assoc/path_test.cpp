#include "stack/assoc/path/path.hpp"

#include <gtest/gtest.h>

#include "stack/assoc/congestion/congestion_controller.hpp"
#include "stack/assoc/pools.hpp"

namespace sluice::assoc {
namespace {

Path path_to(IpAddress destination, std::uint16_t pmtu) {
  Path path;
  path.route.destination = destination;
  path.pmtu = pmtu;
  return path;
}

TEST(Path, PacketSizeLeavesOutWhatTheIpHeaderTakes) {
  EXPECT_EQ(path_to(IpAddress::v4(0xc6120001), 1500).max_packet_size(), 1480u);
  EXPECT_EQ(path_to(*IpAddress::parse("2001:db8::1"), 1500).max_packet_size(), 1460u);
  EXPECT_EQ(path_to(IpAddress::v4(0xc6120001), 1503).max_packet_size(), 1480u);
  EXPECT_EQ(path_to(IpAddress::v4(0xc6120001), 1500).max_data_chunk(), 1468u);
}

TEST(Path, PacketSizeLeavesOutTheUdpHeaderOfEncapsulation) {
  Path path = path_to(IpAddress::v4(0xc6120001), 1500);
  path.route.udp_destination_port = 9899;
  EXPECT_EQ(path.max_packet_size(), 1472u);
}

TEST(Path, OpeningGivesInitialRtoAndControllerAndClosingTakesItBack) {
  Pools pools;
  Parameters parameters;
  parameters.rto_initial = std::chrono::seconds(3);
  Path path = path_to(*IpAddress::parse("2001:db8::1"), 1500);
  ASSERT_TRUE(open_path(path, parameters, pools));
  EXPECT_EQ(path.rto.value(), std::chrono::seconds(3));
  EXPECT_EQ(path.congestion->cwnd(), 4344u);
  close_path(path, pools);
  close_path(path, pools);
  EXPECT_EQ(path.congestion, nullptr);
  EXPECT_EQ(pools.congestion_controllers.out(), 0u);
}

TEST(Path, OpeningFailsWhenThePoolIsEmpty) {
  Pools pools({.congestion_controllers = 0});
  Path path = path_to(IpAddress::v4(0xc6120001), 1500);
  EXPECT_FALSE(open_path(path, {}, pools));
}

}  // namespace
}  // namespace sluice::assoc
