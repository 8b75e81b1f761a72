#include "stack/assoc/tx/sender.hpp"

#include <algorithm>

#include "stack/assoc/pools.hpp"
#include "stack/assoc/tx/chunk_size.hpp"

namespace sluice::assoc {
namespace {

template <class T>
std::uint32_t free_in(const base::ObjectPool<T>& pool) {
  return pool.limit() - pool.out();
}

}  // namespace

Sender::Sender(Services& services, const Parameters& parameters, AssocId association, EndpointId endpoint)
    : services_(services),
      parameters_(&parameters),
      association_(association),
      endpoint_(endpoint),
      streams_(services.pools),
      store_(services.pools),
      stream_count_(parameters.outbound_streams) {}

Sender::~Sender() {
  drop_all(Reason::closed);
  while (failed_ != nullptr) services_.pools.message_parts.destroy(std::exchange(failed_, failed_->next));
  streams_.clear();  // others may wait for them
  stop_waiting();
  wake_waiters();
}

void Sender::start(const Handshake& handshake, std::span<Path> paths) {
  if (started_) drop_all(Reason::restarted);
  store_.start(handshake.local_initial_tsn);
  streams_.for_each([](OutboundStream& stream) {
    stream.next_ssn = Ssn();
    stream.ordered_in_window = 0;
  });
  adopt(handshake, paths);
  started_ = true;
  drop_refused_streams();
  deliver_failures();
  if (roomy()) offer_writable();
  wake_waiters();
}

void Sender::start_over(const Handshake& handshake, std::span<Path> paths) {
  SLUICE_CHECK(gap_acked_ == 0);
  for (SentChunk* chunk = store_.first_missing(); chunk != nullptr; chunk = chunk->next_missing) {
    chunk->state = ChunkState::marked;
    chunk->path = paths.front().id;
  }
  next_marked_ = store_.first_missing();
  marked_ = store_.size();
  outstanding_bytes_ = 0;
  adopt(handshake, paths);
  drop_refused_streams();
  deliver_failures();
}

/// What the handshake agreed on. Nothing is in flight on `paths`.
void Sender::adopt(const Handshake& handshake, std::span<Path> paths) {
  stream_count_ = handshake.outbound_streams;
  advertised_window_ = largest_window_ = handshake.peer_window;
  window_closed_at_ = {};
  probe_doublings_ = 0;
  fast_recovery_ = fast_retransmit_due_ = probing_ = probe_answered_ = probe_due_ = false;
  window_told_zero_ = kept_out_ = false;
  std::uint32_t smallest = UINT32_MAX;
  for (Path& path : paths) {
    path.outstanding = 0;
    path.t3_deadline = kNever;
    path.rtt_measuring = path.cwnd_filled = path.after_timeout = false;
    smallest = std::min(smallest, path.max_data_chunk());
  }
  probe_interval_ = paths.front().rto.value();
  set_fragment_size(smallest - wire::kDataHeaderSize);
}

void Sender::set_fragment_size(std::uint32_t bytes) {
  SLUICE_CHECK(bytes >= kMinFragmentSize);
  fragment_size_ = std::min(bytes, kMaxFragmentSize) & ~3u;
}

void Sender::set_scheduler(StreamScheduler& scheduler) {
  SLUICE_CHECK(current_ == nullptr && scheduler_->front() == nullptr);
  scheduler_ = &scheduler;
}

SendStatus Sender::send(SendRequest&& request) {
  if (!request.payload || request.payload.size() == 0) return SendStatus::wrong_part;
  OutboundStream* stream = streams_.find(request.stream);
  if (stream != nullptr && stream->refusing) {
    stream->refusing = !request.end;
    return SendStatus::wrong_part;
  }
  if (request.stream.value >= stream_count_) return SendStatus::invalid_stream;
  const bool continues = stream != nullptr && stream->open;
  if (continues && (stream->open_ppid != request.ppid || stream->open_unordered != request.unordered))
    return SendStatus::wrong_part;
  if (full() && !(continues && stream == current_ && starved())) return refuse();
  if (stream == nullptr) stream = streams_.find_or_make(request.stream);
  if (stream == nullptr)
    return refuse(free_in(services_.pools.outbound_streams) == 0 ? Scarce::outbound_streams : Scarce::stream_pages);
  MessagePart* const part = services_.pools.message_parts.make();
  if (part == nullptr) return refuse(Scarce::message_parts);

  const std::uint32_t bytes = request.payload.size();
  part->payload = std::move(request.payload);
  part->context = request.context;
  part->stream = stream;
  part->ppid = request.ppid;
  part->begin = !continues;
  part->end = request.end;
  part->unordered = request.unordered;
  part->sack_immediately = request.sack_immediately;
  part->path = request.path;
  part->expires = request.expires;
  stream->open = !request.end;
  stream->open_ppid = request.ppid;
  stream->open_unordered = request.unordered;
  ++parts_;
  queued_bytes_ += bytes;
  buffered_bytes_ += bytes;
  burst_left_ = std::min(burst_left_ + parameters_->max_burst, kMaxBurst);
  stream->push(*part);
  if (part->begin) scheduler_->push(*stream, *part);
  return SendStatus::queued;
}

bool Sender::continues_message(const SendRequest& request) const {
  if (request.stream.value >= stream_count_) return false;
  const OutboundStream* const stream = streams_.find(request.stream);
  return stream != nullptr && stream->open;
}

SendStatus Sender::refuse() {
  ++services_.counters.sends_refused;
  blocked_ = true;
  return SendStatus::would_block;
}

SendStatus Sender::refuse(Scarce scarce) {
  // Otherwise what this sender has under way will wake it.
  if (roomy()) wait_for(scarce);
  return refuse();
}

void Sender::wait_for(Scarce scarce) {
  if (linked() && scarce_pool == Scarce::sent_segments) return;  // once it can send, the rest follows
  stop_waiting();
  services_.pools.waiting_senders.add(*this, scarce);
}

void Sender::stop_waiting() {
  if (linked()) services_.pools.waiting_senders.remove(*this);
}

std::uint64_t Sender::charge() const {
  return buffered_bytes_ + std::uint64_t{parts_} * kPartOverhead;
}

bool Sender::full() const {
  return charge() >= parameters_->send_buffer;
}

bool Sender::roomy() const {
  return charge() <= std::uint64_t{parameters_->send_buffer} * 3 / 4;
}

void Sender::destroy(MessagePart& part) {
  --parts_;
  services_.pools.message_parts.destroy(&part);
}

void Sender::forget_chunk(const SentChunk& chunk) {
  MessagePart& part = *chunk.part;
  buffered_bytes_ -= chunk.length;
  if (--part.chunks > 0 || part.uncut() > 0) return;
  if (part.end && !part.unordered) --part.stream->ordered_in_window;
  destroy(part);
}

void Sender::fail_part(MessagePart& part, Reason reason) {
  part.failure = reason;
  part.next = nullptr;
  (failed_ == nullptr ? failed_ : last_failed_->next) = &part;
  last_failed_ = &part;
}

void Sender::fail_queue(OutboundStream& stream, Reason reason) {
  while (MessagePart* const part = stream.head) {
    stream.pop();
    queued_bytes_ -= part->uncut();
    buffered_bytes_ -= part->uncut();
    const bool end = part->end;
    fail_part(*part, reason);
    if (end) return;
  }
  if (stream.open) stream.refusing = true;
  stream.open = false;
}

void Sender::drop_store(Reason reason) {
  while (!store_.empty()) {
    const SentChunk& chunk = store_.front();
    MessagePart& part = *chunk.part;
    buffered_bytes_ -= chunk.length;
    store_.pop_front();
    if (--part.chunks == 0 && part.uncut() == 0) fail_part(part, reason);
  }
  outstanding_bytes_ = marked_ = gap_acked_ = 0;
  next_marked_ = nullptr;
}

void Sender::drop_all(Reason reason) {
  drop_store(reason);
  if (OutboundStream* const stream = std::exchange(current_, nullptr)) {
    fail_queue(*stream, reason);
    scheduler_->done(*stream);
  }
  while (OutboundStream* const stream = scheduler_->front()) {
    scheduler_->take();
    fail_queue(*stream, reason);
    scheduler_->done(*stream);
  }
}

void Sender::drop_refused_streams() {
  while (current_ == nullptr) {
    OutboundStream* const stream = scheduler_->front();
    if (stream == nullptr || stream->id.value < stream_count_) return;
    fail_front(*stream, Reason::invalid_stream);
  }
}

/// The message whose turn it is, which is the first of `stream`.
void Sender::fail_front(OutboundStream& stream, Reason reason) {
  scheduler_->take();
  fail_queue(stream, reason);
  scheduler_->done(stream);
}

Timestamp Sender::expiry_deadline() const {
  const OutboundStream* const stream = current_ == nullptr ? scheduler_->front() : nullptr;
  return stream == nullptr || stream->empty() ? kNever : stream->head->expires;
}

void Sender::drop_expired(Timestamp now) {
  if (expiry_deadline() > now) return;
  while (expiry_deadline() <= now) fail_front(*scheduler_->front(), Reason::expired);
  deliver_failures();
  if (roomy()) offer_writable();
  wake_waiters();
}

PathId Sender::next_path() const {
  const OutboundStream* const stream = next_stream();
  return stream == nullptr || stream->empty() ? kAnyPath : stream->head->path;
}

void Sender::fail_all(Reason reason) {
  drop_all(reason);
  blocked_ = writable_waiting_ = false;
  stop_waiting();
  deliver_failures();
  wake_waiters();
}

bool Sender::resume_delivery(Timestamp /*now*/) {
  deliver_failures();
  if (failed_ == nullptr && writable_waiting_) offer_writable();
  wake_waiters();
  return !delivery_waiting();
}

void Sender::deliver_failures() {
  while (MessagePart* const part = failed_) {
    Event event;
    event.type = EventType::send_failed;
    event.association = association_;
    event.endpoint = endpoint_;
    event.end = part->end;
    event.unordered = part->unordered;
    event.sent = part->cut > 0;
    event.stream = part->stream->id;
    event.ppid = part->ppid;
    event.error = static_cast<std::uint16_t>(part->failure);
    event.context = part->context;
    event.data = part->payload.data();
    event.length = part->payload.size();
    if (!services_.host.deliver(event, part->payload)) return;
    failed_ = part->next;
    destroy(*part);
  }
}

void Sender::offer_writable() {
  if (!blocked_) return;
  writable_waiting_ = true;
  if (failed_ != nullptr) return;  // events keep their order
  Event event;
  event.type = EventType::writable;
  event.association = association_;
  event.endpoint = endpoint_;
  // Cleared first: the application may send, and be refused again, before deliver() returns.
  blocked_ = writable_waiting_ = false;
  if (scarce_pool != Scarce::sent_segments) stop_waiting();
  base::Buffer none;
  if (!services_.host.deliver(event, none)) blocked_ = writable_waiting_ = true;
}

/// Those that wait for what may have become free. A message part says little: they are told of an eighth of the pool.
void Sender::wake_waiters() {
  Pools& pools = services_.pools;
  if (pools.waiting_senders.empty()) return;
  if (free_in(pools.message_parts) > pools.message_parts.limit() / 8) wake(Scarce::message_parts, SIZE_MAX);
  wake(Scarce::outbound_streams, free_in(pools.outbound_streams));
  wake(Scarce::stream_pages, free_in(pools.stream_pages));
  wake(Scarce::sent_segments, free_in(pools.sent_segments));
}

void Sender::wake(Scarce scarce, std::size_t most) {
  WaitingSenders& waiting = services_.pools.waiting_senders;
  for (std::size_t left = std::min(most, waiting.size(scarce)); left > 0; --left) {
    auto* const sender = static_cast<Sender*>(waiting.front(scarce));
    if (sender == nullptr) return;
    waiting.remove(*sender);
    if (scarce == Scarce::sent_segments)
      services_.host.wants_flush(sender->association_);
    else
      sender->offer_writable();
  }
}

}  // namespace sluice::assoc
