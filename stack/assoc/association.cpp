#include "stack/assoc/association.hpp"

#include <algorithm>

#include "stack/assoc/congestion/congestion_controller.hpp"

namespace sluice::assoc {

Association::Association(Services& services, const Parameters& parameters, Identity identity)
    : services_(services),
      parameters_(&parameters),
      identity_(identity),
      paths_(services.pools),
      sender_(services, parameters, identity.id, identity.endpoint),
      receiver_(services, parameters, identity.id, identity.endpoint) {}

Association::~Association() = default;

SendStatus Association::send(SendRequest&& request) {
  switch (state_) {
    case State::cookie_wait:
    case State::cookie_echoed:
    case State::established:
      if (!shutdown_wanted_) return sender_.send(std::move(request));
      [[fallthrough]];
    case State::shutdown_pending:
    case State::shutdown_received: {
      // §9.2: no new data; but what was begun must be ended, or the shutdown could not go on.
      if (!sender_.continues_message(request)) return SendStatus::not_connected;
      const SendStatus status = sender_.send(std::move(request));
      if (status == SendStatus::queued) guard_deadline_ = kNever;
      return status;
    }
    default:
      return SendStatus::not_connected;
  }
}

bool Association::has_local_address(const IpAddress& address) const {
  const std::span<const IpAddress> ours = paths_.local_addresses();
  return std::find(ours.begin(), ours.end(), address) != ours.end();
}

bool Association::has_peer_address(const IpAddress& address) const {
  return paths_.find(address) != nullptr;
}

Handshake Association::handshake() const {
  Handshake handshake;
  handshake.local_port = local_port_;
  handshake.peer_port = peer_port_;
  handshake.local_tag = local_tag_;
  handshake.peer_tag = peer_tag_;
  handshake.local_initial_tsn = local_initial_tsn_;
  handshake.peer_initial_tsn = peer_initial_tsn_;
  handshake.peer_window = peer_initial_window_;
  handshake.outbound_streams = outbound_streams_;
  handshake.inbound_streams = inbound_streams_;
  handshake.extensions = extensions_;
  for (const IpAddress& address : paths_.local_addresses()) SLUICE_CHECK(handshake.local_addresses.push_back(address));
  for (const Path& path : paths_.paths()) SLUICE_CHECK(handshake.peer_addresses.push_back(path.route.destination));
  return handshake;
}

TieTags Association::tie_tags() const {
  return state_ == State::closed || state_ == State::cookie_wait ? TieTags{} : tie_tags_;
}

namespace {

bool is_end(EventType type) {
  return type == EventType::closed || type == EventType::association_lost || type == EventType::connect_failed;
}

/// The send failures that the application had no room for come before it: they are of what ends with it.
bool follows_failures(EventType type) {
  return is_end(type) || type == EventType::restarted;
}

}  // namespace

bool Association::deliver(const Notification& notification) {
  Event event;
  event.type = notification.type;
  event.association = identity_.id;
  event.endpoint = identity_.endpoint;
  event.error = notification.error;
  event.path = notification.path;
  event.path_state = notification.path_state;
  if (notification.type == EventType::association_up || notification.type == EventType::restarted) {
    event.active = active_;
    event.streams_in = inbound_streams_;
    event.streams_out = outbound_streams_;
  }
  base::Buffer buffer;
  if (is_end(notification.type) && !kept_bytes_.empty()) {
    event.data = kept_bytes_.data();
    event.length = static_cast<std::uint32_t>(kept_bytes_.size());
    buffer = kept_packet_.share();
  }
  return services_.host.deliver(event, buffer);
}

void Association::notify(const Notification& notification) {
  // The end waits for messages, too; see drain_events().
  const bool waits = is_end(notification.type) || (follows_failures(notification.type) && sender_.delivery_waiting());
  if (!waits && events_.empty() && deliver(notification)) return;
  events_.push(notification);
}

/// Order: that it began comes before any message, that it ended after everything else.
bool Association::drain_events(Timestamp now) {
  while (!events_.empty()) {
    const Notification& next = events_.front();
    const bool end = is_end(next.type);
    if (follows_failures(next.type) && !sender_.resume_delivery(now)) return false;
    if (end && !receiver_.resume_delivery(now)) return false;
    if (!deliver(next)) return false;
    events_.pop();
    if (end) end_delivered_ = true;
  }
  return true;
}

bool Association::resume_delivery(Timestamp now) {
  if (!drain_events(now)) return false;
  if (state_ == State::closed && end_delivered_) return true;
  const bool sender_done = sender_.resume_delivery(now);
  return receiver_.resume_delivery(now) && sender_done;
}

void Association::enter(State next) {
  Counters& counters = services_.counters;
  if (counts_as_established(next) && !counts_as_established(state_)) ++counters.established_entered;
  if (!counts_as_established(next) && counts_as_established(state_)) ++counters.established_left;
  state_ = next;
}

/// While COOKIE ECHO is under way, T1-cookie speaks for the DATA bundled with it.
bool Association::t3_runs() const {
  return state_ == State::established || state_ == State::shutdown_pending || state_ == State::shutdown_received;
}

/// Before COOKIE ACK nothing was received yet; SHUTDOWN ACK says that nothing is left to come.
bool Association::sends_sacks() const {
  return state_ != State::cookie_wait && state_ != State::cookie_echoed && state_ != State::shutdown_ack_sent;
}

Timestamp Association::autoclose_deadline() const {
  const bool wanted = state_ == State::established && parameters_->autoclose > Duration::zero();
  return wanted ? last_user_data_ + parameters_->autoclose : kNever;
}

void Association::close_if_idle(Timestamp now) {
  if (!sender_.drained())
    last_user_data_ = now;  // the peer is slow, which is not the same as idle
  else
    shutdown(now);
}

Timestamp Association::next_deadline() const {
  if (state_ == State::closed) return kNever;
  Timestamp next = std::min({control_deadline_, guard_deadline_, autoclose_deadline()});
  if (sends_sacks()) next = std::min(next, receiver_.sack_deadline());
  if (heartbeats_due_ != 0) next = std::min(next, next_probes_);  // what a flush left of them waits for that
  const bool t3 = t3_runs();
  if (t3) next = std::min(next, sender_.probe_deadline());
  next = std::min(next, sender_.expiry_deadline());
  for (const Path& path : paths_.paths()) {
    next = std::min({next, path.heartbeat_deadline, path.learned_mtu_deadline});
    if (t3) next = std::min(next, path.t3_deadline);
  }
  return next;
}

void Association::on_deadline(Timestamp now) {
  if (state_ == State::closed) return;
  if (now >= guard_deadline_) {
    // §9.2: T5-shutdown-guard bounds the whole shutdown sequence.
    if (sender_.awaits_part())
      abort(now, "a message was never ended");
    else
      abort_with(Reason::retransmissions, {wire::CauseCode::protocol_violation, "shutdown guard timer expired"});
    return;
  }
  if (now >= control_deadline_) {
    if (state_ == State::cookie_wait || state_ == State::cookie_echoed)
      on_t1_expired(now);
    else
      on_t2_expired(now);
  }
  if (now >= sender_.expiry_deadline()) {
    sender_.drop_expired(now);
    advance_shutdown(now);
  }
  if (now >= autoclose_deadline()) close_if_idle(now);
  if (t3_runs()) sender_.on_probe_deadline(now);
  // By index: an error may end the association and its paths with it.
  for (std::size_t i = 0; i < paths_.size() && state_ != State::closed; ++i) {
    if (t3_runs() && now >= paths_[i].t3_deadline) on_t3_expired(now, paths_[i]);
    if (state_ != State::closed && now >= paths_[i].heartbeat_deadline) on_heartbeat_deadline(now, paths_[i]);
    if (now >= paths_[i].learned_mtu_deadline) forget_learned_mtu(paths_[i]);
  }
}

void Association::snapshot(Snapshot& out) const {
  out = Snapshot{};
  out.id = identity_.id;
  out.endpoint = identity_.endpoint;
  out.state = state_;
  out.local_port = local_port_;
  out.peer_port = peer_port_;
  out.local_tag = local_tag_;
  out.peer_tag = peer_tag_;
  out.outbound_streams = outbound_streams_;
  out.inbound_streams = inbound_streams_;
  out.error_count = error_count_;
  out.failovers = failovers_;
  out.buffered_bytes = sender_.buffered_bytes();
  out.outstanding_bytes = sender_.outstanding_bytes();
  out.chunks_unacknowledged = sender_.sent_chunks();
  out.chunks_pending = receiver_.held_chunks();
  out.peer_window = sender_.peer_window();
  out.local_window = receiver_.window();
  out.packets_sent = packets_sent_;
  out.packets_received = packets_received_;
  out.data_chunks_sent = data_chunks_sent_;
  out.data_chunks_received = data_chunks_received_;
  out.data_chunks_retransmitted = sender_.retransmitted_chunks();
  out.data_chunks_timed_out = sender_.timed_out_chunks();
  out.t1_expired = t1_expired_;
  out.t2_expired = t2_expired_;
  for (const IpAddress& address : paths_.local_addresses()) SLUICE_CHECK(out.local_addresses.push_back(address));
  for (const Path& path : paths_.paths()) {
    PathSnapshot shown;
    shown.source = path.route.source;
    shown.destination = path.route.destination;
    shown.state = path.state;
    shown.primary = path.id == primary_;
    shown.port = path.port;
    shown.pmtu = path.pmtu;
    shown.error_count = path.error_count;
    shown.rto = path.rto.value();
    shown.srtt = path.rto.srtt();
    shown.cwnd = path.congestion->cwnd();
    shown.ssthresh = path.congestion->ssthresh();
    shown.outstanding = path.outstanding;
    shown.retransmitted = path.retransmitted;
    SLUICE_CHECK(out.paths.push_back(shown));
  }
}

}  // namespace sluice::assoc
