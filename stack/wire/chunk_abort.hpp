#pragma once

#include "stack/wire/error_causes.hpp"

namespace sluice::wire {

/// A received ABORT (RFC 9260 §3.3.7); valid as long as the packet is.
class AbortChunk {
 public:
  /// Nothing if `chunk` is not an ABORT, or if its causes do not fill it: one with a format error is discarded without
  /// a word.
  static std::optional<AbortChunk> parse(const Chunk& chunk) {
    if (chunk.type != ChunkType::abort || !is_well_formed(chunk.body())) return std::nullopt;
    return AbortChunk(chunk);
  }

  /// The T bit: the verification tag is the one that we sent (§8.5.1).
  bool tag_reflected() const { return (flags_ & kFlagTagReflected) != 0; }
  /// None, or more; never malformed.
  CauseWalker causes() const { return CauseWalker(causes_); }

 private:
  explicit AbortChunk(const Chunk& chunk) : flags_(chunk.flags), causes_(chunk.body()) {}

  std::uint8_t flags_;
  std::span<const std::byte> causes_;
};

/// Begins an ABORT, the last chunk of its packet; the caller may add causes. False if it does not fit.
/// `tag_reflected`: the packet's verification tag was copied from the packet that is answered.
inline ChunkWriter append_abort(PacketWriter& packet, bool tag_reflected) {
  return ChunkWriter(packet, ChunkType::abort, tag_reflected ? kFlagTagReflected : 0);
}

}  // namespace sluice::wire
