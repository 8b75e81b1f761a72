// RFC 9260 §6.4, §8: which path is used for what, HEARTBEATs, error counters.
#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

#include "stack/assoc/association.hpp"
#include "stack/assoc/congestion/congestion_controller.hpp"
#include "stack/wire/chunk_data.hpp"
#include "stack/wire/chunk_heartbeat.hpp"

namespace sluice::assoc {
namespace {

/// Below it we rather let IP fragment than believe what a route says.
constexpr std::uint16_t kMinPmtu = 512;
/// Of a path whose link is not known yet: buffers for more might not be had.
constexpr std::uint16_t kUnroutedMtu = 1280;
/// HB.Max.Burst (§5.4, §16): probes of unconfirmed addresses in one RTO.
constexpr std::uint8_t kHeartbeatMaxBurst = 1;

/// What a HEARTBEAT by `path` carries that leaves at `sent`: the path, that time and a mark (§8.3). By the path's
/// nonce, which is in the mark, it is believed when it comes back (§5.4). A peer that makes up a time harms its own
/// path alone.
constexpr std::size_t kHeartbeatPathAt = sizeof(std::uint64_t);
constexpr std::size_t kHeartbeatSentAt = kHeartbeatPathAt + sizeof(std::uint32_t);
using HeartbeatInfo = std::array<std::byte, kHeartbeatSentAt + sizeof(std::uint64_t)>;

HeartbeatInfo heartbeat_info(const Path& path, Timestamp sent) {
  const auto time = static_cast<std::uint64_t>(sent.time_since_epoch().count());
  HeartbeatInfo info;
  base::store_be(info.data(), path.heartbeat_nonce ^ time);
  base::store_be(info.data() + kHeartbeatPathAt, std::uint32_t{path.id.value});
  base::store_be(info.data() + kHeartbeatSentAt, time);
  return info;
}

/// When the HEARTBEAT left that `info` comes back from, if it was one by `path` which counts yet.
std::optional<Timestamp> answered_heartbeat(const Path& path, std::span<const std::byte> info) {
  const auto time = static_cast<std::int64_t>(base::load_be<std::uint64_t>(info.data() + kHeartbeatSentAt));
  const Timestamp sent{Duration(time)};
  const bool possible = path.heartbeat_nonce != 0 && sent >= Timestamp() && sent <= path.heartbeat_sent;
  return possible && std::ranges::equal(info, heartbeat_info(path, sent)) ? std::optional(sent) : std::nullopt;
}

bool is_alive(const Path& path) {
  return path.state == PathState::active;
}

/// How little a path is fit for data: the active ones are, then those that may have failed, by their errors (RFC 7829
/// §3.2 4), then those that did; nothing goes to an unconfirmed one (§5.4).
std::uint32_t unfitness(const Path& path) {
  constexpr std::uint32_t kFailed = UINT16_MAX + 1;
  switch (path.state) {
    case PathState::active:
      return 0;
    case PathState::potentially_failed:
      return path.error_count;
    case PathState::inactive:
      return kFailed;
    case PathState::unconfirmed:
      break;
  }
  return kFailed + 1;
}

/// §5.4, RFC 7829 §3.2 5: HEARTBEATs of unconfirmed and of potentially failed paths follow each other by the RTO until
/// the path counts as failed; then by the heartbeat period, if there is one.
bool is_probed(const Path& path) {
  const bool in_doubt = path.state == PathState::unconfirmed ||
                        (path.state == PathState::potentially_failed && path.heartbeat_interval > Duration::zero());
  return in_doubt && path.error_count <= path.max_retransmissions;
}

/// Errors in a row beyond which another one changes nothing: the path has failed (§8.3), and another one is the primary
/// path (RFC 7829 §5).
std::uint16_t counted_errors(const Path& path, const Parameters& parameters) {
  const auto most = static_cast<std::uint16_t>(path.max_retransmissions + 1);
  const std::uint16_t switchover = parameters.primary_switchover_threshold;
  return switchover == UINT16_MAX ? most : std::max<std::uint16_t>(most, switchover + 1);
}

}  // namespace

/// False: the pool of congestion controllers is empty.
bool Association::set_up_path(Path& path, const IpAddress& destination, std::span<const IpAddress> local_addresses) {
  path.route.destination = destination;
  path.route.dscp = parameters_->dscp;
  // The first pair is the one that the handshake's packets used, as long as its source is the way there; for the others
  // the routes choose the source.
  if (path.id == PathId(0) && local_addresses.front().is_v4() == destination.is_v4())
    path.route.source = local_addresses.front();
  resolve(path, local_addresses);
  return open_path(path, *parameters_, services_.pools);
}

/// Asks for next hop, source and MTU. Without an answer the path keeps what it has, and asks again when it is to send.
void Association::resolve(Path& path, std::span<const IpAddress> local_addresses) {
  const base::Departure before = path.route;
  std::uint16_t mtu = parameters_->path_mtu_max;
  if (!services_.host.resolve(path.route, mtu, path.port)) {
    path.route.next_hop = 0;
    mtu = path.link_mtu != 0 ? path.link_mtu : std::min(mtu, kUnroutedMtu);
  }
  path.link_mtu = mtu;
  mtu = std::min(mtu, parameters_->path_mtu_max);
  if (path.learned_mtu != 0) mtu = std::min(mtu, path.learned_mtu);
  path.route.dont_fragment = mtu >= kMinPmtu;
  const std::uint16_t pmtu = std::max(mtu, kMinPmtu);
  // Packets leave from addresses of this association alone.
  const auto ours = [&](const IpAddress& address) { return address == path.route.source; };
  if (std::none_of(local_addresses.begin(), local_addresses.end(), ours)) {
    const auto same_family = std::find_if(local_addresses.begin(), local_addresses.end(), [&](const IpAddress& a) {
      return a.is_v4() == path.route.destination.is_v4();
    });
    path.route.source = same_family == local_addresses.end() ? local_addresses.front() : *same_family;
  }
  const bool known = path.congestion != nullptr && before.next_hop != 0 && path.route.next_hop != 0;
  const bool another = known && (before.next_hop != path.route.next_hop || before.source != path.route.source);
  const bool other_mtu = std::exchange(path.pmtu, pmtu) != pmtu;
  if (path.congestion == nullptr) return;  // not open yet
  if (other_mtu) path.congestion->set_mtu(path.max_data_chunk());
  // §7.2.5.2; and before the first DATA cwnd is what §7.2.1 makes of the PMTU of now.
  if (another || (other_mtu && path.last_data_sent == kNever)) path.congestion->restart();
  if (!other_mtu) return;
  std::uint32_t smallest = path.max_data_chunk();
  for (const Path& each : paths_.paths()) smallest = std::min(smallest, each.max_data_chunk());
  sender_.set_fragment_size(smallest - wire::kDataHeaderSize);
}

void Association::refresh_routes() {
  for (Path& path : paths_.paths()) resolve(path, paths_.local_addresses());
}

Path* Association::path_from(const IpAddress& source) {
  return paths_.find(source);
}

/// Where a reply to what came by `from` goes: back (§6.4), unless nothing may be sent there (§5.4).
Path& Association::reply_path(Path& from) {
  return from.state != PathState::unconfirmed ? from : paths_[data_path_.value];
}

void Association::set_parameters(Timestamp now, const Parameters& parameters) {
  parameters_ = &parameters;
  sender_.set_parameters(parameters);
  receiver_.set_parameters(parameters);
  for (Path& path : paths_.paths()) {
    if (std::exchange(path.route.dscp, parameters.dscp) != parameters.dscp && path.congestion != nullptr)
      path.congestion->restart();  // §7.2.5.1
    path.rto.adapt(parameters);
    path.max_retransmissions = parameters.path_max_retransmissions;
    change_heartbeat(now, path, parameters.heartbeat_interval);
  }
  refresh_routes();  // path_mtu_max
}

bool Association::set_path(Timestamp now, PathId id, const PathOptions& options) {
  if (id.value >= paths_.size()) return false;
  Path& path = paths_[id.value];
  if (options.max_retransmissions) path.max_retransmissions = *options.max_retransmissions;
  if (options.heartbeat_interval) change_heartbeat(now, path, *options.heartbeat_interval);
  return true;
}

/// One that is under way is still waited for.
void Association::change_heartbeat(Timestamp now, Path& path, Duration interval) {
  if (interval == path.heartbeat_interval) return;
  path.heartbeat_interval = interval;
  if (!t3_runs() || (heartbeats_due_ & path_bit(path.id)) != 0 || path.heartbeat_waits) return;
  if (is_probed(path))
    want_heartbeat(path);
  else
    schedule_heartbeat(now, path);
}

bool Association::request_heartbeat(PathId id) {
  if (!t3_runs() || id.value >= paths_.size()) return false;
  Path& path = paths_[id.value];
  if (!path.heartbeat_waits) want_heartbeat(path);
  return true;
}

bool Association::set_primary(PathId path) {
  if (path.value >= paths_.size() || paths_[path.value].state == PathState::unconfirmed) return false;
  primary_ = path;
  choose_data_path();
  return true;
}

/// §6.4, §6.4.1: the primary path while it is active, else one other that is, and that one as long as it stays so. If
/// none is, the potentially failed one with the fewest errors (RFC 7829 §3.2 4), else the present one.
void Association::choose_data_path() {
  const PathId other = fittest_path(data_path_);
  if (is_alive(paths_[primary_.value]))
    move_data(primary_);
  else if (unfitness(paths_[other.value]) < unfitness(paths_[data_path_.value]))
    move_data(other);
}

void Association::move_data(PathId to) {
  if (std::exchange(data_path_, to) == to) return;
  ++failovers_;
  ++services_.counters.failovers;
}

/// §6.4: SACKs go to where DATA came from. A duplicate suggests that they do not arrive that way: each goes by another.
/// Nor do they go to an address that does not answer while there is one that does, nor to an unconfirmed one (§5.4).
void Association::choose_sack_path(const Path& from, bool duplicate) {
  const bool answers = from.state == PathState::active || from.state == PathState::potentially_failed;
  if (answers && !duplicate) {
    sack_path_ = from.id;
  } else if (duplicate || (from.state == PathState::inactive && !is_alive(paths_[sack_path_.value]))) {
    const Path& other = paths_[fittest_path(sack_path_).value];
    sack_path_ = duplicate || other.state != PathState::inactive ? other.id : from.id;
  }
}

/// RFC 7829 §5: a primary path with too many errors in a row gives way to another one that is in use.
void Association::switch_primary() {
  const bool fails = paths_[primary_.value].error_count > parameters_->primary_switchover_threshold;
  if (!fails || data_path_ == primary_) return;
  primary_ = data_path_;
  ++services_.counters.primary_switchovers;
}

/// The path most fit for data, other than `path` if another one is as fit: the most divergent one (§6.4.1) is the next
/// on another port.
PathId Association::fittest_path(PathId path) const {
  const Path* best = &paths_[path.value];
  for (std::size_t step = 1; step < paths_.size(); ++step) {
    const Path& next = paths_[(path.value + step) % paths_.size()];
    const auto fitness = [&](const Path& one) {
      return std::tuple(unfitness(one), one.port == paths_[path.value].port);
    };
    if (fitness(next) < fitness(*best) || (best->id == path && unfitness(next) == unfitness(*best))) best = &next;
  }
  return best->id;
}

void Association::set_path_state(Path& path, PathState state) {
  if (path.state == state) return;
  path.state = state;
  notify({EventType::path_changed, path.id, state, 0});
  choose_data_path();
  switch_primary();
}

/// §8.1, §8.2, RFC 7829 §3.2. May end the association.
void Association::charge(Path& path, PathFault fault) {
  const bool confirmed = path.state != PathState::unconfirmed;
  const bool one_more = path.error_count < counted_errors(path, *parameters_);
  path.error_count += one_more;
  const bool on_data_path = path.id == data_path_;
  if (confirmed)
    judge(path);
  else if (one_more && path.error_count == path.max_retransmissions + 1)
    notify({EventType::path_changed, path.id, PathState::inactive, 0});  // §5.4, §8.2; it stays unconfirmed
  // T2 has its own count; probes of unconfirmed addresses (§5.4) and HEARTBEATs beside the path in use (§8.1) say
  // nothing of the peer.
  const bool counts = fault == PathFault::t3 || (fault == PathFault::heartbeat && confirmed && on_data_path);
  if (counts && ++error_count_ > parameters_->association_max_retransmissions)
    abort_unanswered(Reason::retransmissions);
}

/// What its errors make of a confirmed path.
void Association::judge(Path& path) {
  if (path.error_count > path.max_retransmissions) {
    set_path_state(path, PathState::inactive);
  } else if (path.state == PathState::active && path.error_count > parameters_->potentially_failed_threshold) {
    set_path_state(path, PathState::potentially_failed);
    // RFC 7829 §3.2 6: HEARTBEATs begin at once, unless they ended with SHUTDOWN (§8.3).
    if (t3_runs() && path.heartbeat_interval > Duration::zero() && !path.heartbeat_waits) want_heartbeat(path);
  } else if (path.state == PathState::potentially_failed) {
    choose_data_path();  // another one may have fewer errors now
  }
  if (path.id == primary_) switch_primary();
}

/// Something sent to `path` was answered.
void Association::path_answered(Path& path) {
  path.error_count = 0;
  if (path.state != PathState::active) set_path_state(path, PathState::active);
}

/// Data that was sent there last was acknowledged, perhaps by what went elsewhere before. While every path is inactive
/// that is the best sign there is: what is new goes there, and proves it.
void Association::path_perhaps_answered(const Path& path) {
  if (path.state == PathState::inactive && paths_[data_path_.value].state == PathState::inactive) move_data(path.id);
}

/// A path whose link went down is no path, as long as there is another: what was in flight there goes by that one, and
/// no timer is waited for. When the link is back, a HEARTBEAT says at once whether the rest of the way is, too.
bool Association::on_link(std::uint16_t port, bool up) {
  if (!t3_runs()) return false;  // T1 and T2 go round the paths by themselves
  bool changed = false;
  for (Path& path : paths_.paths()) {
    if (path.port != port || path.state == PathState::unconfirmed) continue;
    if (up && path.state != PathState::active) {
      forget_heartbeats(path);
      want_heartbeat(path);
      changed = true;
    } else if (!up && path.state != PathState::inactive && has_path_beside(port)) {
      fail_path(path);
      changed = true;
    }
  }
  return changed;
}

bool Association::has_path_beside(std::uint16_t port) const {
  const std::span<const Path> paths = paths_.paths();
  return std::any_of(paths.begin(), paths.end(),
                     [port](const Path& path) { return path.port != port && is_alive(path); });
}

void Association::fail_path(Path& path) {
  ++services_.counters.paths_without_link;
  path.error_count = std::max<std::uint16_t>(path.error_count, path.max_retransmissions + 1);
  sender_.on_link_lost(path);
  forget_heartbeats(path);  // an answer that had arrived before does not make the path active again
  judge(path);
  if (retransmission_path_ == path.id) retransmission_path_ = data_path_;
  if (sack_path_ == path.id) sack_path_ = data_path_;
}

void Association::on_t3_expired(Timestamp now, Path& path) {
  ++services_.counters.t3_expired;
  const PathId where = path.id;
  if (sender_.on_t3_expired(now, path)) charge(path, PathFault::t3);
  // §6.4: to another active path than the one where it was lost, if there is one.
  if (state_ != State::closed) retransmission_path_ = fittest_path(where);
}

/// §6.4: fast retransmissions go where the data went, also after the primary path came back; unless some were lost on
/// the path in use as well, what timed out is under way elsewhere, or nothing should go there any more.
void Association::retransmit_where_lost(std::uint8_t paths) {
  if (retransmission_path_ != data_path_ || (paths & path_bit(data_path_)) != 0) return;
  const PathId lost(static_cast<std::uint8_t>(std::countr_zero(paths)));
  if (is_alive(paths_[lost.value])) retransmission_path_ = lost;
}

void Association::schedule_heartbeats(Timestamp now) {
  for (Path& path : paths_.paths()) {
    forget_heartbeats(path);
    if (path.state == PathState::unconfirmed)
      heartbeats_due_ |= path_bit(path.id);  // §5.4: probing begins with ESTABLISHED
    else
      schedule_heartbeat(now, path);
  }
}

/// §8.3: HB.interval and one RTO from `from` on, with half an RTO of jitter either way; none once SHUTDOWN or SHUTDOWN
/// ACK was sent.
void Association::schedule_heartbeat(Timestamp from, Path& path) {
  if (path.heartbeat_interval == Duration::zero() || !t3_runs()) {
    path.heartbeat_deadline = kNever;
    return;
  }
  const Duration rto = path.rto.value();
  constexpr std::uint32_t kSteps = 1 << 16;
  const Duration jitter = rto * static_cast<std::int64_t>(services_.random.below(kSteps)) / kSteps - rto / 2;
  path.heartbeat_deadline = from + path.heartbeat_interval + rto + jitter;
}

void Association::on_heartbeat_deadline(Timestamp now, Path& path) {
  if (path.heartbeat_waits) {
    on_heartbeat_timeout(now, path);
    return;
  }
  // Idle means that nothing that could measure the RTT was sent in this period.
  const Timestamp period_ends = path.last_sent + path.heartbeat_interval + path.rto.value() / 2;
  const bool by_interval = path.state == PathState::active || path.state == PathState::inactive;
  if (by_interval && (path.outstanding > 0 || period_ends > now)) {
    schedule_heartbeat(std::max(path.last_sent, now - path.heartbeat_interval), path);
    return;
  }
  want_heartbeat(path);
}

/// A HEARTBEAT leaves at the next flush.
void Association::want_heartbeat(Path& path) {
  path.heartbeat_deadline = kNever;  // until it left
  heartbeats_due_ |= path_bit(path.id);
}

void Association::on_heartbeat_timeout(Timestamp now, Path& path) {
  ++services_.counters.heartbeat_timeouts;
  path.heartbeat_waits = false;
  // Where data is in flight on a path in doubt, its own timer counts (RFC 7829 §3.2 6).
  if (path.state != PathState::potentially_failed || path.outstanding == 0) {
    path.rto.back_off(*parameters_);
    charge(path, path.state == PathState::unconfirmed ? PathFault::probe : PathFault::heartbeat);
    if (state_ == State::closed) return;
  }
  if (is_probed(path))
    path.heartbeat_deadline = now;
  else
    schedule_heartbeat(path.heartbeat_sent, path);
}

/// No answer to what was sent until now counts any more.
void Association::forget_heartbeats(Path& path) {
  path.heartbeat_waits = false;
  path.heartbeat_nonce = 0;
}

/// Those of unconfirmed addresses take turns, so that the dead ones among them do not keep the others waiting.
bool Association::send_heartbeats(Timestamp now) {
  const std::size_t first = last_probed_.value + std::size_t{1};
  bool all = true;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    Path& path = paths_[(first + i) % paths_.size()];
    if ((heartbeats_due_ & path_bit(path.id)) == 0) continue;
    const bool probe = path.state == PathState::unconfirmed;
    if (probe && !probe_allowed(now)) continue;
    const bool sent = send_heartbeat(now, path);
    all &= sent;
    if (!sent || !probe) continue;
    ++probes_sent_;
    last_probed_ = path.id;
  }
  return all;
}

/// §5.4. The RTO of the path in use stands for all: that of an address that does not answer only grows.
bool Association::probe_allowed(Timestamp now) {
  if (now >= next_probes_) {
    next_probes_ = now + paths_[data_path_.value].rto.value();
    probes_sent_ = 0;
  }
  return probes_sent_ < kHeartbeatMaxBurst;
}

bool Association::send_heartbeat(Timestamp now, Path& path) {
  if (path.heartbeat_nonce == 0) path.heartbeat_nonce = services_.random.u64() | 1;
  const HeartbeatInfo info = heartbeat_info(path, now);
  wire::PacketWriter* const packet = packet_for(path, wire::kChunkHeaderSize + wire::kTlvHeaderSize + info.size());
  if (packet == nullptr) return false;
  wire::append_heartbeat(*packet, info);
  ++services_.counters.heartbeats_sent;
  ++services_.counters.control_chunks_sent;
  heartbeats_due_ &= static_cast<std::uint8_t>(~path_bit(path.id));
  path.heartbeat_waits = true;
  path.heartbeat_sent = path.last_sent = now;
  path.heartbeat_deadline = now + path.rto.value();
  return true;
}

Association::Next Association::on_heartbeat_ack(Inbound& in, const wire::Chunk& chunk) {
  const std::optional<wire::HeartbeatChunk> ack = wire::HeartbeatChunk::parse(chunk);
  if (!ack) {
    ++services_.counters.malformed_chunks;
    return Next::chunk;
  }
  const std::span<const std::byte> info = ack->info();
  const bool whole = info.size() == sizeof(HeartbeatInfo);
  const auto id = whole ? base::load_be<std::uint32_t>(info.data() + kHeartbeatPathAt) : UINT32_MAX;
  const auto sent = id < paths_.size() ? answered_heartbeat(paths_[id], info) : std::nullopt;
  if (!sent) {
    ++services_.counters.unexpected_chunks;  // a second time, made up, or from before the path began anew
    return Next::chunk;
  }
  // Any answer counts (§8.3), one that comes after its timeout, too: else a path slower than RTO.Max would never live.
  Path& path = paths_[id];
  forget_heartbeats(path);
  path.rto.sample(in.now - *sent, *parameters_);
  error_count_ = 0;
  path_answered(path);
  if ((heartbeats_due_ & path_bit(path.id)) == 0) schedule_heartbeat(path.heartbeat_sent, path);
  return Next::chunk;
}

}  // namespace sluice::assoc
