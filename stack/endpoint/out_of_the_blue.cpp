#include "stack/endpoint/out_of_the_blue.hpp"

#include "stack/wire/chunk_error.hpp"

namespace sluice::endpoint {
namespace {

using wire::ChunkType;

/// What of the chunks of a packet the rules ask about.
struct Contents {
  bool well_formed = false;
  bool abort = false;
  bool shutdown_ack = false;
  bool shutdown_complete = false;
  bool cookie_ack = false;
  bool stale_cookie = false;
};

bool has_stale_cookie(const wire::Chunk& chunk) {
  const auto error = wire::ErrorChunk::parse(chunk);
  return error && error->has(wire::CauseCode::stale_cookie);
}

Contents contents_of(std::span<const std::byte> packet) {
  Contents found;
  wire::ChunkWalker chunks = wire::chunks_of(packet);
  std::uint32_t count = 0;
  while (const auto chunk = chunks.next()) {
    if (++count > kMaxOutOfTheBlueChunks) return found;
    found.abort |= chunk->type == ChunkType::abort;
    found.shutdown_ack |= chunk->type == ChunkType::shutdown_ack;
    found.shutdown_complete |= chunk->type == ChunkType::shutdown_complete;
    found.cookie_ack |= chunk->type == ChunkType::cookie_ack;
    found.stale_cookie |= chunk->type == ChunkType::error && has_stale_cookie(*chunk);
  }
  found.well_formed = count > 0;  // §8.4: that its checksum was right; and of what is cut off, nothing is known
  return found;
}

}  // namespace

bool holds_abort(std::span<const std::byte> packet) {
  return contents_of(packet).abort;
}

bool holds_shutdown_ack(std::span<const std::byte> packet) {
  return contents_of(packet).shutdown_ack;
}

void answer_out_of_the_blue(const Services& services, Timestamp now, const Received& received) {
  Counters& counters = services.counters;
  ++counters.ootb_received;
  const Contents contents = contents_of(received.packet);
  if (contents.abort) {  // rule 2
    ++counters.ootb_abort;
  } else if (!contents.well_formed || received.header.tag.value == 0) {
    // A zero tag without an INIT (§8.5.1 A), or an INIT with others behind it, is no packet of the protocol either.
    ++counters.ootb_malformed;
  } else if (contents.shutdown_ack) {  // rule 5
    send_shutdown_complete(services, now, received);
  } else if (contents.shutdown_complete) {  // rule 6
    ++counters.ootb_shutdown_complete;
  } else if (contents.stale_cookie || contents.cookie_ack) {  // rule 7
    ++counters.ootb_silent;
  } else {  // rule 8
    send_reflected_abort(services, now, received);
  }
}

}  // namespace sluice::endpoint
