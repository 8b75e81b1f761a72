#include "stack/endpoint/init_answer.hpp"

#include <algorithm>
#include <cstring>

#include "stack/endpoint/cookie.hpp"

namespace sluice::endpoint {
namespace {

Cookie cookie_for(Timestamp now, const Received& received, const InitRequest& request, const InitAnswer& ours) {
  Cookie cookie;
  cookie.handshake = {.local_port = received.header.destination_port,
                      .peer_port = received.header.source_port,
                      .local_tag = ours.local_tag,
                      .peer_tag = request.header.init_tag,
                      .local_initial_tsn = ours.local_initial_tsn,
                      .peer_initial_tsn = request.header.initial_tsn,
                      .peer_window = request.header.window,
                      // §5.1.1: what one side wishes for and the other one grants.
                      .outbound_streams = std::min(ours.outbound_streams, request.header.inbound_streams),
                      .inbound_streams = std::min(ours.inbound_streams, request.header.outbound_streams),
                      .local_addresses = ours.local_addresses,
                      .peer_addresses = request.peers,
                      .extensions = {}};
  cookie.tie_tags = ours.tie_tags;
  cookie.udp_port = received.arrival.udp_source_port;
  cookie.created = now;
  const auto life = std::chrono::duration_cast<std::chrono::milliseconds>(ours.cookie_life);
  // A longer life helps who replays cookies, so it is at most doubled (§3.3.2.1.3).
  cookie.lifetime = life + std::min(request.cookie_preservative, life);
  return cookie;
}

// The cookie's length is only known once it is written.
bool append_cookie(const Services& services, const Cookie& cookie, wire::ChunkWriter& chunk) {
  std::byte sealed[kMaxCookieSize];
  const std::uint32_t length = services.cookies.seal(cookie, sealed);
  std::byte* const at = wire::append_state_cookie(chunk, length);
  if (at == nullptr) return false;
  std::memcpy(at, sealed, length);
  return true;
}

}  // namespace

bool refuse_init(const Services& services, Timestamp now, const Received& received, InitProblem problem,
                 const InitRequest& request) {
  Counters& counters = services.counters;
  const VTag tag = request.header.init_tag;
  switch (problem) {
    case InitProblem::none:
      return false;
    case InitProblem::too_short:
      ++counters.init_malformed;
      return true;
    case InitProblem::not_alone:
      ++counters.init_not_alone;
      return true;
    case InitProblem::zero_tag:
      ++counters.init_zero_tag;
      return true;
    case InitProblem::bad_values:
      ++counters.init_bad_values;
      send_abort(services, now, received, tag, wire::append_invalid_mandatory_parameter);
      return true;
    case InitProblem::malformed_parameters:
      ++counters.init_malformed;
      send_abort(services, now, received, tag,
                 [](wire::ChunkWriter& abort) { return wire::append_protocol_violation(abort, {}); });
      return true;
    case InitProblem::host_name:
      ++counters.init_host_name;
      send_unresolvable(services, now, received, request);
      return true;
  }
  return true;
}

void send_init_ack(const Services& services, Timestamp now, const Received& received, const InitRequest& request,
                   const InitAnswer& ours, const IpAddress* destination, const IpAddress* source) {
  Reply reply(services, received, request.header.init_tag, kMaxInitAckPacket);
  if (!reply) return;
  // §3.3.3: no more than the peer takes.
  const std::uint16_t outbound_streams = std::min(ours.outbound_streams, request.header.inbound_streams);
  wire::ChunkWriter chunk = wire::append_init_ack(reply.packet(), {.init_tag = ours.local_tag,
                                                                   .window = ours.window,
                                                                   .outbound_streams = outbound_streams,
                                                                   .inbound_streams = ours.inbound_streams,
                                                                   .initial_tsn = ours.local_initial_tsn});
  // A single address is the one that the packet comes from: left out, it survives a translator (§3.3.3).
  if (ours.local_addresses.size() > 1)
    for (const IpAddress& address : ours.local_addresses) wire::append_address(chunk, address);
  if (!append_cookie(services, cookie_for(now, received, request, ours), chunk)) return;
  for (const wire::Parameter& parameter : request.unrecognized)
    if (wire::append_unrecognized_parameter(chunk, parameter)) ++services.counters.init_parameters_reported;
  services.counters.init_addresses_ignored += request.ignored_addresses;
  reply.send(destination, source);
  ++services.counters.init_acks_sent;
}

}  // namespace sluice::endpoint
