#include "stack/socket/inline_send_memory.hpp"

#include <algorithm>
#include <utility>

#include "stack/base/check.hpp"
#include "stack/worker/association_id.hpp"

namespace sluice::socket {

InlineSendMemory::InlineSendMemory(std::uint64_t bytes)
    : memory_(std::make_unique_for_overwrite<std::byte[]>(bytes)),
      arena_({memory_.get(), bytes}),
      blocks_(arena_.layout().blocks()) {
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

base::Buffer InlineSendMemory::allocate(AssocId association, std::uint32_t bytes) {
  Account& account = account_of(association);
  const auto piece = account.pinned_bytes <= arena_.free_bytes(bytes) ? arena_.allocate(bytes) : std::nullopt;
  if (!piece) {
    account.wanted = bytes;
    if (std::exchange(account.waiting, association) == AssocId()) refused_.push_back(&account);
    return {};
  }
  base::Block& block = blocks_[piece->block];
  block.data = block.memory;
  block.length = 0;
  block.references = 1;
  base::Buffer buffer = base::Buffer::adopt(block);
  buffer.pin(account);
  return buffer;
}

AssocId InlineSendMemory::take_writable() {
  for (std::size_t looks = std::min(refused_.size(), kMostLooks); looks > 0; --looks) {
    Account* const account = refused_.front();
    refused_.pop_front();
    if (may_send(*account)) return std::exchange(account->waiting, AssocId());
    refused_.push_back(account);
  }
  return {};
}

/// With some room to spare, so that it is not refused again at once.
bool InlineSendMemory::may_send(const Account& account) const {
  const std::uint64_t free = arena_.free_bytes(account.wanted);
  return free > 0 && account.pinned_bytes <= free / 4 * 3;
}

InlineSendMemory::Account& InlineSendMemory::account_of(AssocId association) {
  const std::uint32_t index = worker::decode(association).index;
  if (index >= accounts_.size()) accounts_.resize(index + 1);
  return accounts_[index];
}

void InlineSendMemory::release(base::Block& block) noexcept {
  arena_.free(block.index);
}

}  // namespace sluice::socket
