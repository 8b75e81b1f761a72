#include "stack/endpoint/responder.hpp"

#include "stack/endpoint/address_scope.hpp"
#include "stack/endpoint/init_answer.hpp"
#include "stack/endpoint/out_of_the_blue.hpp"
#include "stack/endpoint/received_cookie.hpp"
#include "stack/wire/chunk.hpp"

namespace sluice::endpoint {

using wire::ChunkType;

Verdict Responder::receive(Timestamp now, const base::InboundPacket& packet, WorkerId owner, CreateOrder& order) {
  const std::span<const std::byte> bytes = packet.buffer.bytes();
  const auto header = wire::CommonHeader::parse(bytes);
  const auto first = wire::first_chunk_type(bytes);
  if (!header || !first) {
    ++services_.counters.ootb_malformed;
    return {};
  }
  if (!is_unicast(packet.arrival.source) || !is_unicast(packet.arrival.destination)) {  // §8.4 rule 1
    ++services_.counters.not_unicast;
    return {};
  }
  const Received received{.arrival = packet.arrival, .packet = bytes, .header = *header};
  if (*first == ChunkType::init && header->tag.value == 0) return on_init(now, received, owner);
  if (*first == ChunkType::cookie_echo) return on_cookie_echo(now, received, order);
  if (*first == ChunkType::init) {  // §12.3: in silence, whoever it is from
    ++services_.counters.init_nonzero_packet_tag;
    return {};
  }
  const VTag* const known = directory_.find(received.ports(), packet.arrival.source);
  if (known != nullptr) return on_known(received, *first, *known);
  answer_out_of_the_blue(services_, now, received);
  return {};
}

// A packet of somebody's that missed at the owner its tag names, or bears a reflected tag (§8.5).
Verdict Responder::on_known(const Received& received, ChunkType first, VTag known) {
  const bool own_rules =
      first == ChunkType::abort || first == ChunkType::shutdown_complete || first == ChunkType::shutdown_ack ||
      (first == ChunkType::error && holds_shutdown_ack(received.packet));  // §5.2.4 A answers with both
  if (own_rules && received.header.tag != known) return to_owner(known);
  ++(received.header.tag == known ? services_.counters.wrong_local_address : services_.counters.wrong_tag);
  return {};
}

Verdict Responder::to_owner(VTag tag) {
  ++services_.counters.forwarded_to_owner;
  return {.next = Verdict::Next::to_owner, .owner = {.worker = services_.steering.owner_of(tag), .tag = tag}};
}

Verdict Responder::on_init(Timestamp now, const Received& received, WorkerId owner) {
  Counters& counters = services_.counters;
  // Before anything is read of it: a flood is to cost no more than packets that are thrown away (RFC 9260 §5.1.3).
  if (!services_.inits.take(now)) {
    ++counters.init_rate_limited;
    return {};
  }
  ++counters.inits_received;
  InitRequest request;
  const InitProblem problem = read_init(received.packet, received.arrival, services_.stack_addresses, request);
  if (refuse_init(services_, now, received, problem, request)) return {};
  // §5.1.2 D: any of its addresses tells whose it is.
  if (const VTag* const known = directory_.find_any(received.ports(), request.peers)) return to_owner(*known);
  const VTag peer_tag = request.header.init_tag;
  const Endpoint* const endpoint = services_.endpoints.find(received.ports().local, received.arrival.destination);
  if (endpoint == nullptr || !endpoint->listening) {
    ++counters.init_no_endpoint;
    send_abort(services_, now, received, peer_tag, nullptr);
    return {};
  }
  if (endpoint->backlog != nullptr && endpoint->backlog->full()) {
    ++counters.init_backlog_full;
    send_abort(services_, now, received, peer_tag, wire::append_out_of_resource);
    return {};
  }
  const Parameters& parameters = endpoint->parameters;
  const assoc::AddressList ours = addresses_for(*endpoint, services_.stack_addresses, received.arrival.destination,
                                                received.arrival.source, request.supported);
  keep_families_of(ours, request);
  send_init_ack(services_, now, received, request,
                {.local_tag = services_.steering.new_tag(owner, services_.random),
                 .local_initial_tsn = Tsn(services_.random.u32()),
                 .window = parameters.receive_window,
                 .outbound_streams = parameters.outbound_streams,
                 .inbound_streams = parameters.max_inbound_streams,
                 .local_addresses = ours,
                 .tie_tags = {},
                 .cookie_life = parameters.valid_cookie_life});
  return {};
}

Verdict Responder::on_cookie_echo(Timestamp now, const Received& received, CreateOrder& order) {
  // Before anything is looked up or made: a flood of forged ones is to cost their MACs alone (RFC 9260 §5.1.3).
  if (refuse_forged_cookie(services_, now, received)) return {};
  // Whose it is, the owner opens: Table 12 may find even an old cookie valid.
  if (const VTag* const known = directory_.find(received.ports(), received.arrival.source)) return to_owner(*known);
  if (holds_abort(received.packet)) {  // §8.4 rule 2 comes before rule 4
    ++services_.counters.ootb_received;
    ++services_.counters.ootb_abort;
    return {};
  }
  const OpenedCookie opened = open_received_cookie(services_, now, received);
  switch (opened.verdict) {
    case CookieVerdict::good:
      break;
    case CookieVerdict::stale:
      ++services_.counters.cookie_stale;
      send_stale_cookie(services_, now, received, opened.cookie.handshake.peer_tag, opened.staleness);
      return {};
    default:
      return {};
  }
  const assoc::Handshake& agreed = opened.cookie.handshake;
  if (const VTag* const known = directory_.find_any(received.ports(), agreed.peer_addresses)) return to_owner(*known);
  return create(now, received, agreed, order);
}

Verdict Responder::create(Timestamp now, const Received& received, const assoc::Handshake& agreed, CreateOrder& order) {
  Counters& counters = services_.counters;
  const Endpoint* const endpoint = services_.endpoints.find(agreed.local_port, received.arrival.destination);
  if (endpoint == nullptr || !endpoint->listening) {
    ++counters.cookie_no_endpoint;
    send_abort(services_, now, received, agreed.peer_tag, nullptr);
    return {};
  }
  if (endpoint->backlog != nullptr && !endpoint->backlog->enter()) {
    ++counters.cookie_backlog_full;
    send_abort(services_, now, received, agreed.peer_tag, wire::append_out_of_resource);
    return {};
  }
  const Owner owner{.worker = services_.steering.owner_of(agreed.local_tag), .tag = agreed.local_tag};
  const Reservation reservation = reserve(received.ports(), agreed.peer_addresses, owner.tag);
  if (reservation.status != ReserveStatus::reserved) {
    ++counters.cookie_directory_full;
    if (endpoint->backlog != nullptr) endpoint->backlog->leave();
    send_abort(services_, now, received, agreed.peer_tag, wire::append_out_of_resource);
    return {};
  }
  order = {.endpoint = endpoint->id,
           .directory = services_.self,
           .udp_port = received.arrival.udp_source_port,
           .handshake = agreed};
  ++counters.associations_ordered;
  return {.next = Verdict::Next::create, .owner = owner};
}

Reservation Responder::reserve(PortPair ports, std::span<const IpAddress> peers, VTag tag) {
  return counted(directory_.reserve(ports, peers, tag));
}

const Reservation& Responder::counted(const Reservation& reservation) {
  Counters& counters = services_.counters;
  if (reservation.status == ReserveStatus::reserved) ++counters.directory_reserved;
  if (reservation.status == ReserveStatus::conflict) ++counters.directory_conflicts;
  if (reservation.status == ReserveStatus::full) ++counters.directory_full;
  return reservation;
}

DirectoryReply Responder::apply(const DirectoryRequest& request) {
  DirectoryReply reply{.ports = request.ports, .owner = request.owner, .reservation = {}};
  if (request.ports.local != 0) {
    reply.reservation = reserve(request.ports, request.peers, request.owner.tag);
    return reply;
  }
  reply.reservation = directory_.lease(request.ports.peer, request.peers, request.owner.tag, services_.steering,
                                       services_.self, services_.endpoints, services_.random);
  reply.ports.local = reply.reservation.local_port;
  if (reply.ports.local != 0)
    counted(reply.reservation);
  else
    ++services_.counters.ports_exhausted;
  return reply;
}

void Responder::apply(const DirectoryRelease& release) {
  directory_.release(release.ports, release.peers, release.tag, release.leased);
  ++services_.counters.directory_released;
}

void Responder::apply(const DirectoryRetag& retag) {
  directory_.retag(retag.ports, retag.peers, retag.old_tag, retag.new_tag);
}

}  // namespace sluice::endpoint
