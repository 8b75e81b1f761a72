#pragma once

#include <sluice/ip_address.hpp>
#include <sluice/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stack/base/mac_address.hpp"

namespace sluice::ip {

/// The first `length` bits of `address`; `length` counts in the family of `address` (0 to 32, or 0 to 128).
struct Prefix {
  IpAddress address;
  std::uint8_t length = 0;

  bool contains(const IpAddress& other) const;
};

/// What a port does by itself.
struct Offloads {
  bool ipv4_checksum_rx = false;  ///< frames come with FrameInfo::ipv4_checksum_good
  bool ipv4_checksum_tx = false;
  bool sctp_checksum_rx = false;  ///< frames come with a verdict in FrameInfo::sctp_checksum
  bool sctp_checksum_tx = false;
};

/// One port of the stack: its index in Config::interfaces is `Arrival::port`.
struct Interface {
  base::MacAddress mac{};
  std::uint16_t mtu = 1500;  ///< bytes of the largest IP packet, 576 to 65535; at least 1280 with IPv6 addresses
  std::optional<std::uint16_t> vlan;  ///< 802.1Q identifier, 1 to 4094, on every frame in and out
  /// Our addresses with the prefix that is on the link. Unicast; no address stands twice in a Config.
  std::vector<Prefix> addresses;
  Offloads offloads;
  bool link_up = true;  ///< at start; later Layer::set_link()
};

/// A static route. The prefixes of the interfaces' addresses are routes already.
struct Route {
  Prefix destination;  ///< length 0 is the default route of that family
  IpAddress gateway;   ///< on the link of `port`, same family; unspecified: `destination` itself is on the link
  std::uint16_t port = 0;
};

/// What the layer holds at most, and for how long.
struct Limits {
  std::uint32_t neighbours = 4096;                        ///< entries in the neighbour cache, 1 to 1048576
  std::uint32_t pending_per_neighbour = 16;               ///< packets that wait for one neighbour's Ethernet address
  std::uint32_t pending_packets = 1024;                   ///< packets that wait in all
  Duration neighbour_retry = std::chrono::seconds(1);     ///< between two requests (RFC 4861 §10, RetransTimer)
  std::uint32_t neighbour_tries = 3;                      ///< requests before a neighbour counts as failed
  Duration neighbour_refresh = std::chrono::seconds(30);  ///< a neighbour in use is asked again after this long
  Duration neighbour_expiry = std::chrono::minutes(10);   ///< a neighbour not used for this long is forgotten, soon
  Duration neighbour_failed = std::chrono::seconds(2);    ///< packets to a failed neighbour are refused for this long
  std::uint32_t reassembly_contexts = 64;                 ///< datagrams being joined, 1 to 1024
  std::uint64_t reassembly_bytes = 64 * 65536;            ///< memory of the blocks that they hold
  std::uint32_t reassembly_fragments = 128;               ///< fragments of one datagram
  Duration reassembly_time = std::chrono::seconds(30);    ///< from a datagram's first fragment to its last
  std::uint32_t icmp_errors_per_second = 100;             ///< unreachable messages that we send; bursts are as large
};

/// Everything that an ip layer is told. All replicas of one stack get the same.
struct Config {
  std::vector<Interface> interfaces;
  std::vector<Route> routes;
  Limits limits;
  std::uint16_t udp_encapsulation_port = 0;  ///< our UDP port for SCTP in UDP (RFC 6951), 9899 by custom; 0: off
};

/// One sentence that says what is wrong with `config` and how to mend it; nothing when it is sound.
std::optional<std::string> find_error(const Config& config);

}  // namespace sluice::ip
