#pragma once

#include "stack/base/serial.hpp"
#include "stack/wire/packet_writer.hpp"

namespace sluice::wire {

/// Bytes of a SHUTDOWN.
inline constexpr std::uint32_t kShutdownSize = 8;

/// A received SHUTDOWN (RFC 9260 §3.3.8).
struct ShutdownChunk {
  Tsn cumulative_tsn;

  /// Nothing if `chunk` is not a SHUTDOWN or its length is not 8.
  static std::optional<ShutdownChunk> parse(const Chunk& chunk) {
    if (chunk.type != ChunkType::shutdown || chunk.bytes.size() != kShutdownSize) return std::nullopt;
    return ShutdownChunk{Tsn(base::load_be<std::uint32_t>(chunk.body().data()))};
  }
};

/// A received SHUTDOWN ACK (§3.3.9).
struct ShutdownAckChunk {
  /// Nothing if `chunk` is not a SHUTDOWN ACK or its length is not 4.
  static std::optional<ShutdownAckChunk> parse(const Chunk& chunk) {
    if (chunk.type != ChunkType::shutdown_ack || !chunk.body().empty()) return std::nullopt;
    return ShutdownAckChunk{};
  }
};

/// A received SHUTDOWN COMPLETE (§3.3.13).
struct ShutdownCompleteChunk {
  bool tag_reflected = false;  ///< the T bit: the verification tag is the one that we sent (§8.5.1)

  /// Nothing if `chunk` is not a SHUTDOWN COMPLETE or its length is not 4.
  static std::optional<ShutdownCompleteChunk> parse(const Chunk& chunk) {
    if (chunk.type != ChunkType::shutdown_complete || !chunk.body().empty()) return std::nullopt;
    return ShutdownCompleteChunk{(chunk.flags & kFlagTagReflected) != 0};
  }
};

/// Each adds one chunk. False if it does not fit; nothing was added then.
inline bool append_shutdown(PacketWriter& packet, Tsn cumulative_tsn) {
  std::byte* const at = packet.append_chunk(ChunkType::shutdown, 0, kShutdownSize - kChunkHeaderSize);
  if (at == nullptr) return false;
  base::store_be(at, cumulative_tsn.value());
  return true;
}

inline bool append_shutdown_ack(PacketWriter& packet) {
  return packet.append_chunk(ChunkType::shutdown_ack, 0, 0) != nullptr;
}

/// It is alone in its packet. `tag_reflected`: the packet's verification tag was copied from the SHUTDOWN ACK's.
inline bool append_shutdown_complete(PacketWriter& packet, bool tag_reflected) {
  return packet.append_chunk(ChunkType::shutdown_complete, tag_reflected ? kFlagTagReflected : 0, 0) != nullptr;
}

}  // namespace sluice::wire
