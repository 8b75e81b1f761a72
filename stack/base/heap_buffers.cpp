#include "stack/base/heap_buffers.hpp"

#include <cstring>

namespace sluice::base {

HeapBuffers::~HeapBuffers() {
  SLUICE_CHECK(out_ == 0);
}

Buffer HeapBuffers::allocate(std::uint32_t headroom, std::uint32_t bytes) noexcept {
  if (out_ >= limit_) return {};
  auto* const block = new Block;  // NOLINT(bugprone-unhandled-exception-at-new): without memory nothing goes on
  block->capacity = headroom + bytes;
  block->memory = new std::byte[block->capacity];  // NOLINT(bugprone-unhandled-exception-at-new)
  block->data = block->memory + headroom;
  block->references = 1;
  block->owner = this;
  ++out_;
  return Buffer::adopt(*block);
}

Buffer HeapBuffers::copy_of(std::span<const std::byte> bytes) noexcept {
  Buffer buffer = allocate(0, static_cast<std::uint32_t>(bytes.size()));
  if (buffer && !bytes.empty())
    std::memcpy(buffer.append(static_cast<std::uint32_t>(bytes.size())), bytes.data(), bytes.size());
  return buffer;
}

bool HeapBuffers::take_over(Block& block, HeapBuffers& from) noexcept {
  SLUICE_CHECK(block.owner == &from);
  if (out_ >= limit_) return false;
  block.owner = this;
  --from.out_;
  ++out_;
  return true;
}

void HeapBuffers::release(Block& block) noexcept {
  --out_;
  delete[] block.memory;
  delete &block;
}

}  // namespace sluice::base
