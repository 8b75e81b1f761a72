// What the network below tells, and who hears of it: links, neighbours, ICMP errors.
#include "stack/worker/worker.hpp"

namespace sluice::worker {
namespace {

assoc::IcmpReport report_of(const ip::IcmpNotice& notice) {
  using Kind = assoc::IcmpReport::Kind;
  assoc::IcmpReport report;
  if (notice.kind == ip::IcmpNotice::Kind::packet_too_big) report.kind = Kind::packet_too_big;
  if (notice.kind == ip::IcmpNotice::Kind::protocol_unreachable) report.kind = Kind::protocol_unreachable;
  report.destination = notice.destination;
  report.tag = VTag(notice.verification_tag);
  if (notice.initiate_tag) report.initiate_tag = VTag(*notice.initiate_tag);
  report.mtu = notice.mtu;
  return report;
}

}  // namespace

// Links

void Worker::handle(const LinkChange& change) {
  PortWatch& watch = port_watches_[change.port];
  const bool was_up = watch.up();
  watch.link = change.up;
  follow_port(change.port, was_up);
}

void Worker::watch_transmit_rings() {
  for (std::uint16_t port = 0; port < port_watches_.size(); ++port) {
    PortWatch& watch = port_watches_[port];
    const Timestamp since = transmitter_.stalled_since(port);
    const bool stalled = since != kNever && (watch.stalled || now_ - since >= stack_.config.transmit_stall);
    if (stalled == watch.stalled) continue;
    const bool was_up = watch.up();
    watch.stalled = stalled;
    if (stalled) ++counters_.tx_stalls;
    follow_port(port, was_up);
  }
}

void Worker::follow_port(std::uint16_t port, bool was_up) {
  PortWatch& watch = port_watches_[port];
  if (watch.up() == was_up) return;
  ip_.set_link(port, watch.up(), now_);
  transmitter_.follow_port(port, watch.up());
  watch.telling = true;
  watch.told = encode({self_, 0, 0});
}

// A turn tells so many associations of links at most: a million of them must not hold up the others' packets.
bool Worker::follow_links() {
  std::uint32_t left = stack_.config.turn.link_notices;
  bool any = false;
  for (std::uint16_t port = 0; port < port_watches_.size(); ++port) {
    PortWatch& watch = port_watches_[port];
    for (; watch.telling && left > 0; --left) {
      AssociationRecord* const record = store_.next(watch.told);
      watch.telling = record != nullptr;
      if (record == nullptr) break;
      watch.told = record->association.id();
      any = true;
      if (record->attempt != nullptr) continue;
      record->association.refresh_routes();  // some may lead over another port now
      if (record->association.on_link(port, watch.up())) touch(*record);
    }
  }
  return any;
}

// Neighbours

void Worker::on_neighbour(const ip::NeighbourUpdate& update) noexcept {
  if (alone_) return;
  ++counters_.neighbour_updates;
  // One that is lost leaves the other worker to ask by itself, or what it knew to be confirmed later.
  for (std::uint16_t to = 0; to < stack_.workers(); ++to)
    if (to != self_.value) offer(endpoint::WorkerId(to), update, counters_.drop_neighbour_ring_full);
}

void Worker::handle(const ip::NeighbourUpdate& update) {
  ip_.apply(update, now_);
}

// ICMP

// It waits until the layer has done with what it received, as what follows asks the layer for routes.
void Worker::on_icmp(const ip::IcmpNotice& notice) noexcept {
  ++counters_.icmp_notices;
  if (!icmp_notices_.push_back(notice)) ++counters_.drop_icmp_limit;
}

// What is quoted bears the peer's tag, which names nobody here: the directory knows whose the packet was.
void Worker::follow_icmp() {
  for (const ip::IcmpNotice& notice : icmp_notices_)
    offer(steering_.directory_of(notice.source_port, notice.destination_port), notice, counters_.drop_icmp_ring_full);
  icmp_notices_.clear();
}

void Worker::handle(const ip::IcmpNotice& notice) {
  const VTag* const owner = directory_.find({notice.source_port, notice.destination_port}, notice.destination);
  if (owner == nullptr) {
    ++counters_.icmp_strays;
    return;
  }
  offer(steering_.owner_of(*owner), IcmpMessage{*owner, notice.source, report_of(notice)},
        counters_.drop_icmp_ring_full);
}

void Worker::handle(const IcmpMessage& message) {
  AssociationRecord* const record = tags_.find(message.owner);
  if (record == nullptr || record->attempt != nullptr || !record->association.has_local_address(message.source)) {
    ++counters_.icmp_strays;
    return;
  }
  touch(*record);
  record->association.on_icmp(now_, message.report);
}

}  // namespace sluice::worker
