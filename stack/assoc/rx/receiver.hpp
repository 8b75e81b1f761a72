#pragma once

#include <sluice/parameters.hpp>

#include "stack/assoc/handshake.hpp"
#include "stack/assoc/services.hpp"
#include "stack/wire/chunk_data.hpp"

namespace sluice::wire {
class PacketWriter;
}

namespace sluice::assoc {

/// What became of one DATA chunk.
enum class DataVerdict : std::uint8_t {
  accepted,
  duplicate,           ///< its TSN was received before: reported in the next SACK
  out_of_window,       ///< no room, or too far ahead: dropped, not acknowledged
  no_user_data,        ///< answer with ABORT, "No User Data" (RFC 9260 §6.2)
  invalid_stream,      ///< acknowledged, then answered with ERROR "Invalid Stream Identifier" (§6.5)
  protocol_violation,  ///< fragments that contradict each other: answer with ABORT
};

/// The receiving half of an association: which TSNs came, SACKs, reassembly, order within streams, the receive window,
/// delivery upwards. Knows nothing of states, paths or the sending half.
class Receiver {
 public:
  Receiver(Services& services, const Parameters& parameters, AssocId association, EndpointId endpoint);
  Receiver(const Receiver&) = delete;
  ~Receiver();

  /// Begins, or begins anew after a restart: everything held is let go.
  void start(const Handshake& handshake);

  /// Takes a DATA chunk that stands in `packet`. Delivers what became deliverable.
  DataVerdict on_data(Timestamp now, const wire::DataChunk& chunk, base::Buffer& packet);
  /// Once after the last chunk of each packet that had DATA: decides when the SACK is due (§6.2).
  /// `immediately`: the I bit was seen, or the state asks for it.
  void on_packet_end(Timestamp now, bool immediately);
  /// A SACK should leave in this poll turn.
  bool sack_due(Timestamp now) const;
  /// When a delayed SACK falls due; kNever if none is waiting.
  Timestamp sack_deadline() const;
  /// Something was received that no SACK reported yet: a SACK may ride along with DATA.
  bool sack_pending() const;
  /// Writes a SACK into what room `packet` has, with as many gaps and duplicates as fit. False: not even a bare one
  /// fits; nothing was written.
  bool write_sack(Timestamp now, wire::PacketWriter& packet);

  /// The highest TSN up to which everything came.
  Tsn cumulative_tsn() const;
  /// The a_rwnd that a SACK sent now would carry.
  std::uint32_t window() const;
  /// Offers again what the application had no room for. True when nothing waits any more.
  bool resume_delivery(Timestamp now);
  /// Held back for want of room in the application's ring.
  bool delivery_waiting() const;
};

}  // namespace sluice::assoc
