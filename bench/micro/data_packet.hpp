#pragma once

#include <cstring>

#include "stack/base/heap_buffers.hpp"
#include "stack/wire/chunk_data.hpp"

namespace sluice::bench {

/// A packet of `count` whole ordered messages of `bytes` user bytes on stream 0, in a block like a port's.
inline base::Buffer data_packet(base::HeapBuffers& source, std::uint32_t count, std::uint16_t bytes) {
  base::Buffer buffer = source.allocate(128, 9216);
  wire::PacketWriter writer(buffer, 9216, {});
  for (std::uint32_t i = 0; i < count; ++i) {
    wire::DataHeader header;
    header.tsn = Tsn(i);
    header.ssn = Ssn(static_cast<std::uint16_t>(i));
    header.flags = wire::kDataBegin | wire::kDataEnd;
    std::memset(wire::append_data(writer, header, bytes), 'x', bytes);
  }
  return buffer;
}

/// Numbers the chunks of such a packet anew, from `tsn` on.
inline void renumber(base::Buffer& packet, std::uint32_t tsn, std::uint32_t count, std::uint16_t bytes) {
  std::byte* at = packet.data() + wire::kCommonHeaderSize;
  for (std::uint32_t i = 0; i < count; ++i, at += wire::padded(wire::kDataHeaderSize + bytes)) {
    base::store_be<std::uint32_t>(at + 4, tsn + i);
    base::store_be<std::uint16_t>(at + 10, static_cast<std::uint16_t>(tsn + i));
  }
}

}  // namespace sluice::bench
