#pragma once

#include <sluice/parameters.hpp>

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "stack/assoc/event_queue.hpp"
#include "stack/assoc/handshake.hpp"
#include "stack/assoc/icmp_report.hpp"
#include "stack/assoc/path_set.hpp"
#include "stack/assoc/rx/receiver.hpp"
#include "stack/assoc/send_request.hpp"
#include "stack/assoc/services.hpp"
#include "stack/assoc/snapshot.hpp"
#include "stack/assoc/state.hpp"
#include "stack/assoc/tx/sender.hpp"
#include "stack/wire/common_header.hpp"
#include "stack/wire/error_causes.hpp"

namespace sluice::wire {
class AbortChunk;
class DataChunk;
class InitChunk;
}  // namespace sluice::wire

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
  /// is where to try. Without memory for its paths it closes at once, with connect_failed (no_resources).
  void connect(Timestamp now, const Handshake& ours);
  /// Starts in ESTABLISHED from a valid cookie (§5.1 D); `packet` holds the COOKIE ECHO and what follows it.
  /// COOKIE ACK leaves at the next flush. Without memory for its paths the peer gets an ABORT (Out of Resource), and it
  /// stays closed and is finished().
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
  /// An INIT from this association's peer came from `source` in SHUTDOWN-ACK-SENT: SHUTDOWN ACK leaves again instead
  /// of an INIT ACK (§9.2), to there if that is a confirmed address of the peer. In other states nothing.
  void repeat_shutdown_ack(const IpAddress& source);

  /// Once a shutdown was asked for, by us or by the peer, only further parts of a message that was begun are taken. The
  /// shutdown waits for its end, at most as long as T5-shutdown-guard.
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

  State state() const { return state_; }
  /// Closed, and its last event was delivered: the owner may dispose of it.
  bool finished() const { return state_ == State::closed && end_delivered_; }

  // What the endpoint and the worker ask in order to recognise packets and to answer INITs.
  AssocId id() const { return identity_.id; }
  EndpointId endpoint() const { return identity_.endpoint; }
  std::uint16_t local_port() const { return local_port_; }
  std::uint16_t peer_port() const { return peer_port_; }
  VTag local_tag() const { return local_tag_; }
  /// 0 before the INIT ACK.
  VTag peer_tag() const { return peer_tag_; }
  std::span<const Path> paths() const { return paths_.paths(); }
  std::span<const IpAddress> local_addresses() const { return paths_.local_addresses(); }
  bool has_local_address(const IpAddress& address) const;
  bool has_peer_address(const IpAddress& address) const;
  /// Ports, tags, addresses and streams as they are now, put together on each call. Until the INIT ACK came the peer's
  /// tag is zero and the streams are what we wish for.
  Handshake handshake() const;
  /// What a cookie made for this peer carries (§5.2.2): none in COOKIE-WAIT.
  TieTags tie_tags() const;
  /// True once after the peer's addresses became others (INIT ACK, restart): the directory must follow. Those that
  /// are gone Host::addresses_gone() told of.
  bool take_addresses_changed() { return std::exchange(addresses_changed_, false); }

  /// Looks every path's next hop, source and MTU up again: routes or neighbours changed.
  void refresh_routes();
  /// An ICMP message about a packet that was sent between this association's ports and addresses. It is heeded only if
  /// it quotes the right tag (§10): a lower path MTU is taken over, and what was in flight there goes again at the next
  /// flush; protocol unreachable ends the association as an ABORT does. Anything else is counted and ignored.
  void on_icmp(Timestamp now, const IcmpReport& report);
  /// The link of `port`, a port of Host::resolve(), went down or came up: paths over it fail at once if there are
  /// others, and are probed at once when it is back. True: something has to leave at the next flush.
  bool on_link(std::uint16_t port, bool up);
  /// New data goes to `path` from now on while it is usable (§11.1.6). False: there is no such path, or it is not
  /// confirmed.
  bool set_primary(PathId path);
  /// Other parameters from now on (§11.1.13); they outlive the association. Those of single paths are reset.
  void set_parameters(Timestamp now, const Parameters& parameters);
  const Parameters& parameters() const { return *parameters_; }
  /// Changes what is set for one path alone (§11.1.9, §11.1.12). False: there is no such path.
  bool set_path(Timestamp now, PathId path, const PathOptions& options);
  /// A HEARTBEAT leaves for `path` at the next flush, unless one is under way (§11.1.10). False: there is no such path,
  /// or the association is not up.
  bool request_heartbeat(PathId path);

  void snapshot(Snapshot& out) const;
  /// For those who look on.
  const Sender& sender() const { return sender_; }

 private:
  /// Control chunks that leave at the next flush.
  enum Pending : std::uint8_t {
    kInit = 1,
    kCookieEcho = 2,
    kCookieAck = 4,
    kShutdown = 8,
    kShutdownAck = 16,
    kAgain = 32,  // beside another: because T1 or T2 expired
  };
  /// What to do after a chunk.
  enum class Next : bool { chunk, done };
  /// The packet being read.
  struct Inbound {
    Timestamp now;
    base::InboundPacket& packet;
    wire::CommonHeader header;
    Path* path = nullptr;    ///< the one it came by; null only for INIT ACK
    bool data = false;       ///< it held DATA that this state accepts
    bool duplicate = false;  ///< some of it was received before
    bool heartbeat = false;  ///< it held HEARTBEATs
    bool shutdown = false;   ///< it held a SHUTDOWN
    bool sack_immediately = false;
    bool replied = false;      ///< a chunk that answers it is in the packet under way
    std::uint8_t reports = 0;  ///< ERROR chunks that it provoked
    std::uint8_t sacks = 0;    ///< SACKs of it that were read
  };
  using Handler = Next (Association::*)(Inbound&, const wire::Chunk&);
  struct InitAckParameters;
  /// Why we abort: one error cause.
  struct AbortCause {
    wire::CauseCode code;
    std::string_view text = {};                  ///< of User-Initiated Abort and Protocol Violation
    Tsn tsn = {};                                ///< of No User Data
    const wire::Parameter* parameter = nullptr;  ///< of Unresolvable Address
  };
  /// Why a path is charged with an error.
  enum class PathFault : std::uint8_t { t3, heartbeat, probe, control };

  // association_input.cpp: what comes in.
  bool tag_is_acceptable(const Inbound& in) const;
  void read_chunks(Inbound& in, std::span<const std::byte> chunks);
  void end_packet(Inbound& in);
  void acknowledge_before(const Inbound& in);
  Next on_control(Inbound& in, const wire::Chunk& chunk);
  Next on_data(Inbound& in, const wire::Chunk& chunk);
  Next refuse_data(Inbound& in, const wire::DataChunk& data, DataVerdict verdict);
  Next on_sack(Inbound& in, const wire::Chunk& chunk);
  Next take_acknowledgement(Inbound& in, const SackResult& result);
  Next on_heartbeat(Inbound& in, const wire::Chunk& chunk);
  Next on_heartbeat_ack(Inbound& in, const wire::Chunk& chunk);
  Next on_error(Inbound& in, const wire::Chunk& chunk);
  Next on_abort(Inbound& in, const wire::Chunk& chunk);
  Next on_misplaced(Inbound& in, const wire::Chunk& chunk);
  Next on_unrecognized(Inbound& in, const wire::Chunk& chunk);
  static bool is_alone(const Inbound& in, const wire::Chunk& chunk);
  void note_reply(Inbound& in);
  bool may_reply(const Inbound& in, const Path& path, std::size_t bytes) const;
  /// An ERROR chunk to answer `in` with, where the caller puts one cause of `bytes`; false: no more for this packet.
  std::optional<wire::ChunkWriter> report(Inbound& in, std::uint32_t bytes);

  // association_setup.cpp, association_cookie.cpp: §5.
  void adopt(const Handshake& agreed);
  bool make_paths(const Handshake& handshake);
  bool change_peer_addresses(Handshake& agreed, const AddressList& addresses);
  AddressList peer_addresses(const InitAckParameters& parameters, const IpAddress& source) const;
  bool send_init(Timestamp now);
  Next on_init_ack(Inbound& in, const wire::Chunk& chunk);
  bool is_of_whom_we_asked(const Inbound& in, const InitAckParameters& parameters) const;
  AddressList confirmed_first(const AddressList& peers) const;
  bool check_init_ack(const Inbound& in, const wire::InitChunk& init_ack, const InitAckParameters& parameters);
  void refuse_init_ack(const Inbound& in, VTag tag, const AbortCause& cause, Reason reason);
  bool take_init_ack(const Inbound& in, const wire::InitChunk& init_ack, const InitAckParameters& parameters);
  bool send_cookie_echo(Timestamp now);
  void report_init_ack_parameters(wire::PacketWriter& packet) const;
  Next on_cookie_ack(Inbound& in, const wire::Chunk& chunk);
  bool on_stale_cookie(Timestamp now);
  void on_t1_expired(Timestamp now);
  void restart(Timestamp now, const Handshake& agreed);
  void refuse_restart(Timestamp now, const base::InboundPacket& packet);
  bool collide(const Handshake& agreed);
  void acknowledge_cookie(const base::InboundPacket& packet);
  bool send_cookie_ack();
  void start_sender(const Handshake& agreed);
  void start_receiver(const Handshake& agreed);
  void read_behind_cookie(Timestamp now, base::InboundPacket& packet);
  void become_established(Timestamp now);

  // association_teardown.cpp: §9.
  Next on_shutdown(Inbound& in, const wire::Chunk& chunk);
  Next on_shutdown_ack(Inbound& in, const wire::Chunk& chunk);
  Next on_shutdown_complete(Inbound& in, const wire::Chunk& chunk);
  void advance_shutdown(Timestamp now);
  bool send_shutdown(Timestamp now);
  bool send_shutdown_ack(Timestamp now);
  void send_shutdown_complete(Path& path, VTag tag, bool tag_reflected);
  void on_t2_expired(Timestamp now);
  void send_abort(Path& path, VTag tag, bool tag_reflected, const AbortCause& cause);
  void send_abort_back(const base::Arrival& arrival, VTag tag, bool tag_reflected, const AbortCause& cause);
  void write_abort(wire::PacketWriter& packet, bool tag_reflected, const AbortCause& cause);
  void keep_reason(const base::InboundPacket& packet, const wire::AbortChunk& abort);
  void abort_with(Reason reason, const AbortCause& cause);
  Next on_violation(Inbound& in, const AbortCause& cause);
  bool take_abort(Inbound& in);
  static std::optional<wire::Chunk> abort_in(const base::InboundPacket& packet);
  void drop_replies(Inbound& in);
  void abort_unanswered(Reason reason);
  void close(EventType end, Reason reason);
  void fail(Reason reason);

  // association_paths.cpp: §6.4, §8.
  bool set_up_path(Path& path, const IpAddress& destination, std::span<const IpAddress> local_addresses);
  void resolve(Path& path, std::span<const IpAddress> local_addresses);
  Path* path_from(const IpAddress& source);
  Path& reply_path(Path& from);
  void choose_data_path();
  PathId fittest_path(PathId path) const;
  void move_data(PathId to);
  void choose_sack_path(const Path& from, bool duplicate);
  void charge(Path& path, PathFault fault);
  void judge(Path& path);
  void switch_primary();
  void retransmit_where_lost(std::uint8_t paths);
  bool has_path_beside(std::uint16_t port) const;
  void fail_path(Path& path);
  void path_answered(Path& path);
  void path_perhaps_answered(const Path& path);
  void set_path_state(Path& path, PathState state);
  void schedule_heartbeats(Timestamp now);
  void schedule_heartbeat(Timestamp now, Path& path);
  void want_heartbeat(Path& path);
  static void forget_heartbeats(Path& path);
  void change_heartbeat(Timestamp now, Path& path, Duration interval);
  void on_heartbeat_deadline(Timestamp now, Path& path);
  void on_heartbeat_timeout(Timestamp now, Path& path);
  bool send_heartbeats(Timestamp now);
  bool probe_allowed(Timestamp now);
  bool send_heartbeat(Timestamp now, Path& path);
  void on_t3_expired(Timestamp now, Path& path);

  // association_icmp.cpp: §10.
  bool quotes_our_tag(const IcmpReport& report) const;
  void learn_path_mtu(Timestamp now, Path& path, std::uint16_t mtu);
  void forget_learned_mtu(Path& path);

  // association_output.cpp: what goes out.
  std::uint32_t fill_with_data(Timestamp now, Path& path, wire::PacketWriter& packet);
  wire::PacketWriter* packet_for(Path& path, std::uint32_t room);
  wire::PacketWriter* packet_for_whole(Path& path, std::size_t size);
  wire::PacketWriter* new_packet(Path& path, std::uint32_t limit, VTag tag);
  void send_packet();
  void drop_packet();
  bool send_control(Timestamp now);
  void sent_timed_control(Pending chunk);
  bool send_sack_and_data(Timestamp now);
  bool sack_rides_with_data();
  bool send_sack(Timestamp now);
  Path& next_data_path();
  Path& new_data_path();
  bool send_data(Timestamp now);

  // association.cpp: events and the rest.
  void notify(const Notification& notification);
  void notify(EventType type, std::uint16_t error = 0) { notify({type, PathId(), PathState::active, error}); }
  bool deliver(const Notification& notification);
  bool drain_events(Timestamp now);
  void enter(State next);
  bool t3_runs() const;
  Timestamp autoclose_deadline() const;
  void close_if_idle(Timestamp now);
  bool sends_sacks() const;

  static const std::array<Handler, 15> kHandlers;  // by chunk type

  Services& services_;
  const Parameters* parameters_;
  Identity identity_;

  State state_ = State::closed;
  std::uint8_t pending_ = 0;         // of Pending
  std::uint8_t heartbeats_due_ = 0;  // a bit a path
  std::uint8_t sacks_in_turn_ = 0;   // before its end
  std::uint8_t probes_sent_ = 0;     // to unconfirmed addresses, since the RTO that ends at next_probes_ began
  PathId last_probed_;
  PathId primary_;
  PathId retransmission_path_;  // where what timed out goes again
  PathId cookie_ack_path_;
  PathId data_path_;     // where new data goes: the primary path, or what replaces it
  PathId control_path_;  // where INIT, COOKIE ECHO, SHUTDOWN and SHUTDOWN ACK go
  PathId sack_path_;     // see choose_sack_path(); confirmed
  PathId packet_path_;   // of the packet being filled
  bool active_ = false;  // we opened it
  bool sender_started_ = false;
  bool shutdown_wanted_ = false;  // asked for before ESTABLISHED
  bool data_seen_ = false;        // since the receiver was started
  bool was_up_ = false;
  bool end_delivered_ = false;
  bool addresses_changed_ = false;
  bool doubts_stale_cookie_ = false;   // after a stale cookie: another error may be for that one, see on_stale_cookie()
  bool doubted_stale_cookie_ = false;  // and one came

  VTag local_tag_;
  VTag peer_tag_;
  std::uint16_t local_port_ = 0;
  std::uint16_t peer_port_ = 0;
  std::uint16_t outbound_streams_ = 0;
  std::uint16_t inbound_streams_ = 0;
  Tsn local_initial_tsn_;
  Tsn peer_initial_tsn_;
  std::uint32_t peer_initial_window_ = 0;
  Extensions extensions_;
  TieTags tie_tags_;

  std::uint16_t error_count_ = 0;          // §8.1
  std::uint16_t control_attempts_ = 0;     // expiries of T1 or T2, and stale cookies, in a row
  std::uint32_t failovers_ = 0;            // times new data moved to another path
  std::uint32_t cookie_preservative_ = 0;  // ms that the next INIT asks for (§5.2.6)
  Timestamp control_deadline_ = kNever;    // T1-init, T1-cookie or T2-shutdown: never two at once
  Timestamp guard_deadline_ = kNever;      // T5-shutdown-guard
  Timestamp control_sent_;
  Timestamp next_probes_;
  Timestamp last_user_data_;  // sent or received

  PathSet paths_;
  Sender sender_;
  Receiver receiver_;
  EventQueue events_;

  // A received packet kept for some of its bytes: until COOKIE ACK the INIT ACK for its cookie, and for what we report
  // of it; after the end the peer's ABORT for the reason that it gives.
  base::Buffer kept_packet_;
  std::span<const std::byte> kept_bytes_;

  // The packet being filled. Replies to what came in this turn wait in it for what flush() adds.
  base::Buffer packet_buffer_;
  std::optional<wire::PacketWriter> packet_;
  std::uint32_t replies_at_ = 0;  // where in it the answers to the packet being read begin; 0: they are all of it

  std::uint32_t t1_expired_ = 0;
  std::uint32_t t2_expired_ = 0;
  std::uint64_t packets_sent_ = 0;
  std::uint64_t packets_received_ = 0;
  std::uint64_t data_chunks_sent_ = 0;
  std::uint64_t data_chunks_received_ = 0;
};

}  // namespace sluice::assoc
