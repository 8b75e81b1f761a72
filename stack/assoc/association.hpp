#pragma once

#include <sluice/parameters.hpp>

#include <span>
#include <string_view>

#include "stack/assoc/handshake.hpp"
#include "stack/assoc/path/path.hpp"
#include "stack/assoc/rx/receiver.hpp"
#include "stack/assoc/send_request.hpp"
#include "stack/assoc/services.hpp"
#include "stack/assoc/snapshot.hpp"
#include "stack/assoc/state.hpp"
#include "stack/assoc/tx/sender.hpp"

namespace sluice::assoc {

/// Names of an association that stay the same over restarts.
struct Identity {
  AssocId id;
  EndpointId endpoint;
};

/// What RFC 9260 §5.2.4 Table 12 makes of a valid COOKIE ECHO for an association that exists. The endpoint room opens
/// the cookie and decides; cases that are to be discarded never reach the association.
enum class CookieAction : std::uint8_t {
  restart,    ///< action A: the peer began anew
  collision,  ///< action B: both opened at once; the peer's tag may have changed
  duplicate,  ///< action D: both tags are the association's
};

/// One association: the protocol's state machine (RFC 9260). Packets and time come in as arguments, everything else
/// goes out through Services::host. Belongs to one worker for life. After each call (or once a poll turn) the owner
/// calls flush(), reads next_deadline(), and disposes of it when state() is closed and finished() is true.
class Association {
 public:
  /// `parameters` outlive the association.
  Association(Services& services, const Parameters& parameters, Identity identity);
  Association(const Association&) = delete;
  Association& operator=(const Association&) = delete;
  ~Association();

  /// Opens actively (§5.1 A): INIT leaves at the next flush. `local_tag`, `local_initial_tsn`, ports, streams and
  /// addresses of `ours` are filled in (streams: what we wish for and at most grant); `peer_addresses`, at least one,
  /// is where to try. Without memory for its paths it closes at once, with connect_failed.
  void connect(Timestamp now, const Handshake& ours);
  /// Starts in ESTABLISHED from a valid cookie (§5.1 D); `packet` holds the COOKIE ECHO and what follows it.
  /// COOKIE ACK leaves at the next flush. Without memory for its paths it answers ABORT and closes at once.
  void accept(Timestamp now, const Handshake& agreed, base::InboundPacket&& packet);

  /// A packet whose tag, ports and addresses were found to be this association's (§8.5), or that the endpoint gave
  /// it after looking it up: INIT ACK, ABORT, SHUTDOWN ACK and SHUTDOWN COMPLETE with their own tag rules (§8.5.1).
  /// INIT and COOKIE ECHO are the endpoint's: it answers the former and brings the latter by receive_cookie().
  void receive(Timestamp now, base::InboundPacket&& packet);
  /// A packet that begins with a COOKIE ECHO whose cookie is ours and valid, holds `agreed`, and means `action`. In
  /// SHUTDOWN-ACK-SENT a restart is refused: SHUTDOWN ACK again and an ERROR (§5.2.4 A); else COOKIE ACK leaves at the
  /// next flush, and after a restart handshake() is `agreed`: the table of tags must follow local_tag(). Not for state
  /// closed.
  void receive_cookie(Timestamp now, CookieAction action, const Handshake& agreed, base::InboundPacket&& packet);
  /// An INIT from this association's peer came in SHUTDOWN-ACK-SENT: SHUTDOWN ACK leaves again instead of an INIT ACK
  /// (§9.2). In other states nothing.
  void repeat_shutdown_ack();

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
  /// Closed, and its last event was delivered: the owner may dispose of it.
  bool finished() const;

  // What the endpoint and the worker ask in order to recognise packets and to answer INITs.
  AssocId id() const;
  EndpointId endpoint() const;
  std::uint16_t local_port() const;
  std::uint16_t peer_port() const;
  VTag local_tag() const;
  /// 0 before the INIT ACK.
  VTag peer_tag() const;
  std::span<const Path> paths() const;
  std::span<const IpAddress> local_addresses() const;
  bool has_local_address(const IpAddress& address) const;
  bool has_peer_address(const IpAddress& address) const;
  /// Ports, tags, addresses and streams as they are now, put together on each call. Until the INIT ACK came the peer's
  /// tag is zero and the streams are what we wish for.
  Handshake handshake() const;
  /// What a cookie made for this peer carries (§5.2.2): none in COOKIE-WAIT and SHUTDOWN-ACK-SENT.
  TieTags tie_tags() const;
  /// True once after the peer's addresses became others (INIT ACK, restart): the directory must follow.
  bool take_addresses_changed();

  /// Looks every path's next hop, source and MTU up again: routes or neighbours changed.
  void refresh_routes();
  /// New data goes to `path` from now on while it is usable (§11.1.6). False: there is no such path, or it is not
  /// confirmed.
  bool set_primary(PathId path);

  void snapshot(Snapshot& out) const;
};

}  // namespace sluice::assoc
