#include "stack/wire/chunk_heartbeat.hpp"

namespace sluice::wire {
namespace {

bool append(PacketWriter& packet, ChunkType type, std::span<const std::byte> info) {
  const std::uint32_t before = packet.size();
  ChunkWriter chunk(packet, type, 0);
  if (!chunk) return false;
  if (chunk.append(ParameterType::heartbeat_info, info)) return true;
  packet.truncate(before);
  return false;
}

}  // namespace

std::optional<HeartbeatChunk> HeartbeatChunk::parse(const Chunk& chunk) {
  if (chunk.type != ChunkType::heartbeat && chunk.type != ChunkType::heartbeat_ack) return std::nullopt;
  const std::optional<Parameter> first = ParameterWalker(chunk.body()).next();
  if (!first || first->type != ParameterType::heartbeat_info) return std::nullopt;
  return HeartbeatChunk(chunk.type == ChunkType::heartbeat_ack, first->value());
}

bool append_heartbeat(PacketWriter& packet, std::span<const std::byte> info) {
  return append(packet, ChunkType::heartbeat, info);
}

bool append_heartbeat_ack(PacketWriter& packet, std::span<const std::byte> info) {
  return append(packet, ChunkType::heartbeat_ack, info);
}

}  // namespace sluice::wire
