#include "stack/endpoint/steering.hpp"

#include "stack/wire/chunk.hpp"

namespace sluice::endpoint {
namespace {

// One secret serves both uses: what is derived from it for one says nothing about the other.
base::SipKey derive(const base::SipKey& key, std::uint64_t use) {
  base::SipHash hash(key, base::SipHash::Width::bits128);
  hash.add(use);
  const base::SipHash::Digest128 digest = hash.finish128();
  return {digest.low, digest.high};
}

}  // namespace

Steering::Steering(const base::SipKey& key, std::uint32_t workers)
    : directory_key_(derive(key, 1)), codec_(derive(key, 2)), shards_(workers) {}

Route Steering::classify(std::span<const std::byte> packet) const {
  const auto header = wire::CommonHeader::parse(packet);
  const auto first = wire::first_chunk_type(packet);
  if (!header || !first || header->source_port == 0 || header->destination_port == 0) return {};
  Route route{.tag = header->tag, .local_port = header->destination_port, .peer_port = header->source_port};
  const auto flags = static_cast<std::uint8_t>(packet[wire::kCommonHeaderSize + 1]);
  const bool reflected = (*first == wire::ChunkType::abort || *first == wire::ChunkType::shutdown_complete) &&
                         (flags & wire::kFlagTagReflected) != 0;
  if (*first == wire::ChunkType::init || reflected) {
    route.to = Route::To::directory;
    route.worker = directory_of(route.local_port, route.peer_port);
  } else if (header->tag.value != 0) {
    route.to = Route::To::owner;
    route.worker = owner_of(header->tag);
  }
  return route;
}

WorkerId Steering::directory_of(std::uint16_t local_port, std::uint16_t peer_port) const {
  if (shards_.workers() == 1) return WorkerId(0);
  base::SipHash hash(directory_key_);
  const std::uint64_t value = hash.finish(std::uint64_t{local_port} << 16 | peer_port, 4);
  return shards_.owner(Shard(static_cast<std::uint16_t>(value % kShards)));
}

VTag Steering::new_tag(WorkerId worker, base::Random& random) const {
  const std::uint64_t value = random.u64();
  const Shard shard = shards_.pick(worker, static_cast<std::uint32_t>(value >> 32));
  return codec_.encode(shard, static_cast<std::uint32_t>(value));
}

}  // namespace sluice::endpoint
