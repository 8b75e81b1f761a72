#pragma once

#include <sluice/time.hpp>

#include <optional>

#include "stack/base/arrival.hpp"
#include "stack/endpoint/directory.hpp"
#include "stack/endpoint/init_request.hpp"
#include "stack/endpoint/services.hpp"
#include "stack/wire/common_header.hpp"
#include "stack/wire/error_causes.hpp"
#include "stack/wire/packet_writer.hpp"

namespace sluice::endpoint {

/// A received packet that may be answered: its bytes, and what its common header says.
struct Received {
  const base::Arrival& arrival;
  std::span<const std::byte> packet;
  wire::CommonHeader header;

  PortPair ports() const { return {.local = header.destination_port, .peer = header.source_port}; }
};

/// One packet in answer to one received, from the address it came to, back to where it came from.
class Reply {
 public:
  /// At most `limit` bytes, with `tag` as its verification tag. False, and counted, if there is no buffer.
  Reply(const Services& services, const Received& received, VTag tag, std::uint32_t limit);
  explicit operator bool() const { return writer_.has_value(); }
  wire::PacketWriter& packet() { return *writer_; }
  /// Sends it, to `destination` if that is not the source of what it answers, and from `source` likewise.
  void send(const IpAddress* destination = nullptr, const IpAddress* source = nullptr);

 private:
  const Services& services_;
  const Received& received_;
  base::Buffer buffer_;
  std::optional<wire::PacketWriter> writer_;
};

// Answers where no association is concerned, or none may be touched. All are under the rate limit, none is larger than
// what it answers, so that nobody can be flooded through us.

/// ABORT in answer to an INIT or COOKIE ECHO: `tag` is the peer's, the T bit is not set (RFC 9260 §5.1, §8.4 rule 3).
/// `add_cause` adds the cause to it if there is room; may be null.
using AddCause = bool (*)(wire::ChunkWriter& abort);
void send_abort(const Services& services, Timestamp now, const Received& received, VTag tag, AddCause add_cause);
/// ABORT with the tag of the packet it answers and the T bit (§8.4 rule 8).
void send_reflected_abort(const Services& services, Timestamp now, const Received& received);
/// SHUTDOWN COMPLETE with the tag of the packet it answers and the T bit (§8.4 rule 5).
void send_shutdown_complete(const Services& services, Timestamp now, const Received& received);
/// ERROR with Stale Cookie (§5.1.5 rule 4).
void send_stale_cookie(const Services& services, Timestamp now, const Received& received, VTag tag,
                       std::chrono::microseconds staleness);
/// ABORT that quotes the host name of an INIT (§3.3.2.1.4).
void send_unresolvable(const Services& services, Timestamp now, const Received& received, const InitRequest& request);
/// ABORT that lists the addresses which a restarting peer added (§5.2.2).
void send_new_addresses(const Services& services, Timestamp now, const Received& received, const InitRequest& request,
                        std::span<const IpAddress> added);

}  // namespace sluice::endpoint
