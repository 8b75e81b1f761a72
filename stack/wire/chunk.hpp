#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "stack/wire/chunk_types.hpp"
#include "stack/wire/common_header.hpp"
#include "stack/wire/tlv.hpp"

namespace sluice::wire {

/// Bytes of a chunk's type, flags and length (RFC 9260 §3.2).
inline constexpr std::uint32_t kChunkHeaderSize = kTlvHeaderSize;
/// The T bit of ABORT and SHUTDOWN COMPLETE: the verification tag is the reflected one (§8.5.1).
inline constexpr std::uint8_t kFlagTagReflected = 0x01;

/// A chunk where it was received: its length is sound, nothing else is known of it. Valid as long as the packet is.
struct Chunk {
  ChunkType type{};
  std::uint8_t flags = 0;
  std::span<const std::byte> bytes;  ///< the whole chunk from its type on, without padding

  Chunk() = default;
  explicit Chunk(const Tlv& unit)
      : type(static_cast<ChunkType>(unit.type >> 8)), flags(static_cast<std::uint8_t>(unit.type)), bytes(unit.bytes) {}

  /// What follows the chunk header.
  std::span<const std::byte> body() const { return bytes.subspan(kChunkHeaderSize); }
};

/// The chunks of a sequence of bytes that begins with one.
using ChunkWalker = ItemWalker<Chunk>;

/// The chunks of `packet`, which begins with a common header; of a shorter one, none.
inline ChunkWalker chunks_of(std::span<const std::byte> packet) {
  return ChunkWalker(packet.size() < kCommonHeaderSize ? std::span<const std::byte>{}
                                                       : packet.subspan(kCommonHeaderSize));
}

/// The type of the first chunk, for steering, before anything else is known of `packet`; nothing if there is no whole
/// chunk header.
inline std::optional<ChunkType> first_chunk_type(std::span<const std::byte> packet) {
  if (packet.size() < kCommonHeaderSize + kChunkHeaderSize) return std::nullopt;
  return static_cast<ChunkType>(packet[kCommonHeaderSize]);
}

/// Writes a chunk header at `to`; `length` counts the header and leaves padding out.
inline void write_chunk_header(std::byte* to, ChunkType type, std::uint8_t flags, std::uint16_t length) {
  to[0] = static_cast<std::byte>(type);
  to[1] = static_cast<std::byte>(flags);
  base::store_be(to + 2, length);
}

}  // namespace sluice::wire
