#include "stack/endpoint/address_scope.hpp"

#include <algorithm>
#include <utility>

namespace sluice::endpoint {

Scope scope_of(const IpAddress& address) {
  if (address.is_loopback()) return Scope::loopback;
  return address.is_link_local() ? Scope::link : Scope::global;
}

const IpAddress& farthest_of(std::span<const IpAddress> peers) {
  const auto reach = [&](const IpAddress& peer) {
    return std::pair(peer.is_v4() == peers.front().is_v4(), scope_of(peer));
  };
  return *std::max_element(peers.begin(), peers.end(),
                           [&](const IpAddress& a, const IpAddress& b) { return reach(a) < reach(b); });
}

bool is_unicast(const IpAddress& address) {
  return !address.is_unspecified() && !address.is_multicast() && !address.is_broadcast();
}

assoc::AddressList addresses_for(const Endpoint& endpoint, std::span<const IpAddress> stack_addresses,
                                 const IpAddress& local, const IpAddress& peer, wire::SupportedAddressTypes supported) {
  assoc::AddressList list{local};
  const std::span<const IpAddress> candidates =
      endpoint.addresses.empty() ? stack_addresses : std::span<const IpAddress>(endpoint.addresses);
  const Scope reach = scope_of(peer);
  for (const IpAddress& address : candidates) {
    const bool supports = address.is_v4() ? supported.ipv4 : supported.ipv6;
    if (!supports || scope_of(address) < reach || list.contains(address)) continue;
    if (!list.push_back(address)) break;
  }
  return list;
}

}  // namespace sluice::endpoint
