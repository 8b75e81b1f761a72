#pragma once

#include "stack/wire/error_causes.hpp"

namespace sluice::wire {

/// A received ERROR (RFC 9260 §3.3.10); valid as long as the packet is.
class ErrorChunk {
 public:
  /// Nothing if `chunk` is not an ERROR, has no cause, or if its causes do not fill it.
  static std::optional<ErrorChunk> parse(const Chunk& chunk) {
    if (chunk.type != ChunkType::error || chunk.body().empty() || !is_well_formed(chunk.body())) return std::nullopt;
    return ErrorChunk(chunk.body());
  }

  /// One, or more; never malformed.
  CauseWalker causes() const { return CauseWalker(causes_); }
  /// One of them is `code`.
  bool has(CauseCode code) const {
    CauseWalker walker = causes();
    while (const std::optional<Cause> cause = walker.next())
      if (cause->code == code) return true;
    return false;
  }

 private:
  explicit ErrorChunk(std::span<const std::byte> causes) : causes_(causes) {}

  std::span<const std::byte> causes_;
};

/// Begins an ERROR, to which the caller adds at least one cause. False if it does not fit.
inline ChunkWriter append_error(PacketWriter& packet) {
  return ChunkWriter(packet, ChunkType::error, 0);
}

}  // namespace sluice::wire
