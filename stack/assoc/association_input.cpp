// What comes in: the verification tag, the walk over the chunks, and every chunk that neither sets up nor tears down.
#include "stack/assoc/association.hpp"
#include "stack/wire/chunk_abort.hpp"
#include "stack/wire/chunk_data.hpp"
#include "stack/wire/chunk_error.hpp"
#include "stack/wire/chunk_heartbeat.hpp"
#include "stack/wire/chunk_sack.hpp"
#include "stack/wire/chunk_shutdown.hpp"

namespace sluice::assoc {
namespace {

/// ERROR chunks that one packet can provoke.
constexpr std::uint8_t kMaxReports = 8;
/// SACKs of one packet that are read: one is what a peer sends, and each may be work for all that is in flight.
constexpr std::uint8_t kMaxSacks = 2;

/// §6.
bool accepts_data(State state) {
  return state == State::established || state == State::shutdown_pending || state == State::shutdown_sent;
}

bool accepts_sack(State state) {
  return state == State::established || state == State::shutdown_pending || state == State::shutdown_received;
}

/// §8.3 wants answers until SHUTDOWN-SENT. There, too, a peer that has data left looks for a path that works.
bool answers_heartbeat(State state) {
  return state == State::cookie_echoed || state == State::established || state == State::shutdown_pending ||
         state == State::shutdown_sent || state == State::shutdown_received;
}

}  // namespace

// By chunk type, 0 to 14. ECNE and CWR are reserved: not recognised.
const std::array<Association::Handler, 15> Association::kHandlers = {
    &Association::on_data,              // 0
    &Association::on_misplaced,         // 1, INIT
    &Association::on_init_ack,          // 2
    &Association::on_sack,              // 3
    &Association::on_heartbeat,         // 4
    &Association::on_heartbeat_ack,     // 5
    &Association::on_abort,             // 6
    &Association::on_shutdown,          // 7
    &Association::on_shutdown_ack,      // 8
    &Association::on_error,             // 9
    &Association::on_misplaced,         // 10, COOKIE ECHO
    &Association::on_cookie_ack,        // 11
    &Association::on_unrecognized,      // 12, ECNE
    &Association::on_unrecognized,      // 13, CWR
    &Association::on_shutdown_complete  // 14
};

void Association::receive(Timestamp now, base::InboundPacket&& packet) {
  if (state_ == State::closed) return;
  const std::span<const std::byte> bytes = packet.buffer.bytes();
  const std::optional<wire::CommonHeader> header = wire::CommonHeader::parse(bytes);
  if (!header) {
    ++services_.counters.malformed_packets;
    return;
  }
  Inbound in{.now = now, .packet = packet, .header = *header, .path = path_from(packet.arrival.source)};
  if (!tag_is_acceptable(in)) {
    ++services_.counters.wrong_tags;
    return;
  }
  // The peer may answer an INIT from another of its addresses (§5.1.2); nothing else may come from a strange one.
  if (in.path == nullptr && wire::first_chunk_type(bytes) != wire::ChunkType::init_ack) {
    ++services_.counters.foreign_sources;
    return;
  }
  ++packets_received_;
  ++services_.counters.packets_received;
  if (bytes.size() == wire::kCommonHeaderSize) ++services_.counters.malformed_packets;
  read_chunks(in, bytes.subspan(wire::kCommonHeaderSize));
}

/// §8.5, and §8.5.1 for what has rules of its own. The T bit is judged by the chunks that have it.
bool Association::tag_is_acceptable(const Inbound& in) const {
  if (in.header.tag == local_tag_) [[likely]]
    return true;
  const std::optional<wire::ChunkType> first = wire::first_chunk_type(in.packet.buffer.bytes());
  if (first == wire::ChunkType::abort || first == wire::ChunkType::shutdown_complete)
    return in.header.tag == peer_tag_ && peer_tag_.value != 0;
  // Answered as out of the blue (§8.5.1 E).
  return first == wire::ChunkType::shutdown_ack && (state_ == State::cookie_wait || state_ == State::cookie_echoed);
}

/// Nothing else is in its packet.
bool Association::is_alone(const Inbound& in, const wire::Chunk& chunk) {
  const std::span<const std::byte> chunks = in.packet.buffer.bytes().subspan(wire::kCommonHeaderSize);
  return chunk.bytes.data() == chunks.data() && wire::padded(chunk.bytes.size()) >= chunks.size();
}

void Association::read_chunks(Inbound& in, std::span<const std::byte> chunks) {
  wire::ChunkWalker walker(chunks);
  while (const std::optional<wire::Chunk> chunk = walker.next()) {
    const Next next = chunk->type == wire::ChunkType::data ? on_data(in, *chunk) : on_control(in, *chunk);
    if (next == Next::done) break;
  }
  if (walker.malformed()) ++services_.counters.malformed_packets;
  if (state_ != State::closed) end_packet(in);
}

void Association::end_packet(Inbound& in) {
  if (in.data) {
    last_user_data_ = in.now;
    choose_sack_path(*in.path, in.duplicate);
    // The very first DATA is acknowledged at once (§5.1), and all of it in SHUTDOWN-SENT (§9.2).
    const bool first = !std::exchange(data_seen_, true);
    receiver_.on_packet_end(in.now, first || in.sack_immediately || state_ == State::shutdown_sent);
  }
  if (state_ == State::established) [[likely]]
    return;
  if (state_ == State::shutdown_sent) {
    // §9.2: any packet shows that the peer lives, and that it works off its queue. DATA is answered with another
    // SHUTDOWN. So are HEARTBEATs, since they come anyway: T2, begun anew by each, would never send again what was
    // lost. It goes to where they came from (§6.4): the path where the last one was lost may be broken.
    control_attempts_ = 0;
    if (in.data || in.heartbeat) {
      pending_ |= kShutdown;
      if (in.path->state != PathState::unconfirmed) {
        control_path_ = in.path->id;
        // The SACK goes along, or the two would leave by different ways: where SHUTDOWNs come through, nothing is sent
        // again that would have the SACK try another one, and the peer never hears that the window is open.
        if (in.data && !in.duplicate) sack_path_ = control_path_;
      }
    }
    if (control_deadline_ != kNever) control_deadline_ = in.now + paths_[control_path_.value].rto.value();
    return;
  }
  advance_shutdown(in.now);
  // SHUTDOWN ACK goes back by the way of the SHUTDOWN that it answers (§6.4): our own choice may be a broken one.
  if (state_ == State::shutdown_ack_sent && in.shutdown) control_path_ = reply_path(*in.path).id;
}

Association::Next Association::on_control(Inbound& in, const wire::Chunk& chunk) {
  ++services_.counters.control_chunks_received;
  const auto type = static_cast<std::size_t>(chunk.type);
  return type < kHandlers.size() ? (this->*kHandlers[type])(in, chunk) : on_unrecognized(in, chunk);
}

Association::Next Association::on_data(Inbound& in, const wire::Chunk& chunk) {
  const std::optional<wire::DataChunk> data = wire::DataChunk::parse(chunk);
  if (!data) {
    ++services_.counters.malformed_chunks;
    return Next::chunk;
  }
  // DATA for which there is no state (§6), or that would reach an application that was not told of the association:
  // the peer will send it again.
  if (!accepts_data(state_) || (!events_.empty() && events_.holds_start())) {
    ++services_.counters.unexpected_chunks;
    return Next::chunk;
  }
  if (!in.data && !in.replied && receiver_.sack_due(in.now)) acknowledge_before(in);
  in.data = true;
  in.sack_immediately |= data->immediate();
  const DataVerdict verdict = receiver_.on_data(in.now, *data, in.packet.buffer);
  if (verdict != DataVerdict::accepted) [[unlikely]]
    return refuse_data(in, *data, verdict);
  ++data_chunks_received_;
  return Next::chunk;
}

/// What earlier packets of this turn made due is not left to its end, where one SACK would stand for all of them: every
/// second packet is acknowledged, and each while there is a hole (§6.2, §6.7), since a peer grows its cwnd, and finds
/// losses, by the number of SACKs. In a long turn they are thinned out: a sender that has so much in flight has neither
/// need, and the SACKs would cost a quarter of the throughput.
void Association::acknowledge_before(const Inbound& in) {
  constexpr std::uint8_t kExact = 4;
  constexpr std::uint16_t kThinned = 16;
  if ((pending_ & kCookieAck) != 0) return;  // which is first
  if (sacks_in_turn_ >= kExact && receiver_.packets_since_sack() < kThinned) return;
  if (!send_sack(in.now)) return;
  send_packet();
  if (sacks_in_turn_ < kExact) ++sacks_in_turn_;
}

Association::Next Association::refuse_data(Inbound& in, const wire::DataChunk& data, DataVerdict verdict) {
  switch (verdict) {
    case DataVerdict::duplicate:
      in.duplicate = true;
      return Next::chunk;
    case DataVerdict::accepted:
    case DataVerdict::out_of_window:
      return Next::chunk;
    case DataVerdict::no_user_data:
      return on_violation(in, {.code = wire::CauseCode::no_user_data, .tsn = data.tsn()});
    case DataVerdict::invalid_stream:
      if (auto error = report(in, sizeof(std::uint32_t))) wire::append_invalid_stream(*error, data.stream());
      return Next::chunk;
    case DataVerdict::protocol_violation:
      return on_violation(in, {wire::CauseCode::protocol_violation, "fragments or SSNs that contradict each other"});
  }
  return Next::chunk;
}

Association::Next Association::on_sack(Inbound& in, const wire::Chunk& chunk) {
  if (!accepts_sack(state_) || in.sacks == kMaxSacks) {
    ++services_.counters.unexpected_chunks;
    return Next::chunk;
  }
  const std::optional<wire::SackChunk> sack = wire::SackChunk::parse(chunk);
  if (!sack) {
    ++services_.counters.malformed_chunks;
    return Next::chunk;
  }
  ++in.sacks;
  return take_acknowledgement(in, sender_.on_sack(in.now, *sack, paths_.paths()));
}

/// §8.1, §8.2: what was acknowledged clears error counters.
Association::Next Association::take_acknowledgement(Inbound& in, const SackResult& result) {
  if (!result.valid)
    return on_violation(in, {wire::CauseCode::protocol_violation, "acknowledgement of a TSN that was never sent"});
  if (result.stale) return Next::chunk;
  if (result.paths_lost != 0) retransmit_where_lost(result.paths_lost);
  if (result.cumulative_advanced) error_count_ = 0;
  for (Path& path : paths_.paths()) {
    if ((result.paths_answered & path_bit(path.id)) == 0) continue;
    error_count_ = 0;
    // Of data that was sent on several paths nobody knows which of them it took: that revives none (RFC 7829 §3.2 9).
    if (path.state == PathState::active || (result.paths_proven & path_bit(path.id)) != 0)
      path_answered(path);
    else
      path_perhaps_answered(path);
  }
  return Next::chunk;
}

Association::Next Association::on_heartbeat(Inbound& in, const wire::Chunk& chunk) {
  if (!answers_heartbeat(state_)) {
    ++services_.counters.unexpected_chunks;
    return Next::chunk;
  }
  if (!wire::HeartbeatChunk::parse(chunk)) {
    ++services_.counters.malformed_chunks;
    return Next::chunk;
  }
  in.heartbeat = true;
  // All of it goes back unchanged, to where it came from (§8.3, §6.4); the path need not be confirmed (§5.4).
  const std::span<const std::byte> body = chunk.body();
  const std::size_t size = chunk.bytes.size();
  // A report of the same packet must not go to an unconfirmed address, but the answer that proves it must.
  const bool reported_elsewhere = in.path->state == PathState::unconfirmed && packet_ && packet_path_ != in.path->id;
  const bool allowed = reported_elsewhere || may_reply(in, *in.path, size);
  wire::PacketWriter* const packet = allowed ? packet_for_whole(*in.path, size) : nullptr;
  if (packet == nullptr || packet->room() < size) {
    ++services_.counters.replies_dropped;
    return Next::chunk;
  }
  note_reply(in);
  std::byte* const at =
      packet->append_chunk(wire::ChunkType::heartbeat_ack, 0, static_cast<std::uint32_t>(body.size()));
  std::memcpy(at, body.data(), body.size());
  ++services_.counters.control_chunks_sent;
  return Next::chunk;
}

/// §3.3.10: the peer could not do what we asked. Only a stale cookie needs more than telling.
Association::Next Association::on_error(Inbound& in, const wire::Chunk& chunk) {
  const std::optional<wire::ErrorChunk> error = wire::ErrorChunk::parse(chunk);
  if (!error) {
    ++services_.counters.malformed_chunks;
    return Next::chunk;
  }
  if (state_ == State::cookie_echoed && error->has(wire::CauseCode::stale_cookie))
    return take_abort(in) || on_stale_cookie(in.now) ? Next::done : Next::chunk;
  const wire::CauseCode first = error->causes().next()->code;
  // Outside COOKIE-ECHOED a stale cookie is of no interest any more (§5.2.6).
  if (was_up_ && first != wire::CauseCode::stale_cookie)
    notify(EventType::remote_error, static_cast<std::uint16_t>(first));
  else
    ++services_.counters.unexpected_chunks;  // or the application does not know the association yet
  return Next::chunk;
}

/// A chunk that must be first, or alone, in its packet, and is not; the endpoint takes those that are.
Association::Next Association::on_misplaced(Inbound&, const wire::Chunk&) {
  ++services_.counters.unexpected_chunks;
  return Next::done;
}

Association::Next Association::on_unrecognized(Inbound& in, const wire::Chunk& chunk) {
  ++services_.counters.unrecognized_chunks;
  const wire::UnrecognizedRule rule = wire::unrecognized_rule(chunk.type);
  if (rule.report) {
    // Of one that would not fit with the headers around it, as much as does.
    constexpr std::uint32_t kAround = wire::kCommonHeaderSize + wire::kChunkHeaderSize + wire::kTlvHeaderSize;
    wire::Chunk quote = chunk;
    quote.bytes =
        chunk.bytes.first(std::min<std::size_t>(chunk.bytes.size(), reply_path(*in.path).max_packet_size() - kAround));
    if (auto error = report(in, static_cast<std::uint32_t>(quote.bytes.size())))
      wire::append_unrecognized_chunk(*error, quote);
  }
  return rule.stop ? Next::done : Next::chunk;
}

/// What is written to the packet under way next answers the packet of `in`.
void Association::note_reply(Inbound& in) {
  if (!std::exchange(in.replied, true)) replies_at_ = packet_->empty() ? 0 : packet_->size();
}

/// §12.4: all that one packet provokes, SACKs and DATA aside, goes into one packet.
bool Association::may_reply(const Inbound& in, const Path& path, std::size_t bytes) const {
  return !in.replied || (packet_ && packet_path_ == path.id && packet_->room() >= bytes);
}

std::optional<wire::ChunkWriter> Association::report(Inbound& in, std::uint32_t bytes) {
  // Until COOKIE ACK nothing but COOKIE ECHO may be sent (§5.1 C), and to an unconfirmed address no ERROR (§5.4).
  Path& path = reply_path(*in.path);
  const bool allowed = state_ != State::cookie_wait && state_ != State::cookie_echoed &&
                       path.state != PathState::unconfirmed && in.reports < kMaxReports;
  const std::uint32_t needed = wire::kChunkHeaderSize + wire::kTlvHeaderSize + bytes;
  wire::PacketWriter* const packet = allowed && may_reply(in, path, needed) ? packet_for(path, needed) : nullptr;
  if (packet == nullptr || packet->room() < needed) {
    ++services_.counters.replies_dropped;
    return std::nullopt;
  }
  note_reply(in);
  ++in.reports;
  ++services_.counters.control_chunks_sent;
  return wire::append_error(*packet);
}

}  // namespace sluice::assoc
