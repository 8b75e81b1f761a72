#include "stack/socket/send_ledger.hpp"

#include <gtest/gtest.h>

namespace sluice::socket {
namespace {

constexpr std::uint64_t kBytes = 8 << 20;
constexpr std::uint64_t kLimit = 64 << 20;

/// Two associations that send from one arena.
class SendLedgerTest : public testing::Test {
 protected:
  SendLedgerTest() {
    ledger.open(AssocId(1), EndpointId(1), 0, 10, kLimit);
    ledger.open(AssocId(2), EndpointId(1), 0, 10, kLimit);
  }
  /// Sends as an application does; false: it would block.
  bool send(SendLedger::Account& account, std::uint32_t bytes, StreamId stream = StreamId(0), bool end = true) {
    const auto piece = ledger.may_send(account, bytes, stream) ? arena.allocate(bytes) : std::nullopt;
    if (!piece) {
      ledger.block(account, bytes, stream);
      return false;
    }
    ledger.charge(account, piece->block, bytes, stream, end);
    sent.push_back(piece->block);
    return true;
  }
  /// What was sent first.
  void acknowledge_oldest() {
    ledger.credit(sent.front());
    arena.free(sent.front());
    sent.erase(sent.begin());
  }
  void acknowledge(std::size_t n) {
    for (; n > 0 && !sent.empty(); --n) {
      ledger.credit(sent.back());
      arena.free(sent.back());
      sent.pop_back();
    }
  }

  std::vector<std::byte> memory = std::vector<std::byte>(kBytes);
  worker::SendArena arena{memory};
  SendLedger ledger{arena};
  std::vector<std::uint32_t> sent;
};

TEST_F(SendLedgerTest, OneWhosePeerDoesNotReadLeavesRoomForOthers) {
  SendLedger::Account& stuck = *ledger.find(AssocId(1));
  SendLedger::Account& other = *ledger.find(AssocId(2));
  for (const std::uint32_t bytes : {300u, 100u, 60000u, 5000u}) {
    for (int i = 0; i < 100'000 && send(stuck, bytes); ++i) {
    }
    for (const std::uint32_t its : {100u, 300u, 5000u}) EXPECT_TRUE(send(other, its)) << its << " beside " << bytes;
  }
}

TEST_F(SendLedgerTest, NoneIsToldToSendBeforeItsShareHasRoom) {
  SendLedger::Account& stuck = *ledger.find(AssocId(1));
  while (send(stuck, 300)) {
  }
  EXPECT_EQ(ledger.take_writable(), nullptr);
  acknowledge(sent.size() / 2);
  EXPECT_EQ(ledger.take_writable(), &stuck);
  EXPECT_EQ(ledger.take_writable(), nullptr) << "once";
  EXPECT_TRUE(send(stuck, 300));
  acknowledge(sent.size());
  EXPECT_EQ(stuck.taken, 0u);
  EXPECT_EQ(stuck.held, 0u);
}

TEST_F(SendLedgerTest, AnAccountGoesWhenItsLastBlockIsBack) {
  SendLedger::Account& account = *ledger.find(AssocId(1));
  ASSERT_TRUE(send(account, 300));
  ledger.close(AssocId(1));
  EXPECT_EQ(ledger.find(AssocId(1)), nullptr);
  acknowledge(1);
  ledger.open(AssocId(1), EndpointId(1), 0, 10, kLimit);
  EXPECT_EQ(ledger.find(AssocId(1))->held, 0u);
}

TEST_F(SendLedgerTest, ThePartThatAMessageUnderWayLacksIsTakenWhateverWaitsBehindIt) {
  SendLedger::Account& account = *ledger.find(AssocId(1));
  ASSERT_TRUE(send(account, 20000, StreamId(3), false));
  while (send(account, 20000)) {
  }
  EXPECT_FALSE(send(account, 20000, StreamId(3), false)) << "it does not lack one yet";
  EXPECT_EQ(ledger.take_writable(), nullptr);
  acknowledge_oldest();
  EXPECT_EQ(ledger.take_writable(), &account);
  while (send(account, 20000)) {
  }
  EXPECT_EQ(ledger.take_writable(), nullptr) << "nothing for whole messages";
  EXPECT_TRUE(send(account, 20000, StreamId(3), false));
  EXPECT_FALSE(send(account, 20000, StreamId(3), true));
}

TEST_F(SendLedgerTest, WhatAnEndedMessageHoldsSaysNothingAboutTheNextOnItsStream) {
  SendLedger::Account& account = *ledger.find(AssocId(1));
  ASSERT_TRUE(send(account, 300, StreamId(3), false));
  ASSERT_TRUE(send(account, 300, StreamId(3), true));
  ASSERT_TRUE(send(account, 300, StreamId(3), false));
  while (send(account, 20000)) {
  }
  acknowledge_oldest();
  EXPECT_FALSE(send(account, 20000, StreamId(3), false));
  acknowledge_oldest();
  acknowledge_oldest();
  EXPECT_TRUE(send(account, 20000, StreamId(3), false));
  EXPECT_EQ(account.open_messages.size(), 1u);
}

TEST_F(SendLedgerTest, ARestartTellsTheStreamsAnew) {
  Event event;
  event.type = EventType::restarted;
  event.association = AssocId(1);
  event.streams_out = 20;
  ledger.keep(event, 0, kLimit);
  EXPECT_EQ(ledger.find(AssocId(1))->streams, 20);
}

}  // namespace
}  // namespace sluice::socket
