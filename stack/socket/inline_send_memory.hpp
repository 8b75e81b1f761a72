#pragma once

#include <sluice/ids.hpp>

#include <deque>
#include <memory>
#include <vector>

#include "stack/base/buffer.hpp"
#include "stack/worker/send_arena.hpp"

namespace sluice::socket {

/// Send memory of an application in a worker's own loop. An association is given no more of it while it has more than
/// is left, as SendLedger has it for applications behind rings. One thread's.
class InlineSendMemory final : private base::BlockOwner {
 public:
  /// `bytes` is at least ArenaLayout::kLeastBytes.
  explicit InlineSendMemory(std::uint64_t bytes);
  InlineSendMemory(const InlineSendMemory&) = delete;
  InlineSendMemory& operator=(const InlineSendMemory&) = delete;
  /// Every buffer must be gone.
  ~InlineSendMemory();

  /// A buffer with room for `bytes`, at most ArenaLayout::kLargestBlock, for `association`, which there is. Empty: the
  /// send would block, and take_writable() says when to try again.
  base::Buffer allocate(AssocId association, std::uint32_t bytes);
  /// Takes an association that was refused and may send again; it may have ended since. Looks at some of them in each
  /// call, the longest waiting first. AssocId(): none.
  AssocId take_writable();

 private:
  static constexpr std::size_t kMostLooks = 16;

  /// What the association at an index, or the ones that had the index before it, holds.
  struct Account final : base::PinAccount {
    void unpinned() noexcept override {}

    AssocId waiting;           ///< who was refused and not told since; none otherwise
    std::uint32_t wanted = 0;  ///< bytes it was refused
  };

  void release(base::Block& block) noexcept override;
  Account& account_of(AssocId association);
  bool may_send(const Account& account) const;

  std::unique_ptr<std::byte[]> memory_;
  worker::SendArena arena_;
  std::vector<base::Block> blocks_;
  std::deque<Account> accounts_;  // by the association's index; they stay where they are
  std::deque<Account*> refused_;
};

}  // namespace sluice::socket
