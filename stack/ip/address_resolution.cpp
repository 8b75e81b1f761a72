#include "stack/ip/address_resolution.hpp"

#include <utility>

namespace sluice::ip {

using Evidence = NeighbourCache::Evidence;

void AddressResolution::handle_arp(std::uint16_t port, std::span<const std::byte> bytes, NeighbourCache& cache,
                                   Timestamp now) {
  ++counters_.rx_arp;
  const auto packet = parse_arp(bytes);
  if (!packet) {
    ++counters_.drop_arp_malformed;
    return;
  }
  // Somebody else claims an address of ours: never believed.
  if (routes_.is_local(packet->sender)) {
    ++counters_.drop_martian;
    return;
  }
  const bool for_us = routes_.is_local_on(port, packet->target);
  if (routes_.on_link(port, packet->sender))
    cache.learn(port, packet->sender, packet->sender_mac, for_us ? Evidence::answer : Evidence::statement, now);
  if (!for_us || packet->operation != ArpPacket::Operation::request) return;
  const base::MacAddress& own = config_.interfaces[port].mac;
  send_arp(port, packet->sender_mac,
           {ArpPacket::Operation::reply, own, packet->target, packet->sender_mac, packet->sender});
}

void AddressResolution::handle_nd(std::uint16_t port, const base::MacAddress& from, const Datagram& datagram,
                                  std::span<const std::byte> bytes, NeighbourCache& cache, Timestamp now) {
  ++counters_.rx_nd;
  const auto message = parse_nd(datagram, bytes);
  if (!message) {
    ++counters_.drop_nd_malformed;
    return;
  }
  if (!message->advertisement) {
    if (!routes_.is_local_on(port, message->target)) {
      ++counters_.drop_not_ours;
      return;
    }
    if (message->mac && routes_.on_link(port, datagram.source))
      cache.learn(port, datagram.source, *message->mac, Evidence::answer, now);
    answer_solicitation(port, message->mac.value_or(from), datagram, message->target);
    return;
  }
  if (routes_.is_local(message->target)) {
    ++counters_.drop_martian;
    return;
  }
  const Neighbour* const known = cache.find(port, message->target);
  const bool usable = known != nullptr && known->usable();
  // An answer to a unicast solicitation may leave its address out (RFC 4861 §4.4).
  const auto mac = message->mac || !usable ? message->mac : destination_of(known->link);
  if (!mac || !routes_.on_link(port, message->target)) return;
  Evidence evidence = message->solicited ? Evidence::answer : Evidence::statement;
  if (!message->override && usable) evidence = Evidence::hint;
  cache.learn(port, message->target, *mac, evidence, now);
}

// RFC 4861 §7.2.4.
void AddressResolution::answer_solicitation(std::uint16_t port, const base::MacAddress& from, const Datagram& datagram,
                                            const IpAddress& target) {
  NdMessage answer;
  answer.advertisement = true;
  answer.override = true;
  answer.solicited = !datagram.source.is_unspecified();
  answer.target = target;
  answer.mac = config_.interfaces[port].mac;
  if (answer.solicited) {
    send_nd(port, from, answer, target, datagram.source);
  } else {
    send_nd(port, multicast_mac(all_nodes()), answer, target, all_nodes());
  }
}

void AddressResolution::solicit(const Neighbour& neighbour, bool broadcast) {
  const std::uint16_t port = neighbour.port;
  const auto source = routes_.source_on(port, neighbour.address, neighbour.address);
  if (!source) return;
  const base::MacAddress& own = config_.interfaces[port].mac;
  if (neighbour.address.is_v4()) {
    send_arp(port, broadcast ? base::MacAddress::broadcast() : destination_of(neighbour.link),
             {ArpPacket::Operation::request, own, *source, {}, neighbour.address});
    return;
  }
  NdMessage message;
  message.target = neighbour.address;
  message.mac = own;
  const IpAddress group = solicited_node(neighbour.address);
  if (broadcast) {
    send_nd(port, multicast_mac(group), message, *source, group);
  } else {
    send_nd(port, destination_of(neighbour.link), message, *source, neighbour.address);
  }
}

void AddressResolution::announce(std::uint16_t port) {
  const base::MacAddress& own = config_.interfaces[port].mac;
  for (const Prefix& address : config_.interfaces[port].addresses) {
    if (address.address.is_v4()) {
      send_arp(port, base::MacAddress::broadcast(),
               {ArpPacket::Operation::request, own, address.address, {}, address.address});
      continue;
    }
    NdMessage message;
    message.advertisement = true;
    message.override = true;
    message.target = address.address;
    message.mac = own;
    send_nd(port, multicast_mac(all_nodes()), message, address.address, all_nodes());
  }
}

void AddressResolution::send_arp(std::uint16_t port, const base::MacAddress& to, const ArpPacket& packet) {
  base::Buffer frame = transmitter_.allocate(port, kArpLength);
  if (!frame) return;
  write_arp(frame.data(), packet);
  const Interface& interface = config_.interfaces[port];
  if (transmitter_.send_frame(port, make_link_header(to, interface.mac, interface.vlan, kEtherTypeArp),
                              std::move(frame)))
    ++counters_.tx_arp;
}

void AddressResolution::send_nd(std::uint16_t port, const base::MacAddress& to, const NdMessage& message,
                                const IpAddress& source, const IpAddress& destination) {
  base::Buffer payload = transmitter_.allocate(port, kNdLength);
  if (!payload) return;
  write_nd(payload.data(), message, source, destination);
  OutgoingHeader header;
  header.source = source;
  header.destination = destination;
  header.protocol = kProtocolIcmpv6;
  header.hop_limit = kNdHopLimit;
  const Interface& interface = config_.interfaces[port];
  if (transmitter_.send(port, make_link_header(to, interface.mac, interface.vlan, kEtherTypeIpv6), header,
                        std::move(payload)) == SendResult::sent)
    ++counters_.tx_nd;
}

}  // namespace sluice::ip
