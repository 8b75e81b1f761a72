#pragma once

#include <memory>
#include <vector>

#include "stack/base/buffer.hpp"
#include "stack/socket/send_ledger.hpp"
#include "stack/worker/send_arena.hpp"

namespace sluice::socket {

/// Send memory of an application in a worker's own loop: an arena whose blocks come back at once, and the ledger of
/// who has them. One thread's.
class InlineSendMemory final : private base::BlockOwner {
 public:
  /// Of `bytes`, and at least ArenaLayout::kLeastBytes.
  explicit InlineSendMemory(std::uint64_t bytes);
  InlineSendMemory(const InlineSendMemory&) = delete;
  InlineSendMemory& operator=(const InlineSendMemory&) = delete;
  /// Every buffer must be gone.
  ~InlineSendMemory();

  SendLedger& ledger() { return ledger_; }
  /// A copy of `message`, at most ArenaLayout::kLargestBlock bytes; its Block::index is the ledger's name for it.
  /// Empty: no memory is left.
  base::Buffer copy(std::span<const std::byte> message);

 private:
  void release(base::Block& block) noexcept override;

  const std::uint64_t bytes_;
  std::unique_ptr<std::byte[]> memory_;
  worker::SendArena arena_;
  std::vector<base::Block> blocks_;
  SendLedger ledger_;
};

}  // namespace sluice::socket
