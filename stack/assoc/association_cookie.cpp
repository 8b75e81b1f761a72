// RFC 9260 §5.1 D, §5.2.4: what a COOKIE ECHO brings: the passive side's beginning, collision and restart.
#include "stack/assoc/association.hpp"
#include "stack/wire/chunk_cookie.hpp"
#include "stack/wire/chunk_error.hpp"

namespace sluice::assoc {

void Association::accept(Timestamp now, const Handshake& agreed, base::InboundPacket&& packet) {
  SLUICE_CHECK(state_ == State::closed && !end_delivered_);
  adopt(agreed);
  tie_tags_ = {services_.random.u32() | 1, services_.random.u32() | 1};
  if (!make_paths(agreed)) {
    send_abort_back(packet.arrival, peer_tag_, false, {.code = wire::CauseCode::out_of_resource});  // §5.1
    ++services_.counters.aborted;
    end_delivered_ = true;  // nobody was told that it began
    return;
  }
  // §5.4 rule 2: the address that the INIT ACK went to is confirmed.
  paths_[0].state = PathState::active;
  sender_.start(agreed, paths_.paths());
  sender_started_ = true;
  start_receiver(agreed);
  ++services_.counters.passive_establishments;
  acknowledge_cookie(packet);
  become_established(now);
  read_behind_cookie(now, packet);
}

void Association::receive_cookie(Timestamp now, CookieAction action, const Handshake& agreed,
                                 base::InboundPacket&& packet) {
  SLUICE_CHECK(state_ != State::closed);
  switch (action) {
    case CookieAction::restart:
      if (state_ == State::shutdown_ack_sent) {
        refuse_restart(now, packet);
        return;
      }
      // The application is first to take what came before: the peer sends its COOKIE ECHO again.
      if (receiver_.delivery_waiting()) {
        ++services_.counters.restarts_put_off;
        return;
      }
      restart(now, agreed);
      break;
    case CookieAction::collision:
      if (!collide(agreed)) fail(Reason::no_resources);
      break;
    case CookieAction::duplicate:
      break;
  }
  if (state_ == State::closed) {
    if (!abort_in(packet))
      send_abort_back(packet.arrival, peer_tag_, false, {.code = wire::CauseCode::out_of_resource});  // §5.1
    return;
  }
  acknowledge_cookie(packet);
  if (state_ == State::cookie_wait || state_ == State::cookie_echoed) {
    ++services_.counters.active_establishments;
    become_established(now);
  }
  read_behind_cookie(now, packet);
}

/// Table 12, action A: as if ABORT and a new COOKIE ECHO had come, without telling of a loss.
void Association::restart(Timestamp now, const Handshake& agreed) {
  ++services_.counters.restarts;
  drop_packet();
  adopt(agreed);
  if (!make_paths(agreed)) {
    fail(Reason::no_resources);
    return;
  }
  paths_[0].state = PathState::active;
  addresses_changed_ = true;
  pending_ = 0;
  control_deadline_ = guard_deadline_ = kNever;
  control_attempts_ = error_count_ = 0;
  shutdown_wanted_ = false;
  tie_tags_ = {services_.random.u32() | 1, services_.random.u32() | 1};
  kept_packet_.reset();
  kept_bytes_ = {};
  sender_.start(agreed, paths_.paths());
  sender_started_ = true;
  start_receiver(agreed);
  enter(State::established);
  last_user_data_ = now;
  notify(was_up_ ? EventType::restarted : EventType::association_up);
  was_up_ = true;
  schedule_heartbeats(now);
}

/// Table 12, action B: our tag stands, the peer's is the cookie's. False: no memory for its paths.
bool Association::collide(const Handshake& agreed) {
  const bool opening = state_ == State::cookie_wait || state_ == State::cookie_echoed;
  const bool untouched = opening || receiver_.cumulative_tsn() == peer_initial_tsn_ - 1;
  peer_tag_ = agreed.peer_tag;
  if (!untouched) return true;
  // Nothing came from the peer yet: what its newer INIT says counts.
  Handshake ours = handshake();
  ours.peer_initial_tsn = agreed.peer_initial_tsn;
  ours.peer_window = agreed.peer_window;
  ours.outbound_streams = agreed.outbound_streams;
  ours.inbound_streams = agreed.inbound_streams;
  ours.extensions = agreed.extensions;
  if (opening && !change_peer_addresses(ours, confirmed_first(agreed.peer_addresses))) return false;
  // §5.4 rule 2: in COOKIE-WAIT the INIT ACK went to an address that we were given (§5.2.1), else to the INIT's source,
  // which is the first of the cookie's addresses.
  if (paths_[0].state == PathState::unconfirmed) paths_[0].state = PathState::active;
  adopt(ours);
  if (opening) start_sender(ours);
  start_receiver(ours);
  return true;
}

/// `peers`, those first that are confirmed: one of them is to be the primary path.
AddressList Association::confirmed_first(const AddressList& peers) const {
  AddressList addresses;
  for (const Path& path : paths_.paths())
    if (path.state != PathState::unconfirmed && peers.contains(path.route.destination))
      SLUICE_CHECK(addresses.push_back(path.route.destination));
  for (const IpAddress& peer : peers)
    if (!addresses.contains(peer)) SLUICE_CHECK(addresses.push_back(peer));
  return addresses;
}

/// Table 12, action A in SHUTDOWN-ACK-SENT. SHUTDOWN ACK is the first chunk: the peer's new association knows it by
/// that, since the tag is the old one's (§8.5.1 E).
void Association::refuse_restart(Timestamp now, const base::InboundPacket& packet) {
  repeat_shutdown_ack(packet.arrival.source);
  send_packet();
  if (!send_shutdown_ack(now)) return;  // back-pressure: flush() tries again
  Path& path = paths_[control_path_.value];
  constexpr std::uint32_t kErrorSize = wire::kChunkHeaderSize + wire::kTlvHeaderSize;
  if (wire::PacketWriter* const reply = packet_for(path, kErrorSize)) {
    wire::ChunkWriter error = wire::append_error(*reply);
    wire::append_cookie_while_shutting_down(error);
    ++services_.counters.control_chunks_sent;
  }
}

/// The packet's COOKIE ECHO is answered where it came from (§6.4), unless that address is unconfirmed (§5.4). COOKIE
/// ACK is the first chunk of its packet.
void Association::acknowledge_cookie(const base::InboundPacket& packet) {
  Path* const from = path_from(packet.arrival.source);
  cookie_ack_path_ = from != nullptr ? reply_path(*from).id : data_path_;
  pending_ |= kCookieAck;
  static_cast<void>(send_cookie_ack());  // back-pressure: flush() tries again
}

bool Association::send_cookie_ack() {
  send_packet();
  wire::PacketWriter* const packet = packet_for(paths_[cookie_ack_path_.value], wire::kChunkHeaderSize);
  if (packet == nullptr) return false;
  wire::append_cookie_ack(*packet);
  ++services_.counters.control_chunks_sent;
  pending_ &= static_cast<std::uint8_t>(~kCookieAck);
  return true;
}

/// The chunks bundled with a COOKIE ECHO, which the endpoint has read.
void Association::read_behind_cookie(Timestamp now, base::InboundPacket& packet) {
  ++packets_received_;
  ++services_.counters.packets_received;
  ++services_.counters.control_chunks_received;
  const std::optional<wire::CommonHeader> header = wire::CommonHeader::parse(packet.buffer.bytes());
  wire::ChunkWalker walker = wire::chunks_of(packet.buffer.bytes());
  if (!header || !walker.next()) return;
  Inbound in{.now = now, .packet = packet, .header = *header, .path = path_from(packet.arrival.source)};
  if (in.path == nullptr) return;
  in.replied = in.path->id == cookie_ack_path_;
  read_chunks(in, walker.rest());
}

}  // namespace sluice::assoc
