#pragma once

#include <array>

#include "stack/assoc/tx/message_part.hpp"

namespace sluice::assoc {

/// Where a chunk with a TSN stands.
enum class ChunkState : std::uint8_t {
  in_flight,  ///< sent, counted as outstanding
  marked,     ///< to be sent again, not counted as outstanding
  gap_acked,  ///< acknowledged by a gap ack block: the peer may still take it back (RFC 9260 §6.2.1 D iii)
};

/// A DATA chunk that has a TSN, until it is cumulatively acknowledged. Its bytes stay in the message part.
struct SentChunk {
  MessagePart* part;
  SentChunk* next_missing;  ///< the next one above it that is not acknowledged; only for such ones
  Tsn tsn;
  std::uint32_t offset;  ///< of its first byte in the part's payload
  std::uint16_t length;  ///< bytes of user data
  PathId path;           ///< last sent there
  ChunkState state;
  std::uint8_t misses;          ///< miss indications (§7.2.4)
  bool fast_retransmitted : 1;  ///< not again
  bool retransmitted : 1;       ///< sent more than once: no RTT sample (§6.3.1 C5)
  bool just_reneged : 1;        ///< by the SACK that is being looked at
  bool proves_no_path : 1;      ///< sent on more than one path (RFC 7829 §3.2), or its path lost the link since

  bool begin() const { return part->begin && offset == 0; }
  bool end() const { return part->end && offset + length == part->payload.size(); }
};
static_assert(sizeof(SentChunk) == 32);

/// Room for the records of consecutive TSNs: the one of TSN t stands at t % kSize.
struct SentSegment {
  static constexpr std::uint32_t kSize = 32;

  SentSegment() {}  // the records are written when they are used
  SentSegment* next = nullptr;
  std::array<SentChunk, kSize> chunks;
};

}  // namespace sluice::assoc
