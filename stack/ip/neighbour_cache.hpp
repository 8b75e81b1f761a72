#pragma once

#include <sluice/ip_address.hpp>
#include <sluice/time.hpp>

#include <cstdint>
#include <vector>

#include "stack/base/arrival.hpp"
#include "stack/base/intrusive_list.hpp"
#include "stack/ip/config.hpp"
#include "stack/ip/counters.hpp"
#include "stack/ip/ethernet.hpp"
#include "stack/ip/frame_sink.hpp"
#include "stack/ip/hash.hpp"

namespace sluice::ip {

/// A station on the link of a port, and what is known of it. Incomplete: asked for, packets wait. Reachable: packets
/// go. Probing: packets go, while it is asked again. Failed: it did not answer, packets are refused for a while.
struct Neighbour : base::ListHook<> {
  enum class State : std::uint8_t { incomplete, reachable, probing, failed };

  bool usable() const { return state == State::reachable || state == State::probing; }

  IpAddress address;
  std::uint16_t port = 0;
  State state = State::incomplete;
  std::uint8_t tries = 0;           ///< requests since it was last confirmed
  bool used = false;                ///< packets went to it since it was last looked at
  LinkHeader link;                  ///< in front of every packet to it; valid while usable()
  Timestamp due;                    ///< next request, failure or expiry, by state
  Timestamp refresh_at;             ///< the first use after this asks again
  Timestamp reported;               ///< last report to the other replicas
  std::uint64_t generation = 0;     ///< of what is known, see NeighbourUpdate
  std::uint32_t hash_next = 0;      ///< index + 1 in the chain of its bucket
  std::uint32_t first_pending = 0;  ///< index + 1 of the packet that waits longest
  std::uint32_t last_pending = 0;
  std::uint32_t pending = 0;
};

/// The neighbours of all ports, IPv4 and IPv6 alike, and the packets that wait for them: one state machine for ARP
/// (RFC 826, RFC 1122 §2.3.2) and neighbour unreachability detection (RFC 4861 §7.3), which is why its terms are those
/// of neither. Bounded: a new neighbour takes the place of a failed one, of one not in use, or of the one that has been
/// asked for longest.
class NeighbourCache {
 public:
  /// What the cache has others do. No call changes the cache.
  class Actions {
   public:
    /// Ask for `neighbour`: by unicast to where it was, or with `broadcast`, everybody.
    virtual void solicit(const Neighbour& neighbour, bool broadcast) = 0;
    /// A packet that waited for `neighbour`, which is usable now.
    virtual void send_pending(const Neighbour& neighbour, base::OutboundPacket&& packet) = 0;
    virtual void report(const NeighbourUpdate& update) = 0;

   protected:
    ~Actions() = default;
  };

  /// `seed` keys the hash. `config`, `actions` and `counters` outlive the cache.
  NeighbourCache(const Config& config, Actions& actions, Counters& counters, std::uint64_t seed);
  NeighbourCache(const NeighbourCache&) = delete;
  NeighbourCache& operator=(const NeighbourCache&) = delete;

  /// The entry, or null.
  Neighbour* find(std::uint16_t port, const IpAddress& address) {
    for (std::uint32_t i = buckets_[bucket(port, address)]; i != 0; i = entries_[i - 1].hash_next)
      if (entries_[i - 1].address == address && entries_[i - 1].port == port) return &entries_[i - 1];
    return nullptr;
  }
  /// Notes that a usable `neighbour` is sent to, and asks it again when it was not heard of for long.
  void use(Neighbour& neighbour, Timestamp now) {
    neighbour.used = true;
    if (now >= neighbour.refresh_at && neighbour.state == Neighbour::State::reachable) probe(neighbour, now);
  }

  enum class Queued : std::uint8_t { queued, full, failed };
  /// Keeps `packet` until `address`, which is not usable, answers; asks for it if nobody did yet. Not queued: the
  /// packet was dropped and counted.
  Queued enqueue(std::uint16_t port, const IpAddress& address, base::OutboundPacket&& packet, Timestamp now);

  /// What an ARP packet or an advertisement is worth.
  enum class Evidence : std::uint8_t {
    hint,       ///< updates an entry that exists, but leaves one that is in use alone when it says otherwise
    statement,  ///< updates an entry that exists
    answer,     ///< makes an entry, too: it was asked for, or the neighbour wants to speak to us
  };
  /// `address` says that it has `mac`.
  void learn(std::uint16_t port, const IpAddress& address, const base::MacAddress& mac, Evidence evidence,
             Timestamp now);
  /// Takes what another replica learned.
  void apply(const NeighbourUpdate& update, Timestamp now);
  /// Drops what waits on `port`, whose link went down, and has its other neighbours asked again when next used.
  void link_down(std::uint16_t port, Timestamp now);

  /// Does what is due, in a bounded portion.
  void poll(Timestamp now);
  Timestamp next_deadline() const;

  std::size_t size() const { return waiting_.size() + reachable_.size() + failed_.size(); }
  std::uint32_t pending_packets() const { return pending_; }

 private:
  using List = base::IntrusiveList<Neighbour>;
  struct Pending {
    base::OutboundPacket packet;
    std::uint32_t next = 0;  // index + 1
  };

  std::size_t bucket(std::uint16_t port, const IpAddress& address) const {
    return hash_address(address, port, seed_) & (buckets_.size() - 1);
  }
  List& list_of(Neighbour::State state);
  void enter(Neighbour& neighbour, Neighbour::State state, Timestamp due);
  Neighbour& create(std::uint16_t port, const IpAddress& address);
  Neighbour* victim();
  void remove(Neighbour& neighbour);
  void probe(Neighbour& neighbour, Timestamp now);
  void request(Neighbour& neighbour, Timestamp now);
  void confirm(Neighbour& neighbour, const base::MacAddress& mac, Timestamp now);
  void fail(Neighbour& neighbour, Timestamp now);
  void report(Neighbour& neighbour, bool reachable, Timestamp now);
  void retry_due(Timestamp now);
  void expire_due(Timestamp now);

  void push_pending(Neighbour& neighbour, base::OutboundPacket&& packet);
  base::OutboundPacket pop_pending(Neighbour& neighbour);
  void drop_pending(Neighbour& neighbour, std::uint64_t& counter);

  const Config& config_;
  const Limits& limits_;
  Actions& actions_;
  Counters& counters_;
  const std::uint64_t seed_;
  std::vector<std::uint32_t> buckets_;  // index + 1 of the first in each chain
  std::vector<Neighbour> entries_;      // fixed at construction, like the next
  std::vector<Pending> packets_;
  std::uint32_t free_packet_ = 0;  // index + 1
  std::uint32_t pending_ = 0;
  // Each list is in order of `due`, since its members all wait equally long.
  List free_;
  List waiting_;    // incomplete and probing
  List reachable_;  // by when they were last confirmed, or found to be in use
  List failed_;
};

}  // namespace sluice::ip
