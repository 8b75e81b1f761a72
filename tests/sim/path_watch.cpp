#include "tests/sim/path_watch.hpp"

#include <algorithm>
#include <stdexcept>

#include "stack/wire/chunk_data.hpp"
#include "stack/wire/chunk_heartbeat.hpp"
#include "stack/wire/chunk_init.hpp"
#include "tests/sim/sctp_frame.hpp"

namespace sluice::sim {
namespace {

using wire::ChunkType;

/// §5.4: what else may go to an address that is not confirmed, and what is sent without an association.
bool is_free(ChunkType type) {
  switch (type) {
    case ChunkType::data:
    case ChunkType::sack:
    case ChunkType::cookie_echo:
    case ChunkType::cookie_ack:
    case ChunkType::shutdown:
    case ChunkType::shutdown_ack:
      return false;
    default:
      return true;
  }
}

std::string info_of(const wire::HeartbeatChunk& heartbeat) {
  return {reinterpret_cast<const char*>(heartbeat.info().data()), heartbeat.info().size()};
}

}  // namespace

void PathWatch::opening(std::uint32_t side, const assoc::Association& association) {
  Known& known = known_[{side, association.local_tag().value}];
  if (std::exchange(known.given, true)) return;
  for (const assoc::Path& path : association.paths())
    if (path.state != PathState::unconfirmed) confirm(known, path.route.destination);
}

void PathWatch::confirm(Known& known, const IpAddress& address) {
  if (std::find(known.confirmed.begin(), known.confirmed.end(), address) == known.confirmed.end())
    known.confirmed.push_back(address);
}

/// Whose packets with the tag of `peer` are; false: no association's.
bool PathWatch::find_owner(const Key& peer, Key& owner) {
  const auto found = owners_.find(peer);
  if (found != owners_.end()) {
    owner = found->second;
    return true;
  }
  bool any = false;
  for_each_(peer.first, [&](const assoc::Association& association) {
    if (association.peer_tag().value != peer.second || association.state() == assoc::State::closed) return;
    owner = {peer.first, association.local_tag().value};
    any = true;
  });
  if (any) owners_[peer] = owner;
  return any;
}

void PathWatch::on_sent(std::uint32_t side, std::span<const std::byte> frame) {
  const auto sctp = sctp_in(frame);
  const auto header = sctp ? wire::CommonHeader::parse(sctp->packet) : std::nullopt;
  if (!header || header->tag.value == 0) return;
  wire::ChunkWalker walker = wire::chunks_of(sctp->packet);
  std::optional<wire::Chunk> chunk = walker.next();
  if (!chunk) return;
  if (const auto init_ack = chunk->type == ChunkType::init_ack ? wire::InitChunk::parse(*chunk) : std::nullopt) {
    confirm(known_[{side, init_ack->init_tag().value}], sctp->destination);
    return;
  }
  const Key peer{side, header->tag.value};
  // The peer may have opened this one with the tag that it had for another, which ended without its knowing.
  if (chunk->type == ChunkType::cookie_ack || chunk->type == ChunkType::cookie_echo) owners_.erase(peer);
  Key owner;
  if (!find_owner(peer, owner)) return;
  for (; chunk; chunk = walker.next()) on_chunk(owner, sctp->destination, *chunk);
}

void PathWatch::on_chunk(const Key& owner, const IpAddress& to, const wire::Chunk& chunk) {
  Known& known = known_[owner];
  if (chunk.type == ChunkType::heartbeat)
    if (const auto heartbeat = wire::HeartbeatChunk::parse(chunk)) probes_[info_of(*heartbeat)] = {owner, to};
  const bool confirmed = std::find(known.confirmed.begin(), known.confirmed.end(), to) != known.confirmed.end();
  if (!confirmed && !is_free(chunk.type) && wrong_.empty())
    wrong_ = "side " + std::to_string(owner.first) + ": a chunk of type " +
             std::to_string(static_cast<int>(chunk.type)) + " was sent to the unconfirmed address " + to.to_string();
  if (const auto data = chunk.type == ChunkType::data ? wire::DataChunk::parse(chunk) : std::nullopt)
    on_data(owner, known, to, data->tsn());
}

void PathWatch::on_data(const Key& owner, Known& known, const IpAddress& to, Tsn tsn) {
  constexpr std::uint32_t kFar = 1 << 24;  // before the first one seen, which left in fragments
  if (known.used.empty()) known.first_tsn = tsn;
  const auto at = static_cast<std::uint32_t>(tsn - known.first_tsn);
  if (at >= kFar) return;
  const auto place = std::find(known.used.begin(), known.used.end(), to);
  const auto here = static_cast<std::uint8_t>(place - known.used.begin());
  if (place == known.used.end()) known.used.push_back(to);
  if (at < known.went.size()) {
    const std::uint8_t before = std::exchange(known.went[at], here);
    if (before != here && before != kNowhere) ++tally_["chunks sent again on another path"];
    return;
  }
  known.went.resize(at, kNowhere);
  known.went.push_back(here);
  const std::uint8_t before = std::exchange(known.latest, here);
  if (before == here || before == kNowhere) return;
  ++tally_["new data moves to another path"];
  if (known.left == here && is_primary(owner, to)) ++tally_["new data returns to the primary path"];
  if (is_primary(owner, known.used[before])) known.left = before;
}

bool PathWatch::is_primary(const Key& owner, const IpAddress& address) const {
  bool primary = false;
  for_each_(owner.first, [&](const assoc::Association& association) {
    if (association.local_tag().value != owner.second) return;
    assoc::Snapshot snapshot;
    association.snapshot(snapshot);
    for (const assoc::PathSnapshot& path : snapshot.paths) primary |= path.primary && path.destination == address;
  });
  return primary;
}

void PathWatch::on_delivered(std::uint32_t side, std::span<const std::byte> frame) {
  const auto sctp = sctp_in(frame);
  const auto header = sctp ? wire::CommonHeader::parse(sctp->packet) : std::nullopt;
  if (!header || probes_.empty()) return;
  wire::ChunkWalker walker = wire::chunks_of(sctp->packet);
  while (const auto chunk = walker.next()) {
    if (chunk->type != ChunkType::heartbeat_ack) continue;
    const auto ack = wire::HeartbeatChunk::parse(*chunk);
    const auto probe = ack ? probes_.find(info_of(*ack)) : probes_.end();
    if (probe == probes_.end() || probe->second.of != Key{side, header->tag.value}) continue;
    confirm(known_[probe->second.of], probe->second.to);
    probes_.erase(probe);
  }
}

void PathWatch::forget(std::uint32_t side) {
  const auto erase_from = [side](auto& map) {
    map.erase(map.lower_bound(Key{side, 0}), map.upper_bound(Key{side, UINT32_MAX}));
  };
  erase_from(known_);
  erase_from(owners_);
}

void PathWatch::check() const {
  if (!wrong_.empty()) throw std::runtime_error(wrong_);
}

}  // namespace sluice::sim
