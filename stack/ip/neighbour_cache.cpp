#include "stack/ip/neighbour_cache.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace sluice::ip {
namespace {

using State = Neighbour::State;

constexpr unsigned kPollBatch = 64;    // neighbours handled in one poll
constexpr unsigned kVictimSearch = 8;  // neighbours in use that eviction steps over

// What replicas compare; the stack's clock is one for all of them.
std::uint64_t generation_at(Timestamp now) {
  return static_cast<std::uint64_t>(now.time_since_epoch().count());
}

}  // namespace

NeighbourCache::NeighbourCache(const Config& config, Actions& actions, Counters& counters, std::uint64_t seed)
    : config_(config),
      limits_(config.limits),
      actions_(actions),
      counters_(counters),
      seed_(seed),
      buckets_(std::bit_ceil(std::size_t{limits_.neighbours} * 2), 0),
      entries_(limits_.neighbours),
      packets_(limits_.pending_packets) {
  for (Neighbour& entry : entries_) free_.push_back(entry);
  for (std::uint32_t i = limits_.pending_packets; i-- > 0;) packets_[i].next = std::exchange(free_packet_, i + 1);
}

NeighbourCache::List& NeighbourCache::list_of(State state) {
  if (state == State::failed) return failed_;
  return state == State::reachable ? reachable_ : waiting_;
}

void NeighbourCache::enter(Neighbour& neighbour, State state, Timestamp due) {
  if (neighbour.linked()) list_of(neighbour.state).erase(neighbour);
  neighbour.state = state;
  neighbour.due = due;
  list_of(state).push_back(neighbour);
}

// A new entry that is in no list yet: the caller enters it into one.
Neighbour& NeighbourCache::create(std::uint16_t port, const IpAddress& address) {
  if (free_.empty()) {
    ++counters_.neighbours_evicted;
    remove(*victim());
  }
  Neighbour& entry = *free_.pop_front();
  const auto index = static_cast<std::uint32_t>(&entry - entries_.data());
  entry.address = address;
  entry.port = port;
  entry.tries = 0;
  entry.used = false;
  entry.reported = Timestamp::min();
  entry.generation = 0;
  entry.hash_next = std::exchange(buckets_[bucket(port, address)], index + 1);
  return entry;
}

Neighbour* NeighbourCache::victim() {
  if (!failed_.empty()) return failed_.front();
  for (unsigned i = 0; i < kVictimSearch && !reachable_.empty(); ++i) {
    Neighbour& oldest = *reachable_.front();
    if (!oldest.used) return &oldest;
    enter(oldest, State::reachable, reachable_.back()->due);
  }
  return waiting_.empty() ? reachable_.front() : waiting_.front();
}

void NeighbourCache::remove(Neighbour& neighbour) {
  drop_pending(neighbour, counters_.drop_tx_pending_full);
  const auto index = static_cast<std::uint32_t>(&neighbour - entries_.data());
  std::uint32_t* link = &buckets_[bucket(neighbour.port, neighbour.address)];
  while (*link != index + 1) link = &entries_[*link - 1].hash_next;
  *link = neighbour.hash_next;
  list_of(neighbour.state).erase(neighbour);
  free_.push_back(neighbour);
}

NeighbourCache::Queued NeighbourCache::enqueue(std::uint16_t port, const IpAddress& address,
                                               base::OutboundPacket&& packet, Timestamp now) {
  Neighbour* neighbour = find(port, address);
  if (neighbour != nullptr && neighbour->state == State::failed) {
    if (neighbour->due > now) {
      ++counters_.drop_tx_neighbour_failed;
      return Queued::failed;
    }
    remove(*neighbour);
    neighbour = nullptr;
  }
  if (neighbour == nullptr) {
    neighbour = &create(port, address);
    enter(*neighbour, State::incomplete, now);
    request(*neighbour, now);
  }
  // The newest packets are worth most to a protocol that retransmits (RFC 4861 §7.2.2).
  if (neighbour->pending > 0 && neighbour->pending >= limits_.pending_per_neighbour) {
    ++counters_.drop_tx_pending_full;
    pop_pending(*neighbour);
  }
  if (free_packet_ == 0 || limits_.pending_per_neighbour == 0) {
    ++counters_.drop_tx_pending_full;
    return Queued::full;
  }
  push_pending(*neighbour, std::move(packet));
  ++counters_.tx_queued;
  return Queued::queued;
}

// Asks once and says when to ask again, or to give up. `neighbour` is incomplete or probing.
void NeighbourCache::request(Neighbour& neighbour, Timestamp now) {
  // A probe goes to the known address first; after that the neighbour may have moved, and everybody is asked.
  const bool broadcast = neighbour.state == State::incomplete || neighbour.tries > 0;
  ++neighbour.tries;
  enter(neighbour, neighbour.state, now + limits_.neighbour_retry);
  actions_.solicit(neighbour, broadcast);
}

void NeighbourCache::probe(Neighbour& neighbour, Timestamp now) {
  enter(neighbour, State::probing, now);
  neighbour.tries = 0;
  request(neighbour, now);
}

void NeighbourCache::learn(std::uint16_t port, const IpAddress& address, const base::MacAddress& mac, Evidence evidence,
                           Timestamp now) {
  Neighbour* neighbour = find(port, address);
  if (neighbour == nullptr) {
    if (evidence != Evidence::answer) return;
    neighbour = &create(port, address);
    enter(*neighbour, State::incomplete, now);
  }
  const bool changed = !neighbour->usable() || destination_of(neighbour->link) != mac;
  if (evidence == Evidence::hint && neighbour->usable() && changed) {
    if (neighbour->state == State::reachable) probe(*neighbour, now);
    return;
  }
  neighbour->generation = std::max(neighbour->generation + 1, generation_at(now));
  if (changed) ++counters_.neighbours_learned;
  confirm(*neighbour, mac, now);
  // Confirmations are passed on as well, since another replica may be the one that asked; but not each one of many.
  if (changed || neighbour->reported + limits_.neighbour_retry / 2 <= now) report(*neighbour, true, now);
}

void NeighbourCache::apply(const NeighbourUpdate& update, Timestamp now) {
  if (update.port >= config_.interfaces.size()) return;
  Neighbour* neighbour = find(update.port, update.address);
  if (neighbour == nullptr) {
    if (!update.reachable) return;
    neighbour = &create(update.port, update.address);
    enter(*neighbour, State::incomplete, now);
  }
  if (neighbour->generation > update.generation) return;
  if (neighbour->generation == update.generation) {
    // Two replicas learned at the same moment: both must come to the same choice.
    const bool wins = update.reachable && (!neighbour->usable() || destination_of(neighbour->link) < update.mac);
    if (!wins) return;
  }
  neighbour->generation = update.generation;
  if (update.reachable) {
    confirm(*neighbour, update.mac, now);
  } else if (neighbour->state != State::failed) {
    fail(*neighbour, now);
  }
}

// `neighbour` answered: everything that waited for it goes.
void NeighbourCache::confirm(Neighbour& neighbour, const base::MacAddress& mac, Timestamp now) {
  const Interface& interface = config_.interfaces[neighbour.port];
  neighbour.link =
      make_link_header(mac, interface.mac, interface.vlan, neighbour.address.is_v4() ? kEtherTypeIpv4 : kEtherTypeIpv6);
  neighbour.tries = 0;
  neighbour.refresh_at = now + limits_.neighbour_refresh;
  enter(neighbour, State::reachable, now + limits_.neighbour_expiry);
  while (neighbour.pending > 0) {
    neighbour.used = true;
    actions_.send_pending(neighbour, pop_pending(neighbour));
  }
}

void NeighbourCache::fail(Neighbour& neighbour, Timestamp now) {
  ++counters_.neighbours_failed;
  drop_pending(neighbour, counters_.drop_tx_neighbour_failed);
  enter(neighbour, State::failed, now + limits_.neighbour_failed);
}

void NeighbourCache::report(Neighbour& neighbour, bool reachable, Timestamp now) {
  neighbour.reported = now;
  NeighbourUpdate update;
  update.address = neighbour.address;
  update.port = neighbour.port;
  update.reachable = reachable;
  update.generation = neighbour.generation;
  if (reachable) update.mac = destination_of(neighbour.link);
  actions_.report(update);
}

void NeighbourCache::link_down(std::uint16_t port, Timestamp now) {
  for (Neighbour* entry = waiting_.front(); entry != nullptr;) {
    Neighbour* const next = waiting_.next(*entry);
    if (entry->port == port) {
      drop_pending(*entry, counters_.drop_tx_link_down);
      remove(*entry);
    }
    entry = next;
  }
  for (Neighbour* entry = reachable_.front(); entry != nullptr; entry = reachable_.next(*entry))
    if (entry->port == port) entry->refresh_at = now;
}

void NeighbourCache::poll(Timestamp now) {
  for (unsigned i = 0; i < kPollBatch && !waiting_.empty() && waiting_.front()->due <= now; ++i) retry_due(now);
  for (unsigned i = 0; i < kPollBatch && !reachable_.empty() && reachable_.front()->due <= now; ++i) expire_due(now);
  for (unsigned i = 0; i < kPollBatch && !failed_.empty() && failed_.front()->due <= now; ++i) remove(*failed_.front());
}

// The first of waiting_ did not answer in time.
void NeighbourCache::retry_due(Timestamp now) {
  Neighbour& neighbour = *waiting_.front();
  if (neighbour.tries < limits_.neighbour_tries) {
    request(neighbour, now);
    return;
  }
  neighbour.generation = std::max(neighbour.generation + 1, generation_at(now));
  fail(neighbour, now);
  report(neighbour, false, now);
}

// The first of reachable_ was confirmed, or seen in use, long ago.
void NeighbourCache::expire_due(Timestamp now) {
  Neighbour& neighbour = *reachable_.front();
  if (!std::exchange(neighbour.used, false)) {
    remove(neighbour);
    return;
  }
  enter(neighbour, State::reachable, now + limits_.neighbour_expiry);
}

Timestamp NeighbourCache::next_deadline() const {
  Timestamp next = kNever;
  for (const List* list : {&waiting_, &reachable_, &failed_})
    if (!list->empty()) next = std::min(next, list->front()->due);
  return next;
}

void NeighbourCache::push_pending(Neighbour& neighbour, base::OutboundPacket&& packet) {
  const std::uint32_t name = free_packet_;
  Pending& slot = packets_[name - 1];
  free_packet_ = std::exchange(slot.next, 0);
  slot.packet = std::move(packet);
  if (neighbour.pending == 0) {
    neighbour.first_pending = name;
  } else {
    packets_[neighbour.last_pending - 1].next = name;
  }
  neighbour.last_pending = name;
  ++neighbour.pending;
  ++pending_;
}

base::OutboundPacket NeighbourCache::pop_pending(Neighbour& neighbour) {
  const std::uint32_t name = neighbour.first_pending;
  Pending& slot = packets_[name - 1];
  neighbour.first_pending = std::exchange(slot.next, free_packet_);
  free_packet_ = name;
  --neighbour.pending;
  --pending_;
  return std::move(slot.packet);
}

void NeighbourCache::drop_pending(Neighbour& neighbour, std::uint64_t& counter) {
  while (neighbour.pending > 0) {
    pop_pending(neighbour);
    ++counter;
  }
}

}  // namespace sluice::ip
