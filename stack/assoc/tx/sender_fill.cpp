// What leaves: retransmissions, new data, zero window probes (RFC 9260 §6.1).

#include <algorithm>
#include <cstring>

#include "stack/assoc/congestion/congestion_controller.hpp"
#include "stack/assoc/pools.hpp"
#include "stack/assoc/tx/chunk_size.hpp"
#include "stack/assoc/tx/sender.hpp"

namespace sluice::assoc {
namespace {

/// Ordered messages of one stream that may be in the send window at once (§6.1).
constexpr std::uint32_t kMaxOrderedInWindow = 65535;
/// A cwnd of at most this many packets, once filled, is worth a SACK without delay (RFC 7053).
constexpr std::uint32_t kSmallWindow = 4;
/// Idle periods beyond this many change nothing any more.
constexpr std::int64_t kMaxIdlePeriods = 32;

/// While nothing is sent, the cwnd shrinks once per RTO (§7.2.1); worked out when sending begins again.
void adjust_idle_cwnd(Timestamp now, Path& path) {
  if (path.outstanding > 0 || path.last_data_sent == kNever) return;
  const std::int64_t periods = (now - path.last_data_sent) / path.rto.value();
  for (std::int64_t i = 0; i < std::min(periods, kMaxIdlePeriods); ++i) path.congestion->on_idle(now);
  path.last_data_sent += periods * path.rto.value();
}

}  // namespace

/// The packet that is being filled.
struct Sender::Packet {
  wire::PacketWriter& writer;
  std::byte* last_chunk = nullptr;
  std::uint32_t chunks = 0;
};

bool Sender::has_data_for(const Path& path) const {
  if (!started_ || (path.after_timeout && path.outstanding > 0)) return false;
  const bool cwnd_open = path.outstanding < path.congestion->cwnd();
  if (marked_ > 0) return cwnd_open || fast_retransmit_due_;
  if (queued_bytes_ == 0 || !cwnd_open || !burst_allows()) return false;
  const OutboundStream* const stream = next_stream();
  if (stream == nullptr || stream->empty() || !order_allows(*stream)) return false;
  return next_length() <= peer_window() || probe_due_;
}

std::uint32_t Sender::fill(Timestamp now, std::span<Path> paths, Path& path, wire::PacketWriter& writer,
                           bool may_be_new) {
  if (!started_ || (path.after_timeout && path.outstanding > 0)) return 0;
  adjust_idle_cwnd(now, path);
  const std::uint32_t cwnd = path.congestion->cwnd();
  // A packet may exceed cwnd by less than itself, if the flight has not reached cwnd before it (§6.1 B).
  const bool cwnd_open = path.outstanding < cwnd;
  Packet packet{writer};
  if (marked_ > 0 && (cwnd_open || fast_retransmit_due_)) retransmit(now, paths, path, packet);
  if (may_be_new && marked_ == 0 && cwnd_open && burst_allows()) send_new(now, path, packet);
  if (packet.chunks == 0) return 0;

  path.last_data_sent = now;
  path.cwnd_filled = path.outstanding >= cwnd;
  const bool all_sent = queued_bytes_ == 0 && marked_ == 0;
  if (all_sent || (path.cwnd_filled && cwnd <= kSmallWindow * path.max_data_chunk()))
    packet.last_chunk[1] |= std::byte{wire::kDataImmediate};
  if (starved()) offer_writable();
  return packet.chunks;
}

std::uint32_t Sender::next_retransmission_size() const {
  if (marked_ == 0) return 0;
  const SentChunk* chunk = next_marked_;
  while (chunk->state != ChunkState::marked) chunk = chunk->next_missing;
  return chunk_size(chunk->length);
}

bool Sender::fits_behind_others(std::uint32_t room) const {
  if (marked_ > 0) return next_retransmission_size() <= room;
  const OutboundStream* const stream = next_stream();
  return stream != nullptr && !stream->empty() && cut_length(stream->head->uncut(), room, false) > 0;
}

void Sender::end_flush(std::span<Path> paths) {
  burst_left_ = 0;
  for (Path& path : paths) path.cwnd_filled = path.congestion != nullptr && path.outstanding >= path.congestion->cwnd();
}

void Sender::retransmit(Timestamp now, std::span<Path> paths, Path& path, Packet& packet) {
  while (marked_ > 0) {
    while (next_marked_->state != ChunkState::marked) next_marked_ = next_marked_->next_missing;
    SentChunk& chunk = *next_marked_;
    if (chunk_size(chunk.length) > packet.writer.room()) return;
    next_marked_ = --marked_ > 0 ? chunk.next_missing : nullptr;
    chunk.retransmitted = true;
    if (chunk.path != path.id) chunk.proves_no_path = true;
    chunk.misses = 0;
    // §6.3.1 C5: the ack of a later one may wait for this one, by whatever path that went.
    for (Path& other : paths)
      if (chunk.tsn <= other.rtt_tsn) other.rtt_measuring = false;
    note_sent(now, path, chunk);
    write(packet, chunk);
    ++retransmitted_;
    ++path.retransmitted;
    ++services_.counters.chunks_retransmitted;
    fast_retransmit_due_ = false;
  }
}

bool Sender::burst_allows() const {
  return parameters_->max_burst == 0 || burst_left_ > 0 || store_.empty();
}

bool Sender::order_allows(const OutboundStream& stream) const {
  return current_ != nullptr || stream.head->unordered || stream.ordered_in_window < kMaxOrderedInWindow;
}

OutboundStream* Sender::next_stream() const {
  return current_ != nullptr ? current_ : scheduler_->front();
}

std::uint32_t Sender::chunk_limit() const {
  // Against silly windows (§6.1 A, RFC 1122 §4.2.3.4): never larger than what the peer's window can ever take.
  return std::min(fragment_size_, std::max(largest_window_, kMinFragmentSize) & ~3u);
}

std::uint32_t Sender::next_length() const {
  return std::min(next_stream()->head->uncut(), chunk_limit());
}

std::uint32_t Sender::cut_length(std::uint32_t uncut, std::uint32_t room, bool alone) const {
  if (room <= wire::kDataHeaderSize) return 0;
  const std::uint32_t space = room - wire::kDataHeaderSize;
  const std::uint32_t limit = chunk_limit();
  if (uncut <= limit && uncut <= space) return uncut;
  // What fits one chunk of a packet of its own is not cut to fill up this one, nor is a small piece cut off.
  const bool worthwhile = uncut > limit && space >= limit / 2;
  return alone || worthwhile ? std::min(space, limit) : 0;
}

void Sender::send_new(Timestamp now, Path& path, Packet& packet) {
  const std::uint32_t before = packet.chunks;
  drop_refused_streams();
  const PathId wanted = next_path();
  bool probe = false;
  while (!probe) {
    drop_refused_streams();
    OutboundStream* const stream = next_stream();
    if (stream == nullptr || stream->empty() || !order_allows(*stream)) break;
    if (stream->head->path != wanted || expiry_deadline() <= now) break;  // not in this packet
    const std::uint32_t length = cut_length(stream->head->uncut(), packet.writer.room(), packet.writer.empty());
    if (length == 0) break;
    probe = length > peer_window();
    if (probe && !probe_due_) break;
    SentChunk* const chunk = store_.append();
    if (chunk == nullptr) {
      if (store_.empty()) wait_for(Scarce::sent_segments);
      break;
    }
    if (probe) note_probe(chunk->tsn);
    cut(*stream, *chunk, length);
    if (!path.rtt_measuring) {
      path.rtt_measuring = true;
      path.rtt_tsn = chunk->tsn;
      path.rtt_sent = now;
    }
    note_sent(now, path, *chunk);
    write(packet, *chunk);
  }
  if (packet.chunks > before) {
    path.last_sent = now;  // what is sent again measures no RTT: the path is idle (§8.3)
    if (burst_left_ > 0) --burst_left_;
  }
  deliver_failures();
}

void Sender::cut(OutboundStream& stream, SentChunk& chunk, std::uint32_t length) {
  MessagePart& part = *stream.head;
  if (current_ == nullptr) begin_message(stream, length);
  if (!part.unordered) part.ssn = stream.next_ssn - 1;
  chunk.part = &part;
  chunk.offset = part.cut;
  chunk.length = static_cast<std::uint16_t>(length);
  chunk.misses = 0;
  chunk.fast_retransmitted = chunk.retransmitted = chunk.just_reneged = chunk.proves_no_path = false;
  part.cut += length;
  ++part.chunks;
  queued_bytes_ -= length;
  Counters& counters = services_.counters;
  ++(part.unordered ? counters.unordered_chunks_sent : counters.ordered_chunks_sent);
  counters.bytes_sent += length;
  if (part.uncut() > 0) return;
  stream.pop();
  if (!part.end) return;
  current_ = nullptr;
  scheduler_->done(stream);
}

void Sender::begin_message(OutboundStream& stream, std::uint32_t length) {
  const MessagePart& part = *stream.head;
  scheduler_->take();
  current_ = &stream;
  if (!part.end || length < part.payload.size()) ++services_.counters.messages_fragmented;
  if (part.unordered) return;
  ++stream.next_ssn;
  ++stream.ordered_in_window;
}

void Sender::note_probe(Tsn tsn) {
  probing_ = true;
  probe_answered_ = window_told_zero_ = probe_due_ = false;
  probe_tsn_ = tsn;
  ++services_.counters.window_probes_sent;
}

void Sender::note_sent(Timestamp now, Path& path, SentChunk& chunk) {
  const bool running = path.outstanding > 0;
  const bool earliest = !running || chunk.tsn < path.lowest_outstanding;
  // Nothing was in flight here, or the earliest of those sent here is sent here again (§6.1): the timer starts or
  // starts anew. One that comes over from another path restarts nothing.
  if (!running || (earliest && chunk.path == path.id)) path.t3_deadline = now + t3_interval(path);
  if (earliest) path.lowest_outstanding = chunk.tsn;
  chunk.state = ChunkState::in_flight;
  chunk.path = path.id;
  path.outstanding += chunk_size(chunk.length);
  outstanding_bytes_ += chunk.length;
}

void Sender::write(Packet& packet, const SentChunk& chunk) {
  const MessagePart& part = *chunk.part;
  const bool end = chunk.end();
  const auto flags = static_cast<std::uint8_t>((end ? wire::kDataEnd : 0) | (chunk.begin() ? wire::kDataBegin : 0) |
                                               (part.unordered ? wire::kDataUnordered : 0) |
                                               (end && part.sack_immediately ? wire::kDataImmediate : 0));
  std::byte* const at =
      wire::append_data(packet.writer, {chunk.tsn, part.stream->id, part.ssn, part.ppid, flags}, chunk.length);
  SLUICE_CHECK(at != nullptr);
  std::memcpy(at, part.payload.data() + chunk.offset, chunk.length);
  packet.last_chunk = at - wire::kDataHeaderSize;
  ++packet.chunks;
}

Duration Sender::t3_interval(const Path& path) const {
  return probing_ ? backed_off(path.rto.value()) : path.rto.value();
}

Duration Sender::backed_off(Duration interval) const {
  return std::max(interval, std::min(parameters_->rto_max, interval * (1 << probe_doublings_)));
}

Timestamp Sender::probe_deadline() const {
  if (!started_ || probe_due_ || !store_.empty() || queued_bytes_ == 0) return kNever;
  if (next_stream()->empty() || next_length() <= peer_window()) return kNever;
  return window_closed_at_ + backed_off(probe_interval_);
}

void Sender::on_probe_deadline(Timestamp now) {
  if (probe_deadline() <= now) probe_due_ = true;
}

}  // namespace sluice::assoc
