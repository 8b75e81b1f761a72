#include <algorithm>
#include <cstring>

#include "stack/assoc/pools.hpp"
#include "stack/assoc/rx/receiver.hpp"

// What the receiver holds, copies out and gives back.

namespace sluice::assoc {
namespace {

/// Into blocks of this size small pieces are packed, if there are any as large.
constexpr std::uint32_t kCopyBlock = 2048;
/// Chunks that an association may hold while few are left for others.
constexpr std::uint32_t kFairChunks = 64;
/// While the application holds no more than this it is keeping up, and delivery asks no further.
constexpr std::uint64_t kKeepingUp = 64 << 10;

/// `length` bytes are less than a quarter of what holding them in `block` would pin.
bool wasteful(std::size_t length, const base::Block& block) {
  return length * 4 < block.capacity;
}

}  // namespace

/// Receive buffers left: below a quarter, what waits is copied out; below a sixteenth, it must not take any.
Receiver::Supply Receiver::supply() const {
  const std::uint32_t left = services_.receive_pool.available();
  const std::uint32_t total = services_.receive_pool.total();
  return left < total / 16 ? Supply::scarce : left < total / 4 ? Supply::low : Supply::ample;
}

/// Keeps the user data of `chunk`, by reference or by copy. Null: no memory.
HeldChunk* Receiver::hold(const wire::DataChunk& chunk, base::Buffer& packet) {
  base::ObjectPool<HeldChunk>& pool = services_.pools.held_chunks;
  if (held_count_ >= kFairChunks && pool.scarce() && !renege_one(chunk.tsn())) return nullptr;
  HeldChunk* const held = pool.make();
  if (held == nullptr) return nullptr;
  ++held_count_;
  const std::span<const std::byte> payload = chunk.payload();
  held->data = keep(held->buffer, payload, packet, chunk.tsn(), wasteful(payload.size(), packet.block()), supply());
  if (held->data == nullptr) {
    let_go(*held);
    return nullptr;
  }
  held->length = static_cast<std::uint32_t>(payload.size());
  held->tsn = held->other_end = chunk.tsn();
  held->ppid = chunk.ppid();
  held->stream = chunk.stream();
  held->ssn = chunk.ssn();
  held->begin = chunk.begin();
  held->end = chunk.end();
  held->unordered = chunk.unordered();
  return held;
}

/// As hold(), for what goes to the application now and may stay there for long.
const std::byte* Receiver::keep_for_application(base::Buffer& kept, std::span<const std::byte> payload,
                                                base::Buffer& packet, Tsn tsn) {
  const base::Block& block = packet.block();
  if (block.pinned_by != nullptr ||
      pinned() + block.capacity <= std::min<std::uint64_t>(kKeepingUp, window_.pin_limit())) {
    kept = packet.share();
    kept.pin(*ledger_);
    return payload.data();
  }
  // The packet as a whole counts here: its other chunks will most likely be delivered as well.
  const bool copy = wasteful(packet.size(), block) && window_.memory_short(pinned());
  return keep(kept, payload, packet, tsn, copy, supply());
}

/// Makes `kept` a reference to memory with `payload` in it, and returns where it begins; null if there is none to be
/// had within the limits. For the sake of `tsn`, chunks with higher TSNs may be given back.
const std::byte* Receiver::keep(base::Buffer& kept, std::span<const std::byte> payload, base::Buffer& packet, Tsn tsn,
                                bool copy, Supply supply) {
  const bool charged = packet.block().pinned_by != nullptr;
  if (copy || (!charged && supply != Supply::ample))
    if (const std::byte* const at = copy_out(kept, payload, tsn)) return at;
  // For what is next, whoever holds nothing yet may take a buffer even then, or nothing would ever move.
  const bool moves = ledger_->blocks == 0 && tsn == cumulative_ + 1;
  if (!charged && supply == Supply::scarce && !moves && !renege_one(tsn)) return nullptr;
  if (!make_room(charged ? 0 : packet.block().capacity, tsn)) return nullptr;
  kept = packet.share();
  kept.pin(*ledger_);
  return payload.data();
}

const std::byte* Receiver::copy_out(base::Buffer& kept, std::span<const std::byte> payload, Tsn tsn) {
  const auto length = static_cast<std::uint32_t>(payload.size());
  if (!make_room(0, tsn)) return nullptr;
  if (!copies_ || copies_.tailroom() < length) {
    base::Buffer fresh = services_.copies.allocate(0, std::max(length, kCopyBlock));
    if (!fresh) fresh = services_.copies.allocate(0, length);
    if (!fresh || !make_room(fresh.block().capacity, tsn)) return nullptr;
    fresh.pin(*ledger_);
    copies_ = std::move(fresh);
  }
  std::byte* const to = copies_.append(length);
  std::memcpy(to, payload.data(), length);
  kept = copies_.share();
  ++services_.counters.data_chunks_copied_out;
  return to;
}

/// Gives up the block for copies when nothing in it is in use any more.
void Receiver::tidy_copies() {
  if (copies_ && copies_.block().references == 1) copies_.reset();
}

/// Makes `bytes` more fit within the pin limit, giving back chunks beyond `tsn` if it must.
bool Receiver::make_room(std::uint64_t bytes, Tsn tsn) {
  while (pinned() + bytes > window_.pin_limit())
    if (!renege_one(tsn)) return ledger_->blocks == 0;
  return true;
}

/// Gives back the held chunk with the highest TSN (RFC 9260 §6.2), if that is above `tsn`.
bool Receiver::renege_one(Tsn tsn) {
  HeldChunk* const held = map_ == nullptr ? nullptr : map_->highest_held(cumulative_, highest_);
  if (held == nullptr || held->tsn <= tsn) return false;
  const Tsn first = held->other_end;  // being the highest, it is the last of its run
  HeldChunk& head = *map_->held(first);
  map_->turns().remove(head);
  if (first != held->tsn) {
    head.other_end = held->tsn - 1;
    map_->held(held->tsn - 1)->other_end = first;
  }
  map_->take(held->tsn);
  map_->clear(held->tsn);
  if (held->tsn == highest_) highest_ = map_->highest_received(cumulative_, highest_);
  window_.on_reneged(held->length);
  ++services_.counters.data_chunks_reneged;
  sack_.at_once();
  let_go(*held);
  return true;
}

void Receiver::let_go(HeldChunk& held) {
  --held_count_;
  services_.pools.held_chunks.destroy(&held);
  tidy_copies();
}

void Receiver::let_go(HeldList& list) {
  while (HeldChunk* const held = list.pop_front()) let_go(*held);
}

/// Messages whose turn never came.
void Receiver::let_go_of_skipped() {
  for (const HeldChunk* held = skipped_.head; held != nullptr; held = held->next)
    ++services_.counters.messages_never_due;
  let_go(skipped_);
}

void Receiver::let_go_of_all_beyond() {
  if (map_ == nullptr) return;
  Tsn from = highest_;
  while (HeldChunk* const held = map_->highest_held(cumulative_, from)) {
    from = held->tsn - 1;
    let_go(*map_->take(held->tsn));
  }
  drop_map();
}

void Receiver::on_unpinned() noexcept {
  if (update_due_ || !window_.update_due(pinned())) return;
  update_due_ = true;
  services_.host.wants_flush(association_);
}

}  // namespace sluice::assoc
