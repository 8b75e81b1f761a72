#pragma once

#include <sluice/parameters.hpp>

#include "stack/assoc/handshake.hpp"
#include "stack/assoc/path/path.hpp"
#include "stack/assoc/rx/receiver.hpp"
#include "stack/assoc/send_request.hpp"
#include "stack/assoc/services.hpp"
#include "stack/assoc/tx/sender.hpp"

namespace sluice::assoc {

/// RFC 9260 §4.
enum class State : std::uint8_t {
  closed,
  cookie_wait,
  cookie_echoed,
  established,
  shutdown_pending,
  shutdown_sent,
  shutdown_received,
  shutdown_ack_sent,
};

/// What RFC 9260 §5.2.4 Table 12 makes of a valid COOKIE ECHO for an association that exists. The endpoint room opens
/// the cookie and decides; cases that are to be discarded never reach the association.
enum class CookieAction : std::uint8_t {
  restart,    ///< action A: the peer began anew
  collision,  ///< action B: both opened at once; the peer's tag may have changed
  duplicate,  ///< action D: both tags are the association's
};

/// Names of an association that stay the same over restarts.
struct Identity {
  AssocId id;
  EndpointId endpoint;
};

/// One association: the protocol's state machine (RFC 9260). Packets and time come in as arguments, everything else
/// goes out through Services::host. Belongs to one worker for life. After each call (or once a poll turn) the owner
/// calls flush(), reads next_deadline(), and disposes of it when state() is closed and finished() is true.
class Association {
 public:
  Association(Services& services, const Parameters& parameters, Identity identity);
  Association(const Association&) = delete;
  ~Association();

  /// Opens actively (§5.1 A): INIT leaves at the next flush. `local_tag`, `local_initial_tsn`, ports, streams and
  /// addresses of `ours` are filled in; `peer_addresses` is where to try.
  void connect(Timestamp now, const Handshake& ours);
  /// Starts in ESTABLISHED from a valid cookie (§5.1 D); `packet` holds the COOKIE ECHO and what follows it.
  /// COOKIE ACK leaves at the next flush.
  void accept(Timestamp now, const Handshake& agreed, base::InboundPacket&& packet);

  /// A packet whose tag, ports and addresses were found to be this association's (§8.5), or that the endpoint gave
  /// it after looking it up: INIT ACK, ABORT and SHUTDOWN COMPLETE with their own tag rules.
  void receive(Timestamp now, base::InboundPacket&& packet);
  /// A packet that begins with a COOKIE ECHO whose cookie is ours and valid, holds `agreed`, and means `action`. In
  /// SHUTDOWN-ACK-SENT a restart is refused: SHUTDOWN ACK again and an ERROR (§5.2.4 A); else COOKIE ACK leaves at the
  /// next flush, and after a restart handshake() is `agreed`.
  void receive_cookie(Timestamp now, CookieAction action, const Handshake& agreed, base::InboundPacket&& packet);

  SendStatus send(SendRequest&& request);
  /// Graceful end (§9.2). False when it is closed or closing already.
  bool shutdown(Timestamp now);
  /// Sends ABORT with `reason` as User-Initiated Abort (§9.1, §3.3.10.12) and ends at once.
  void abort(Timestamp now, std::string_view reason);

  /// Everything that fell due.
  void on_deadline(Timestamp now);
  /// When on_deadline() must be called at the latest; kNever if nothing is awaited.
  Timestamp next_deadline() const;
  /// Sends what there is to say: control chunks, one SACK, DATA bundled up to the path MTU. Called once at the end of a
  /// poll turn in which the association was touched. False: the transmit ring was full, call again when it has room.
  bool flush(Timestamp now);
  /// The application has room again. True when no event waits any more.
  bool resume_delivery(Timestamp now);

  State state() const;
  /// Ports, tags, addresses and streams as they are now. Until the INIT ACK came the peer's tag is zero and the streams
  /// are what we wish for.
  const Handshake& handshake() const;
  /// Closed, and its last event was delivered: the owner may dispose of it.
  bool finished() const;
};

}  // namespace sluice::assoc
