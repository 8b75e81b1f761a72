// What comes back: acknowledgements, losses, timeouts (RFC 9260 §6.2.1, §6.3.2, §6.3.3, §7.2.4).

#include <algorithm>

#include "stack/assoc/congestion/congestion_controller.hpp"
#include "stack/assoc/pools.hpp"
#include "stack/assoc/tx/chunk_size.hpp"
#include "stack/assoc/tx/sender.hpp"

namespace sluice::assoc {
namespace {

/// Miss indications after which a chunk is sent again without waiting for T3-rtx (§7.2.4).
constexpr std::uint8_t kMissLimit = 3;
/// Doublings of the probe interval; more would pass every RTO.Max.
constexpr std::uint8_t kMaxProbeDoublings = 16;

}  // namespace

/// One acknowledgement while it is looked at.
struct Sender::Progress {
  explicit Progress(std::span<Path> all) : paths(all) {
    for (const Path& path : paths) flight[path.id.value] = path.outstanding;
  }

  std::span<Path> paths;
  SackResult result;
  std::uint32_t flight[kMaxAddresses];      ///< outstanding before
  std::uint32_t acked[kMaxAddresses] = {};  ///< bytes newly acknowledged
  std::uint8_t lowest_acked = 0;            ///< paths whose earliest outstanding chunk was acknowledged
  std::uint8_t lowest_gone = 0;             ///< paths whose earliest outstanding chunk must be found anew
  std::uint8_t sampled = 0;                 ///< paths whose RTT sample came back
  std::uint8_t lost = 0;                    ///< paths on which a chunk was found lost
  bool in_fast_recovery = false;            ///< before
  bool newly_acked = false;
  Tsn highest_newly_acked;

  // Where the walk along the missing chunks stands.
  SentChunk* previous = nullptr;  ///< the one before `chunk`
  SentChunk* chunk = nullptr;     ///< the next to look at
  Tsn covered;                    ///< everything up to here was looked at
  Tsn highest_reported;           ///< the end of the last gap ack block
  bool reneged = false;
  Tsn highest_reneged;
  bool window_told = false;  ///< by a SACK: a SHUTDOWN says nothing of it
  bool window_moved = false;
};

SackResult Sender::on_sack(Timestamp now, const wire::SackChunk& sack, std::span<Path> paths) {
  ++services_.counters.sacks_received;
  Progress progress(paths);
  SackResult& result = progress.result;
  result.stale = sack.cumulative_tsn() < store_.cumulative_tsn();
  if (result.stale) {
    ++services_.counters.stale_sacks;
    return result;
  }
  result.valid = plausible(sack);
  if (!result.valid) return result;

  acknowledge_cumulatively(sack.cumulative_tsn(), progress);
  apply_gap_blocks(sack, progress);
  progress.window_told = true;
  progress.window_moved = sack.window() != advertised_window_;
  advertised_window_ = sack.window();
  largest_window_ = std::max(largest_window_, advertised_window_);
  window_told_zero_ = advertised_window_ == 0;
  if (kept_out_ && !window_told_zero_) let_in(progress);
  count_misses(progress);
  return finish(now, progress);
}

SackResult Sender::on_cumulative_ack(Timestamp now, Tsn cumulative_tsn, std::span<Path> paths) {
  Progress progress(paths);
  SackResult& result = progress.result;
  result.stale = cumulative_tsn < store_.cumulative_tsn();
  if (result.stale) return result;
  result.valid = cumulative_tsn < store_.next_tsn();
  if (!result.valid) return result;
  acknowledge_cumulatively(cumulative_tsn, progress);
  return finish(now, progress);
}

bool Sender::plausible(const wire::SackChunk& sack) const {
  if (!(sack.cumulative_tsn() < store_.next_tsn())) return false;
  const auto sent = static_cast<std::uint32_t>(store_.next_tsn() - sack.cumulative_tsn() - 1);
  for (std::uint32_t i = 0; i < sack.gap_count(); ++i) {
    const wire::GapAckBlock block = sack.gap(i);
    if (block.start == 0 || block.start > block.end || block.end > sent) return false;
  }
  return true;
}

/// What every acknowledgement ends with: rules that need to know all of it.
SackResult Sender::finish(Timestamp now, Progress& progress) {
  check_probe(now, progress);
  for (Path& path : progress.paths) update_path(now, path, progress);
  if (progress.newly_acked && store_.empty())
    for (Path& path : progress.paths) path.congestion->on_all_acknowledged();
  progress.result.paths_lost = progress.lost;
  if (progress.lost != 0 && !fast_recovery_) enter_fast_recovery(now, progress);
  burst_left_ = std::min(burst_left_ + parameters_->max_burst * bursts_allowed(progress), kMaxBurst);
  if (blocked_ && roomy()) offer_writable();
  wake_waiters();
  return progress.result;
}

/// Max.Burst is meant for a peer that acknowledges every second packet (§6.2). One that acknowledges once for all that
/// it found in a poll turn speaks for several such SACKs, each of which would have allowed a burst.
std::uint32_t Sender::bursts_allowed(const Progress& progress) {
  std::uint32_t bursts = 0;
  for (const Path& path : progress.paths) bursts += progress.acked[path.id.value] / (2 * path.max_data_chunk());
  return std::max(bursts, 1u);
}

void Sender::acknowledge_cumulatively(Tsn cumulative_tsn, Progress& progress) {
  progress.result.cumulative_advanced = store_.cumulative_tsn() < cumulative_tsn;
  progress.in_fast_recovery = fast_recovery_;
  while (store_.cumulative_tsn() < cumulative_tsn) {
    SentChunk& chunk = store_.front();
    if (chunk.state == ChunkState::gap_acked)
      --gap_acked_;
    else
      acknowledge(chunk, progress);
    forget_chunk(chunk);
    store_.pop_front();
  }
  if (fast_recovery_ && fast_recovery_exit_ <= cumulative_tsn) fast_recovery_ = false;
}

/// The first acknowledgement of `chunk`, which is one of the missing.
inline void Sender::acknowledge(SentChunk& chunk, Progress& progress) {
  Path& path = progress.paths[chunk.path.value];
  const std::uint32_t size = chunk_size(chunk.length);
  if (chunk.tsn <= path.lowest_outstanding) progress.lowest_acked |= path_bit(path.id);
  if (chunk.state == ChunkState::marked) {
    --marked_;
  } else {
    path.outstanding -= size;
    outstanding_bytes_ -= chunk.length;
  }
  if (&chunk == next_marked_ || marked_ == 0) next_marked_ = marked_ == 0 ? nullptr : chunk.next_missing;
  if (path.rtt_measuring && path.rtt_tsn == chunk.tsn) progress.sampled |= path_bit(path.id);
  progress.acked[path.id.value] += size;
  if (!chunk.proves_no_path) progress.result.paths_proven |= path_bit(path.id);
  progress.newly_acked = true;
  progress.highest_newly_acked = chunk.tsn;
}

/// The gap ack blocks of `sack`, lowest first, if they stand in another order, which §3.3.4 does not rule out. Empty:
/// read them as they stand.
std::span<const wire::GapAckBlock> Sender::sorted_gaps(const wire::SackChunk& sack) {
  const std::uint32_t count = sack.gap_count();
  std::uint32_t i = 1;
  while (i < count && sack.gap(i - 1).start <= sack.gap(i).start) ++i;
  const std::span<wire::GapAckBlock> sorted(services_.pools.gap_blocks);
  if (i >= count || count > sorted.size()) return {};
  for (i = 0; i < count; ++i) sorted[i] = sack.gap(i);
  std::ranges::sort(sorted.first(count), {}, &wire::GapAckBlock::start);
  return sorted.first(count);
}

/// Walks once along the missing chunks and the blocks together. Between two missing chunks everything is gap-acked, so
/// that what the peer took back shows as well, without looking at what did not change.
void Sender::apply_gap_blocks(const wire::SackChunk& sack, Progress& progress) {
  const Tsn cumulative = store_.cumulative_tsn();
  const Tsn highest_before = gap_acked_ > 0 ? highest_gap_acked_ : cumulative;
  progress.covered = cumulative;
  progress.chunk = store_.first_missing();
  const std::span<const wire::GapAckBlock> sorted = sorted_gaps(sack);
  for (std::uint32_t i = 0; i < sack.gap_count(); ++i) {
    const wire::GapAckBlock block = sorted.empty() ? sack.gap(i) : sorted[i];
    const Tsn last = cumulative + block.end;
    if (last <= progress.covered) continue;  // overlapping: what it adds was seen
    pass_missing(cumulative + block.start, progress);
    while (progress.chunk != nullptr && progress.chunk->tsn <= last) {
      SentChunk& chunk = *progress.chunk;
      acknowledge(chunk, progress);
      store_.unlink_missing(progress.previous, chunk);
      progress.chunk = chunk.next_missing;
      chunk.state = ChunkState::gap_acked;
      ++gap_acked_;
    }
    progress.covered = last;
  }
  progress.highest_reported = progress.covered;
  pass_missing(highest_before + 1, progress);
  highest_gap_acked_ = progress.highest_reported;
}

/// What the SACK leaves out from the covered part up to, not including, `end`.
void Sender::pass_missing(Tsn end, Progress& progress) {
  for (Tsn tsn = progress.covered + 1; tsn < end; ++tsn) {
    if (progress.chunk != nullptr && progress.chunk->tsn == tsn) {
      progress.previous = progress.chunk;
      progress.chunk = progress.chunk->next_missing;
    } else {
      renege(tsn, progress);
    }
    progress.covered = tsn;
  }
}

/// The peer took back the gap ack of `tsn`, which stands behind progress.previous: in flight again (§6.2.1 D iii).
void Sender::renege(Tsn tsn, Progress& progress) {
  SentChunk& below = progress.previous != nullptr ? *progress.previous : store_.front();
  SentChunk& chunk = SendStore::advance(below, static_cast<std::uint32_t>(tsn - below.tsn));
  Path& path = progress.paths[chunk.path.value];
  chunk.state = ChunkState::in_flight;
  chunk.misses = 1;
  chunk.just_reneged = true;
  chunk.proves_no_path = true;  // a second ack says no more of its path than the first did
  store_.link_missing(progress.previous, chunk);
  progress.previous = &chunk;
  --gap_acked_;
  if (path.outstanding == 0 || chunk.tsn < path.lowest_outstanding) progress.lowest_gone |= path_bit(path.id);
  path.outstanding += chunk_size(chunk.length);
  outstanding_bytes_ += chunk.length;
  progress.reneged = true;
  progress.highest_reneged = tsn;
  ++services_.counters.chunks_reneged;
}

/// Miss indications by the HTNA rule (§7.2.4).
void Sender::count_misses(Progress& progress) {
  Tsn limit = store_.cumulative_tsn();
  if (progress.in_fast_recovery && progress.result.cumulative_advanced)
    limit = progress.highest_reported;
  else if (progress.newly_acked)
    limit = progress.highest_newly_acked;
  const Tsn last = progress.reneged && limit < progress.highest_reneged ? progress.highest_reneged : limit;
  for (SentChunk* chunk = store_.first_missing(); chunk != nullptr && chunk->tsn <= last; chunk = chunk->next_missing) {
    if (chunk->just_reneged) {
      chunk->just_reneged = false;  // its miss was counted
      continue;
    }
    if (chunk->state != ChunkState::in_flight || chunk->fast_retransmitted || !(chunk->tsn < limit)) continue;
    if (++chunk->misses < kMissLimit) continue;
    Path& path = progress.paths[chunk->path.value];
    chunk->fast_retransmitted = true;
    if (chunk->tsn == path.lowest_outstanding) progress.lowest_gone |= path_bit(path.id);
    mark(*chunk, path);
    progress.lost |= path_bit(path.id);
    ++services_.counters.fast_retransmits;
  }
}

void Sender::mark(SentChunk& chunk, Path& path) {
  path.outstanding -= chunk_size(chunk.length);
  outstanding_bytes_ -= chunk.length;
  chunk.state = ChunkState::marked;
  chunk.misses = 0;
  ++marked_;
  if (next_marked_ == nullptr || chunk.tsn < next_marked_->tsn) next_marked_ = &chunk;
}

/// Zero window probing after an acknowledgement (§6.1 A).
void Sender::check_probe(Timestamp now, Progress& progress) {
  // What tells nothing new comes again and again, as the SHUTDOWNs beside HEARTBEATs do: it puts no probe off.
  if (store_.empty() && (progress.result.cumulative_advanced || progress.window_moved)) {
    window_closed_at_ = now;
    probe_due_ = false;
    for (const Path& path : progress.paths)
      if (progress.acked[path.id.value] > 0) probe_interval_ = path.rto.value();
  }
  if (!probing_) return;
  if (probe_tsn_ <= store_.cumulative_tsn()) {
    probing_ = false;
    const bool still_closed = queued_bytes_ > 0 && !starved() && next_length() > peer_window();
    probe_doublings_ = still_closed ? std::min<std::uint8_t>(probe_doublings_ + 1, kMaxProbeDoublings) : 0;
    return;
  }
  probe_answered_ |= progress.window_told;
  SentChunk& probe = store_.front();
  if (advertised_window_ < probe.length) return;
  // The window opened without the probe: it was dropped there. It leaves again at once, not at the end of a long timer.
  probing_ = false;
  probe_doublings_ = 0;
  if (probe.state == ChunkState::in_flight) mark(probe, progress.paths[probe.path.value]);
}

/// The window opened again: what it had kept out leaves at once, not at the end of a long timer.
void Sender::let_in(Progress& progress) {
  kept_out_ = false;
  for (Path& path : progress.paths) {
    if (!path.after_timeout) continue;  // still: one packet, until something is acknowledged (§7.2.3)
    progress.lowest_gone |= path_bit(path.id);
    mark_all(path);
  }
}

void Sender::enter_fast_recovery(Timestamp now, Progress& progress) {
  for (Path& path : progress.paths)
    if ((progress.lost & path_bit(path.id)) != 0) path.congestion->on_fast_retransmit(now);
  fast_recovery_ = true;
  recovering_paths_ = progress.lost;
  fast_recovery_exit_ = store_.next_tsn() - 1;
  fast_retransmit_due_ = true;
}

void Sender::update_path(Timestamp now, Path& path, Progress& progress) {
  const std::uint8_t mask = path_bit(path.id);
  const std::uint32_t acked = progress.acked[path.id.value];
  if ((progress.sampled & mask) != 0) {
    path.rtt_measuring = false;
    path.rto.sample(now - path.rtt_sent, *parameters_);
  }
  if (acked > 0) {
    progress.result.paths_answered |= mask;
    path.after_timeout = false;
    path.congestion->on_acked(now, {.bytes = acked,
                                    .outstanding = progress.flight[path.id.value],
                                    .cumulative_advanced = progress.result.cumulative_advanced,
                                    .fully_used = path.cwnd_filled,
                                    .in_fast_recovery = progress.in_fast_recovery});
  }
  if (path.outstanding == 0) {
    path.t3_deadline = kNever;  // §6.3.2 R2
    return;
  }
  if (((progress.lowest_acked | progress.lowest_gone) & mask) != 0) find_lowest_outstanding(path);
  if ((progress.lowest_acked & mask) != 0 || path.t3_deadline == kNever)
    path.t3_deadline = now + t3_interval(path);  // §6.3.2 R3, R4
}

void Sender::find_lowest_outstanding(Path& path) {
  for (const SentChunk* chunk = store_.first_missing(); chunk != nullptr; chunk = chunk->next_missing) {
    if (chunk->state != ChunkState::in_flight || chunk->path != path.id) continue;
    path.lowest_outstanding = chunk->tsn;
    return;
  }
}

bool Sender::on_t3_expired(Timestamp now, Path& path) {
  path.t3_deadline = kNever;
  const bool answered_probe = probing_ && probe_answered_;
  // The window closed over what was in flight, and the peer says so each time: it may for as long as it likes, as with
  // a probe (§6.1 A). If this path is broken, and the SACK came by another, that is found out one expiry later.
  const bool kept_out = window_told_zero_;
  kept_out_ |= kept_out;
  window_told_zero_ = false;
  if (answered_probe) {
    probe_answered_ = false;
    probe_doublings_ = std::min<std::uint8_t>(probe_doublings_ + 1, kMaxProbeDoublings);
  } else {
    path.congestion->on_timeout(now);  // E1
    path.rto.back_off(*parameters_);   // E2
    path.after_timeout = true;
    path.cwnd_filled = false;
    // What is sent here from now on is slow start, which a recovery begun before must not hold down (RFC 6582 §3.2). A
    // recovery of other paths goes on: its exit point alone ends it (§7.2.4).
    recovering_paths_ &= static_cast<std::uint8_t>(~path_bit(path.id));
    if (recovering_paths_ == 0) fast_recovery_ = fast_retransmit_due_ = false;
  }
  const std::uint32_t marked_before = marked_;
  mark_all(path);
  timed_out_ += marked_ - marked_before;
  return !answered_probe && !kept_out;
}

void Sender::send_again(Path& path) {
  mark_all(path);
  path.t3_deadline = kNever;
}

void Sender::on_link_lost(Path& path) {
  send_again(path);
  for (SentChunk* chunk = store_.first_missing(); chunk != nullptr; chunk = chunk->next_missing)
    if (chunk->path == path.id) chunk->proves_no_path = true;
}

void Sender::mark_all(Path& path) {
  for (SentChunk* chunk = store_.first_missing(); chunk != nullptr; chunk = chunk->next_missing)
    if (chunk->state == ChunkState::in_flight && chunk->path == path.id) mark(*chunk, path);
}

}  // namespace sluice::assoc
