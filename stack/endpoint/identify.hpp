#pragma once

#include "stack/assoc/handshake.hpp"
#include "stack/base/arrival.hpp"
#include "stack/wire/common_header.hpp"

namespace sluice::endpoint {

/// An INIT ACK of `packet` lists an address that `has` accepts (RFC 9260 §5.1.2 D). False if it begins otherwise.
bool init_ack_lists_any(std::span<const std::byte> packet, bool (*has)(const void* of, const IpAddress& peer),
                        const void* of);

/// The second look-up, after the tag was found: both ports, the local address and the peer's source address belong to
/// the association. If not, the packet is out of the blue, whatever its tag (§8.4), and the directory judges it. An
/// INIT ACK may come from an address that is new if it lists one that is known.
template <class Association>
bool belongs(const Association& association, const base::Arrival& arrival, std::span<const std::byte> packet) {
  const auto header = wire::CommonHeader::parse(packet);
  if (!header || header->destination_port != association.local_port() ||
      header->source_port != association.peer_port() || !association.has_local_address(arrival.destination))
    return false;
  if (association.has_peer_address(arrival.source)) return true;
  return init_ack_lists_any(
      packet,
      [](const void* of, const IpAddress& peer) { return static_cast<const Association*>(of)->has_peer_address(peer); },
      &association);
}

}  // namespace sluice::endpoint
