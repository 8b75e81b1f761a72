#pragma once

#include "stack/wire/packet_writer.hpp"

namespace sluice::wire {

/// A received COOKIE ECHO (RFC 9260 §3.3.11); valid as long as the packet is.
struct CookieEchoChunk {
  std::span<const std::byte> cookie;  ///< what was echoed: anything, until its MAC was checked

  /// Nothing if `chunk` is not a COOKIE ECHO.
  static std::optional<CookieEchoChunk> parse(const Chunk& chunk) {
    if (chunk.type != ChunkType::cookie_echo) return std::nullopt;
    return CookieEchoChunk{chunk.body()};
  }
};

/// A received COOKIE ACK (§3.3.12).
struct CookieAckChunk {
  /// Nothing if `chunk` is not a COOKIE ACK or its length is not 4.
  static std::optional<CookieAckChunk> parse(const Chunk& chunk) {
    if (chunk.type != ChunkType::cookie_ack || !chunk.body().empty()) return std::nullopt;
    return CookieAckChunk{};
  }
};

/// Adds a COOKIE ECHO, the first chunk of its packet, with the cookie of the INIT ACK. False if it does not fit;
/// nothing was added then.
inline bool append_cookie_echo(PacketWriter& packet, std::span<const std::byte> cookie) {
  if (cookie.size() > packet.room()) return false;
  std::byte* const at = packet.append_chunk(ChunkType::cookie_echo, 0, static_cast<std::uint32_t>(cookie.size()));
  if (at == nullptr) return false;
  if (!cookie.empty()) std::memcpy(at, cookie.data(), cookie.size());
  return true;
}

/// Adds a COOKIE ACK. False if it does not fit; nothing was added then.
inline bool append_cookie_ack(PacketWriter& packet) {
  return packet.append_chunk(ChunkType::cookie_ack, 0, 0) != nullptr;
}

}  // namespace sluice::wire
