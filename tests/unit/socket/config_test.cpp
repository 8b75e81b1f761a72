#include <gtest/gtest.h>
#include <sluice/config.hpp>
#include <sluice/error.hpp>

#include <tuple>

#include "stack/socket/config_check.hpp"

namespace sluice {
namespace {

using namespace std::chrono_literals;

auto fields(const LimitsConfig& l) {
  return std::tie(l.associations, l.opening_attempts, l.endpoints, l.inits_per_second, l.receive_buffers,
                  l.transmit_buffers, l.send_arena, l.events);
}

std::string error_of(const std::string& text) {
  try {
    parse_config(text, "gw.toml");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Config, ReadsEverySection) {
  const StackConfig config = parse_config(R"(
workers = 2
cpus = [0, 1]
idle = "yield"
eal_arguments = ["--no-pci"]

[[port]]
driver = "memif"
device = "/run/m.sock"
server = true
mtu = 9000
addresses = ["198.18.0.1/24", "2001:db8::1/64"]

[[port]]
name = "west"
device = "veth1"

[[route]]
to = "0.0.0.0/0"
via = "198.18.0.254"

[limits]
associations = 100

[parameters]
rto_initial = "200ms"
rto_min = "100ms"
rto_max = "400ms"
send_buffer = "8MiB"
)",
                                          "gw.toml");
  EXPECT_EQ(config.workers, 2);
  EXPECT_EQ(config.cpus, (std::vector<std::uint16_t>{0, 1}));
  EXPECT_EQ(config.idle, IdleMode::yield);
  EXPECT_EQ(config.eal_arguments, std::vector<std::string>{"--no-pci"});
  ASSERT_EQ(config.ports.size(), 2u);
  EXPECT_EQ(config.ports[0].name, "port0");
  EXPECT_EQ(config.ports[0].driver, PortDriver::memif);
  EXPECT_TRUE(config.ports[0].server);
  EXPECT_EQ(config.ports[0].mtu, 9000);
  ASSERT_EQ(config.ports[0].addresses.size(), 2u);
  EXPECT_EQ(config.ports[0].addresses[1].address, *IpAddress::parse("2001:db8::1"));
  EXPECT_EQ(config.ports[0].addresses[1].prefix_length, 64);
  EXPECT_EQ(config.ports[1].name, "west");
  EXPECT_EQ(config.ports[1].driver, PortDriver::af_packet);
  ASSERT_EQ(config.routes.size(), 1u);
  EXPECT_EQ(config.routes[0].via, *IpAddress::parse("198.18.0.254"));
  EXPECT_EQ(config.limits.associations, 100u);
  EXPECT_EQ(config.parameters.rto_min, 100ms);
  EXPECT_EQ(config.parameters.send_buffer, 8u << 20);
}

TEST(Config, NamesFileLineKeyAndWhatIsAllowed) {
  EXPECT_EQ(error_of("workers = 2\nworker = 3\n").substr(0, 45), "gw.toml:2: worker is not a known key; known h");
  EXPECT_EQ(error_of("\nworkers = 65\n"), "gw.toml:2: workers is 65; it must be a whole number from 1 to 64");
  EXPECT_EQ(error_of("workers = \"two\"\n"), "gw.toml:1: workers is 'two'; it must be a whole number from 1 to 64");
  EXPECT_EQ(error_of("idle = \"never\"\n"), "gw.toml:1: idle is 'never'; it must be one of busy, yield, sleep");
  EXPECT_EQ(
      error_of("[parameters]\nsack_delay = \"501ms\"\n"),
      "gw.toml:2: parameters.sack_delay is '501ms'; it must be a time such as \"100ms\" (ns, us, ms, s, min) from "
      "0 to 500ms");
  EXPECT_EQ(error_of("[[port]]\naddresses = [\"198.18.0.1\"]\n").substr(0, 44),
            "gw.toml:2: port.addresses is '198.18.0.1'; i");
  EXPECT_EQ(error_of("[[port]]\nrx_descriptors = 1\n"),
            "gw.toml:2: port.rx_descriptors is 1; it must be a whole number from 64 to 8192, or 0");
  EXPECT_EQ(parse_config("[[port]]\nrx_descriptors = 0\n", "gw.toml").ports[0].rx_descriptors, 0);
  EXPECT_EQ(error_of("workers = = 2\n").substr(0, 20), "gw.toml:1: not TOML:");
}

TEST(Config, ReadsWhatAPortIsToDoBesides) {
  const StackConfig config = parse_config(R"(
[[port]]
driver = "pcap"
device = "in.pcap"
transmit_device = "out.pcap"
mac = "02:00:5E:00:00:01"
promiscuous = true
capture = "/tmp/seen"

[[port]]
driver = "ring"
)",
                                          "gw.toml");
  ASSERT_EQ(config.ports.size(), 2u);
  EXPECT_EQ(config.ports[0].transmit_device, "out.pcap");
  EXPECT_EQ(config.ports[0].mac, "02:00:5E:00:00:01");
  EXPECT_TRUE(config.ports[0].promiscuous);
  EXPECT_EQ(config.ports[0].capture, "/tmp/seen");
  EXPECT_EQ(config.ports[1].driver, PortDriver::ring);
  for (const char* mac : {"02:00", "01:00:5e:00:00:01", "00:00:00:00:00:00"})
    EXPECT_EQ(error_of(std::string("[[port]]\nmac = \"") + mac + "\"\n").substr(0, 38 + std::string(mac).size()),
              "gw.toml:2: port.mac is '" + std::string(mac) + "'; it must be ")
        << mac;
}

TEST(Config, SeesWhatContradicts) {
  EXPECT_EQ(error_of("[parameters]\nrto_min = \"2min\"\n"),
            "gw.toml: parameters: rto_min must be above 0 and at most rto_max (rto_min is 2min, rto_max is 1min)");
  EXPECT_NE(error_of("[parameters]\nprimary_switchover_threshold = 1\n").find("path_max_retransmissions"),
            std::string::npos);
  for (const std::string name : {"a/b", "..", ".hidden", ""})
    EXPECT_NE(error_of("instance = \"" + name + "\"\n").find("instance is '" + name + "'; it must be"),
              std::string::npos)
        << name;
  EXPECT_NE(error_of("workers = 2\ncpus = [1]\n").find("cpus names 1 processors for 2 workers"), std::string::npos);
  EXPECT_EQ(
      error_of("[[port]]\ndevice = \"eth1\"\n[[port]]\ndevice = \"eth1\"\n"),
      "gw.toml: ports port0 and port1 both open eth1; give each a device of its own, or one port all the addresses");
  EXPECT_EQ(error_of("[[port]]\naddresses = [\"198.18.4.1/22\", \"198.18.4.1/24\"]\n"),
            "gw.toml: port port0: address 198.18.4.1 stands twice");
  EXPECT_EQ(error_of("[[port]]\naddresses = [\"198.18.4.0/22\"]\n"),
            "gw.toml: port port0: 198.18.4.0/22 is a network, not the address of a host in it");
  EXPECT_EQ(
      error_of("[[port]]\naddresses = [\"198.18.7.255/22\"]\n"),
      "gw.toml: port port0: 198.18.7.255/22 is the broadcast address of its network, not the address of a host in it");
  EXPECT_EQ(error_of("[[port]]\naddresses = [\"198.18.1.0/22\", \"198.18.0.0/31\", \"2001:db8::/64\"]\n"), "no error");
  EXPECT_EQ(error_of("[[port]]\naddresses = [\"198.18.5.255/22\", \"198.18.0.1/31\"]\n"), "no error");
}

TEST(Config, SeesThatTwoPortsHaveOneName) {
  EXPECT_NE(error_of("[[port]]\nname = \"port1\"\n[[port]]\n").find("two ports have the name port1"),
            std::string::npos);
}

// A program may have filled it in, past what a file may say.
TEST(Config, SeesWhatIsOutOfRange) {
  const auto error_with = [](auto&& spoil) -> std::string {
    StackConfig config;
    config.ports.emplace_back();
    spoil(config);
    socket::name_ports(config);
    try {
      socket::check_ranges(config, "it");
      socket::check_whole(config, "it");
      return "no error";
    } catch (const Error& error) {
      return error.what();
    }
  };
  EXPECT_EQ(error_with([](StackConfig&) {}), "no error");
  EXPECT_EQ(error_with([](StackConfig& config) { config.limits.associations = 0; }),
            "it: limits.associations is 0; it must be from 1 to 16777216");
  EXPECT_EQ(error_with([](StackConfig& config) { config.limits.endpoints = 65535; }),
            "it: limits.endpoints is 65535; it must be from 1 to 65534");
  EXPECT_EQ(error_with([](StackConfig& config) { config.workers = 65; }), "it: workers is 65; it must be from 1 to 64");
  EXPECT_EQ(error_with([](StackConfig& config) { config.idle_sleep = std::chrono::seconds(1); }),
            "it: idle_sleep is 1s; it must be from 1us to 10ms");
  EXPECT_EQ(error_with([](StackConfig& config) { config.ports[0].mtu = 100; }),
            "it: port port0: mtu is 100; it must be from 1280 to 9000");
  EXPECT_EQ(error_with([](StackConfig& config) { config.ports[0].rx_descriptors = 1; }),
            "it: port port0: rx_descriptors is 1; it must be from 64 to 8192, or 0");
  for (const std::string mac : {"02:00", "01:00:5e:00:00:01", "00:00:00:00:00:00"})
    EXPECT_EQ(error_with([&](StackConfig& config) { config.ports[0].mac = mac; }),
              "it: port port0: mac is '" + mac +
                  "'; it must be the Ethernet address of one station, such as 02:00:00:00:00:01");
}

TEST(Config, SaysThatThereMayBeSeveralPorts) {
  EXPECT_EQ(error_of("[port]\ndevice = \"eth1\"\n"),
            "gw.toml:1: port stands in single brackets; write [[port]], since there may be several");
}

TEST(Config, TakesOverridesByDottedKey) {
  StackConfig config;
  override_config(config, "workers=4");
  override_config(config, "idle=busy");
  override_config(config, "port.0.device=veth0");
  override_config(config, "port.0.addresses=[\"198.18.0.1/24\"]");
  override_config(config, "parameters.rto_min=100ms");
  override_config(config, "limits.events=128");
  EXPECT_EQ(config.workers, 4);
  EXPECT_EQ(config.idle, IdleMode::busy);
  ASSERT_EQ(config.ports.size(), 1u);
  EXPECT_EQ(config.ports[0].device, "veth0");
  EXPECT_EQ(config.ports[0].name, "port0");
  ASSERT_EQ(config.ports[0].addresses.size(), 1u);
  EXPECT_EQ(config.parameters.rto_min, 100ms);
  EXPECT_EQ(config.limits.events, 128u);
  EXPECT_THROW(override_config(config, "workers"), Error);
  EXPECT_THROW(override_config(config, "port.7.mtu=1500"), Error);
  EXPECT_THROW(override_config(config, "parameters.rto=1s"), Error);
}

TEST(Config, TheExampleShowsTheDefaults) {
  StackConfig example = load_config(SLUICE_CONFIG_DIRECTORY "/example.toml");
  ASSERT_EQ(example.ports.size(), 1u);
  ASSERT_EQ(example.routes.size(), 1u);
  EXPECT_EQ(example.ports[0].addresses.size(), 2u);
  // Every value but the device, the addresses and the route is what a program gets that says nothing.
  const StackConfig defaults;
  EXPECT_EQ(example.workers, defaults.workers);
  EXPECT_EQ(example.idle, defaults.idle);
  EXPECT_EQ(example.idle_sleep, defaults.idle_sleep);
  EXPECT_EQ(example.instance, defaults.instance);
  EXPECT_EQ(example.ports[0].rx_descriptors, PortConfig().rx_descriptors);
  EXPECT_EQ(example.ports[0].mtu, PortConfig().mtu);
  EXPECT_EQ(example.ports[0].transmit_device, PortConfig().transmit_device);
  EXPECT_EQ(example.ports[0].mac, PortConfig().mac);
  EXPECT_EQ(example.ports[0].promiscuous, PortConfig().promiscuous);
  EXPECT_EQ(example.ports[0].capture, PortConfig().capture);
  EXPECT_EQ(fields(example.limits), fields(defaults.limits));
  EXPECT_TRUE(example.parameters == defaults.parameters);
}

TEST(Config, AProfileIsSetBeforeWhatStandsBesideIt) {
  const StackConfig config =
      parse_config("[parameters]\nheartbeat_interval = \"5s\"\nprofile = \"telecom\"\n", "gw.toml");
  EXPECT_EQ(config.parameters.heartbeat_interval, 5s);
  EXPECT_EQ(config.parameters.rto_min, profile("telecom").rto_min);
  EXPECT_TRUE(profile("rfc9260") == Parameters());
  EXPECT_NE(error_of("[parameters]\nprofile = \"lan\"\n").find("must be one of rfc9260, telecom"), std::string::npos);
  EXPECT_THROW(profile("lan"), Error);
}

TEST(Config, TheTelecomFileShowsTheTelecomProfile) {
  const StackConfig config = load_config(SLUICE_CONFIG_DIRECTORY "/telecom.toml");
  EXPECT_TRUE(config.parameters == profile("telecom"));
}

TEST(Config, SaysWhichFileCannotBeRead) {
  try {
    load_config("/nonexistent/x.toml");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/nonexistent/x.toml"), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice
