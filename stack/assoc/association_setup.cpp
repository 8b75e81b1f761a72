// RFC 9260 §5: the handshake as initiator, and what both sides of it share.
#include <algorithm>

#include "stack/assoc/association.hpp"
#include "stack/wire/chunk_cookie.hpp"
#include "stack/wire/chunk_error.hpp"
#include "stack/wire/chunk_init.hpp"

namespace sluice::assoc {
namespace {

/// §3.3.2: an a_rwnd below it must be refused.
constexpr std::uint32_t kMinWindow = 1500;
/// Unrecognised parameters of an INIT ACK that we report.
constexpr std::size_t kMaxReportedParameters = 8;
using ReportedParameters = base::BoundedVector<wire::Parameter, kMaxReportedParameters>;

/// Parameters of an INIT ACK that mean something, or are harmless enough to be passed over without a report.
bool is_recognized(wire::ParameterType type) {
  switch (type) {
    case wire::ParameterType::ipv4_address:
    case wire::ParameterType::ipv6_address:
    case wire::ParameterType::state_cookie:
    case wire::ParameterType::unrecognized_parameter:
    case wire::ParameterType::cookie_preservative:
    case wire::ParameterType::host_name_address:
    case wire::ParameterType::supported_address_types:
      return true;
    default:
      return false;
  }
}

/// Whether packets to the peer may go to `listed`, an address that it names in a chunk which came from `source`.
bool is_usable(const IpAddress& listed, const IpAddress& source) {
  if (listed.is_unspecified() || listed.is_multicast() || listed.is_broadcast()) return false;
  if (listed.is_loopback() && !source.is_loopback()) return false;
  return !listed.is_link_local() || source.is_link_local();
}

/// Of a packet with nothing but a COOKIE ECHO.
std::uint32_t cookie_echo_size(std::span<const std::byte> cookie) {
  return wire::kCommonHeaderSize + wire::kChunkHeaderSize + static_cast<std::uint32_t>(wire::padded(cookie.size()));
}

bool is_in(std::span<const IpAddress> addresses, const IpAddress& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

bool has_family(std::span<const IpAddress> addresses, bool v4) {
  return std::any_of(addresses.begin(), addresses.end(), [v4](const IpAddress& a) { return a.is_v4() == v4; });
}

}  // namespace

/// What an INIT ACK carries besides its fixed fields.
struct Association::InitAckParameters {
  std::optional<std::span<const std::byte>> cookie;  ///< nothing in it is one, too
  AddressList addresses;
  std::optional<wire::Parameter> host_name;
  ReportedParameters unrecognized;
  bool malformed = false;
  bool addresses_left_out = false;

  explicit InitAckParameters(const wire::InitChunk& init_ack) {
    wire::ParameterWalker walker = init_ack.parameters();
    bool stopped = false;
    while (const std::optional<wire::Parameter> parameter = walker.next()) {
      // §3.2.1: even then a COOKIE ECHO is the answer, so the cookie is looked for, and nothing else.
      if (!stopped)
        stopped = !take(*parameter);
      else if (parameter->type == wire::ParameterType::state_cookie && !cookie)
        cookie = parameter->value();
      if (stopped && cookie) break;
    }
    malformed = walker.malformed();
  }

 private:
  /// False: nothing behind it may be read (§3.2.1).
  bool take(const wire::Parameter& parameter) {
    if (parameter.type == wire::ParameterType::state_cookie && !cookie) cookie = parameter.value();
    if (parameter.type == wire::ParameterType::host_name_address) host_name = parameter;
    if (const std::optional<IpAddress> address = wire::read_address(parameter))
      if (!addresses.contains(*address) && !addresses.push_back(*address)) addresses_left_out = true;
    if (is_recognized(parameter.type)) return true;
    const wire::UnrecognizedRule rule = wire::unrecognized_rule(parameter.type);
    if (rule.report) static_cast<void>(unrecognized.push_back(parameter));  // what is beyond the limit goes unsaid
    return !rule.stop;
  }
};

void Association::connect(Timestamp, const Handshake& ours) {
  SLUICE_CHECK(state_ == State::closed && !end_delivered_);
  active_ = true;
  adopt(ours);
  tie_tags_ = {services_.random.u32() | 1, services_.random.u32() | 1};
  if (!make_paths(ours)) {
    close(EventType::connect_failed, Reason::no_resources);
    return;
  }
  // §5.4 rule 1: addresses that the upper layer gave are confirmed.
  for (Path& path : paths_.paths()) path.state = PathState::active;
  enter(State::cookie_wait);
  pending_ = kInit;
}

/// What was agreed on, except for addresses.
void Association::adopt(const Handshake& agreed) {
  local_port_ = agreed.local_port;
  peer_port_ = agreed.peer_port;
  local_tag_ = agreed.local_tag;
  peer_tag_ = agreed.peer_tag;
  local_initial_tsn_ = agreed.local_initial_tsn;
  peer_initial_tsn_ = agreed.peer_initial_tsn;
  peer_initial_window_ = agreed.peer_window;
  outbound_streams_ = agreed.outbound_streams;
  inbound_streams_ = agreed.inbound_streams;
  extensions_ = agreed.extensions;
}

/// A second time if the handshake began again, after a stale cookie or in a collision: DATA that left with the first
/// COOKIE ECHO goes again, on paths that may be others.
void Association::start_sender(const Handshake& agreed) {
  if (std::exchange(sender_started_, true))
    sender_.start_over(agreed, paths_.paths());
  else
    sender_.start(agreed, paths_.paths());
}

void Association::start_receiver(const Handshake& agreed) {
  receiver_.start(agreed);
  data_seen_ = false;
}

/// Fresh paths, all unconfirmed, the first of them primary. False: out of memory, and no path is left.
bool Association::make_paths(const Handshake& handshake) {
  send_packet();  // which knows its path by number
  PathSet fresh(services_.pools);
  if (!fresh.reset(handshake.peer_addresses.size(),
                   {handshake.local_addresses.begin(), handshake.local_addresses.size()}))
    return false;
  for (Path& path : fresh.paths())
    if (!set_up_path(path, handshake.peer_addresses[path.id.value], fresh.local_addresses())) return false;
  AddressList gone;
  for (const Path& path : paths_.paths())
    if (!handshake.peer_addresses.contains(path.route.destination))
      SLUICE_CHECK(gone.push_back(path.route.destination));
  if (!gone.empty()) services_.host.addresses_gone(identity_.id, gone);
  paths_ = std::move(fresh);
  primary_ = data_path_ = retransmission_path_ = control_path_ = sack_path_ = PathId(0);
  heartbeats_due_ = 0;
  next_probes_ = {};
  return true;
}

void Association::become_established(Timestamp now) {
  enter(State::established);
  last_user_data_ = now;
  pending_ &= static_cast<std::uint8_t>(~(kInit | kCookieEcho | kAgain));
  control_deadline_ = kNever;
  control_attempts_ = 0;
  error_count_ = 0;
  kept_packet_.reset();
  kept_bytes_ = {};
  was_up_ = true;
  notify(EventType::association_up);
  schedule_heartbeats(now);
  if (std::exchange(shutdown_wanted_, false)) shutdown(now);
}

bool Association::send_init(Timestamp now) {
  send_packet();
  Path& path = paths_[control_path_.value];
  wire::PacketWriter* const packet = new_packet(path, path.max_packet_size(), VTag(0));
  if (packet == nullptr) return false;
  wire::ChunkWriter init = wire::append_init(*packet, {.init_tag = local_tag_,
                                                       .window = parameters_->receive_window,
                                                       .outbound_streams = outbound_streams_,
                                                       .inbound_streams = inbound_streams_,
                                                       .initial_tsn = local_initial_tsn_});
  const std::span<const IpAddress> ours = paths_.local_addresses();
  // A single address is the packet's source.
  if (ours.size() > 1)
    for (const IpAddress& address : ours) wire::append_address(init, address);
  wire::append_supported_address_types(init, {.ipv4 = has_family(ours, true), .ipv6 = has_family(ours, false)});
  if (cookie_preservative_ != 0)
    wire::append_cookie_preservative(init, std::chrono::milliseconds(cookie_preservative_));
  sent_timed_control(kInit);
  send_packet();
  control_sent_ = now;
  control_deadline_ = now + path.rto.value();
  return true;
}

/// §5.1 C. The first chunk of its packet; DATA that is queued already rides along.
bool Association::send_cookie_echo(Timestamp now) {
  send_packet();
  Path& path = paths_[control_path_.value];
  // A cookie that is too large for the path leaves by IP fragmentation.
  const std::uint32_t limit = std::max(path.max_packet_size(), cookie_echo_size(kept_bytes_));
  wire::PacketWriter* const packet = new_packet(path, limit, peer_tag_);
  if (packet == nullptr) return false;
  wire::append_cookie_echo(*packet, kept_bytes_);
  report_init_ack_parameters(*packet);
  fill_with_data(now, path, *packet);
  sent_timed_control(kCookieEcho);
  send_packet();
  control_sent_ = now;
  control_deadline_ = now + path.rto.value();
  return true;
}

/// §3.2.2: what the INIT ACK had that we do not recognise and its sender wants to hear of.
void Association::report_init_ack_parameters(wire::PacketWriter& packet) const {
  const std::optional<wire::Chunk> chunk = wire::chunks_of(kept_packet_.bytes()).next();
  const ReportedParameters unrecognized = InitAckParameters(*wire::InitChunk::parse(*chunk)).unrecognized;
  const std::uint32_t before = packet.size();
  for (std::size_t count = unrecognized.size(); count > 0; --count) {  // as many as there is room for
    wire::ChunkWriter error = wire::append_error(packet);
    if (error && wire::append_unrecognized_parameters(error, {unrecognized.begin(), count})) {
      if ((pending_ & kAgain) == 0) ++services_.counters.control_chunks_sent;
      return;
    }
    packet.truncate(before);
    ++services_.counters.replies_dropped;
  }
}

Association::Next Association::on_init_ack(Inbound& in, const wire::Chunk& chunk) {
  const std::optional<wire::InitChunk> init_ack = wire::InitChunk::parse(chunk);
  if (state_ != State::cookie_wait || !is_alone(in, chunk)) {  // §5.2.3, §6.10
    ++services_.counters.unexpected_chunks;
    return Next::done;
  }
  if (!init_ack) {
    ++services_.counters.malformed_chunks;
    return Next::done;
  }
  const InitAckParameters parameters(*init_ack);
  if (!is_of_whom_we_asked(in, parameters)) {
    ++services_.counters.foreign_sources;
    return Next::done;
  }
  if (!check_init_ack(in, *init_ack, parameters)) return Next::done;
  if (!take_init_ack(in, *init_ack, parameters))
    refuse_init_ack(in, init_ack->init_tag(), {.code = wire::CauseCode::out_of_resource}, Reason::no_resources);
  return Next::done;
}

/// An INIT ACK may come from any of the peer's addresses (§5.1.2). One that neither comes from an address which we were
/// given nor lists one could lead us to a host that never heard of it.
bool Association::is_of_whom_we_asked(const Inbound& in, const InitAckParameters& parameters) const {
  const std::span<const Path> paths = paths_.paths();
  return std::any_of(paths.begin(), paths.end(), [&](const Path& path) {
    const IpAddress& given = path.route.destination;
    return path.state != PathState::unconfirmed &&
           (given == in.packet.arrival.source || parameters.addresses.contains(given));
  });
}

/// What §3.3.3 and §5.1 ask of an INIT ACK. False: it was refused, and with most reasons the association ended.
bool Association::check_init_ack(const Inbound& in, const wire::InitChunk& init_ack,
                                 const InitAckParameters& parameters) {
  const auto refuse = [&](VTag tag, const AbortCause& cause, Reason reason = Reason::protocol_violation) {
    refuse_init_ack(in, tag, cause, reason);
    return false;
  };
  const VTag tag = init_ack.init_tag();
  const AbortCause invalid{.code = wire::CauseCode::invalid_mandatory_parameter};
  if (tag.value == 0) return refuse(local_tag_, invalid);
  if (init_ack.outbound_streams() == 0 || init_ack.inbound_streams() == 0) return refuse(tag, invalid);
  if (init_ack.window() < kMinWindow) return refuse(tag, invalid, Reason::none);
  if (parameters.host_name)
    return refuse(tag, {.code = wire::CauseCode::unresolvable_address, .parameter = &*parameters.host_name});
  if (parameters.malformed) {
    ++services_.counters.malformed_chunks;
    return false;
  }
  if (!parameters.cookie) return refuse(tag, {.code = wire::CauseCode::missing_mandatory_parameter});
  if (cookie_echo_size(*parameters.cookie) > paths_[control_path_.value].max_fragmented_size())
    return refuse(tag, {.code = wire::CauseCode::out_of_resource}, Reason::no_resources);
  return true;
}

/// ABORT to where the INIT ACK came from (§5.1, §5.1.2 B), known or not; and the end, but for Reason::none.
void Association::refuse_init_ack(const Inbound& in, VTag tag, const AbortCause& cause, Reason reason) {
  if (in.path != nullptr)
    send_abort(*in.path, tag, tag == local_tag_, cause);
  else
    send_abort_back(in.packet.arrival, tag, tag == local_tag_, cause);
  if (reason != Reason::none) close(EventType::connect_failed, reason);
}

/// §5.1 C. False: no memory for the paths.
bool Association::take_init_ack(const Inbound& in, const wire::InitChunk& init_ack,
                                const InitAckParameters& parameters) {
  Handshake agreed = handshake();
  agreed.peer_tag = init_ack.init_tag();
  agreed.peer_initial_tsn = init_ack.initial_tsn();
  agreed.peer_window = init_ack.window();
  agreed.outbound_streams = std::min(outbound_streams_, init_ack.inbound_streams());  // §5.1.1
  agreed.inbound_streams = std::min(inbound_streams_, init_ack.outbound_streams());
  const IpAddress& source = in.packet.arrival.source;
  const bool answered_there = paths_[control_path_.value].route.destination == source;
  if (!change_peer_addresses(agreed, confirmed_first(peer_addresses(parameters, source)))) return false;
  adopt(agreed);
  Path* const from = path_from(source);
  if (control_attempts_ == 0 && answered_there) from->rto.sample(in.now - control_sent_, *parameters_);
  // To an unconfirmed address COOKIE ECHO does not go alone (§5.4).
  control_path_ = from != nullptr && from->state == PathState::active ? from->id : data_path_;
  if (cookie_preservative_ == 0) control_attempts_ = 0;  // stale cookies in a row stay bounded
  control_deadline_ = kNever;
  start_sender(agreed);
  start_receiver(agreed);
  kept_packet_ = std::move(in.packet.buffer);
  kept_bytes_ = *parameters.cookie;
  enter(State::cookie_echoed);
  pending_ = kCookieEcho;
  return true;
}

/// §5.1.2: the peer's addresses are the INIT ACK's source and those that it lists; those that we were given keep their
/// order, and with it the primary path.
AddressList Association::peer_addresses(const InitAckParameters& parameters, const IpAddress& source) const {
  AddressList addresses;
  for (const Path& path : paths_.paths()) {
    const IpAddress& given = path.route.destination;
    if (given == source || parameters.addresses.contains(given)) static_cast<void>(addresses.push_back(given));
  }
  bool left_out = parameters.addresses_left_out;
  if (!addresses.contains(source)) left_out |= !addresses.push_back(source);
  for (const IpAddress& listed : parameters.addresses) {
    if (addresses.contains(listed)) continue;
    // An address of our own would make us talk to ourselves.
    if (!is_usable(listed, source) || has_local_address(listed) || is_in(services_.stack_addresses, listed))
      ++services_.counters.addresses_ignored;
    else if (has_family(paths_.local_addresses(), listed.is_v4()))
      left_out |= !addresses.push_back(listed);
  }
  if (left_out) ++services_.counters.addresses_left_out;
  return addresses;
}

/// Makes the paths anew if the peer's addresses are others than those we tried. False: no memory for them.
bool Association::change_peer_addresses(Handshake& agreed, const AddressList& addresses) {
  const AddressList given = std::exchange(agreed.peer_addresses, addresses);
  if (given == addresses) return true;
  AddressList confirmed;  // §5.4 rule 1
  for (const Path& path : paths_.paths())
    if (path.state != PathState::unconfirmed) SLUICE_CHECK(confirmed.push_back(path.route.destination));
  if (!make_paths(agreed)) return false;
  for (Path& path : paths_.paths())
    if (confirmed.contains(path.route.destination)) path.state = PathState::active;
  addresses_changed_ = true;
  return true;
}

Association::Next Association::on_cookie_ack(Inbound& in, const wire::Chunk& chunk) {
  if (state_ != State::cookie_echoed) {  // §5.2.5
    ++services_.counters.unexpected_chunks;
    return Next::chunk;
  }
  if (!wire::CookieAckChunk::parse(chunk)) {
    ++services_.counters.malformed_chunks;
    return Next::chunk;
  }
  if (control_attempts_ == 0) paths_[control_path_.value].rto.sample(in.now - control_sent_, *parameters_);
  ++services_.counters.active_establishments;
  become_established(in.now);
  return Next::chunk;
}

/// §5.2.6, third choice: once more from the INIT, asking for a cookie that lives longer than this round trip took.
/// False: the error changed nothing.
///
/// The network may hold copies of the first COOKIE ECHO and of the error that answered it, and nothing in an error says
/// which cookie it is for. To begin anew for the old one, when the peer has taken the new one, would leave us with
/// another tag and another TSN than the peer has. So the second time only a T1-cookie that expires makes an error
/// count.
bool Association::on_stale_cookie(Timestamp now) {
  if (doubts_stale_cookie_) {
    doubted_stale_cookie_ = true;
    ++services_.counters.stale_cookies_doubted;
    return false;
  }
  if (control_attempts_ >= parameters_->max_init_retransmissions) {
    close(EventType::connect_failed, Reason::init_failed);
    return true;
  }
  ++control_attempts_;
  constexpr std::chrono::milliseconds kAtMostBeyond{1000};
  const auto rtt = std::chrono::ceil<std::chrono::milliseconds>(now - control_sent_);
  cookie_preservative_ = static_cast<std::uint32_t>((rtt + kAtMostBeyond).count());
  kept_packet_.reset();
  kept_bytes_ = {};
  control_deadline_ = kNever;
  doubts_stale_cookie_ = true;
  doubted_stale_cookie_ = false;
  enter(State::cookie_wait);
  pending_ = kInit;
  return true;
}

/// §4 notes 2 and 3.
void Association::on_t1_expired(Timestamp now) {
  ++services_.counters.t1_expired;
  ++t1_expired_;
  if (control_attempts_ >= parameters_->max_init_retransmissions) {
    if (state_ == State::cookie_echoed)
      abort_unanswered(Reason::init_failed);  // perhaps only COOKIE ACKs were lost
    else
      close(EventType::connect_failed, Reason::init_failed);
    return;
  }
  ++control_attempts_;
  control_deadline_ = kNever;
  if (state_ == State::cookie_echoed && doubted_stale_cookie_) doubts_stale_cookie_ = false;
  Path& path = paths_[control_path_.value];
  // DATA bundled with the COOKIE ECHO was lost with it: it goes again, and the RTO is doubled once.
  if (state_ == State::cookie_echoed && path.outstanding > 0)
    sender_.on_t3_expired(now, path);
  else
    path.rto.back_off(*parameters_);
  control_path_ = fittest_path(control_path_);
  pending_ |= kAgain | (state_ == State::cookie_wait ? kInit : kCookieEcho);
}

}  // namespace sluice::assoc
