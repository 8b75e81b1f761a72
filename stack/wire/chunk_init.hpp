#pragma once

#include <sluice/ids.hpp>

#include "stack/base/serial.hpp"
#include "stack/wire/parameters.hpp"

namespace sluice::wire {

/// Bytes of an INIT or INIT ACK in front of its parameters, the chunk header counted.
inline constexpr std::uint32_t kInitHeaderSize = 20;

/// The fixed fields of INIT and INIT ACK (RFC 9260 §3.3.2, §3.3.3).
struct InitHeader {
  VTag init_tag;
  std::uint32_t window = 0;  ///< a_rwnd, in bytes
  std::uint16_t outbound_streams = 0;
  std::uint16_t inbound_streams = 0;
  Tsn initial_tsn;

  friend bool operator==(const InitHeader&, const InitHeader&) = default;
};

/// A received INIT or INIT ACK; valid as long as the packet is.
class InitChunk {
 public:
  /// Nothing if `chunk` is neither, or is shorter than the fixed fields. Values (a tag or a stream count of 0, a window
  /// below 1500) are for the caller to judge, and so is whether its parameters walk without malformed().
  static std::optional<InitChunk> parse(const Chunk& chunk) {
    if (chunk.type != ChunkType::init && chunk.type != ChunkType::init_ack) return std::nullopt;
    if (chunk.bytes.size() < kInitHeaderSize) return std::nullopt;
    return InitChunk(chunk);
  }

  /// Whether it is an INIT ACK.
  bool ack() const { return type_ == ChunkType::init_ack; }
  VTag init_tag() const { return VTag(base::load_be<std::uint32_t>(bytes_.data() + 4)); }
  /// a_rwnd, in bytes.
  std::uint32_t window() const { return base::load_be<std::uint32_t>(bytes_.data() + 8); }
  std::uint16_t outbound_streams() const { return base::load_be<std::uint16_t>(bytes_.data() + 12); }
  std::uint16_t inbound_streams() const { return base::load_be<std::uint16_t>(bytes_.data() + 14); }
  Tsn initial_tsn() const { return Tsn(base::load_be<std::uint32_t>(bytes_.data() + 16)); }
  InitHeader header() const { return {init_tag(), window(), outbound_streams(), inbound_streams(), initial_tsn()}; }
  ParameterWalker parameters() const { return ParameterWalker(bytes_.subspan(kInitHeaderSize)); }

 private:
  explicit InitChunk(const Chunk& chunk) : type_(chunk.type), bytes_(chunk.bytes) {}

  ChunkType type_;
  std::span<const std::byte> bytes_;
};

/// Begins an INIT, which is alone in its packet; the caller adds parameters. False if it does not fit.
ChunkWriter append_init(PacketWriter& packet, const InitHeader& header);
/// Begins an INIT ACK, which is alone in its packet; the caller adds parameters, the state cookie among them.
/// False if it does not fit.
ChunkWriter append_init_ack(PacketWriter& packet, const InitHeader& header);

}  // namespace sluice::wire
