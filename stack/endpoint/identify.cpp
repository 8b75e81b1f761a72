#include "stack/endpoint/identify.hpp"

#include "stack/wire/chunk_init.hpp"

namespace sluice::endpoint {

bool init_ack_lists_any(std::span<const std::byte> packet, bool (*has)(const void* of, const IpAddress& peer),
                        const void* of) {
  const auto chunk = wire::chunks_of(packet).next();
  const auto init_ack = chunk ? wire::InitChunk::parse(*chunk) : std::nullopt;
  if (!init_ack || !init_ack->ack()) return false;
  auto parameters = init_ack->parameters();
  while (const auto parameter = parameters.next())
    if (const auto address = wire::read_address(*parameter); address && has(of, *address)) return true;
  return false;
}

}  // namespace sluice::endpoint
