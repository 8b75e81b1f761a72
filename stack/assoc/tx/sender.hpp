#pragma once

#include <sluice/event.hpp>
#include <sluice/parameters.hpp>

#include <span>

#include "stack/assoc/handshake.hpp"
#include "stack/assoc/path/path.hpp"
#include "stack/assoc/send_request.hpp"
#include "stack/assoc/services.hpp"
#include "stack/assoc/tx/first_come_scheduler.hpp"
#include "stack/assoc/tx/send_store.hpp"
#include "stack/assoc/tx/stream_table.hpp"
#include "stack/assoc/tx/waiting_senders.hpp"
#include "stack/wire/chunk_sack.hpp"

namespace sluice::wire {
class PacketWriter;
}

namespace sluice::assoc {

/// What a SACK did, for the owner of the association.
struct SackResult {
  bool valid = true;   ///< false: it acknowledged what was never sent; answer with ABORT (protocol violation)
  bool stale = false;  ///< older than one already seen; ignored
  bool cumulative_advanced = false;  ///< restarts the association error counter (§8.1)
  std::uint8_t paths_answered = 0;   ///< a bit a path: data sent there last was acknowledged (§8.2)
  std::uint8_t paths_proven = 0;     ///< and of those, where it was sent nowhere else (RFC 7829 §3.2)
  std::uint8_t paths_lost = 0;       ///< a third miss indication marked what was sent there for retransmission
};

/// The sending half of an association: messages per stream, the scheduler, TSNs, the send store, retransmission, flow
/// control, and congestion control by each path's controller. Sets and clears the T3-rtx deadlines of the paths; the
/// association watches them. Knows nothing of states.
///
/// The paths given to a call are all the paths of the association, each at the index that its PathId says.
class Sender : private WaitingSender {
 public:
  /// Send buffer that each message or part costs besides its bytes, so that small ones are bounded too.
  static constexpr std::uint32_t kPartOverhead = 64;

  Sender(Services& services, const Parameters& parameters, AssocId association, EndpointId endpoint);
  Sender(const Sender&) = delete;
  ~Sender();

  /// Begins, or begins anew after a restart: what was queued and not acknowledged is reported as send_failed then. The
  /// fragment size becomes that of the smallest path MTU.
  void start(const Handshake& handshake, std::span<Path> paths);
  /// Begins again before the peer acknowledged anything: what has a TSN goes again with it, by `paths`, which may be
  /// others than before.
  void start_over(const Handshake& handshake, std::span<Path> paths);
  /// Messages may be queued before the association is up; they leave after start(). Anything but `queued`: nothing was
  /// taken from the request; one without a byte is `wrong_part`. A message is taken whole as long as the buffer is not
  /// full, however large it is. A part of the message under way is taken even into a full buffer when nothing else can
  /// leave before it.
  SendStatus send(SendRequest&& request);

  void set_parameters(const Parameters& parameters) { parameters_ = &parameters; }
  /// The most user data that a new DATA chunk may carry, in bytes, at least 256. What was cut before stays as it is.
  void set_fragment_size(std::uint32_t bytes);
  /// Replaces the first-come-first-served scheduler. `scheduler` belongs to the caller and outlives this; only while
  /// nothing is queued.
  void set_scheduler(StreamScheduler& scheduler);

  /// Something could be sent on `path` now: retransmissions or new data allowed by its cwnd and the peer's window.
  bool has_data_for(const Path& path) const;
  /// Fills the rest of `packet` with DATA chunks for `path`, one of `paths`: first retransmissions, then, if
  /// `may_be_new`, new data (§6.1 C). Sets what T3-rtx needs. Returns how many chunks were written: possibly 0 when
  /// other chunks are in the packet before and leave too little room, or when a pool is empty; with an empty packet, 0
  /// means to stop trying in this poll turn.
  std::uint32_t fill(Timestamp now, std::span<Path> paths, Path& path, wire::PacketWriter& packet,
                     bool may_be_new = true);
  /// Bytes of DATA chunk that leaves next, if it is a retransmission; else 0. Larger than path.max_data_chunk(): it was
  /// cut before the MTU fell and needs a packet of that size, which leaves by IP fragmentation (§6.9).
  std::uint32_t next_retransmission_size() const;
  /// Some of what leaves next fits a packet that has `room` bytes left behind other chunks.
  bool fits_behind_others(std::uint32_t room) const;
  /// At the end of each flush that was not cut short by back-pressure: what Max.Burst (§6.1 D) allowed in this poll
  /// turn and was not used is forfeited.
  void end_flush(std::span<Path> paths);

  SackResult on_sack(Timestamp now, const wire::SackChunk& sack, std::span<Path> paths);
  /// The cumulative acknowledgement of a SHUTDOWN (§9.2).
  SackResult on_cumulative_ack(Timestamp now, Tsn cumulative_tsn, std::span<Path> paths);
  /// T3-rtx of `path` expired: RTO doubled, cwnd cut, what is outstanding there marked (§6.3.3). The association counts
  /// the expiry, the error if this returns true, and chooses where retransmissions go. False: it was a
  /// zero window probe, or data that was in flight when the window closed, and the peer has told a zero window since it
  /// was sent last (§6.1 A).
  bool on_t3_expired(Timestamp now, Path& path);

  /// What is in flight on `path` will not arrive, and that is no congestion: packets too large for it. It goes again.
  void send_again(Path& path);
  /// The link of `path` went down. What is in flight there goes again, and what arrived before proves nothing about the
  /// path when it is acknowledged.
  void on_link_lost(Path& path);

  /// When the next zero window probe is due: on_probe_deadline() and a flush then. kNever: none is awaited.
  Timestamp probe_deadline() const;
  /// When the message whose turn it is will have outlived its life time: drop_expired() then. kNever: never.
  Timestamp expiry_deadline() const;
  /// Fails the messages whose turn it is, and whose life time is over before any of them was sent (§11.1.5).
  void drop_expired(Timestamp now);
  /// Where new data is to go next; kAnyPath if nothing waits or it does not matter.
  PathId next_path() const;
  void on_probe_deadline(Timestamp now);

  /// Everything sent was acknowledged and nothing waits: SHUTDOWN may be sent (§9.2).
  bool drained() const { return queued_bytes_ == 0 && store_.empty() && current_ == nullptr; }
  /// Everything that may leave was acknowledged, and the message under way lacks its next part.
  bool awaits_part() const { return starved() && store_.empty(); }
  /// `request` would be a further part of a message that was begun.
  bool continues_message(const SendRequest& request) const;
  /// Bytes of user data queued or not yet cumulatively acknowledged.
  std::uint64_t buffered_bytes() const { return buffered_bytes_; }
  /// Bytes of user data in flight on all paths.
  std::uint32_t outstanding_bytes() const { return outstanding_bytes_; }
  /// The peer's rwnd: bytes of user data that it has room for beyond what is in flight (§6.2.1).
  std::uint32_t peer_window() const {
    return advertised_window_ > outstanding_bytes_ ? advertised_window_ - outstanding_bytes_ : 0;
  }
  /// Gives every message not fully acknowledged back in send_failed events.
  void fail_all(Reason reason);
  /// Offers again a writable or send_failed event that the application had no room for. True when none waits any more.
  bool resume_delivery(Timestamp now);
  /// Such an event waits.
  bool delivery_waiting() const { return failed_ != nullptr || writable_waiting_; }

  // For snapshots and tests.
  std::uint64_t queued_bytes() const { return queued_bytes_; }  ///< of user data without a TSN yet
  std::uint32_t message_parts() const { return parts_; }        ///< held, queued or not yet acknowledged
  std::uint32_t outstanding_chunks() const { return store_.size() - marked_ - gap_acked_; }  ///< in flight
  std::uint32_t sent_chunks() const { return store_.size(); }    ///< not acknowledged cumulatively
  std::uint32_t marked_chunks() const { return marked_; }        ///< waiting to be sent again
  std::uint32_t gap_acked_chunks() const { return gap_acked_; }  ///< acknowledged, but not cumulatively
  std::uint64_t retransmitted_chunks() const { return retransmitted_; }
  std::uint32_t timed_out_chunks() const { return timed_out_; }  ///< that expiries of T3-rtx found in flight
  bool in_fast_recovery() const { return fast_recovery_; }
  Tsn next_tsn() const { return store_.next_tsn(); }
  Tsn cumulative_tsn() const { return store_.cumulative_tsn(); }
  /// Calls visit(const SentChunk&) for each chunk not cumulatively acknowledged, in the order of TSNs.
  template <class Visit>
  void for_each_chunk(Visit&& visit) const;

 private:
  struct Packet;
  struct Progress;
  static std::uint32_t bursts_allowed(const Progress& progress);

  // sender.cpp: messages in, events out, beginning and end
  SendStatus refuse();
  SendStatus refuse(Scarce scarce);
  std::uint64_t charge() const;
  bool full() const;
  bool roomy() const;
  bool starved() const { return current_ != nullptr && current_->empty(); }
  void destroy(MessagePart& part);
  void forget_chunk(const SentChunk& chunk);
  void fail_part(MessagePart& part, Reason reason);
  void fail_queue(OutboundStream& stream, Reason reason);
  void drop_store(Reason reason);
  void drop_all(Reason reason);
  void adopt(const Handshake& handshake, std::span<Path> paths);
  void drop_refused_streams();
  void fail_front(OutboundStream& stream, Reason reason);
  void deliver_failures();
  void offer_writable();
  void wait_for(Scarce scarce);
  void stop_waiting();
  void wake_waiters();
  void wake(Scarce scarce, std::size_t most);

  // sender_fill.cpp: packets out
  void retransmit(Timestamp now, std::span<Path> paths, Path& path, Packet& packet);
  void send_new(Timestamp now, Path& path, Packet& packet);
  void cut(OutboundStream& stream, SentChunk& chunk, std::uint32_t length);
  void begin_message(OutboundStream& stream, std::uint32_t length);
  void write(Packet& packet, const SentChunk& chunk);
  void note_sent(Timestamp now, Path& path, SentChunk& chunk);
  void note_probe(Tsn tsn);
  OutboundStream* next_stream() const;
  std::uint32_t next_length() const;
  std::uint32_t chunk_limit() const;
  std::uint32_t cut_length(std::uint32_t uncut, std::uint32_t room, bool alone) const;
  bool burst_allows() const;
  bool order_allows(const OutboundStream& stream) const;
  Duration t3_interval(const Path& path) const;
  Duration backed_off(Duration interval) const;

  // sender_sack.cpp: acknowledgements in
  bool plausible(const wire::SackChunk& sack) const;
  SackResult finish(Timestamp now, Progress& progress);
  void acknowledge_cumulatively(Tsn cumulative_tsn, Progress& progress);
  void acknowledge(SentChunk& chunk, Progress& progress);
  std::span<const wire::GapAckBlock> sorted_gaps(const wire::SackChunk& sack);
  void apply_gap_blocks(const wire::SackChunk& sack, Progress& progress);
  void pass_missing(Tsn end, Progress& progress);
  void renege(Tsn tsn, Progress& progress);
  void count_misses(Progress& progress);
  void check_probe(Timestamp now, Progress& progress);
  void let_in(Progress& progress);
  void enter_fast_recovery(Timestamp now, Progress& progress);
  void update_path(Timestamp now, Path& path, Progress& progress);
  void mark(SentChunk& chunk, Path& path);
  void mark_all(Path& path);
  void find_lowest_outstanding(Path& path);

  Services& services_;
  const Parameters* parameters_;
  AssocId association_;
  EndpointId endpoint_;

  StreamTable streams_;
  FirstComeScheduler first_come_;
  StreamScheduler* scheduler_ = &first_come_;
  OutboundStream* current_ = nullptr;  ///< its message is begun and not wholly cut
  SendStore store_;
  SentChunk* next_marked_ = nullptr;  ///< none below it is marked
  MessagePart* failed_ = nullptr;     ///< send_failed events to deliver
  MessagePart* last_failed_ = nullptr;

  std::uint64_t queued_bytes_ = 0;
  std::uint64_t buffered_bytes_ = 0;
  std::uint64_t retransmitted_ = 0;
  Timestamp window_closed_at_;  ///< the last acknowledgement that left nothing in flight, or another window
  Duration probe_interval_{};
  std::uint32_t parts_ = 0;
  std::uint32_t timed_out_ = 0;
  std::uint32_t outstanding_bytes_ = 0;
  std::uint32_t marked_ = 0;
  std::uint32_t gap_acked_ = 0;
  std::uint32_t advertised_window_ = 0;  ///< a_rwnd
  std::uint32_t largest_window_ = 0;     ///< the largest a_rwnd seen
  std::uint32_t fragment_size_ = 0;
  std::uint32_t burst_left_ = 0;  ///< packets of new data that Max.Burst still allows
  Tsn highest_gap_acked_;         ///< while gap_acked_ is not 0
  Tsn fast_recovery_exit_;
  Tsn probe_tsn_;
  std::uint32_t stream_count_;
  std::uint8_t probe_doublings_ = 0;
  std::uint8_t recovering_paths_ = 0;  ///< by PathId, a bit each: those whose losses the Fast Recovery is about
  bool started_ : 1 = false;
  bool fast_recovery_ : 1 = false;
  bool fast_retransmit_due_ : 1 = false;  ///< one packet may leave whatever the cwnd (§7.2.4)
  bool probing_ : 1 = false;              ///< probe_tsn_ is a zero window probe in flight
  bool probe_answered_ : 1 = false;       ///< a SACK came since the probe was sent last
  bool window_told_zero_ : 1 = false;     ///< since a timeout or probe, the last SACK told a zero window
  bool kept_out_ : 1 = false;             ///< a zero window kept DATA out that was in flight when it closed
  bool probe_due_ : 1 = false;
  bool blocked_ : 1 = false;           ///< a send was refused: a writable event is owed
  bool writable_waiting_ : 1 = false;  ///< it is due, and the application had no room
};

template <class Visit>
void Sender::for_each_chunk(Visit&& visit) const {
  if (store_.empty()) return;
  auto& store = const_cast<SendStore&>(store_);  // only for reading: one front() instead of two
  SentChunk* chunk = &store.front();
  for (std::uint32_t left = store_.size(); left > 0; --left) {
    visit(static_cast<const SentChunk&>(*chunk));
    if (left > 1) chunk = &SendStore::advance(*chunk, 1);
  }
}

}  // namespace sluice::assoc
