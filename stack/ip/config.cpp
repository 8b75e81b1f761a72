#include "stack/ip/config.hpp"

#include <algorithm>
#include <cstddef>
#include <set>

namespace sluice::ip {
namespace {

using Error = std::optional<std::string>;

constexpr std::uint16_t kLeastMtu = 576;
constexpr std::uint16_t kLeastIpv6Mtu = 1280;  // RFC 8200 §5
constexpr std::size_t kMostInterfaces = 256;

std::uint8_t longest_prefix(const IpAddress& address) {
  return address.is_v4() ? 32 : 128;
}

bool is_unicast(const IpAddress& address) {
  return !address.is_unspecified() && !address.is_multicast() && !address.is_broadcast() && !address.is_loopback();
}

Error find_address_error(const Interface& interface, const std::string& where, std::set<IpAddress>& seen) {
  for (const Prefix& own : interface.addresses) {
    const std::string name = where + ": address " + own.address.to_string();
    if (!is_unicast(own.address)) return name + " is not a unicast address";
    if (own.length > longest_prefix(own.address)) return name + ": its prefix length is longer than the address";
    if (!seen.insert(own.address).second) return name + " stands twice; give each address to one port";
    if (own.address.is_v6() && interface.mtu < kLeastIpv6Mtu)
      return name + " needs an MTU of at least 1280, which IPv6 asks for; raise the MTU or leave IPv6 out";
  }
  return std::nullopt;
}

Error find_interface_error(const Interface& interface, const std::string& where, std::set<IpAddress>& seen) {
  if (interface.mac.is_zero() || interface.mac.is_multicast())
    return where + ": the Ethernet address must be that of one station, not zero and not a group";
  if (interface.mtu < kLeastMtu) return where + ": the MTU must be at least 576";
  if (interface.vlan && (*interface.vlan < 1 || *interface.vlan > 4094))
    return where + ": the VLAN identifier must be 1 to 4094; leave it out for untagged frames";
  return find_address_error(interface, where, seen);
}

bool on_link(const Interface& interface, const IpAddress& gateway) {
  for (const Prefix& own : interface.addresses)
    if (own.contains(gateway) && own.address != gateway) return true;
  return gateway.is_v6() && gateway.is_link_local();
}

Error find_route_error(const Config& config, const Route& route) {
  const std::string where =
      "route to " + route.destination.address.to_string() + '/' + std::to_string(route.destination.length);
  if (route.destination.length > longest_prefix(route.destination.address))
    return where + ": its prefix length is longer than the address";
  if (route.port >= config.interfaces.size()) return where + ": port " + std::to_string(route.port) + " does not exist";
  if (route.gateway.is_unspecified()) return std::nullopt;
  if (route.gateway.is_v4() != route.destination.address.is_v4())
    return where + ": the gateway is of the other address family";
  if (!on_link(config.interfaces[route.port], route.gateway))
    return where + ": the gateway " + route.gateway.to_string() + " is not on the link of port " +
           std::to_string(route.port) + "; give the port an address with a prefix that holds it";
  return std::nullopt;
}

Error find_limit_error(const Limits& limits) {
  if (limits.neighbours < 1 || limits.neighbours > 1048576) return "limits: neighbours must be 1 to 1048576";
  if (limits.pending_packets > 1048576) return "limits: pending_packets must be at most 1048576";
  if (limits.neighbour_tries < 1 || limits.neighbour_tries > 255) return "limits: neighbour_tries must be 1 to 255";
  if (limits.reassembly_contexts < 1 || limits.reassembly_contexts > 1024)
    return "limits: reassembly_contexts must be 1 to 1024";
  if (limits.reassembly_fragments < 2) return "limits: reassembly_fragments must be at least 2";
  for (const Duration time : {limits.neighbour_retry, limits.neighbour_refresh, limits.neighbour_expiry,
                              limits.neighbour_failed, limits.reassembly_time})
    if (time <= Duration::zero()) return "limits: every time must be longer than zero";
  return std::nullopt;
}

}  // namespace

bool Prefix::contains(const IpAddress& other) const {
  if (address.is_v4() != other.is_v4()) return false;
  const unsigned bits = address.is_v4() ? 96U + length : length;
  const IpAddress::Words a = address.words();
  const IpAddress::Words b = other.words();
  const auto common = [](std::uint64_t differing, unsigned count) {
    return count == 0 || differing >> (64 - count) == 0;
  };
  return common(a.high ^ b.high, std::min(bits, 64U)) && common(a.low ^ b.low, bits > 64 ? bits - 64 : 0);
}

std::optional<std::string> find_error(const Config& config) {
  if (config.interfaces.empty()) return "no interface is configured";
  if (config.interfaces.size() > kMostInterfaces) return "more than 256 interfaces are configured";
  std::set<IpAddress> seen;
  for (std::size_t i = 0; i < config.interfaces.size(); ++i)
    if (auto error = find_interface_error(config.interfaces[i], "interface " + std::to_string(i), seen)) return error;
  for (const Route& route : config.routes)
    if (auto error = find_route_error(config, route)) return error;
  return find_limit_error(config.limits);
}

}  // namespace sluice::ip
