#include "stack/endpoint/directory.hpp"

#include <array>
#include <bit>

#include "stack/endpoint/ephemeral_ports.hpp"

namespace sluice::endpoint {

Directory::Directory(const base::SipKey& key, const Limits& limits)
    : key_(key), limits_(limits), table_(limits.addresses) {}

std::uint32_t Directory::hash_of(PortPair ports, const IpAddress& peer) const {
  base::SipHash hash(key_);
  const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(peer.bytes());
  hash.add(words[0]);
  hash.add(words[1]);
  return static_cast<std::uint32_t>(hash.finish(std::uint64_t{ports.local} << 16 | ports.peer, 4));
}

Directory::Slot* Directory::lookup(PortPair ports, const IpAddress& peer) const {
  return table_.find(hash_of(ports, peer), [&](const Slot& slot) { return slot.ports == ports && slot.peer == peer; });
}

const VTag* Directory::find(PortPair ports, const IpAddress& peer) const {
  const Slot* const slot = lookup(ports, peer);
  return slot != nullptr ? &slot->tag : nullptr;
}

const VTag* Directory::find_any(PortPair ports, std::span<const IpAddress> peers) const {
  for (const IpAddress& peer : peers)
    if (const VTag* const tag = find(ports, peer)) return tag;
  return nullptr;
}

Reservation Directory::reserve(PortPair ports, std::span<const IpAddress> peers, VTag tag) {
  SLUICE_CHECK(tag.value != 0);
  std::uint32_t missing = 0;
  for (const IpAddress& peer : peers) {
    const VTag* const holder = find(ports, peer);
    if (holder == nullptr)
      ++missing;
    else if (*holder != tag)
      return {.status = ReserveStatus::conflict, .holder = *holder, .local_port = ports.local};
  }
  if (missing > table_.capacity() - table_.size()) return {.status = ReserveStatus::full, .local_port = ports.local};
  for (const IpAddress& peer : peers) {
    if (lookup(ports, peer) == nullptr) table_.insert({.peer = peer, .ports = ports, .tag = tag}, hash_of(ports, peer));
  }
  return {.status = ReserveStatus::reserved, .local_port = ports.local};
}

Reservation Directory::lease(std::uint16_t peer_port, std::span<const IpAddress> peers, VTag tag,
                             const Steering& steering, WorkerId self, const EndpointTable& endpoints,
                             base::Random& random) {
  if (leases_ >= limits_.leases) return {};
  const std::uint32_t start = random.below(kEphemeralPorts);
  for (std::uint32_t i = 0; i < kEphemeralPorts; ++i) {
    const std::uint16_t port = ephemeral_port(start + i);
    if (endpoints.has_port(port) || steering.directory_of(port, peer_port) != self) continue;
    const Reservation reservation = reserve({.local = port, .peer = peer_port}, peers, tag);
    if (reservation.status == ReserveStatus::conflict) continue;
    if (reservation.status == ReserveStatus::reserved) ++leases_;
    return reservation;
  }
  return {};
}

void Directory::release(PortPair ports, std::span<const IpAddress> peers, VTag tag, bool leased) {
  bool held = false;
  for (const IpAddress& peer : peers) {
    Slot* const slot = lookup(ports, peer);
    if (slot == nullptr || slot->tag != tag) continue;
    table_.erase(slot, [this](const Slot& other) { return hash_of(other.ports, other.peer); });
    held = true;
  }
  if (held && leased) --leases_;
}

void Directory::retag(PortPair ports, std::span<const IpAddress> peers, VTag old_tag, VTag new_tag) {
  for (const IpAddress& peer : peers)
    if (Slot* const slot = lookup(ports, peer); slot != nullptr && slot->tag == old_tag) slot->tag = new_tag;
}

std::uint32_t Directory::probes(PortPair ports, const IpAddress& peer) const {
  return table_.probes(hash_of(ports, peer),
                       [&](const Slot& slot) { return slot.ports == ports && slot.peer == peer; });
}

}  // namespace sluice::endpoint
