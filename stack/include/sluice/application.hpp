#pragma once

#include <sluice/event.hpp>
#include <sluice/export.hpp>
#include <sluice/parameters.hpp>
#include <sluice/status.hpp>

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace sluice {

/// A local port and the addresses on it (RFC 9260 §11.1.1).
struct EndpointOptions {
  std::uint16_t port = 0;            ///< 0: an ephemeral one
  std::vector<IpAddress> addresses;  ///< empty: all of the stack's
  bool listen = false;
  /// Associations that peers opened and that are not up yet, or whose association_up has not gone to the application,
  /// that there may be at once; 0: only the stack's limit.
  std::uint32_t backlog = 0;
  std::optional<Parameters> parameters;  ///< empty: the stack's
};

/// The most bytes that one send() takes. Longer messages go in parts (SendOptions::end), without any limit.
inline constexpr std::size_t kMaxSendBytes = 65536;

/// The no-bundle flag of §11.1.5 has no counterpart: no message waits for others to share its packet.
struct SendOptions {
  bool unordered = false;
  /// False: the next send on this stream continues the same message. When the peer restarts before the last part, or
  /// the life time ends before the first part was sent, that message is lost, and what follows on the stream up to a
  /// part with `end` counts as the rest of it and is refused: with wrong_part, or behind rings with a send_failed event
  /// of that reason.
  bool end = true;
  bool sack_immediately = false;
  std::uint64_t context = 0;  ///< comes back in a send_failed event
  /// A message of which nothing was sent by then is not sent any more: a send_failed event with Reason::expired
  /// follows, when its turn would have come (§11.1.5). Counted from when the stack takes the message; its first part
  /// decides for all. 0: no limit.
  Duration lifetime{};
  /// The path to use for this part instead of the primary one, while it is active and without errors (§11.1.5). Paths
  /// are known once the association is up.
  std::optional<PathId> path;
};

enum class SendResult : std::uint8_t {
  queued,
  would_block,     ///< the send buffer, the arena or the ring is full; a writable event follows
  too_large,       ///< more than kMaxSendBytes: send it in parts
  empty,           ///< a message has at least one byte
  invalid_stream,  ///< not below the association's outbound streams
  not_connected,   ///< unknown, closing or closed
  wrong_part,      ///< it does not continue the message begun on this stream, or that one is lost (SendOptions::end)
};

/// One application thread's view of a stack: opens endpoints, sends, and takes events in bursts. Two kinds behave
/// alike: joined with the workers by rings (Stack::attach()), or run to completion in the worker's own loop
/// (Stack::run_inline()). All calls come from the one thread that it belongs to. None
/// blocks except wait(); those that a worker has to answer, or to make room for, take poll turns of its loop, and throw
/// Error when it makes none for 10 s.
class SLUICE_API Application {
 public:
  virtual ~Application() = default;

  /// Opens an endpoint on every worker (§11.1.1). Throws Error when the port is taken or an address is not the stack's.
  virtual EndpointId open(const EndpointOptions& options) = 0;
  /// Aborts the associations of the endpoint, one `association_lost` each, and frees its port.
  virtual void close(EndpointId endpoint) = 0;
  /// The port it has, for those that asked for an ephemeral one. Without `listen` nobody is reached there: each
  /// association that such an endpoint opens has another one, which status() tells.
  virtual std::uint16_t local_port(EndpointId endpoint) const = 0;

  /// Opens an association to `peers`, addresses of one host, the first of which is tried first (§11.1.2). The answer is
  /// an association_up or connect_failed event with this `context`. The association has the endpoint's parameters or,
  /// if there are any, `parameters` of its own: the streams that it asks for, how often its INIT goes out, and all
  /// else. False: too many attempts are under way; try again later. Throws Error when one of `parameters` is out of
  /// range.
  [[nodiscard]] virtual bool connect(EndpointId endpoint, std::span<const IpAddress> peers, std::uint16_t port,
                                     std::uint64_t context,
                                     const std::optional<Parameters>& parameters = std::nullopt) = 0;

  /// Copies `message` into send memory and queues it (§11.1.5).
  virtual SendResult send(AssocId association, StreamId stream, Ppid ppid, std::span<const std::byte> message,
                          const SendOptions& options = {}) = 0;
  /// Graceful end: what is queued is delivered first, then a `closed` event comes (§11.1.3).
  virtual void shutdown(AssocId association) = 0;
  /// Ends it now with ABORT; `association_lost` follows (§11.1.4).
  virtual void abort(AssocId association, std::string_view reason) = 0;

  /// Takes up to events.size() events, in order for each association; returns how many. Also lets what send() queued
  /// go, and in the run-to-completion kind runs one turn of the loop. The bytes of messages stay valid until release().
  virtual std::size_t poll(std::span<Event> events) = 0;
  /// Gives the memory of these events back; each once, in any order.
  virtual void release(std::span<const Event> events) = 0;
  /// Sleeps until an event waits or `timeout` has passed. The run-to-completion kind follows the stack's idle mode.
  virtual void wait(Duration timeout) = 0;
  /// For event loops: readable once an event came after a poll() that returned none, so call poll() until it has
  /// none before each sleep; and once after the first call of this. -1 for the run-to-completion kind.
  virtual int wait_descriptor() = 0;

  // The following ask the owner of an association and wait for its answer, a poll turn of its loop. False, or nothing:
  // there is no such association, or it is only being opened. They throw Error when all send memory is taken.

  /// New data goes to `path` while it is usable (§11.1.6). False also if there is no such path, or it is not confirmed.
  virtual bool set_primary(AssocId association, PathId path) = 0;
  /// Sends a HEARTBEAT at once (§11.1.10); what it finds out, status() and path_changed events tell.
  virtual bool request_heartbeat(AssocId association, PathId path) = 0;
  /// Sets what one path has of its own (§11.1.9, §11.1.12). Throws Error when a value is out of range.
  virtual bool set_path(AssocId association, PathId path, const PathOptions& options) = 0;
  /// Other parameters for one association from now on (§11.1.13), what its single paths had set included. Throws Error
  /// when a value is out of range.
  virtual bool set_parameters(AssocId association, const Parameters& parameters) = 0;
  /// Other parameters for the associations that begin on `endpoint` from now on. Throws Error when a value is out of
  /// range, or there is no such endpoint.
  virtual void set_parameters(EndpointId endpoint, const Parameters& parameters) = 0;
  virtual std::optional<Parameters> parameters(AssocId association) = 0;

  /// Asks the owner for the state of an association; nothing if it is gone. May take a poll turn of the owner.
  virtual std::optional<AssociationStatus> status(AssocId association) = 0;
};

}  // namespace sluice
