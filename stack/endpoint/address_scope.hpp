#pragma once

#include <sluice/ip_address.hpp>

#include <cstdint>
#include <span>

#include "stack/assoc/handshake.hpp"
#include "stack/endpoint/endpoint.hpp"
#include "stack/wire/parameters.hpp"

namespace sluice::endpoint {

/// How far an address reaches. A peer is only told of, and only believed to have, addresses that reach at least as far
/// as the one it is spoken to by (RFC 9260 §5.1.2; RFC 4291 §2.5.6).
enum class Scope : std::uint8_t { loopback, link, global };
Scope scope_of(const IpAddress& address);
/// Of `peers`, which are not none, the first of those of the first one's family that reach farthest.
const IpAddress& farthest_of(std::span<const IpAddress> peers);

/// One host's address: neither unspecified, multicast nor broadcast.
bool is_unicast(const IpAddress& address);

/// The addresses of `endpoint` that a peer at `peer` is told of: `local`, at which it is spoken to, first; then those
/// of its scope and of the families that it supports, as many as an association may have.
assoc::AddressList addresses_for(const Endpoint& endpoint, std::span<const IpAddress> stack_addresses,
                                 const IpAddress& local, const IpAddress& peer, wire::SupportedAddressTypes supported);

}  // namespace sluice::endpoint
