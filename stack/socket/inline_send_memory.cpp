#include "stack/socket/inline_send_memory.hpp"

#include <algorithm>
#include <cstring>

#include "stack/base/check.hpp"

namespace sluice::socket {

InlineSendMemory::InlineSendMemory(std::uint64_t bytes)
    : bytes_(std::max(bytes, worker::ArenaLayout::kLeastBytes)),
      memory_(std::make_unique_for_overwrite<std::byte[]>(bytes_)),
      arena_({memory_.get(), bytes_}),
      blocks_(arena_.layout().blocks()),
      ledger_(arena_) {
  for (std::uint32_t i = 0; i < blocks_.size(); ++i) {
    blocks_[i].memory = memory_.get() + arena_.layout().offset(i);
    blocks_[i].capacity = arena_.layout().class_of(i).block_bytes;
    blocks_[i].index = i;
    blocks_[i].owner = this;
  }
}

InlineSendMemory::~InlineSendMemory() {
  SLUICE_CHECK(arena_.out() == 0);
}

base::Buffer InlineSendMemory::copy(std::span<const std::byte> message) {
  const auto piece = arena_.allocate(static_cast<std::uint32_t>(message.size()));
  if (!piece) return {};
  std::memcpy(piece->bytes.data(), message.data(), message.size());
  base::Block& block = blocks_[piece->block];
  block.data = piece->bytes.data();
  block.length = static_cast<std::uint32_t>(message.size());
  block.references = 1;
  return base::Buffer::adopt(block);
}

void InlineSendMemory::release(base::Block& block) noexcept {
  ledger_.credit(block.index);
  arena_.free(block.index);
}

}  // namespace sluice::socket
