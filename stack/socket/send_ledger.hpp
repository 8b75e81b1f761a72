#pragma once

#include <sluice/event.hpp>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "stack/worker/send_arena.hpp"

namespace sluice::socket {

/// What an application thread knows of its own sending, without asking a worker: which associations are up, how much of
/// each the stack still holds, and who was told that a send would block. Messages count from the send until their
/// memory comes back, which is longer than the association's own sender counts them: so that one never has to refuse.
/// Nor is an association given more of the send memory while it has more than is left: a peer that does not read must
/// not keep the application from sending to anybody else. Both rules give way to the part that the message under way
/// lacks, without which nothing of the association could leave and no memory come back.
class SendLedger {
 public:
  /// A message of which the last part was not sent yet.
  struct OpenMessage {
    StreamId stream;
    std::uint32_t number = 0;  ///< among those of its association, from 1
    std::uint32_t blocks = 0;  ///< held for its parts; none: all were acknowledged, so that it is the one under way
  };
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
    bool part_blocked = false;  ///< one of those sends was of a further part
    std::uint32_t begun = 0;    ///< messages by parts so far
    std::vector<OpenMessage> open_messages{};

    bool full() const { return held >= limit; }
  };

  /// `arena` outlives the ledger.
  explicit SendLedger(const worker::SendArena& arena) : arena_(arena), blocks_(arena.layout().blocks()) {}

  /// `event` came, of an association of `worker`; `limit` is for one that came up.
  void keep(const Event& event, std::uint16_t worker, std::uint64_t limit);
  void open(AssocId association, EndpointId endpoint, std::uint16_t worker, std::uint16_t streams, std::uint64_t limit);
  /// The association ended.
  void close(AssocId association);
  /// The account of an association that is up; null if there is none.
  Account* find(AssocId association);

  /// Block `index` holds `bytes` for `account` from now on: a message, or a part of one, the last if `end`.
  void charge(Account& account, std::uint32_t index, std::uint32_t bytes, StreamId stream, bool end);
  /// Block `index` came back; blocks never charged are let pass.
  void credit(std::uint32_t index);

  /// `account` may have a block for `bytes` on `stream`, if one is free.
  bool may_send(const Account& account, std::uint32_t bytes, StreamId stream) const;
  /// A send of `bytes` on `stream` would have blocked.
  void block(Account& account, std::uint32_t bytes, StreamId stream);
  /// Takes an account that was blocked and may send again; null when there is none.
  Account* take_writable();

 private:
  struct Charge {
    Account* account = nullptr;
    std::uint32_t bytes = 0;
    std::uint32_t message = 0;  ///< OpenMessage::number; 0: none that was open when it was charged
  };
  static std::uint32_t count_part(Account& account, StreamId stream, bool end);
  bool may_try(const Account& account) const;
  std::uint32_t block_bytes(std::uint32_t index) const { return arena_.layout().class_of(index).block_bytes; }

  const worker::SendArena& arena_;
  std::unordered_map<std::uint64_t, Account> accounts_;
  std::vector<Charge> blocks_;
  std::vector<Account*> blocked_;
  Account* latest_ = nullptr;  // most sends go where the one before went
};

/// The event that tells the application of a blocked account that may send again.
Event writable(const SendLedger::Account& account);

}  // namespace sluice::socket
