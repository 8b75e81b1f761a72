// Ports that share an interface with the kernel, in a network namespace that goes when this process does.

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <set>

#include "tests/unit/drivers/dpdk_environment.hpp"

namespace sluice::drivers {
namespace {

using test::bytes_of;
using test::ethernet_frame;
using test::frame_in;
using test::make_pool;
using test::open_one;

/// Runs before DPDK and its threads start: without root, a user namespace gives us the rights in our own network.
class NetworkNamespace : public testing::Environment {
 public:
  void SetUp() override {
    const uid_t user = geteuid();
    const int flags = CLONE_NEWNET | CLONE_NEWNS | (user == 0 ? 0 : CLONE_NEWUSER);
    ASSERT_EQ(unshare(flags), 0) << "no right to make a network namespace: run as root";
    if (user != 0) std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
    // PMDs look interfaces up in /sys, which shows those of the namespace it was mounted in.
    ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(mount("sysfs", "/sys", "sysfs", 0, nullptr), 0);
  }
};

[[maybe_unused]] const auto* const kNamespace = testing::AddGlobalTestEnvironment(new NetworkNamespace);

void run(const std::string& command) {
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

/// A veth pair that the kernel's own stack leaves alone.
struct Veth {
  explicit Veth(const std::string& options = "") {
    run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
    run("ip link add sl0 " + options + " type veth peer name sl1 " + options);
  }
  ~Veth() { run("ip link del sl0"); }
};

PortConfig config_of(PortKind kind, const std::string& interface) {
  PortConfig config;
  config.name = "port-" + interface;
  config.kind = kind;
  config.interface = interface;
  config.receive_descriptors = config.transmit_descriptors = 512;
  return config;
}

void carry(Port& from, Port& to, PacketPool& pool, std::size_t size) {
  const auto bytes = ethernet_frame(1, 2, size, static_cast<std::uint8_t>(size));
  base::Buffer frame = frame_in(pool, bytes);
  ASSERT_EQ(from.transmit(0, {&frame, 1}), 1);
  const auto received = test::receive_all(to, 1);
  ASSERT_EQ(received.size(), 1u) << size;
  EXPECT_EQ(bytes_of(received[0]), bytes);
}

TEST(AfPacketPort, BringsItsInterfaceUpAndCarriesFramesBothWays) {
  const Veth veth;
  const auto pool = make_pool(4096);
  const auto left = open_one(config_of(PortKind::af_packet, "sl0"), *pool);
  const auto right = open_one(config_of(PortKind::af_packet, "sl1"), *pool);
  ASSERT_TRUE(test::wait_for_link(*left, true));
  for (const std::size_t size : {60, 1514}) {
    carry(*left, *right, *pool, size);
    carry(*right, *left, *pool, size);
  }
}

TEST(AfPacketPort, CarriesJumboFrames) {
  const Veth veth("mtu 9000");
  const auto pool = make_pool(4096, block_bytes_for_mtu(9000));
  PortConfig config = config_of(PortKind::af_packet, "sl0");
  config.mtu = 9000;
  const auto left = open_one(config, *pool);
  config = config_of(PortKind::af_packet, "sl1");
  config.mtu = 9000;
  const auto right = open_one(config, *pool);
  ASSERT_TRUE(test::wait_for_link(*left, true));
  carry(*left, *right, *pool, 9014);
}

TEST(AfPacketPort, LinkFollowsTheKernelsAndEndsWithTheInterface) {
  const auto pool = make_pool();
  std::unique_ptr<Port> left;
  {
    const Veth veth;
    run("ip link set sl1 up");
    left = open_one(config_of(PortKind::af_packet, "sl0"), *pool);
    EXPECT_TRUE(test::wait_for_link(*left, true));
    run("ip link set sl1 down");
    EXPECT_TRUE(test::wait_for_link(*left, false)) << "the peer's end is down";
    run("ip link set sl1 up");
    EXPECT_TRUE(test::wait_for_link(*left, true));
  }
  EXPECT_TRUE(test::wait_for_link(*left, false)) << "the interface is gone";
}

TEST(AfPacketPort, SpreadsFlowsOverQueuesAndKeepsEachOnOne) {
  const Veth veth;
  const auto pool = make_pool(4096);
  const auto left = open_one(config_of(PortKind::af_packet, "sl0"), *pool);
  PortConfig config = config_of(PortKind::af_packet, "sl1");
  config.queues = 2;
  std::array<PacketPool*, 2> pools{pool.get(), pool.get()};
  const auto right = open_port(test::eal(), config, pools);
  EXPECT_EQ(right->info().receive_queues, 2);
  EXPECT_TRUE(right->info().offloads.spreads_flows);
  ASSERT_TRUE(test::wait_for_link(*left, true));
  constexpr std::uint16_t kFlows = 64;
  for (int round = 0; round < 2; ++round) {
    for (std::uint16_t port = 1; port <= kFlows; ++port) {
      base::Buffer frame = frame_in(*pool, test::sctp_frame(1, 2, port, 2905));
      ASSERT_EQ(left->transmit(0, {&frame, 1}), 1);
    }
  }
  std::array<std::multiset<std::uint16_t>, 2> seen;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (seen[0].size() + seen[1].size() < 2u * kFlows && std::chrono::steady_clock::now() < deadline) {
    for (std::uint16_t queue = 0; queue < 2; ++queue) {
      std::array<base::Buffer, kMaxBurst> burst;
      const std::uint16_t n = right->receive(queue, burst);
      for (std::uint16_t i = 0; i < n; ++i) seen[queue].insert(base::load_be<std::uint16_t>(burst[i].data() + 34));
    }
  }
  EXPECT_EQ(seen[0].size() + seen[1].size(), 2u * kFlows);
  EXPECT_FALSE(seen[0].empty());
  EXPECT_FALSE(seen[1].empty());
  for (const std::uint16_t flow : seen[0]) EXPECT_EQ(seen[1].count(flow), 0u);
}

TEST(AfPacketPort, SaysWhenTheInterfaceIsTooSmall) {
  const Veth veth;
  PortConfig config = config_of(PortKind::af_packet, "sl0");
  config.mtu = 9000;
  EXPECT_EQ(test::error_of(config),
            "port 'port-sl0': interface 'sl0' has an MTU of 1500, less than the 9000 asked for; run 'ip link set sl0 "
            "mtu 9000', or lower the port's mtu");
}

TEST(AfPacketPort, TakesTheMacAddressAskedFor) {
  const Veth veth("address 02:00:00:00:00:77");
  const auto pool = make_pool();
  PortConfig config = config_of(PortKind::af_packet, "sl0");
  EXPECT_EQ(base::to_string(open_one(config, *pool)->info().mac), "02:00:00:00:00:77");
  config.mac = test::mac(9);
  EXPECT_EQ(open_one(config, *pool)->info().mac, test::mac(9));
}

TEST(AfXdpPort, CarriesFramesBothWays) {
  const Veth veth;
  // Each end keeps blocks of its own pool on the kernel's fill ring.
  const auto left_pool = make_pool(8192);
  const auto right_pool = make_pool(8192);
  PortConfig config = config_of(PortKind::af_xdp, "sl0");
  config.queues = 2;  // veth has one
  std::array<PacketPool*, 2> pools{left_pool.get(), left_pool.get()};
  const auto left = open_port(test::eal(), config, pools);
  EXPECT_EQ(left->info().receive_queues, 1);
  const auto right = open_one(config_of(PortKind::af_xdp, "sl1"), *right_pool);
  ASSERT_TRUE(test::wait_for_link(*left, true));
  for (const std::size_t size : {60, 1514}) {
    carry(*left, *right, *left_pool, size);
    carry(*right, *left, *right_pool, size);
  }
}

TEST(TapPort, CarriesFramesOverABridge) {
  run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
  // A bridge that snoops sends a report of its own (224.0.0.106), now and then among our frames.
  run("ip link add slbr type bridge mcast_snooping 0 && ip link set slbr up");
  const auto pool = make_pool(4096);
  const auto left = open_one(config_of(PortKind::tap, "sltap0"), *pool);
  const auto right = open_one(config_of(PortKind::tap, "sltap1"), *pool);
  run("ip link set sltap0 master slbr && ip link set sltap1 master slbr");
  ASSERT_TRUE(test::wait_for_link(*left, true));
  for (const std::size_t size : {60, 1514}) {
    carry(*left, *right, *pool, size);
    carry(*right, *left, *pool, size);
  }
  run("ip link set sltap0 down");
  EXPECT_TRUE(test::wait_for_link(*left, false));
  run("ip link del slbr");
}

}  // namespace
}  // namespace sluice::drivers
