#include "stack/endpoint/owner_role.hpp"

#include <algorithm>
#include <optional>

#include "stack/endpoint/init_answer.hpp"
#include "stack/endpoint/out_of_the_blue.hpp"
#include "stack/endpoint/received_cookie.hpp"
#include "stack/wire/chunk.hpp"

namespace sluice::endpoint {
namespace {

using assoc::CookieAction;
using assoc::State;
using Next = OwnerVerdict::Next;

assoc::AddressList not_in(const assoc::AddressList& addresses, const assoc::AddressList& known) {
  assoc::AddressList added;
  for (const IpAddress& address : addresses)
    if (!known.contains(address)) static_cast<void>(added.push_back(address));
  return added;
}

// Table 12 of §5.2.4; nothing for action C and whatever it does not list.
std::optional<CookieAction> table_12(const Tcb& tcb, const Cookie& cookie) {
  const bool local_matches = cookie.handshake.local_tag == tcb.handshake.local_tag;
  const bool peer_matches = cookie.handshake.peer_tag == tcb.handshake.peer_tag;
  if (local_matches) return peer_matches ? CookieAction::duplicate : CookieAction::collision;
  const bool ties_match = !cookie.tie_tags.none() && cookie.tie_tags == tcb.tie_tags;
  if (!peer_matches && ties_match) return CookieAction::restart;
  return std::nullopt;
}

// §5.2.1 rules 1 to 3: an address that the user named and that the INIT reports, its source if that will do.
const IpAddress* init_ack_destination(const Tcb& tcb, const InitRequest& request) {
  const IpAddress& source = request.peers.front();
  const IpAddress* other_family = nullptr;
  for (const IpAddress& address : request.peers) {
    if (!tcb.confirmed.contains(address)) continue;
    if (address.is_v4() == source.is_v4()) return &address;
    if (other_family == nullptr) other_family = &address;
  }
  return other_family;
}

// One of ours in the family of `peer`; keep_families_of() left no other families.
const IpAddress* first_of_family(const assoc::AddressList& ours, const IpAddress& peer) {
  return std::find_if(ours.begin(), ours.end(), [&](const IpAddress& own) { return own.is_v4() == peer.is_v4(); });
}

bool opening(State state) {
  return state == State::cookie_wait || state == State::cookie_echoed;
}

}  // namespace

OwnerVerdict OwnerRole::receive(Timestamp now, const Tcb& tcb, const Parameters& parameters,
                                const base::InboundPacket& packet) {
  const auto header = wire::CommonHeader::parse(packet.buffer.bytes());
  const auto first = wire::first_chunk_type(packet.buffer.bytes());
  if (!header || !first || tcb.state == State::closed) {
    ++services_.counters.association_gone;
    return {};
  }
  if (!tcb.handshake.local_addresses.contains(packet.arrival.destination)) {
    ++services_.counters.wrong_local_address;
    return {};
  }
  const Received received{.arrival = packet.arrival, .packet = packet.buffer.bytes(), .header = *header};
  switch (*first) {
    case wire::ChunkType::init:
      return on_init(now, tcb, parameters, received);
    case wire::ChunkType::cookie_echo:
      return on_cookie_echo(now, tcb, received);
    case wire::ChunkType::shutdown_ack:
    case wire::ChunkType::error:  // one behind it: only those come here
      return on_shutdown_ack(now, tcb, received);
    default:
      return {.next = Next::receive};
  }
}

OwnerVerdict OwnerRole::on_init(Timestamp now, const Tcb& tcb, const Parameters& parameters, const Received& received) {
  ++services_.counters.inits_received;
  InitRequest request;
  const InitProblem problem = read_init(received.packet, received.arrival, services_.stack_addresses, request);
  if (refuse_init(services_, now, received, problem, request)) return {};
  if (tcb.state == State::shutdown_ack_sent) return {.next = Next::repeat_shutdown_ack};
  keep_families_of(tcb.handshake.local_addresses, request);
  InitAnswer ours{.local_tag = tcb.handshake.local_tag,
                  .local_initial_tsn = tcb.handshake.local_initial_tsn,
                  .window = parameters.receive_window,
                  .outbound_streams = parameters.outbound_streams,
                  .inbound_streams = parameters.max_inbound_streams,
                  .local_addresses = tcb.handshake.local_addresses,
                  .tie_tags = tcb.tie_tags,
                  .cookie_life = parameters.valid_cookie_life};
  if (tcb.state == State::cookie_wait) {
    answer_in_cookie_wait(now, tcb, received, request, ours);
    return {};
  }
  const assoc::AddressList added = not_in(request.peers, tcb.handshake.peer_addresses);
  if (!added.empty()) {
    ++services_.counters.init_new_addresses;
    send_new_addresses(services_, now, received, request, added);
    return {};
  }
  if (!opening(tcb.state)) {  // §5.2.2: the peer began anew, perhaps, and so would we
    ours.local_tag = tags_.draw(services_.steering, services_.self, services_.random);
    ours.local_initial_tsn = Tsn(services_.random.u32());
    ours.outbound_streams = tcb.handshake.outbound_streams;
  }
  send_init_ack(services_, now, received, request, ours);
  return {};
}

void OwnerRole::answer_in_cookie_wait(Timestamp now, const Tcb& tcb, const Received& received,
                                      const InitRequest& request, InitAnswer& ours) {
  const IpAddress* const destination = init_ack_destination(tcb, request);
  if (destination == nullptr) {
    ++services_.counters.init_wrong_peer;
    return;
  }
  ours.outbound_streams = tcb.handshake.outbound_streams;
  ours.inbound_streams = tcb.handshake.inbound_streams;
  ours.tie_tags = {};
  const bool same_family = destination->is_v4() == received.arrival.destination.is_v4();
  const IpAddress* const source = same_family ? nullptr : first_of_family(ours.local_addresses, *destination);
  send_init_ack(services_, now, received, request, ours, destination, source);
}

OwnerVerdict OwnerRole::on_cookie_echo(Timestamp now, const Tcb& tcb, const Received& received) {
  Counters& counters = services_.counters;
  const OpenedCookie opened = open_received_cookie(services_, now, received);
  if (opened.verdict != CookieVerdict::good && opened.verdict != CookieVerdict::stale) return {};
  const auto action = table_12(tcb, opened.cookie);
  if (opened.verdict == CookieVerdict::stale && action != CookieAction::duplicate) {  // §5.2.4 rule 3
    ++counters.cookie_stale;
    if (!holds_abort(received.packet))  // §8.4 rule 2
      send_stale_cookie(services_, now, received, opened.cookie.handshake.peer_tag, opened.staleness);
    return {};
  }
  const bool refused = tcb.state == State::shutdown_ack_sent && holds_abort(received.packet);
  if (!action || (action == CookieAction::restart && (refused || !may_restart(tcb, opened.cookie.handshake)))) {
    ++counters.cookie_discarded;
    return {};
  }
  switch (*action) {
    case CookieAction::restart:
      // Refused there; the tag of the cookie is then nobody's.
      if (tcb.state != State::shutdown_ack_sent) ++counters.restarts;
      break;
    case CookieAction::collision:
      ++counters.collisions;
      break;
    case CookieAction::duplicate:
      ++counters.cookie_duplicates;
      break;
  }
  return {.next = Next::receive_cookie, .action = *action, .agreed = opened.cookie.handshake};
}

// The INIT was refused if it brought new addresses; but the association's may have changed since. And the cookie of an
// earlier restart, which comes again, must not bring that one back.
bool OwnerRole::may_restart(const Tcb& tcb, const assoc::Handshake& agreed) const {
  return not_in(agreed.peer_addresses, tcb.handshake.peer_addresses).empty() && tags_.is_free(agreed.local_tag);
}

OwnerVerdict OwnerRole::on_shutdown_ack(Timestamp now, const Tcb& tcb, const Received& received) {
  // §8.5.1 E: the peer still ends an association that we do not know of any more.
  if (opening(tcb.state) && !holds_abort(received.packet))
    send_shutdown_complete(services_, now, received);
  else
    ++services_.counters.wrong_tag;
  return {};
}

Admission OwnerRole::admit(Timestamp now, const CreateOrder& order, const base::InboundPacket& packet, bool room) {
  Counters& counters = services_.counters;
  const auto header = wire::CommonHeader::parse(packet.buffer.bytes());
  SLUICE_CHECK(header.has_value());
  const Received received{.arrival = packet.arrival, .packet = packet.buffer.bytes(), .header = *header};
  const VTag tag = order.handshake.local_tag;
  if (tags_.is_free(tag) && room && !tags_.full()) return Admission::admitted;
  if (tags_.is_retired(tag)) {
    ++counters.cookie_replayed;
    return Admission::replayed;
  }
  if (!tags_.is_free(tag)) {
    // Whoever answered the INIT drew it without seeing this table. With a million associations that happens to one INIT
    // in four thousand, and is no reason to refuse the peer.
    ++counters.cookie_tag_in_use;
    send_stale_cookie(services_, now, received, order.handshake.peer_tag, {});
    return Admission::tag_in_use;
  }
  ++counters.cookie_table_full;
  send_abort(services_, now, received, order.handshake.peer_tag, wire::append_out_of_resource);
  return Admission::full;
}

DirectoryRelease release_of(const CreateOrder& order) {
  return {.directory = order.directory,
          .ports = {.local = order.handshake.local_port, .peer = order.handshake.peer_port},
          .peers = order.handshake.peer_addresses,
          .tag = order.handshake.local_tag};
}

}  // namespace sluice::endpoint
