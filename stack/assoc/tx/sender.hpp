#pragma once

#include <sluice/parameters.hpp>

#include <span>

#include "stack/assoc/handshake.hpp"
#include "stack/assoc/path/path.hpp"
#include "stack/assoc/send_request.hpp"
#include "stack/assoc/services.hpp"
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
  bool path_answered[kMaxAddresses] =
      {};  ///< by PathId: data sent there was acknowledged; its error counter restarts (§8.3)
};

/// The sending half of an association: messages per stream, the scheduler, TSNs, the send store, retransmission, flow
/// control, and congestion control by each path's controller. Sets and clears the T3-rtx deadlines of the paths; the
/// association watches them. Knows nothing of states.
class Sender {
 public:
  Sender(Services& services, const Parameters& parameters, AssocId association, EndpointId endpoint);
  Sender(const Sender&) = delete;
  ~Sender();

  /// Begins, or begins anew after a restart: what was queued and not acknowledged is reported as send_failed.
  void start(const Handshake& handshake, std::span<Path> paths);
  /// Messages may be queued before the association is up; they leave after start().
  SendStatus send(SendRequest&& request);

  /// Something could be sent on `path` now: retransmissions or new data allowed by its cwnd and the peer's window.
  bool has_data_for(const Path& path) const;
  /// Fills the rest of `packet` with DATA chunks for `path`: first retransmissions, then new data (§6.1 C). Sets what
  /// T3-rtx needs. Returns how many chunks were written.
  std::uint32_t fill(Timestamp now, Path& path, wire::PacketWriter& packet);

  SackResult on_sack(Timestamp now, const wire::SackChunk& sack, std::span<Path> paths);
  /// The cumulative acknowledgement of a SHUTDOWN (§9.2).
  SackResult on_cumulative_ack(Timestamp now, Tsn cumulative_tsn, std::span<Path> paths);
  /// T3-rtx of `path` expired: RTO doubled, cwnd cut, what is outstanding there marked (§6.3.3). The association counts
  /// the error and chooses where retransmissions go.
  void on_t3_expired(Timestamp now, Path& path);

  /// Everything sent was acknowledged and nothing waits: SHUTDOWN may be sent (§9.2).
  bool drained() const;
  /// Bytes queued or not yet acknowledged, and whether a send of `bytes` would block.
  std::uint64_t buffered_bytes() const;
  std::uint32_t outstanding_bytes() const;
  std::uint32_t peer_window() const;
  /// Reports every message not fully acknowledged as send_failed and lets it go.
  void fail_all(Reason reason);
  /// Offers again a writable or send_failed event that the application had no room for. True when none waits any more.
  bool resume_delivery(Timestamp now);
};

}  // namespace sluice::assoc
