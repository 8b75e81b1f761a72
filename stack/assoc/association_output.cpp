// What goes out: control chunks, one SACK, DATA, bundled up to the path MTU (RFC 9260 §6.10).
#include <algorithm>

#include "stack/assoc/association.hpp"
#include "stack/wire/chunk_data.hpp"
#include "stack/wire/chunk_sack.hpp"

namespace sluice::assoc {

/// The packet under way to `path`, if it has `room` bytes left, else a new one. Null: back-pressure. A new packet may
/// have less room than asked.
wire::PacketWriter* Association::packet_for(Path& path, std::uint32_t room) {
  if (packet_ && packet_path_ == path.id && packet_->room() >= room) return &*packet_;
  return new_packet(path, path.max_packet_size(), peer_tag_);
}

/// As packet_for(), for one chunk of `size` bytes that can not be cut: if it is too large for the path, it gets a
/// packet of its own that leaves by IP fragmentation (§6.9). Null also if it is too large for that.
wire::PacketWriter* Association::packet_for_whole(Path& path, std::size_t size) {
  const auto whole = static_cast<std::uint32_t>(wire::kCommonHeaderSize + wire::padded(size));
  if (whole <= path.max_packet_size()) return packet_for(path, static_cast<std::uint32_t>(size));
  return whole <= path.max_fragmented_size() ? new_packet(path, whole, peer_tag_) : nullptr;
}

/// Sends what is under way and begins a packet of up to `limit` bytes. Null: back-pressure.
wire::PacketWriter* Association::new_packet(Path& path, std::uint32_t limit, VTag tag) {
  send_packet();
  if (path.route.next_hop == 0) resolve(path, paths_.local_addresses());
  packet_buffer_ = services_.host.allocate_packet(limit, path.port);
  if (!packet_buffer_) return nullptr;
  packet_path_ = path.id;
  replies_at_ = 0;
  packet_.emplace(packet_buffer_, limit,
                  wire::CommonHeader{.source_port = local_port_, .destination_port = peer_port_, .tag = tag});
  return &*packet_;
}

void Association::send_packet() {
  if (!packet_) return;
  const Path& path = paths_[packet_path_.value];
  const bool empty = packet_->empty();
  const bool fits = packet_->size() <= path.max_packet_size();
  packet_.reset();
  if (empty) {
    packet_buffer_.reset();
    return;
  }
  base::OutboundPacket packet{.departure = path.route, .buffer = std::move(packet_buffer_)};
  if (!fits) packet.departure.dont_fragment = false;
  ++packets_sent_;
  ++services_.counters.packets_sent;
  services_.host.transmit(std::move(packet));
}

void Association::drop_packet() {
  packet_.reset();
  packet_buffer_.reset();
}

bool Association::flush(Timestamp now) {
  bool all = true;
  if (state_ != State::closed) {
    // What waits for one port holds up nothing that leaves by another; but the control chunks come before all else.
    all = pending_ == 0 || send_control(now);
    if (all) {
      const bool probed = heartbeats_due_ == 0 || send_heartbeats(now);
      all = send_sack_and_data(now) && probed;
    }
  }
  send_packet();
  if (state_ == State::closed && !end_delivered_) drain_events(now);
  return all;
}

bool Association::send_control(Timestamp now) {
  return ((pending_ & kInit) == 0 || send_init(now)) && ((pending_ & kCookieEcho) == 0 || send_cookie_echo(now)) &&
         ((pending_ & kCookieAck) == 0 || send_cookie_ack()) && ((pending_ & kShutdown) == 0 || send_shutdown(now)) &&
         ((pending_ & kShutdownAck) == 0 || send_shutdown_ack(now));
}

/// `chunk`, which T1 or T2 guards, is written; what they send again does not count.
void Association::sent_timed_control(Pending chunk) {
  if ((pending_ & kAgain) == 0) ++services_.counters.control_chunks_sent;
  pending_ &= static_cast<std::uint8_t>(~(chunk | kAgain));
}

bool Association::send_sack_and_data(Timestamp now) {
  sacks_in_turn_ = 0;
  if (!sends_sacks()) return true;
  sender_.drop_expired(now);
  const bool data = t3_runs() && sender_.has_data_for(next_data_path());
  const bool sack = receiver_.sack_due(now) || (data && receiver_.sack_pending() && sack_rides_with_data());
  const bool acknowledged = !sack || send_sack(now);
  if (data && !send_data(now)) return false;
  sender_.end_flush(paths_.paths());
  if (state_ != State::established) {
    advance_shutdown(now);  // perhaps all that was left has expired
    if (pending_ != 0) return send_control(now) && acknowledged;
  }
  return acknowledged;
}

/// A SACK goes where DATA came from (§6.4); with DATA on that path it leaves even before it is due, if one packet has
/// room for both.
bool Association::sack_rides_with_data() {
  const Path& path = next_data_path();
  const std::uint32_t room = path.max_packet_size() - wire::kCommonHeaderSize;
  return sack_path_ == path.id && sender_.fits_behind_others(room - std::min(room, receiver_.sack_size()));
}

/// Not squeezed behind other chunks: a gap ack block left out would look as if the chunk had been taken back (§6.2).
bool Association::send_sack(Timestamp now) {
  const std::uint32_t size = packet_ ? receiver_.sack_size() : wire::kSackHeaderSize;
  wire::PacketWriter* const packet = packet_for(paths_[sack_path_.value], size);
  if (packet == nullptr) return false;
  if (receiver_.write_sack(now, *packet)) ++services_.counters.control_chunks_sent;
  return true;
}

/// Where DATA leaves next: what was lost goes to retransmission_path_ (§6.4), all else to new_data_path().
Path& Association::next_data_path() {
  if (sender_.marked_chunks() > 0) return paths_[retransmission_path_.value];
  retransmission_path_ = data_path_;
  return new_data_path();
}

/// Where new data leaves next: by data_path_, unless the application wants another one (§11.1.5) that is beyond doubt.
Path& Association::new_data_path() {
  const PathId wanted = sender_.next_path();
  const bool usable = wanted.value < paths_.size() && paths_[wanted.value].state == PathState::active &&
                      paths_[wanted.value].error_count == 0;
  return paths_[usable ? wanted.value : data_path_.value];
}

bool Association::send_data(Timestamp now) {
  while (true) {
    Path& path = next_data_path();
    if (!sender_.has_data_for(path)) return true;
    wire::PacketWriter* packet = packet_for(path, wire::kDataHeaderSize);
    if (packet == nullptr) return false;
    const bool shared = !packet->empty();
    if (!shared && sender_.next_retransmission_size() > path.max_data_chunk()) {
      // Cut before the path's MTU fell: it leaves by IP fragmentation (§6.9).
      packet = new_packet(path, wire::kCommonHeaderSize + sender_.next_retransmission_size(), peer_tag_);
      if (packet == nullptr) return false;
    }
    const std::uint32_t chunks = fill_with_data(now, path, *packet);
    send_packet();
    // Other chunks in the packet may have left too little room; an empty packet that stays empty means to stop.
    if (chunks == 0 && !shared) return true;
    sender_.drop_expired(now);
  }
}

std::uint32_t Association::fill_with_data(Timestamp now, Path& path, wire::PacketWriter& packet) {
  // Beside what timed out elsewhere no new data leaves by an alternate path (§6.4); COOKIE ECHO takes along what it
  // can.
  const bool may_be_new = path.id == new_data_path().id || state_ == State::cookie_echoed;
  const std::uint32_t chunks = sender_.fill(now, paths_.paths(), path, packet, may_be_new);
  data_chunks_sent_ += chunks;
  if (chunks > 0) last_user_data_ = now;
  return chunks;
}

}  // namespace sluice::assoc
