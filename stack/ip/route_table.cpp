#include "stack/ip/route_table.hpp"

#include <algorithm>
#include <bit>

namespace sluice::ip {
namespace {

// Bits that two addresses begin with in common.
unsigned common_bits(const IpAddress& a, const IpAddress& b) {
  const std::uint64_t high = a.words().high ^ b.words().high;
  const std::uint64_t low = a.words().low ^ b.words().low;
  return static_cast<unsigned>(high != 0 ? std::countl_zero(high) : 64 + std::countl_zero(low));
}

bool can_be_destination(const IpAddress& address) {
  return !address.is_unspecified() && !address.is_multicast() && !address.is_broadcast() && !address.is_loopback();
}

}  // namespace

RouteTable::RouteTable(const Config& config) : config_(config) {
  const auto ports = static_cast<std::uint16_t>(config.interfaces.size());  // find_error() bounds them
  for (std::uint16_t port = 0; port < ports; ++port) {
    const Interface& interface = config.interfaces[port];
    up_.push_back(interface.link_up);
    for (const Prefix& own : interface.addresses) {
      locals_.push_back({own.address, port});
      entries_.push_back({own, {}, false, port, interface.mtu});
    }
  }
  for (const Route& route : config.routes)
    entries_.push_back({route.destination, route.gateway, !route.gateway.is_unspecified(), route.port,
                        config.interfaces[route.port].mtu});
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.destination.length > b.destination.length; });
  std::sort(locals_.begin(), locals_.end(), [](const Local& a, const Local& b) { return a.address < b.address; });
}

std::optional<std::uint16_t> RouteTable::owner(const IpAddress& address) const {
  const auto at = std::lower_bound(locals_.begin(), locals_.end(), address,
                                   [](const Local& local, const IpAddress& wanted) { return local.address < wanted; });
  if (at == locals_.end() || at->address != address) return std::nullopt;
  return at->port;
}

std::uint32_t RouteTable::longest(const IpAddress& destination, std::optional<std::uint16_t> port) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (port && entry.port != *port) continue;
    if (up_[entry.port] && entry.destination.contains(destination)) return static_cast<std::uint32_t>(i + 1);
  }
  return 0;
}

bool RouteTable::has_route(const IpAddress& destination, std::uint16_t port) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.port == port && entry.destination.contains(destination); });
}

std::uint32_t RouteTable::resolve(const IpAddress& destination, const IpAddress& source_hint) const {
  if (!can_be_destination(destination) || is_local(destination)) return 0;
  std::uint32_t handle = 0;
  if (const auto port = owner(source_hint); port && has_route(destination, *port)) {
    handle = longest(destination, port);
  } else {
    handle = longest(destination, std::nullopt);
  }
  const Entry* const entry = find(handle);
  if (entry == nullptr) return 0;
  return !entry->via_gateway && is_subnet_broadcast(entry->port, destination) ? 0 : handle;
}

std::optional<IpAddress> RouteTable::source_for(const IpAddress& destination) const {
  const Entry* const entry = find(resolve(destination, {}));
  if (entry == nullptr) return std::nullopt;
  return source_on(entry->port, entry->via_gateway ? entry->gateway : destination, destination);
}

std::optional<IpAddress> RouteTable::source_on(std::uint16_t port, const IpAddress& neighbour,
                                               const IpAddress& destination) const {
  // In this order: the destination's scope (RFC 6724 §5, rule 2), the neighbour's subnet (rule 5.5), the longest match
  // (rule 8); then the order of the configuration.
  const auto rank = [&](const Prefix& own) {
    const unsigned scope = own.address.is_link_local() == destination.is_link_local() ? 2 : 0;
    const unsigned subnet = own.contains(neighbour) ? 1 : 0;
    return (scope + subnet) << 8 | common_bits(own.address, destination);
  };
  std::optional<IpAddress> best;
  unsigned best_rank = 0;
  for (const Prefix& own : config_.interfaces[port].addresses) {
    if (own.address.is_v4() != destination.is_v4()) continue;
    if (best && rank(own) <= best_rank) continue;
    best = own.address;
    best_rank = rank(own);
  }
  return best;
}

bool RouteTable::on_link(std::uint16_t port, const IpAddress& address) const {
  if (address.is_v6() && address.is_link_local()) return true;
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.port == port && !entry.via_gateway && entry.destination.contains(address);
  });
}

bool RouteTable::is_subnet_broadcast(std::uint16_t port, const IpAddress& address) const {
  if (address.is_v6()) return false;
  for (const Prefix& own : config_.interfaces[port].addresses) {
    if (own.address.is_v6() || own.length > 30 || !own.contains(address)) continue;
    const std::uint32_t hosts = 0xffffffffU >> own.length;
    const std::uint32_t host = address.v4_value() & hosts;
    if (host == 0 || host == hosts) return true;
  }
  return false;
}

}  // namespace sluice::ip
