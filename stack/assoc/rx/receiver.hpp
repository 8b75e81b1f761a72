#pragma once

#include <sluice/parameters.hpp>

#include "stack/assoc/handshake.hpp"
#include "stack/assoc/rx/held_chunk.hpp"
#include "stack/assoc/rx/inbound_streams.hpp"
#include "stack/assoc/rx/pin_ledger.hpp"
#include "stack/assoc/rx/receive_window.hpp"
#include "stack/assoc/rx/sack_schedule.hpp"
#include "stack/assoc/services.hpp"
#include "stack/wire/chunk_data.hpp"

namespace sluice::wire {
class PacketWriter;
}

namespace sluice::assoc {

class TsnMap;

/// What became of one DATA chunk.
enum class DataVerdict : std::uint8_t {
  accepted,
  duplicate,           ///< its TSN was received before: reported in the next SACK
  out_of_window,       ///< no room, or too far ahead: dropped, not acknowledged
  no_user_data,        ///< answer with ABORT, "No User Data" (RFC 9260 §6.2)
  invalid_stream,      ///< acknowledged, then answered with ERROR "Invalid Stream Identifier" (§6.5)
  protocol_violation,  ///< fragments or SSNs that contradict each other: answer with ABORT
};

/// The receiving half of an association: which TSNs came, SACKs, reassembly, order within streams, the receive window,
/// delivery upwards. Knows nothing of states, paths or the sending half.
///
/// What is next in order is delivered where it stands in the received packet. Only what must wait is held: fragments
/// of an incomplete message, and messages before their turn in their stream. Since the fragments of a message have
/// consecutive TSNs, and a stream's SSNs follow its TSNs, everything held lies beyond the cumulative TSN and may be
/// given back (§6.2), but for one message of which fragments up to the cumulative TSN came: the open message. That one
/// is delivered in parts when it grows past Parameters::partial_delivery_point or memory runs short; all else of its
/// stream is held until it has ended, so that the pieces of a stream's messages never mix.
///
/// A peer that skips an SSN breaks §6.5. As long as memory is plenty, a few messages, each whole in a chunk, wait all
/// the same for the one that was left out (§6.6), though nothing of them can be given back; more are a violation.
///
/// Every block that the application or this class keeps is charged whole to the association's PinLedger, what holding
/// costs besides is charged too, and the sum never passes Parameters::pin_limit. Data that waits is copied out, packed,
/// when it is less than a quarter of what it would pin, or when the receive pool is low.
class Receiver final : private UnpinListener {
 public:
  /// `parameters` outlive the receiver.
  Receiver(Services& services, const Parameters& parameters, AssocId association, EndpointId endpoint);
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver();

  /// Others from now on; the receive window stays as it was offered, and with it the pin limit, until start().
  void set_parameters(const Parameters& parameters) { parameters_ = &parameters; }

  /// Begins, or begins anew after a restart: everything held is let go. What was in order already and only waits for
  /// room in the application's ring stays; a message of which parts were delivered ends with delivery_aborted.
  void start(const Handshake& handshake);

  /// Takes a DATA chunk that stands in `packet`. Delivers what became deliverable.
  DataVerdict on_data(Timestamp now, const wire::DataChunk& chunk, base::Buffer& packet);
  /// Once after the last chunk of each packet that had DATA: decides when the SACK is due (§6.2).
  /// `immediately`: the I bit was seen, or the state asks for it.
  void on_packet_end(Timestamp now, bool immediately);
  /// A SACK should leave in this poll turn.
  bool sack_due(Timestamp now) const { return sack_.due(now) || update_due_; }
  /// When a delayed SACK falls due; kNever if none is waiting.
  Timestamp sack_deadline() const { return sack_.deadline(); }
  /// Something was received that no SACK reported yet: a SACK may ride along with DATA.
  bool sack_pending() const { return sack_.pending() || update_due_; }
  /// Packets with DATA since the last SACK.
  std::uint16_t packets_since_sack() const { return sack_.packets(); }
  /// Bytes of a SACK with all gaps and duplicates that there are.
  std::uint32_t sack_size() const;
  /// Writes a SACK into what room `packet` has, with as many gaps and duplicates as fit. False: not even a bare one
  /// fits; nothing was written.
  bool write_sack(Timestamp now, wire::PacketWriter& packet);

  /// The highest TSN up to which everything came.
  Tsn cumulative_tsn() const { return cumulative_; }
  /// The a_rwnd that a SACK sent now would carry. How it follows from pinned memory: see ReceiveWindow.
  std::uint32_t window() const { return window_.to_advertise(pinned()); }
  /// Bytes of memory charged to this association: blocks, counted whole, that it or the application holds, and the
  /// records of held chunks.
  std::uint64_t pinned() const {
    return (ledger_ == nullptr ? 0 : ledger_->pinned_bytes) + held_count_ * sizeof(HeldChunk);
  }
  std::uint32_t held_chunks() const { return held_count_; }  ///< received, and not yet delivered
  /// TSNs beyond the cumulative one were received.
  bool has_gaps() const { return map_ != nullptr; }
  /// Offers again what the application had no room for. True when nothing waits any more.
  bool resume_delivery(Timestamp now);
  /// Held back for want of room in the application's ring.
  bool delivery_waiting() const { return !waiting_.empty(); }

 private:
  /// The message that began in order and whose end has not come; its fragments all have TSNs up to the cumulative one.
  struct OpenMessage {
    HeldList chunks;          // not yet delivered
    std::uint32_t bytes = 0;  // of `chunks`
    std::uint32_t message_id = 0;
    Ppid ppid;
    StreamId stream;
    Ssn ssn;
    bool unordered = false;
    bool open = false;
    bool partial = false;  // parts of it were delivered
  };

  void on_unpinned() noexcept override;

  // receiver.cpp: TSNs.
  bool ready();
  bool make_map();
  void drop_map();
  void mark(Tsn tsn);
  DataVerdict on_duplicate(Tsn tsn);
  DataVerdict refuse();
  DataVerdict on_invalid_stream(const wire::DataChunk& chunk);
  DataVerdict in_order(const wire::DataChunk& chunk, base::Buffer& packet);
  DataVerdict out_of_order(const wire::DataChunk& chunk, base::Buffer& packet);
  DataVerdict advance_past(Tsn tsn);
  bool absorb(HeldChunk& held);
  bool may_wait_for_ssn(StreamId id, Ssn ssn, const InboundStream& stream) const;
  bool continues_open_message(const wire::DataChunk& chunk) const;
  bool open_in(StreamId stream) const;
  bool in_parts(StreamId stream) const;
  bool fits_neighbours(const wire::DataChunk& chunk) const;
  void join_run(HeldChunk& held, InboundStream& stream);
  void count_received(const wire::DataChunk& chunk);

  // receiver_delivery.cpp: messages upwards.
  bool deliver_whole(const wire::DataChunk& chunk, InboundStream& stream, base::Buffer& packet);
  bool deliver_from_packet(const wire::DataChunk& chunk, std::uint32_t message_id, Ppid ppid, base::Buffer& packet);
  void deliver_run(HeldChunk& first, InboundStream& stream);
  bool turns_wait() const { return map_ != nullptr || !skipped_.empty(); }
  void deliver_turns(StreamId id, InboundStream& stream);
  HeldChunk* take_skipped(StreamId id, Ssn ssn);
  void begin_open_message(StreamId stream, Ssn ssn, Ppid ppid, bool unordered);
  bool take_open_fragment(const wire::DataChunk& chunk, InboundStream& stream, base::Buffer& packet);
  void append_to_open_message(HeldChunk& held, InboundStream& stream);
  void deliver_open_parts(InboundStream& stream);
  void finish_open_message(InboundStream& stream);
  void deliver_held_back(InboundStream& stream);
  void deliver_open_chunks();
  void abort_open_message();
  void deliver_held(HeldChunk& held);
  bool offer(HeldChunk& held);

  // receiver_memory.cpp: what is held.
  enum class Supply : std::uint8_t { ample, low, scarce };
  Supply supply() const;
  HeldChunk* hold(const wire::DataChunk& chunk, base::Buffer& packet);
  const std::byte* keep_for_application(base::Buffer& kept, std::span<const std::byte> payload, base::Buffer& packet,
                                        Tsn tsn);
  const std::byte* keep(base::Buffer& kept, std::span<const std::byte> payload, base::Buffer& packet, Tsn tsn,
                        bool copy, Supply supply);
  const std::byte* copy_out(base::Buffer& kept, std::span<const std::byte> payload, Tsn tsn);
  void tidy_copies();
  bool make_room(std::uint64_t bytes, Tsn tsn);
  bool renege_one(Tsn tsn);
  void let_go(HeldChunk& held);
  void let_go_of_all_beyond();
  void let_go(HeldList& list);
  void let_go_of_skipped();

  Services& services_;
  const Parameters* parameters_;
  const AssocId association_;
  const EndpointId endpoint_;
  Tsn cumulative_;
  Tsn highest_;  // the highest received; `cumulative_` when there is no gap
  TsnMap* map_ = nullptr;
  PinLedger* ledger_ = nullptr;
  std::uint32_t held_count_ = 0;
  bool update_due_ = false;  // the window opened by enough to say so
  ReceiveWindow window_;
  SackSchedule sack_;
  InboundStreams streams_;
  OpenMessage open_;
  HeldList skipped_;  // whole messages up to the cumulative TSN, before their turn: an SSN before theirs was left out
  HeldList waiting_;  // in order, but the application's ring was full
  base::Buffer copies_;  // the block into which small pieces are copied out next
};

}  // namespace sluice::assoc
