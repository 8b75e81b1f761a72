// The receiving half of Layer.

#include <utility>

#include "stack/ip/fragmenter.hpp"
#include "stack/ip/ipv4.hpp"
#include "stack/ip/ipv6.hpp"
#include "stack/ip/layer.hpp"
#include "stack/ip/udp.hpp"

namespace sluice::ip {
namespace {

constexpr std::uint32_t kSctpCommonHeader = 12;  // RFC 9260 §3.1
constexpr std::uint8_t kEcnMask = 3;

}  // namespace

std::optional<base::InboundPacket> Layer::input(std::uint16_t port, base::Buffer&& frame, Timestamp now) {
  base::Buffer buffer = std::move(frame);
  ++counters_.rx_frames;
  if (port >= port_count()) {
    ++counters_.drop_bad_port;
    return std::nullopt;
  }
  const Interface& interface = config_.interfaces[port];
  const auto ethernet = parse_ethernet(buffer.bytes());
  if (!ethernet) {
    ++counters_.drop_runt;
    return std::nullopt;
  }
  if (ethernet->vlan != interface.vlan) {
    ++counters_.drop_vlan;
    return std::nullopt;
  }
  const bool group_frame = ethernet->destination.is_multicast();
  if ((!group_frame && ethernet->destination != interface.mac) || ethernet->source.is_multicast()) {
    ++counters_.drop_other_mac;
    return std::nullopt;
  }
  buffer.trim_front(ethernet->length);
  Inbound in{port, ethernet->source, group_frame, {}, std::move(buffer), false, now};
  switch (ethernet->ether_type) {
    case kEtherTypeIpv4:
      return input_ip(in, true);
    case kEtherTypeIpv6:
      return input_ip(in, false);
    case kEtherTypeArp:
      resolution_.handle_arp(port, in.buffer.bytes(), cache_, now);
      return std::nullopt;
    default:
      ++counters_.drop_ethertype;
      return std::nullopt;
  }
}

Layer::Packet Layer::input_ip(Inbound& in, bool is_v4) {
  const bool verified =
      config_.interfaces[in.port].offloads.ipv4_checksum_rx && in.buffer.block().frame.ipv4_checksum_good;
  const HeaderFault fault =
      is_v4 ? parse_ipv4(in.buffer.bytes(), verified, in.header) : parse_ipv6(in.buffer.bytes(), in.header);
  if (refuse(fault, is_v4)) return std::nullopt;
  in.buffer.truncate(in.header.total_length());
  if (!accept_addresses(in)) return std::nullopt;
  return in.header.fragment ? join(in) : dispatch(in);
}

// Counts what is wrong with a header. False: nothing.
bool Layer::refuse(HeaderFault fault, bool is_v4) {
  switch (fault) {
    case HeaderFault::none:
      return false;
    case HeaderFault::malformed:
      ++(is_v4 ? counters_.drop_ipv4_header : counters_.drop_ipv6_header);
      break;
    case HeaderFault::checksum:
      ++counters_.drop_ipv4_checksum;
      break;
    case HeaderFault::options:
      ++(is_v4 ? counters_.drop_ipv4_options : counters_.drop_ipv6_extension);
      break;
    case HeaderFault::source:
      ++counters_.drop_martian;
      break;
  }
  return true;
}

bool Layer::accept_addresses(const Inbound& in) {
  const Datagram& header = in.header;
  if (!in.group_frame && in.port == accepted_.port && header.source == accepted_.source &&
      header.destination == accepted_.destination)
    return true;
  return look_up_addresses(in);
}

// Unicast to us from a station, or what neighbour discovery alone may be (RFC 1122 §3.2.1.3, RFC 4861 §7.2).
bool Layer::look_up_addresses(const Inbound& in) {
  const Datagram& header = in.header;
  const bool nd_only = header.destination.is_multicast() || header.source.is_unspecified();
  const bool whole_icmpv6 = header.source.is_v6() && header.protocol == kProtocolIcmpv6 && !header.fragment;
  if (routes_.is_local(header.source) || routes_.is_subnet_broadcast(in.port, header.source) ||
      (header.source.is_unspecified() && !whole_icmpv6)) {
    ++counters_.drop_martian;
    return false;
  }
  if (nd_only && whole_icmpv6 && (header.destination.is_multicast() || routes_.is_local(header.destination)))
    return true;
  // A unicast packet in a broadcast frame is nobody's honest traffic (RFC 1122 §3.3.6).
  const bool plain_multicast_frame = in.group_frame && !whole_icmpv6;
  if (!routes_.is_local(header.destination) || plain_multicast_frame) {
    ++counters_.drop_not_ours;
    return false;
  }
  if (!nd_only) accepted_ = {in.port, header.source, header.destination};
  return true;
}

Layer::Packet Layer::join(Inbound& in) {
  auto joined = reassembler_.add(in.header, in.payload(), in.now);
  if (!joined) return std::nullopt;
  in.header = joined->header;
  in.buffer = std::move(joined->payload);
  in.joined = true;
  if (in.header.source.is_v4()) return dispatch(in);
  // Options for the destination may follow the fragment header (RFC 8200 §4.1).
  const auto end = walk_extensions(in.header.protocol, in.buffer.bytes());
  if (!end || end->fragment) {
    ++counters_.drop_ipv6_extension;
    return std::nullopt;
  }
  in.header.protocol = end->protocol;
  in.buffer.trim_front(end->offset);
  in.header.payload_length -= end->offset;
  return dispatch(in);
}

Layer::Packet Layer::dispatch(Inbound& in) {
  const bool is_v4 = in.header.source.is_v4();
  switch (in.header.protocol) {
    case kProtocolSctp: {
      const bool verdict_counts = config_.interfaces[in.port].offloads.sctp_checksum_rx && !in.joined;
      return sctp(in, 0, 0, verdict_counts ? in.buffer.block().frame.sctp_checksum : base::Checksum::unknown);
    }
    case kProtocolUdp:
      return udp(in);
    case kProtocolIcmp:
    case kProtocolIcmpv6:
      if ((in.header.protocol == kProtocolIcmp) != is_v4) break;
      icmp(in);
      return std::nullopt;
    default:
      break;
  }
  ++counters_.drop_unknown_protocol;
  if (is_v4 || in.header.protocol != kProtocolNoNext) send_unreachable(in, Unreachable::protocol);
  return std::nullopt;
}

// Hands the SCTP packet up that begins `skip` bytes into the payload.
Layer::Packet Layer::sctp(Inbound& in, std::uint32_t skip, std::uint16_t udp_source_port, base::Checksum verdict) {
  in.buffer.trim_front(in.header.payload_offset + skip);
  if (in.buffer.size() < kSctpCommonHeader) {
    ++counters_.drop_sctp_short;
    return std::nullopt;
  }
  ++counters_.rx_sctp;
  base::InboundPacket packet;
  packet.arrival.source = in.header.source;
  packet.arrival.destination = in.header.destination;
  packet.arrival.time = in.now;
  packet.arrival.port = in.port;
  packet.arrival.udp_source_port = udp_source_port;
  packet.arrival.ecn = static_cast<base::Ecn>(in.header.traffic_class & kEcnMask);
  packet.arrival.dscp = in.header.traffic_class >> 2;
  packet.arrival.checksum = verdict;
  packet.buffer = std::move(in.buffer);
  return packet;
}

Layer::Packet Layer::udp(Inbound& in) {
  const auto header = parse_udp(in.header, in.payload());
  if (!header) {
    ++counters_.drop_udp_malformed;
    return std::nullopt;
  }
  // Source port 0 means "no answer wanted" (RFC 768); SCTP always answers.
  const bool ours = header->destination_port == config_.udp_encapsulation_port && header->source_port != 0;
  if (config_.udp_encapsulation_port == 0 || !ours) {
    ++counters_.drop_udp_port;
    send_unreachable(in, Unreachable::port);
    return std::nullopt;
  }
  in.buffer.truncate(in.header.payload_offset + header->length);
  return sctp(in, kUdpHeaderLength, header->source_port, base::Checksum::unknown);
}

void Layer::icmp(Inbound& in) {
  const auto message = in.payload();
  const IcmpClass kind = classify_icmp(in.header, message);
  const bool unicast = !in.group_frame && !in.header.destination.is_multicast() && !in.header.source.is_unspecified();
  if (kind == IcmpClass::malformed) {
    ++counters_.drop_icmp_malformed;
  } else if (kind == IcmpClass::discovery && !in.joined) {  // never in fragments (RFC 6980 §5)
    resolution_.handle_nd(in.port, in.from, in.header, message, cache_, in.now);
  } else if (kind == IcmpClass::echo_request && unicast) {
    answer_echo(in);
  } else if (kind == IcmpClass::error && unicast) {
    const auto notice = read_icmp_error(in.header, message, config_.udp_encapsulation_port);
    if (!notice || !routes_.is_local(notice->source)) {
      ++counters_.drop_icmp_not_ours;
      return;
    }
    ++counters_.rx_icmp_errors;
    sink_.on_icmp(*notice);
  } else {
    ++counters_.drop_icmp_ignored;
  }
}

// Turns the request round in its own buffer, and sends it back to the station that it came from: no state is needed,
// and nobody else can be made to suffer.
void Layer::answer_echo(Inbound& in) {
  OutgoingHeader header;
  header.source = in.header.destination;
  header.destination = in.header.source;
  header.protocol = in.header.protocol;
  header.traffic_class = in.header.traffic_class & ~kEcnMask;
  in.buffer.trim_front(in.header.payload_offset);
  make_echo_reply(in.buffer.bytes(), header.source, header.destination);
  const bool is_v4 = header.source.is_v4();
  header.dont_fragment = ip_header_length(is_v4) + in.buffer.size() <= config_.interfaces[in.port].mtu;
  const LinkHeader link = link_to(in.port, in.from, is_v4);
  if (transmitter_.send(in.port, link, header, std::move(in.buffer)) == SendResult::sent) ++counters_.rx_echo;
}

// RFC 1122 §3.2.2 and RFC 4443 §2.4 say about what no error may be sent; joined datagrams have lost their header.
void Layer::send_unreachable(const Inbound& in, Unreachable why) {
  if (in.joined || in.group_frame) return;
  if (!icmp_errors_.take(in.now)) {
    ++counters_.drop_icmp_rate_limited;
    return;
  }
  OutgoingHeader header;
  header.source = in.header.destination;
  header.destination = in.header.source;
  const bool is_v4 = header.source.is_v4();
  header.protocol = is_v4 ? kProtocolIcmp : kProtocolIcmpv6;
  base::Buffer payload = transmitter_.allocate(in.port, unreachable_length(is_v4, in.buffer.size()));
  if (!payload) return;
  write_unreachable(payload.bytes(), why, in.buffer.bytes(), in.header.protocol_offset, header.source,
                    header.destination);
  const LinkHeader link = link_to(in.port, in.from, is_v4);
  if (transmitter_.send(in.port, link, header, std::move(payload)) == SendResult::sent) ++counters_.tx_icmp_errors;
}

LinkHeader Layer::link_to(std::uint16_t port, const base::MacAddress& mac, bool is_v4) const {
  const Interface& interface = config_.interfaces[port];
  return make_link_header(mac, interface.mac, interface.vlan, is_v4 ? kEtherTypeIpv4 : kEtherTypeIpv6);
}

}  // namespace sluice::ip
