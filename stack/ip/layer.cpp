#include "stack/ip/layer.hpp"

#include <algorithm>
#include <utility>

#include "stack/ip/fragment_hash.hpp"
#include "stack/ip/fragmenter.hpp"
#include "stack/ip/udp.hpp"

namespace sluice::ip {

Layer::Layer(const Config& config, FrameSink& sink, base::BufferSource& reassembly, base::Random& random,
             Replica replica)
    : config_(config),
      sink_(sink),
      announces_(replica.index == 0),
      routes_(config_),
      transmitter_(config_, sink, counters_, random, replica),
      resolution_(config_, routes_, transmitter_, counters_),
      cache_(config_, *this, counters_, random.u64()),
      reassembler_(config_.limits, reassembly, counters_, random.u64()),
      icmp_errors_(config_.limits.icmp_errors_per_second) {}

void Layer::start(Timestamp) {
  if (!announces_) return;
  for (std::uint16_t port = 0; port < port_count(); ++port)
    if (link_up(port)) resolution_.announce(port);
}

std::optional<std::uint32_t> Layer::fragment_hash(std::span<const std::byte> frame) {
  return ip::fragment_hash(frame);
}

std::uint32_t Layer::resolve(const IpAddress& destination, const IpAddress& source_hint) const {
  return routes_.resolve(destination, source_hint);
}

std::optional<IpAddress> Layer::source_for(const IpAddress& destination) const {
  return routes_.source_for(destination);
}

std::uint16_t Layer::mtu(std::uint32_t next_hop) const {
  const auto* const route = routes_.find(next_hop);
  return route != nullptr ? route->mtu : 0;
}

std::uint16_t Layer::port(std::uint32_t next_hop) const {
  const auto* const route = routes_.find(next_hop);
  return route != nullptr ? route->port : 0;
}

bool Layer::will_fragment(const base::Departure& departure, std::uint32_t bytes) const {
  const auto* const route = routes_.find(departure.next_hop);
  if (departure.dont_fragment || route == nullptr) return false;
  const bool is_v4 = departure.destination.is_v4();
  const std::uint32_t udp = departure.udp_destination_port != 0 ? kUdpHeaderLength : 0;
  return ip_header_length(is_v4) + udp + bytes > largest_whole(is_v4, false, route->mtu);
}

bool Layer::may_offload_checksum(const base::Departure& departure, std::uint32_t bytes) const {
  const auto* const route = routes_.find(departure.next_hop);
  if (route == nullptr || departure.udp_destination_port != 0) return false;
  return config_.interfaces[route->port].offloads.sctp_checksum_tx && !will_fragment(departure, bytes);
}

SendResult Layer::send(base::OutboundPacket&& packet, Timestamp now) {
  const SendResult result = try_send(packet, now);
  packet.buffer.reset();  // if it is still there, it was refused
  return result;
}

SendResult Layer::try_send(base::OutboundPacket& out, Timestamp now) {
  const base::Departure& departure = out.departure;
  const auto* const route = routes_.find(departure.next_hop);
  const bool encapsulated = departure.udp_destination_port != 0;
  if (route == nullptr || (encapsulated && config_.udp_encapsulation_port == 0)) {
    ++counters_.drop_tx_no_route;
    return SendResult::no_route;
  }
  if (!routes_.link_up(route->port)) {
    ++counters_.drop_tx_link_down;
    return SendResult::link_down;
  }
  const std::uint32_t bytes = out.buffer.size() + (encapsulated ? kUdpHeaderLength : 0);
  const bool fits = ip_header_length(departure.destination.is_v4()) + bytes <= route->mtu;
  if (!fits && (departure.dont_fragment || bytes > kMostIpPayload)) {
    ++counters_.drop_tx_too_big;
    return SendResult::too_big;
  }
  if (departure.checksum == base::Checksum::offload && !may_offload_checksum(departure, out.buffer.size())) {
    ++counters_.drop_tx_offload;
    return SendResult::offload_refused;
  }
  const IpAddress& hop = route->via_gateway ? route->gateway : departure.destination;
  Neighbour* const neighbour = cache_.find(route->port, hop);
  if (neighbour != nullptr && neighbour->usable()) [[likely]] {
    cache_.use(*neighbour, now);
    return transmit(*neighbour, departure, std::move(out.buffer));
  }
  switch (cache_.enqueue(route->port, hop, std::move(out), now)) {
    case NeighbourCache::Queued::queued:
      return SendResult::queued;
    case NeighbourCache::Queued::full:
      return SendResult::no_room;
    case NeighbourCache::Queued::failed:
      break;
  }
  return SendResult::unreachable;
}

SendResult Layer::transmit(const Neighbour& neighbour, const base::Departure& departure, base::Buffer&& packet) {
  OutgoingHeader header;
  header.source = departure.source;
  header.destination = departure.destination;
  header.protocol = kProtocolSctp;
  header.traffic_class = static_cast<std::uint8_t>(departure.dscp << 2 | static_cast<unsigned>(departure.ecn));
  header.dont_fragment = departure.dont_fragment;
  if (departure.udp_destination_port != 0) {
    encapsulate(packet, departure.source, departure.destination, config_.udp_encapsulation_port,
                departure.udp_destination_port);
    header.protocol = kProtocolUdp;
  }
  const std::uint64_t fragments = counters_.tx_fragments;
  const SendResult result = transmitter_.send(neighbour.port, neighbour.link, header, std::move(packet),
                                              departure.checksum == base::Checksum::offload);
  if (result != SendResult::sent) return result;
  ++counters_.tx_packets;
  if (counters_.tx_fragments != fragments) ++counters_.tx_fragmented;
  return result;
}

void Layer::set_link(std::uint16_t port, bool up, Timestamp now) {
  if (port >= port_count() || routes_.link_up(port) == up) return;
  routes_.set_link(port, up);
  if (!up) {
    cache_.link_down(port, now);
  } else if (announces_) {
    resolution_.announce(port);
  }
}

void Layer::apply(const NeighbourUpdate& update, Timestamp now) {
  cache_.apply(update, now);
}

void Layer::poll(Timestamp now) {
  cache_.poll(now);
  reassembler_.expire(now);
}

Timestamp Layer::next_deadline() const {
  return std::min(cache_.next_deadline(), reassembler_.next_deadline());
}

std::span<const Prefix> Layer::addresses(std::uint16_t port) const {
  if (port >= port_count()) return {};
  return config_.interfaces[port].addresses;
}

}  // namespace sluice::ip
