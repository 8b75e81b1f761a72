#include "stack/endpoint/reply.hpp"

#include "stack/wire/chunk_abort.hpp"
#include "stack/wire/chunk_error.hpp"
#include "stack/wire/chunk_shutdown.hpp"

namespace sluice::endpoint {
namespace {

bool may_answer(const Services& services, Timestamp now) {
  if (services.answers.take(now)) return true;
  ++services.counters.answers_rate_limited;
  return false;
}

// An ABORT without the T bit, to which `add_cause` adds what fits into the size of the packet that is answered.
template <class Add>
void abort_with(const Services& services, Timestamp now, const Received& received, VTag tag, Add&& add_cause) {
  if (!may_answer(services, now)) return;
  Reply reply(services, received, tag, static_cast<std::uint32_t>(received.packet.size()));
  if (!reply) return;
  wire::ChunkWriter abort = wire::append_abort(reply.packet(), false);
  add_cause(abort);
  reply.send();
  ++services.counters.aborts_sent;
}

}  // namespace

Reply::Reply(const Services& services, const Received& received, VTag tag, std::uint32_t limit)
    : services_(services), received_(received), buffer_(services.host.allocate_packet(limit, received.arrival.port)) {
  if (!buffer_) {
    ++services.counters.answers_no_buffer;
    return;
  }
  writer_.emplace(buffer_, limit,
                  wire::CommonHeader{.source_port = received.header.destination_port,
                                     .destination_port = received.header.source_port,
                                     .tag = tag});
}

void Reply::send(const IpAddress* destination, const IpAddress* source) {
  base::OutboundPacket out;
  out.departure.source = source != nullptr ? *source : received_.arrival.destination;
  out.departure.destination = destination != nullptr ? *destination : received_.arrival.source;
  out.departure.udp_destination_port = received_.arrival.udp_source_port;
  // Nothing is known of the path's MTU yet.
  out.departure.dont_fragment = false;
  std::uint16_t mtu = 0;
  std::uint16_t port = received_.arrival.port;
  const IpAddress from = out.departure.source;
  // Without a way the packet is dropped, and counted, below.
  static_cast<void>(services_.host.resolve(out.departure, mtu, port));
  out.departure.source = from;  // what the peer spoke to, whichever port leads back
  out.buffer = std::move(buffer_);
  services_.host.transmit(std::move(out));
}

void send_abort(const Services& services, Timestamp now, const Received& received, VTag tag, AddCause add_cause) {
  abort_with(services, now, received, tag, [&](wire::ChunkWriter& abort) {
    if (add_cause != nullptr) add_cause(abort);
  });
}

void send_unresolvable(const Services& services, Timestamp now, const Received& received, const InitRequest& request) {
  abort_with(services, now, received, request.header.init_tag,
             [&](wire::ChunkWriter& abort) { wire::append_unresolvable_address(abort, request.host_name); });
}

void send_new_addresses(const Services& services, Timestamp now, const Received& received, const InitRequest& request,
                        std::span<const IpAddress> added) {
  abort_with(services, now, received, request.header.init_tag,
             [&](wire::ChunkWriter& abort) { wire::append_restart_addresses(abort, added); });
}

void send_reflected_abort(const Services& services, Timestamp now, const Received& received) {
  if (!may_answer(services, now)) return;
  Reply reply(services, received, received.header.tag, static_cast<std::uint32_t>(received.packet.size()));
  if (!reply || !wire::append_abort(reply.packet(), true)) return;
  reply.send();
  ++services.counters.aborts_sent;
}

void send_shutdown_complete(const Services& services, Timestamp now, const Received& received) {
  if (!may_answer(services, now)) return;
  Reply reply(services, received, received.header.tag, static_cast<std::uint32_t>(received.packet.size()));
  if (!reply || !wire::append_shutdown_complete(reply.packet(), true)) return;
  reply.send();
  ++services.counters.shutdown_completes_sent;
}

void send_stale_cookie(const Services& services, Timestamp now, const Received& received, VTag tag,
                       std::chrono::microseconds staleness) {
  if (!may_answer(services, now)) return;
  Reply reply(services, received, tag, static_cast<std::uint32_t>(received.packet.size()));
  if (!reply) return;
  wire::ChunkWriter error = wire::append_error(reply.packet());
  if (!wire::append_stale_cookie(error, staleness)) return;
  reply.send();
  ++services.counters.stale_errors_sent;
}

}  // namespace sluice::endpoint
