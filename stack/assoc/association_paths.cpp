// RFC 9260 §6.4, §8: which path is used for what, HEARTBEATs, error counters.
#include <algorithm>

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

/// What our HEARTBEATs carry; the nonce alone is believed when it comes back (§5.4).
struct HeartbeatInfo {
  std::uint64_t nonce = 0;
  PathId path;

  static constexpr std::size_t kSize = sizeof(std::uint64_t) + sizeof(std::uint32_t);
  using Bytes = std::array<std::byte, kSize>;

  Bytes write() const {
    Bytes bytes;
    base::store_be(bytes.data(), nonce);
    base::store_be(bytes.data() + sizeof nonce, std::uint32_t{path.value});
    return bytes;
  }
  static std::optional<HeartbeatInfo> read(std::span<const std::byte> bytes) {
    if (bytes.size() != kSize) return std::nullopt;
    const auto path = base::load_be<std::uint32_t>(bytes.data() + sizeof nonce);
    if (path >= kMaxAddresses) return std::nullopt;
    return HeartbeatInfo{base::load_be<std::uint64_t>(bytes.data()), PathId(static_cast<std::uint8_t>(path))};
  }
};

bool is_alive(const Path& path) {
  return path.state == PathState::active;
}

}  // namespace

/// False: the pool of congestion controllers is empty.
bool Association::set_up_path(Path& path, const IpAddress& destination, std::span<const IpAddress> local_addresses) {
  path.route.destination = destination;
  path.route.dscp = parameters_.dscp;
  // The first pair is the one that the handshake's packets use; for the others the routes choose the source.
  if (path.id == PathId(0) && local_addresses.front().is_v4() == destination.is_v4())
    path.route.source = local_addresses.front();
  resolve(path, local_addresses);
  return open_path(path, parameters_, services_.pools);
}

/// Asks for next hop, source and MTU. Without an answer the path keeps what it has, and asks again when it is to send.
void Association::resolve(Path& path, std::span<const IpAddress> local_addresses) {
  std::uint16_t mtu = parameters_.path_mtu_max;
  if (!services_.host.resolve(path.route, mtu, path.port)) {
    path.route.next_hop = 0;
    mtu = path.link_mtu != 0 ? path.link_mtu : std::min(mtu, kUnroutedMtu);
  }
  path.link_mtu = mtu;
  mtu = std::min(mtu, parameters_.path_mtu_max);
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
  if (pmtu == path.pmtu) return;
  path.pmtu = pmtu;
  if (path.congestion == nullptr) return;  // not open yet
  path.congestion->set_mtu(path.max_data_chunk());
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

bool Association::set_primary(PathId path) {
  if (path.value >= paths_.size() || paths_[path.value].state == PathState::unconfirmed) return false;
  primary_ = path;
  choose_data_path();
  return true;
}

/// §6.4, §6.4.1: the primary path while it is active, else one other that is, and that one as long as it stays so. If
/// none is, the present one.
void Association::choose_data_path() {
  const PathId before = data_path_;
  if (is_alive(paths_[primary_.value])) {
    data_path_ = primary_;
  } else if (!is_alive(paths_[data_path_.value])) {
    for (const Path& path : paths_.paths())
      if (is_alive(path)) {
        data_path_ = path.id;
        break;
      }
  }
  if (data_path_ != before) ++services_.counters.failovers;
}

/// Where something goes again that was not answered on `path`: the next path that is active, or else the same.
PathId Association::next_active_path(PathId path) const {
  for (std::size_t step = 1; step <= paths_.size(); ++step) {
    const Path& next = paths_[(path.value + step) % paths_.size()];
    if (is_alive(next)) return next.id;
  }
  return path;
}

void Association::set_path_state(Path& path, PathState state) {
  if (path.state == state) return;
  path.state = state;
  notify({EventType::path_changed, path.id, state, 0});
  choose_data_path();
}

/// §8.1, §8.2. May end the association.
void Association::charge(Path& path, PathFault fault) {
  const bool confirmed = path.state != PathState::unconfirmed;
  if (path.error_count <= parameters_.path_max_retransmissions) ++path.error_count;
  const bool on_data_path = path.id == data_path_;
  if (path.error_count > parameters_.path_max_retransmissions && path.state == PathState::active)
    set_path_state(path, PathState::inactive);
  // T2 has its own count; probes of unconfirmed addresses (§5.4) and HEARTBEATs beside the path in use (§8.1) say
  // nothing of the peer.
  const bool counts = fault == PathFault::t3 || (fault == PathFault::heartbeat && confirmed && on_data_path);
  if (counts && ++error_count_ > parameters_.association_max_retransmissions) abort_unanswered(Reason::retransmissions);
}

/// Something sent to `path` was answered.
void Association::path_answered(Path& path) {
  path.error_count = 0;
  if (path.state != PathState::active) set_path_state(path, PathState::active);
}

void Association::on_t3_expired(Timestamp now, Path& path) {
  ++services_.counters.t3_expired;
  const bool error = sender_.on_t3_expired(now, path);
  // §6.4: to another active path than the one where it was lost, if there is one.
  retransmission_path_ = next_active_path(path.id);
  if (error) charge(path, PathFault::t3);
}

void Association::schedule_heartbeats(Timestamp now) {
  for (Path& path : paths_.paths()) {
    path.heartbeat_nonce = 0;
    if (path.state == PathState::unconfirmed)
      heartbeats_due_ |= path_bit(path.id);  // §5.4: probing begins with ESTABLISHED
    else
      schedule_heartbeat(now, path);
  }
}

/// §8.3: HB.interval and one RTO from `from` on, with half an RTO of jitter either way.
void Association::schedule_heartbeat(Timestamp from, Path& path) {
  if (parameters_.heartbeat_interval == Duration::zero()) {
    path.heartbeat_deadline = kNever;
    return;
  }
  const Duration rto = path.rto.value();
  constexpr std::uint32_t kSteps = 1 << 16;
  const Duration jitter = rto * static_cast<std::int64_t>(services_.random.below(kSteps)) / kSteps - rto / 2;
  path.heartbeat_deadline = from + parameters_.heartbeat_interval + rto + jitter;
}

void Association::on_heartbeat_deadline(Timestamp now, Path& path) {
  if (path.heartbeat_nonce != 0) {
    on_heartbeat_timeout(now, path);
    return;
  }
  // Idle means that nothing that could measure the RTT was sent in this period.
  const Timestamp period_ends = path.last_sent + parameters_.heartbeat_interval + path.rto.value() / 2;
  if (path.state != PathState::unconfirmed && (path.outstanding > 0 || period_ends > now)) {
    schedule_heartbeat(std::max(path.last_sent, now - parameters_.heartbeat_interval), path);
    return;
  }
  path.heartbeat_deadline = kNever;  // until it left
  heartbeats_due_ |= path_bit(path.id);
}

void Association::on_heartbeat_timeout(Timestamp now, Path& path) {
  ++services_.counters.heartbeat_timeouts;
  path.heartbeat_nonce = 0;
  path.rto.back_off(parameters_);
  const bool probing = path.state == PathState::unconfirmed;
  charge(path, probing ? PathFault::probe : PathFault::heartbeat);
  if (state_ == State::closed) return;
  // §5.4: probes follow each other by the RTO until the path counts as failed; then by the heartbeat period.
  if (probing && path.error_count <= parameters_.path_max_retransmissions)
    path.heartbeat_deadline = now;
  else
    schedule_heartbeat(path.heartbeat_sent, path);
}

/// Those of unconfirmed addresses take turns, so that the dead ones among them do not keep the others waiting.
bool Association::send_heartbeats(Timestamp now) {
  const std::size_t first = last_probed_.value + std::size_t{1};
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    Path& path = paths_[(first + i) % paths_.size()];
    if ((heartbeats_due_ & path_bit(path.id)) == 0) continue;
    const bool probe = path.state == PathState::unconfirmed;
    if (probe && !probe_allowed(now)) continue;
    if (!send_heartbeat(now, path)) return false;
    if (!probe) continue;
    ++probes_sent_;
    last_probed_ = path.id;
  }
  return true;
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
  HeartbeatInfo info{services_.random.u64() | 1, path.id};
  const HeartbeatInfo::Bytes bytes = info.write();
  wire::PacketWriter* const packet = packet_for(path, wire::kChunkHeaderSize + wire::kTlvHeaderSize + bytes.size());
  if (packet == nullptr) return false;
  wire::append_heartbeat(*packet, bytes);
  ++services_.counters.heartbeats_sent;
  ++services_.counters.control_chunks_sent;
  heartbeats_due_ &= static_cast<std::uint8_t>(~path_bit(path.id));
  path.heartbeat_nonce = info.nonce;
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
  const std::optional<HeartbeatInfo> info = HeartbeatInfo::read(ack->info());
  if (!info || info->path.value >= paths_.size() || info->nonce == 0 ||
      info->nonce != paths_[info->path.value].heartbeat_nonce) {
    ++services_.counters.unexpected_chunks;  // late, a second time, or made up
    return Next::chunk;
  }
  Path& path = paths_[info->path.value];
  path.heartbeat_nonce = 0;
  path.rto.sample(in.now - path.heartbeat_sent, parameters_);
  error_count_ = 0;
  path_answered(path);
  schedule_heartbeat(path.heartbeat_sent, path);
  return Next::chunk;
}

}  // namespace sluice::assoc
