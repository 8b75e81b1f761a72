#include "stack/assoc/rx/receiver.hpp"

#include <algorithm>

#include "stack/assoc/pools.hpp"

namespace sluice::assoc {
namespace {

/// RFC 9260 §6.2: SACK.Delay must not be more.
constexpr Duration kLongestSackDelay = std::chrono::milliseconds(500);

/// `chunk` and `held` belong to the same message, as far as their headers tell (§6.9).
bool same_message(const wire::DataChunk& chunk, const HeldChunk& held) {
  return chunk.stream() == held.stream && chunk.unordered() == held.unordered &&
         (held.unordered || chunk.ssn() == held.ssn);
}

}  // namespace

Receiver::Receiver(Services& services, const Parameters& parameters, AssocId association, EndpointId endpoint)
    : services_(services),
      parameters_(&parameters),
      association_(association),
      endpoint_(endpoint),
      window_(parameters),
      streams_(services.pools) {}

Receiver::~Receiver() {
  // First of all, so that nothing let go below calls back.
  if (PinLedger* const ledger = std::exchange(ledger_, nullptr)) ledger->abandon();
  let_go_of_all_beyond();
  let_go(open_.chunks);
  let_go_of_skipped();
  let_go(waiting_);
}

void Receiver::start(const Handshake& handshake) {
  let_go_of_all_beyond();
  let_go_of_skipped();
  abort_open_message();
  cumulative_ = handshake.peer_initial_tsn - 1;
  highest_ = cumulative_;
  streams_.reset(handshake.inbound_streams);
  window_ = ReceiveWindow(*parameters_);
  sack_.reset();
  update_due_ = false;
}

DataVerdict Receiver::on_data(Timestamp, const wire::DataChunk& chunk, base::Buffer& packet) {
  if (chunk.payload().empty()) return DataVerdict::no_user_data;
  const Tsn tsn = chunk.tsn();
  const std::int32_t ahead = tsn - cumulative_;
  const bool far = ahead > static_cast<std::int32_t>(kTsnWindow);
  if (ahead <= 0 || (map_ != nullptr && !far && map_->received(tsn))) return on_duplicate(tsn);
  if (far || (tsn > highest_ && window_.closed(pinned()))) {
    ++services_.counters.data_chunks_beyond_window;
    sack_.at_once();
    return DataVerdict::out_of_window;
  }
  if (!ready() || (ahead > 1 && !make_map())) return refuse();
  DataVerdict verdict;
  if (chunk.stream().value >= streams_.count())
    verdict = on_invalid_stream(chunk);
  else if (ahead == 1)
    verdict = in_order(chunk, packet);
  else
    verdict = out_of_order(chunk, packet);
  if (map_ != nullptr && highest_ == cumulative_) drop_map();
  return verdict;
}

DataVerdict Receiver::on_duplicate(Tsn tsn) {
  ++services_.counters.duplicate_tsns_received;
  sack_.on_duplicate(tsn);
  return DataVerdict::duplicate;
}

DataVerdict Receiver::refuse() {
  ++services_.counters.data_chunks_refused;
  sack_.at_once();
  return DataVerdict::out_of_window;
}

DataVerdict Receiver::on_invalid_stream(const wire::DataChunk& chunk) {
  ++services_.counters.invalid_streams_received;
  sack_.at_once();
  window_.on_received(static_cast<std::uint32_t>(chunk.payload().size()));
  DataVerdict verdict = DataVerdict::accepted;
  if (chunk.tsn() == cumulative_ + 1)
    verdict = open_.open ? DataVerdict::protocol_violation : advance_past(chunk.tsn());
  else
    mark(chunk.tsn());
  return verdict == DataVerdict::accepted ? DataVerdict::invalid_stream : verdict;
}

DataVerdict Receiver::in_order(const wire::DataChunk& chunk, base::Buffer& packet) {
  if (map_ != nullptr && !fits_neighbours(chunk)) return DataVerdict::protocol_violation;
  if (open_.open ? !continues_open_message(chunk) : !chunk.begin()) return DataVerdict::protocol_violation;
  InboundStream* const stream = streams_.find(chunk.stream());
  if (stream == nullptr) return refuse();
  const bool whole = chunk.begin() && chunk.end();
  if (!chunk.unordered() && chunk.ssn() != stream->next_ssn) [[unlikely]] {
    if (!whole || !may_wait_for_ssn(chunk.stream(), chunk.ssn(), *stream)) return DataVerdict::protocol_violation;
    HeldChunk* const held = hold(chunk, packet);
    if (held == nullptr) return refuse();
    skipped_.push_back(*held);
    ++services_.counters.ssns_skipped;
  } else if (whole ? !deliver_whole(chunk, *stream, packet) : !take_open_fragment(chunk, *stream, packet)) {
    return refuse();
  }
  count_received(chunk);
  if (!turns_wait()) {
    cumulative_ = highest_ = chunk.tsn();
    return DataVerdict::accepted;
  }
  if (whole && !chunk.unordered()) deliver_turns(chunk.stream(), *stream);
  return advance_past(chunk.tsn());
}

/// Everything before it came, so that a message whose turn it is not has lost its turn; unless the peer makes up for
/// what it left out, which is waited for while that costs little: each of those that wait is looked at each time.
bool Receiver::may_wait_for_ssn(StreamId id, Ssn ssn, const InboundStream& stream) const {
  constexpr int kMost = 16;
  if (!(ssn > stream.next_ssn) || window_.memory_short(pinned())) return false;
  int waiting = 0;
  for (const HeldChunk* held = skipped_.head; held != nullptr; held = held->next) {
    if (held->stream == id && held->ssn == ssn) return false;  // used twice
    ++waiting;
  }
  return waiting < kMost;
}

bool Receiver::continues_open_message(const wire::DataChunk& chunk) const {
  return !chunk.begin() && chunk.stream() == open_.stream && chunk.unordered() == open_.unordered &&
         (open_.unordered || chunk.ssn() == open_.ssn);
}

DataVerdict Receiver::out_of_order(const wire::DataChunk& chunk, base::Buffer& packet) {
  if (!fits_neighbours(chunk)) return DataVerdict::protocol_violation;
  InboundStream* const stream = streams_.find(chunk.stream());
  if (stream == nullptr) return refuse();
  const bool turn = chunk.unordered() || chunk.ssn() == stream->next_ssn;
  if (turn && chunk.begin() && !chunk.unordered() && open_in(chunk.stream())) return DataVerdict::protocol_violation;
  if (chunk.begin() && chunk.end() && turn && !in_parts(chunk.stream())) {
    if (!deliver_whole(chunk, *stream, packet)) return refuse();
    mark(chunk.tsn());
    if (!chunk.unordered()) deliver_turns(chunk.stream(), *stream);
  } else {
    HeldChunk* const held = hold(chunk, packet);
    if (held == nullptr) return refuse();
    if (!map_->hold(*held)) {
      let_go(*held);
      return refuse();
    }
    mark(chunk.tsn());
    join_run(*held, *stream);
  }
  count_received(chunk);
  return DataVerdict::accepted;
}

/// The turn in `stream` is the open message's.
bool Receiver::open_in(StreamId stream) const {
  return open_.open && !open_.unordered && open_.stream == stream;
}

/// A message of `stream` is with the application in part. Nothing else of that stream comes between its pieces, not
/// even what is unordered: once it has begun to be delivered, "immediately" (§6.6) means after it.
bool Receiver::in_parts(StreamId stream) const {
  return open_.partial && open_.stream == stream;
}

/// The fragments of a message have consecutive TSNs: what stands beside `chunk` goes on, or ends, as it does (§6.9).
bool Receiver::fits_neighbours(const wire::DataChunk& chunk) const {
  const auto ahead = static_cast<std::uint32_t>(chunk.tsn() - cumulative_);
  if (ahead > 1 && map_->received(chunk.tsn() - 1)) {
    const HeldChunk* const before = map_->held(chunk.tsn() - 1);
    const bool ended = before == nullptr || before->end;
    if (ended != chunk.begin() || (!ended && !same_message(chunk, *before))) return false;
  }
  if (ahead < kTsnWindow && map_->received(chunk.tsn() + 1)) {
    const HeldChunk* const after = map_->held(chunk.tsn() + 1);
    const bool begins = after == nullptr || after->begin;
    if (begins != chunk.end() || (!begins && !same_message(chunk, *after))) return false;
  }
  return true;
}

/// Joins a held chunk with the fragments beside it. A message that becomes whole is delivered, or waits for its turn.
void Receiver::join_run(HeldChunk& held, InboundStream& stream) {
  const auto ahead = static_cast<std::uint32_t>(held.tsn - cumulative_);
  const HeldChunk* const before = held.begin ? nullptr : map_->held(held.tsn - 1);
  const HeldChunk* const after = held.end || ahead == kTsnWindow ? nullptr : map_->held(held.tsn + 1);
  const Tsn first = before == nullptr ? held.tsn : before->other_end;
  const Tsn last = after == nullptr ? held.tsn : after->other_end;
  HeldChunk& head = *map_->held(first);
  HeldChunk& tail = *map_->held(last);
  head.other_end = last;
  tail.other_end = first;
  if (!head.begin || !tail.end) return;
  const bool turn = head.unordered || (head.ssn == stream.next_ssn && !open_in(head.stream));
  if (!turn || in_parts(head.stream)) return map_->turns().add(head);
  const StreamId id = head.stream;
  const bool ordered = !head.unordered;
  deliver_run(head, stream);
  if (ordered) deliver_turns(id, stream);
}

/// `tsn`, the next one, was taken: the cumulative TSN moves over it and over all behind it that had come before.
DataVerdict Receiver::advance_past(Tsn tsn) {
  cumulative_ = tsn;
  if (highest_ <= tsn) highest_ = tsn;
  if (map_ == nullptr) return DataVerdict::accepted;
  sack_.at_once();  // a gap was filled, wholly or in part (RFC 5681 §4.2)
  while (highest_ != cumulative_ && map_->received(cumulative_ + 1)) {
    ++cumulative_;
    map_->clear(cumulative_);
    HeldChunk* const held = map_->take(cumulative_);
    if (held == nullptr ? open_.open : !absorb(*held)) return DataVerdict::protocol_violation;
  }
  return DataVerdict::accepted;
}

/// A held chunk is reached by the cumulative TSN: a fragment becomes part of the open message. Whole messages that may
/// be delivered were; an ordered one that is left skipped an SSN, and may wait for it on, or used one twice.
bool Receiver::absorb(HeldChunk& held) {
  InboundStream& stream = *streams_.find(held.stream);
  const bool whole = held.begin && held.end;
  if (whole && !open_.open && !held.unordered && may_wait_for_ssn(held.stream, held.ssn, stream)) {
    map_->turns().remove(held);
    skipped_.push_back(held);
    ++services_.counters.ssns_skipped;
    return true;
  }
  const bool fits = held.begin ? !open_.open && !held.end && (held.unordered || held.ssn == stream.next_ssn)
                               : open_.open && open_.stream == held.stream;
  if (!fits) {
    map_->turns().remove(held);
    let_go(held);
    return false;
  }
  if (held.begin) begin_open_message(held.stream, held.ssn, held.ppid, held.unordered);
  append_to_open_message(held, stream);
  return true;
}

void Receiver::count_received(const wire::DataChunk& chunk) {
  const auto bytes = static_cast<std::uint32_t>(chunk.payload().size());
  window_.on_received(bytes);
  services_.counters.bytes_received += bytes;
  ++(chunk.unordered() ? services_.counters.unordered_chunks_received : services_.counters.ordered_chunks_received);
}

void Receiver::mark(Tsn tsn) {
  map_->mark(tsn);
  if (tsn > highest_) highest_ = tsn;
}

bool Receiver::make_map() {
  if (map_ != nullptr) return true;
  map_ = services_.pools.tsn_maps.make(services_.pools.held_pages);
  if (map_ == nullptr) return false;
  map_->turns().seed(services_.random.u32());
  return true;
}

void Receiver::drop_map() {
  services_.pools.tsn_maps.give_back(*map_);
  map_ = nullptr;
}

bool Receiver::ready() {
  auto& ledgers = services_.pools.pin_ledgers;
  if (ledger_ == nullptr) ledger_ = ledgers.make(ledgers, static_cast<UnpinListener&>(*this));
  return ledger_ != nullptr;
}

void Receiver::on_packet_end(Timestamp now, bool immediately) {
  sack_.on_packet(now, parameters_->sack_frequency, std::min(parameters_->sack_delay, kLongestSackDelay));
  if (immediately || has_gaps()) sack_.at_once();
  tidy_copies();
}

std::uint32_t Receiver::sack_size() const {
  const std::size_t gaps =
      map_ == nullptr ? 0 : map_->gap_blocks(cumulative_, highest_, std::span(services_.pools.gap_blocks));
  return static_cast<std::uint32_t>(wire::kSackHeaderSize + wire::kSackEntrySize * (gaps + sack_.duplicates().size()));
}

bool Receiver::write_sack(Timestamp, wire::PacketWriter& packet) {
  std::span<wire::GapAckBlock> gaps(services_.pools.gap_blocks);
  gaps = gaps.first(std::min<std::size_t>(gaps.size(), packet.room() / wire::kSackEntrySize));
  gaps = gaps.first(map_ == nullptr ? 0 : map_->gap_blocks(cumulative_, highest_, gaps));
  const std::uint32_t window = window_.to_advertise(pinned());
  if (!wire::append_sack(packet, cumulative_, window, gaps, sack_.duplicates())) return false;
  ++services_.counters.sacks_sent;
  if (!sack_.pending()) ++services_.counters.window_updates_sent;
  window_.on_advertised(window);
  sack_.on_sent();
  update_due_ = false;
  return true;
}

bool Receiver::resume_delivery(Timestamp) {
  while (!waiting_.empty() && offer(*waiting_.head)) let_go(*waiting_.pop_front());
  return waiting_.empty();
}

}  // namespace sluice::assoc
