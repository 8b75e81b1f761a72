// RFC 9260 §9: graceful shutdown and abort.
#include "stack/assoc/association.hpp"
#include "stack/wire/chunk_abort.hpp"
#include "stack/wire/chunk_shutdown.hpp"

namespace sluice::assoc {
namespace {

/// T5-shutdown-guard, in RTO.Max (§9.2).
constexpr int kGuardRtos = 5;

constexpr wire::ParameterType kMandatoryInInitAck[] = {wire::ParameterType::state_cookie};

}  // namespace

bool Association::shutdown(Timestamp now) {
  switch (state_) {
    case State::cookie_wait:
    case State::cookie_echoed:
      return !std::exchange(shutdown_wanted_, true);
    case State::established:
      enter(State::shutdown_pending);
      advance_shutdown(now);
      return true;
    default:
      return false;
  }
}

/// If all that was sent is acknowledged, the next step of §9.2 is taken.
void Association::advance_shutdown(Timestamp now) {
  const bool ready = state_ == State::shutdown_pending || state_ == State::shutdown_received;
  if (!ready) return;
  if (!sender_.drained()) {
    // While nothing but the application can bring it further, its patience is bounded, too.
    if (!sender_.awaits_part())
      guard_deadline_ = kNever;
    else if (guard_deadline_ == kNever)
      guard_deadline_ = now + kGuardRtos * parameters_->rto_max;
    return;
  }
  guard_deadline_ = kNever;
  control_attempts_ = 0;
  control_path_ = data_path_;
  if (state_ == State::shutdown_pending) {
    enter(State::shutdown_sent);
    pending_ |= kShutdown;
    guard_deadline_ = now + kGuardRtos * parameters_->rto_max;
  } else {
    enter(State::shutdown_ack_sent);
    pending_ |= kShutdownAck;
  }
  // §8.3: HEARTBEATs end with SHUTDOWN and SHUTDOWN ACK.
  heartbeats_due_ = 0;
  for (Path& path : paths_.paths()) {
    path.heartbeat_deadline = kNever;
    forget_heartbeats(path);  // nor does a late answer begin them anew
  }
}

void Association::repeat_shutdown_ack(const IpAddress& source) {
  if (state_ != State::shutdown_ack_sent) return;
  if (Path* const from = path_from(source)) control_path_ = reply_path(*from).id;
  pending_ |= kShutdownAck;
}

Association::Next Association::on_shutdown(Inbound& in, const wire::Chunk& chunk) {
  const std::optional<wire::ShutdownChunk> shutdown = wire::ShutdownChunk::parse(chunk);
  if (!shutdown) {
    ++services_.counters.malformed_chunks;
    return Next::chunk;
  }
  in.shutdown = true;
  switch (state_) {
    case State::established:
    case State::shutdown_pending:
      enter(State::shutdown_received);
      notify(EventType::shutdown_received);
      [[fallthrough]];
    case State::shutdown_received:
      return take_acknowledgement(in, sender_.on_cumulative_ack(in.now, shutdown->cumulative_tsn, paths_.paths()));
    case State::shutdown_sent:
      // Both sides shut down at once.
      enter(State::shutdown_ack_sent);
      control_attempts_ = 0;
      pending_ &= static_cast<std::uint8_t>(~(kShutdown | kAgain));
      [[fallthrough]];
    case State::shutdown_ack_sent:
      pending_ |= kShutdownAck;
      return Next::chunk;
    default:
      ++services_.counters.unexpected_chunks;
      return Next::chunk;
  }
}

Association::Next Association::on_shutdown_ack(Inbound& in, const wire::Chunk& chunk) {
  if (!wire::ShutdownAckChunk::parse(chunk)) {
    ++services_.counters.malformed_chunks;
    // Under another tag it alone might have been read (§8.5.1 E).
    return in.header.tag == local_tag_ ? Next::chunk : Next::done;
  }
  Path& path = reply_path(*in.path);
  switch (state_) {
    case State::cookie_wait:
    case State::cookie_echoed:
      if (take_abort(in)) return Next::done;
      // An association of the peer that we know nothing of: as out of the blue (§8.4, §8.5.1 E), and the only answer to
      // this packet (§12.4).
      drop_replies(in);
      send_shutdown_complete(path, in.header.tag, true);
      return Next::done;
    case State::shutdown_sent:
    case State::shutdown_ack_sent:
      if (take_abort(in)) return Next::done;
      drop_packet();
      send_shutdown_complete(path, peer_tag_, false);
      ++services_.counters.shutdowns;
      close(EventType::closed, Reason::none);
      return Next::done;
    default:
      ++services_.counters.unexpected_chunks;
      return Next::chunk;
  }
}

Association::Next Association::on_shutdown_complete(Inbound& in, const wire::Chunk& chunk) {
  const std::optional<wire::ShutdownCompleteChunk> complete = wire::ShutdownCompleteChunk::parse(chunk);
  const bool tag_good = complete && in.header.tag == (complete->tag_reflected ? peer_tag_ : local_tag_);
  if (!tag_good || state_ != State::shutdown_ack_sent || !is_alone(in, chunk)) {  // §8.5.1 C, §6.10
    ++services_.counters.unexpected_chunks;
    return Next::done;
  }
  ++services_.counters.shutdowns;
  close(EventType::closed, Reason::none);
  return Next::done;
}

Association::Next Association::on_abort(Inbound& in, const wire::Chunk& chunk) {
  const std::optional<wire::AbortChunk> abort = wire::AbortChunk::parse(chunk);
  drop_replies(in);  // a packet with ABORT is never answered (§9.1), taken or not
  if (!abort) {
    ++services_.counters.malformed_chunks;
    return Next::done;
  }
  if (in.header.tag.value == 0 || in.header.tag != (abort->tag_reflected() ? peer_tag_ : local_tag_)) {  // §8.5.1 B
    ++services_.counters.wrong_tags;
    return Next::done;
  }
  drop_packet();
  fail(was_up_ ? Reason::peer_abort : Reason::refused);
  keep_reason(in.packet, *abort);
  return Next::done;
}

/// What an upper layer or a protocol violation gave as reason (§3.3.10.12, §3.3.10.13) goes to the application.
void Association::keep_reason(const base::InboundPacket& packet, const wire::AbortChunk& abort) {
  wire::CauseWalker causes = abort.causes();
  while (const std::optional<wire::Cause> cause = causes.next()) {
    const std::optional<std::string_view> text = wire::read_information(*cause);
    if (!text || text->empty()) continue;
    kept_packet_ = packet.buffer.share();
    kept_bytes_ = std::as_bytes(std::span(*text));
    return;
  }
}

void Association::abort(Timestamp, std::string_view reason) {
  if (state_ == State::closed) return;
  abort_with(Reason::local_abort, {wire::CauseCode::user_initiated_abort, reason});
}

/// Tells the peer, if it has a tag to be told by, and ends.
void Association::abort_with(Reason reason, const AbortCause& cause) {
  drop_packet();
  if (peer_tag_.value != 0) send_abort(paths_[data_path_.value], peer_tag_, false, cause);
  fail(reason);
}

/// The peer breaks the protocol, which ends the association, whatever else is in the packet. It gets an ABORT, unless
/// there is one, which must not be answered (§9.1).
Association::Next Association::on_violation(Inbound& in, const AbortCause& cause) {
  if (!take_abort(in)) {
    abort_with(Reason::protocol_violation, cause);
  } else if (state_ != State::closed) {  // its tag or its causes were wrong
    drop_packet();
    fail(Reason::protocol_violation);
  }
  return Next::done;
}

/// Takes the ABORT that the packet of `in` holds. False: there is none. A packet that has one is never answered (§9.1),
/// whatever stands before it, and nothing else of it counts (§8.4 rule 2).
bool Association::take_abort(Inbound& in) {
  const std::optional<wire::Chunk> abort = abort_in(in.packet);
  if (abort) on_abort(in, *abort);
  return abort.has_value();
}

std::optional<wire::Chunk> Association::abort_in(const base::InboundPacket& packet) {
  wire::ChunkWalker chunks = wire::chunks_of(packet.buffer.bytes());
  while (const std::optional<wire::Chunk> chunk = chunks.next())
    if (chunk->type == wire::ChunkType::abort) return chunk;
  return std::nullopt;
}

/// Takes back what answers the packet of `in`, but not what answers those before it.
void Association::drop_replies(Inbound& in) {
  if (!std::exchange(in.replied, false) || !packet_) return;
  if (replies_at_ > 0)
    packet_->truncate(replies_at_);
  else
    drop_packet();
}

/// A retransmission limit was passed. The RFC says no more than to stop sending (§8.1), but a peer that still hears us
/// should not go on alone.
void Association::abort_unanswered(Reason reason) {
  abort_with(reason, {wire::CauseCode::protocol_violation, "no answer to retransmissions"});
}

/// An ABORT alone in its packet. Without a buffer for it the peer will learn from its next packet (§8.4).
void Association::send_abort(Path& path, VTag tag, bool tag_reflected, const AbortCause& cause) {
  wire::PacketWriter* const packet = new_packet(path, path.max_packet_size(), tag);
  if (packet == nullptr) {
    ++services_.counters.replies_dropped;
    return;
  }
  write_abort(*packet, tag_reflected, cause);
  send_packet();
}

/// As send_abort(), to where `arrival` came from, which is no path or has none.
void Association::send_abort_back(const base::Arrival& arrival, VTag tag, bool tag_reflected, const AbortCause& cause) {
  constexpr std::uint32_t kLimit = 1200;  // fits the smallest link of IPv6
  base::OutboundPacket packet;
  packet.buffer = services_.host.allocate_packet(kLimit, arrival.port);
  if (!packet.buffer) {
    ++services_.counters.replies_dropped;
    return;
  }
  {
    wire::PacketWriter writer(packet.buffer, kLimit,
                              {.source_port = local_port_, .destination_port = peer_port_, .tag = tag});
    write_abort(writer, tag_reflected, cause);
  }
  packet.departure.source = arrival.destination;
  packet.departure.destination = arrival.source;
  std::uint16_t mtu = 0;
  std::uint16_t port = 0;
  static_cast<void>(services_.host.resolve(packet.departure, mtu, port));
  packet.departure.source = arrival.destination;  // whichever port leads back
  ++services_.counters.packets_sent;
  services_.host.transmit(std::move(packet));
}

void Association::write_abort(wire::PacketWriter& packet, bool tag_reflected, const AbortCause& cause) {
  wire::ChunkWriter abort = wire::append_abort(packet, tag_reflected);
  switch (cause.code) {
    case wire::CauseCode::no_user_data:
      wire::append_no_user_data(abort, cause.tsn);
      break;
    case wire::CauseCode::unresolvable_address:
      wire::append_unresolvable_address(abort, *cause.parameter);
      break;
    case wire::CauseCode::missing_mandatory_parameter:
      wire::append_missing_parameters(abort, kMandatoryInInitAck);
      break;
    case wire::CauseCode::out_of_resource:
      wire::append_out_of_resource(abort);
      break;
    case wire::CauseCode::user_initiated_abort:
      wire::append_user_initiated_abort(abort, cause.text);
      break;
    case wire::CauseCode::protocol_violation:
      wire::append_protocol_violation(abort, cause.text);
      break;
    default:
      wire::append_invalid_mandatory_parameter(abort);
  }
  ++services_.counters.control_chunks_sent;
}

bool Association::send_shutdown(Timestamp now) {
  Path& path = paths_[control_path_.value];
  wire::PacketWriter* const packet = packet_for(path, wire::kShutdownSize);
  if (packet == nullptr) return false;
  wire::append_shutdown(*packet, receiver_.cumulative_tsn());
  sent_timed_control(kShutdown);
  control_deadline_ = now + path.rto.value();
  return true;
}

bool Association::send_shutdown_ack(Timestamp now) {
  Path& path = paths_[control_path_.value];
  wire::PacketWriter* const packet = packet_for(path, wire::kChunkHeaderSize);
  if (packet == nullptr) return false;
  wire::append_shutdown_ack(*packet);
  sent_timed_control(kShutdownAck);
  control_deadline_ = now + path.rto.value();
  return true;
}

/// Alone in its packet. If it can not be sent now, the peer's next SHUTDOWN ACK is answered out of the blue (§8.4).
void Association::send_shutdown_complete(Path& path, VTag tag, bool tag_reflected) {
  send_packet();
  wire::PacketWriter* const packet = new_packet(path, path.max_packet_size(), tag);
  if (packet == nullptr) {
    ++services_.counters.replies_dropped;
    return;
  }
  wire::append_shutdown_complete(*packet, tag_reflected);
  ++services_.counters.control_chunks_sent;
  send_packet();
}

/// §9.2: SHUTDOWN or SHUTDOWN ACK goes again, up to Association.Max.Retrans times.
void Association::on_t2_expired(Timestamp) {
  ++services_.counters.t2_expired;
  ++t2_expired_;
  control_deadline_ = kNever;
  if (control_attempts_ >= parameters_->association_max_retransmissions) {
    abort_unanswered(Reason::retransmissions);
    return;
  }
  ++control_attempts_;
  Path& path = paths_[control_path_.value];
  path.rto.back_off(*parameters_);
  charge(path, PathFault::control);
  control_path_ = fittest_path(control_path_);
  pending_ |= kAgain | (state_ == State::shutdown_sent ? kShutdown : kShutdownAck);
}

/// The end for other reasons than a graceful one.
void Association::fail(Reason reason) {
  ++services_.counters.aborted;
  close(was_up_ ? EventType::association_lost : EventType::connect_failed, reason);
}

void Association::close(EventType end, Reason reason) {
  enter(State::closed);
  pending_ = 0;
  heartbeats_due_ = 0;
  control_deadline_ = guard_deadline_ = kNever;
  kept_packet_.reset();
  kept_bytes_ = {};
  sender_.fail_all(reason);
  notify(end, static_cast<std::uint16_t>(reason));
}

}  // namespace sluice::assoc
