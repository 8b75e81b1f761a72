#include "stack/assoc/rx/inbound_streams.hpp"

#include "stack/assoc/pools.hpp"

namespace sluice::assoc {
namespace {

template <class T>
T* made(T*& slot, base::ObjectPool<T>& pool) {
  if (slot == nullptr) slot = pool.make();
  return slot;
}

}  // namespace

InboundStream* InboundStreams::find_deep(std::uint16_t stream) {
  if (made(root_, pools_.inbound_stream_roots) == nullptr) return nullptr;
  InboundStreamBranch* const branch = made(root_->branches[stream / (64 * 32)], pools_.inbound_stream_branches);
  if (branch == nullptr) return nullptr;
  InboundStreamLeaf* const leaf = made(branch->leaves[stream / 64 % 32], pools_.inbound_stream_leaves);
  return leaf == nullptr ? nullptr : &leaf->streams[stream % 64];
}

void InboundStreams::reset(std::uint16_t count) {
  count_ = count;
  first_.fill({});
  if (root_ == nullptr) return;
  for (InboundStreamBranch* const branch : root_->branches) {
    if (branch == nullptr) continue;
    for (InboundStreamLeaf* const leaf : branch->leaves)
      if (leaf != nullptr) pools_.inbound_stream_leaves.destroy(leaf);
    pools_.inbound_stream_branches.destroy(branch);
  }
  pools_.inbound_stream_roots.destroy(root_);
  root_ = nullptr;
}

}  // namespace sluice::assoc
