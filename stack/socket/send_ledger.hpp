#pragma once

#include <sluice/ids.hpp>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "stack/worker/send_arena.hpp"

namespace sluice::socket {

/// What an application thread knows of its own sending, without asking a worker: which associations are up, how much of
/// each the stack still holds, and who was told that a send would block. Messages count from the send until their
/// memory comes back, which is longer than the association's own sender counts them: so that one never has to refuse.
/// Nor is an association given more of the send memory while it has more than is left: a peer that does not read must
/// not keep the application from sending to anybody else.
class SendLedger {
 public:
  struct Account {
    AssocId association;
    EndpointId endpoint;
    std::uint16_t worker = 0;   ///< who owns it
    std::uint16_t streams = 0;  ///< outbound
    std::uint64_t held = 0;     ///< what the stack has queued for this association, counted as its sender counts
    std::uint64_t limit = 0;    ///< how much of that it may have
    std::uint64_t taken = 0;    ///< bytes of send memory, whole blocks
    std::uint32_t wanted = 0;   ///< bytes of the send that would have blocked
    bool open = true;           ///< false: ended; the account goes when nothing is held any more
    bool blocked = false;       ///< a send would have blocked, and no writable event came since

    bool full() const { return held >= limit; }
  };

  /// `arena` outlives the ledger.
  explicit SendLedger(const worker::SendArena& arena) : arena_(arena), blocks_(arena.layout().blocks()) {}

  void open(AssocId association, EndpointId endpoint, std::uint16_t worker, std::uint16_t streams, std::uint64_t limit);
  /// The association ended.
  void close(AssocId association);
  /// The account of an association that is up; null if there is none.
  Account* find(AssocId association);

  /// Block `index` holds `bytes` for `account` now.
  void charge(Account& account, std::uint32_t index, std::uint32_t bytes);
  /// Block `index` came back; blocks never charged are let pass.
  void credit(std::uint32_t index);

  /// There is send memory for `bytes`, and no less of it than `account` has.
  bool has_share(const Account& account, std::uint32_t bytes) const {
    return account.taken <= arena_.free_bytes(bytes);
  }
  /// A send of `bytes` would have blocked.
  void block(Account& account, std::uint32_t bytes);
  /// Takes an account that was blocked and may send again; null when there is none.
  Account* take_writable();

 private:
  struct Charge {
    Account* account = nullptr;
    std::uint32_t bytes = 0;
  };
  std::uint32_t block_bytes(std::uint32_t index) const { return arena_.layout().class_of(index).block_bytes; }

  const worker::SendArena& arena_;
  std::unordered_map<std::uint64_t, Account> accounts_;
  std::vector<Charge> blocks_;
  std::vector<Account*> blocked_;
  Account* latest_ = nullptr;  // most sends go where the one before went
};

}  // namespace sluice::socket
