#include "stack/worker/send_arena.hpp"

#include "stack/base/check.hpp"

namespace sluice::worker {

ArenaLayout::ArenaLayout(std::uint64_t bytes) {
  SLUICE_CHECK(bytes >= kLeastBytes);
  const std::uint64_t share = bytes / kBlockBytes.size() / kLargestBlock * kLargestBlock;
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    const auto blocks = static_cast<std::uint32_t>(share / kBlockBytes[i]);
    classes_[i] = {kBlockBytes[i], blocks_, blocks, offset};
    blocks_ += blocks;
    offset += share;
  }
}

SendArena::SendArena(std::span<std::byte> memory) : layout_(memory.size()), memory_(memory), left_(layout_.blocks()) {
  for (std::size_t i = 0; i < free_.size(); ++i) {
    const ArenaLayout::Class& of = layout_.classes()[i];
    free_[i].reserve(of.blocks);
    for (std::uint32_t block = of.blocks; block-- > 0;) free_[i].push_back(of.first + block);
  }
}

std::optional<SendArena::Piece> SendArena::allocate(std::uint32_t bytes) {
  for (std::size_t i = 0; i < free_.size(); ++i) {
    if (ArenaLayout::kBlockBytes[i] < bytes || free_[i].empty()) continue;
    const std::uint32_t block = free_[i].back();
    free_[i].pop_back();
    --left_;
    return Piece{block, memory_.subspan(layout_.offset(block), bytes)};
  }
  return std::nullopt;
}

void SendArena::free(std::uint32_t block) {
  SLUICE_CHECK(block < layout_.blocks());
  const auto index = static_cast<std::size_t>(&layout_.class_of(block) - layout_.classes().data());
  SLUICE_CHECK(free_[index].size() < layout_.classes()[index].blocks);
  free_[index].push_back(block);
  ++left_;
}

std::uint64_t SendArena::free_bytes(std::uint32_t bytes) const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < free_.size(); ++i)
    if (ArenaLayout::kBlockBytes[i] >= bytes) sum += free_[i].size() * std::uint64_t{ArenaLayout::kBlockBytes[i]};
  return sum;
}

ArenaBlocks::ArenaBlocks(std::span<std::byte> memory, base::SpscRing<std::uint32_t>& freed)
    : layout_(memory.size()), freed_(freed), blocks_(layout_.blocks()) {
  SLUICE_CHECK(freed.capacity() >= blocks_.size());
  for (std::uint32_t i = 0; i < blocks_.size(); ++i) {
    base::Block& block = blocks_[i];
    block.memory = memory.data() + layout_.offset(i);
    block.capacity = layout_.class_of(i).block_bytes;
    block.index = i;
    block.owner = this;
  }
}

ArenaBlocks::~ArenaBlocks() {
  SLUICE_CHECK(out_ == 0);
}

base::Buffer ArenaBlocks::take(std::uint32_t index, std::uint32_t offset, std::uint32_t length) noexcept {
  if (index >= blocks_.size()) return {};
  base::Block& block = blocks_[index];
  if (block.references != 0 || length == 0 || offset > block.capacity || length > block.capacity - offset) return {};
  block.data = block.memory + offset;
  block.length = length;
  block.references = 1;
  ++out_;
  return base::Buffer::adopt(block);
}

void ArenaBlocks::release(base::Block& block) noexcept {
  --out_;
  // The ring has room for every block there is; only an application that takes none back and reuses them all the same
  // fills it, and loses nothing of anybody else's.
  static_cast<void>(freed_.push(block.index));
}

}  // namespace sluice::worker
