#include "stack/wire/chunk_init.hpp"

namespace sluice::wire {
namespace {

ChunkWriter append(PacketWriter& packet, ChunkType type, const InitHeader& header) {
  ChunkWriter chunk(packet, type, 0, kInitHeaderSize - kChunkHeaderSize);
  if (!chunk) return chunk;
  base::store_be(chunk.fixed(), header.init_tag.value);
  base::store_be(chunk.fixed() + 4, header.window);
  base::store_be(chunk.fixed() + 8, header.outbound_streams);
  base::store_be(chunk.fixed() + 10, header.inbound_streams);
  base::store_be(chunk.fixed() + 12, header.initial_tsn.value());
  return chunk;
}

}  // namespace

ChunkWriter append_init(PacketWriter& packet, const InitHeader& header) {
  return append(packet, ChunkType::init, header);
}

ChunkWriter append_init_ack(PacketWriter& packet, const InitHeader& header) {
  return append(packet, ChunkType::init_ack, header);
}

}  // namespace sluice::wire
