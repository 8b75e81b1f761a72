#include "stack/wire/chunk_writer.hpp"

namespace sluice::wire {

std::byte* ChunkWriter::append_unit(std::uint16_t type, std::uint32_t value_length) {
  if (fixed_ == nullptr || value_length > value_room()) return nullptr;
  const std::uint32_t length = kTlvHeaderSize + value_length;
  std::byte* const unit = packet_.append(length);
  if (unit == nullptr) return nullptr;
  base::store_be(unit, type);
  base::store_be(unit + 2, static_cast<std::uint16_t>(length));
  std::byte* const chunk = fixed_ - kChunkHeaderSize;
  base::store_be(chunk + 2, static_cast<std::uint16_t>(unit + length - chunk));
  return unit + kTlvHeaderSize;
}

}  // namespace sluice::wire
