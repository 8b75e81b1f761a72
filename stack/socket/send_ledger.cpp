#include "stack/socket/send_ledger.hpp"

#include <algorithm>
#include <utility>

#include "stack/assoc/tx/sender.hpp"
#include "stack/base/check.hpp"

namespace sluice::socket {
namespace {

/// The open message on `stream` of these; null if there is none.
template <class Messages>
auto* open_on(Messages& messages, StreamId stream) {
  const auto found =
      std::find_if(messages.begin(), messages.end(), [&](const auto& one) { return one.stream == stream; });
  return found != messages.end() ? &*found : nullptr;
}

}  // namespace

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

void SendLedger::keep(const Event& event, std::uint16_t worker, std::uint64_t limit) {
  switch (event.type) {
    case EventType::association_up:
      open(event.association, event.endpoint, worker, event.streams_out, limit);
      break;
    case EventType::restarted:
      if (Account* const account = find(event.association)) account->streams = event.streams_out;
      break;
    case EventType::association_lost:
    case EventType::closed:
      close(event.association);
      break;
    default:
      break;
  }
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

void SendLedger::charge(Account& account, std::uint32_t index, std::uint32_t bytes, StreamId stream, bool end) {
  SLUICE_DCHECK(blocks_[index].account == nullptr);
  blocks_[index] = {&account, bytes + assoc::Sender::kPartOverhead, count_part(account, stream, end)};
  account.held += blocks_[index].bytes;
  account.taken += block_bytes(index);
}

/// The number of the message that has another part in a block now, if there will be more of it; else 0.
std::uint32_t SendLedger::count_part(Account& account, StreamId stream, bool end) {
  std::vector<OpenMessage>& messages = account.open_messages;
  OpenMessage* message = open_on(messages, stream);
  if (end) {
    if (message != nullptr) messages.erase(messages.begin() + (message - messages.data()));
    return 0;
  }
  if (message == nullptr) message = &messages.emplace_back(OpenMessage{stream, ++account.begun, 0});
  ++message->blocks;
  return message->number;
}

void SendLedger::credit(std::uint32_t index) {
  const Charge charge = std::exchange(blocks_[index], {});
  if (charge.account == nullptr) return;
  charge.account->held -= charge.bytes;
  charge.account->taken -= block_bytes(index);
  if (charge.message != 0)
    for (OpenMessage& message : charge.account->open_messages)
      if (message.number == charge.message) --message.blocks;
  if (charge.account->open || charge.account->held > 0) return;
  if (latest_ == charge.account) latest_ = nullptr;
  accounts_.erase(charge.account->association.value);
}

bool SendLedger::may_send(const Account& account, std::uint32_t bytes, StreamId stream) const {
  if (!account.full() && account.taken <= arena_.free_bytes(bytes)) return true;
  const OpenMessage* const message = open_on(account.open_messages, stream);
  return message != nullptr && message->blocks == 0;
}

void SendLedger::block(Account& account, std::uint32_t bytes, StreamId stream) {
  account.wanted = bytes;
  account.part_blocked |= open_on(account.open_messages, stream) != nullptr;
  if (account.blocked) return;
  account.blocked = true;
  blocked_.push_back(&account);
}

SendLedger::Account* SendLedger::take_writable() {
  const auto found =
      std::find_if(blocked_.begin(), blocked_.end(), [this](const Account* account) { return may_try(*account); });
  if (found == blocked_.end()) return nullptr;
  Account* const account = *found;
  blocked_.erase(found);
  account->blocked = account->part_blocked = false;
  return account;
}

/// With room to spare, so that it is not blocked again at once.
bool SendLedger::may_try(const Account& account) const {
  const std::uint64_t free = arena_.free_bytes(account.wanted);
  if (free == 0) return false;
  if (account.held <= account.limit / 4 * 3 && account.taken <= free / 4 * 3) return true;
  return account.part_blocked && std::any_of(account.open_messages.begin(), account.open_messages.end(),
                                             [](const OpenMessage& message) { return message.blocks == 0; });
}

Event writable(const SendLedger::Account& account) {
  Event event;
  event.type = EventType::writable;
  event.association = account.association;
  event.endpoint = account.endpoint;
  return event;
}

}  // namespace sluice::socket
