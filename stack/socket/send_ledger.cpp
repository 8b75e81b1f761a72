#include "stack/socket/send_ledger.hpp"

#include <algorithm>
#include <utility>

#include "stack/assoc/tx/sender.hpp"
#include "stack/base/check.hpp"

namespace sluice::socket {

void SendLedger::open(AssocId association, EndpointId endpoint, std::uint16_t worker, std::uint16_t streams,
                      std::uint64_t limit) {
  accounts_.insert_or_assign(
      association.value,
      Account{.association = association, .endpoint = endpoint, .worker = worker, .streams = streams, .limit = limit});
}

SendLedger::Account* SendLedger::find(AssocId association) {
  if (latest_ != nullptr && latest_->association == association) return latest_->open ? latest_ : nullptr;
  const auto found = accounts_.find(association.value);
  if (found == accounts_.end() || !found->second.open) return nullptr;
  latest_ = &found->second;
  return latest_;
}

void SendLedger::close(AssocId association) {
  const auto found = accounts_.find(association.value);
  if (found == accounts_.end()) return;
  Account& account = found->second;
  account.open = false;
  if (account.blocked) std::erase(blocked_, &account);
  account.blocked = false;
  if (account.held > 0) return;
  if (latest_ == &account) latest_ = nullptr;
  accounts_.erase(found);
}

void SendLedger::charge(Account& account, std::uint32_t index, std::uint32_t bytes) {
  SLUICE_DCHECK(blocks_[index].account == nullptr);
  blocks_[index] = {&account, bytes + assoc::Sender::kPartOverhead};
  account.held += blocks_[index].bytes;
  account.taken += block_bytes(index);
}

void SendLedger::credit(std::uint32_t index) {
  const Charge charge = std::exchange(blocks_[index], {});
  if (charge.account == nullptr) return;
  charge.account->held -= charge.bytes;
  charge.account->taken -= block_bytes(index);
  if (charge.account->open || charge.account->held > 0) return;
  if (latest_ == charge.account) latest_ = nullptr;
  accounts_.erase(charge.account->association.value);
}

void SendLedger::block(Account& account, std::uint32_t bytes) {
  account.wanted = bytes;
  if (account.blocked) return;
  account.blocked = true;
  blocked_.push_back(&account);
}

SendLedger::Account* SendLedger::take_writable() {
  const auto found = std::find_if(blocked_.begin(), blocked_.end(), [this](const Account* account) {
    const std::uint64_t free = arena_.free_bytes(account->wanted);
    return account->held <= account->limit / 4 * 3 && free > 0 && account->taken <= free / 4 * 3;
  });
  if (found == blocked_.end()) return nullptr;
  Account* const account = *found;
  blocked_.erase(found);
  account->blocked = false;
  return account;
}

}  // namespace sluice::socket
