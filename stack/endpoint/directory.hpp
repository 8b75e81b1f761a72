#pragma once

#include <sluice/ids.hpp>
#include <sluice/ip_address.hpp>

#include <cstdint>
#include <span>

#include "stack/assoc/handshake.hpp"
#include "stack/base/random.hpp"
#include "stack/base/siphash.hpp"
#include "stack/endpoint/endpoint_table.hpp"
#include "stack/endpoint/probe_table.hpp"
#include "stack/endpoint/steering.hpp"

namespace sluice::endpoint {

/// Who an association or opening attempt belongs to.
struct Owner {
  WorkerId worker{};
  VTag tag{};             ///< ours of it; names the worker, too
  AssocId association{};  ///< zero while the owner has not made it yet

  friend bool operator==(const Owner&, const Owner&) = default;
};

/// The two ports of an association, as seen from here.
struct PortPair {
  std::uint16_t local = 0;
  std::uint16_t peer = 0;

  friend bool operator==(const PortPair&, const PortPair&) = default;
};

enum class ReserveStatus : std::uint8_t {
  reserved,
  conflict,  ///< an address belongs to another association: Reservation::holder
  full,      ///< the directory, or every ephemeral port that would do, is taken
};

struct Reservation {
  ReserveStatus status = ReserveStatus::full;
  VTag holder{};                 ///< of the first address in conflict
  std::uint16_t local_port = 0;  ///< as asked for, or leased; 0: no ephemeral port would do
};

/// (local port, peer port, peer address) → our verification tag, for every association and every opening attempt whose
/// ports name this worker. The tag names the owner (Steering::owner_of()), who finds the rest by it, and no two have
/// the same. All addresses of one are reserved together or not at all, so that no two associations ever share one (RFC
/// 9260 §1.3 "SCTP association"). One worker's own.
class Directory {
 public:
  struct Limits {
    std::uint32_t addresses = 1 << 17;  ///< peer addresses in all
    std::uint32_t leases = 1 << 16;     ///< ephemeral ports given out in all, one to an association
  };

  /// `key` is secret; it need not be the same on all workers.
  Directory(const base::SipKey& key, const Limits& limits);

  /// Who has this address; null if nobody. Valid until the next change.
  const VTag* find(PortPair ports, const IpAddress& peer) const;
  /// The first of `peers` that somebody has; null if none.
  const VTag* find_any(PortPair ports, std::span<const IpAddress> peers) const;

  /// Reserves all `peers` for `tag`. What it holds already is kept.
  Reservation reserve(PortPair ports, std::span<const IpAddress> peers, VTag tag);
  /// As reserve(), with a local port of its own choice: an ephemeral one, tried in turn from a random start, that no
  /// endpoint of `endpoints` has, whose directory is this worker (`self`), and free towards all `peers`.
  Reservation lease(std::uint16_t peer_port, std::span<const IpAddress> peers, VTag tag, const Steering& steering,
                    WorkerId self, const EndpointTable& endpoints, base::Random& random);
  /// Lets go of those `peers` that `tag` holds. `leased`: the local port came from lease(), and this was the
  /// association's end.
  void release(PortPair ports, std::span<const IpAddress> peers, VTag tag, bool leased);
  /// An association restarted: what `old_tag` held of `peers` is `new_tag`'s.
  void retag(PortPair ports, std::span<const IpAddress> peers, VTag old_tag, VTag new_tag);

  std::uint32_t size() const { return table_.size(); }
  std::uint32_t leases() const { return leases_; }
  /// Slots that a look-up goes through.
  std::uint32_t probes(PortPair ports, const IpAddress& peer) const;

 private:
  // Each further path of an association costs one and a half of them; where it begins its search is computed again
  // rather than kept.
  struct Slot {
    IpAddress peer;
    PortPair ports;
    VTag tag;
    bool empty() const { return tag.value == 0; }
  };
  static_assert(sizeof(Slot) == 24);

  std::uint32_t hash_of(PortPair ports, const IpAddress& peer) const;
  Slot* lookup(PortPair ports, const IpAddress& peer) const;

  base::SipKey key_;
  Limits limits_;
  ProbeTable<Slot> table_;
  std::uint32_t leases_ = 0;
};

}  // namespace sluice::endpoint
