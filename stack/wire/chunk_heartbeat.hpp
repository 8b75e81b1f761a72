#pragma once

#include "stack/wire/parameters.hpp"

namespace sluice::wire {

/// A received HEARTBEAT or HEARTBEAT ACK (RFC 9260 §3.3.5, §3.3.6); valid as long as the packet is.
class HeartbeatChunk {
 public:
  /// Nothing if `chunk` is neither, or does not begin with a Heartbeat Info parameter that lies wholly inside it.
  static std::optional<HeartbeatChunk> parse(const Chunk& chunk);

  /// Whether it is a HEARTBEAT ACK.
  bool ack() const { return ack_; }
  /// What the sender of the HEARTBEAT put in; in a HEARTBEAT ACK it may be anything, until compared with what we sent.
  std::span<const std::byte> info() const { return info_; }

 private:
  HeartbeatChunk(bool ack, std::span<const std::byte> info) : ack_(ack), info_(info) {}

  bool ack_;
  std::span<const std::byte> info_;
};

/// Each adds a chunk with `info` in it. False if it does not fit; nothing was added then. An answer carries the info()
/// of the HEARTBEAT unchanged (§3.3.6).
bool append_heartbeat(PacketWriter& packet, std::span<const std::byte> info);
bool append_heartbeat_ack(PacketWriter& packet, std::span<const std::byte> info);

}  // namespace sluice::wire
