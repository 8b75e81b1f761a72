#include "stack/socket/inline_send_memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace sluice::socket {
namespace {

TEST(InlineSendMemoryTest, ABlockThatComesBackIsTheLedgersAgain) {
  InlineSendMemory memory(1 << 20);
  SendLedger& ledger = memory.ledger();
  ledger.open(AssocId(1), EndpointId(1), 0, 10, UINT64_MAX);
  SendLedger::Account& account = *ledger.find(AssocId(1));
  std::vector<std::byte> message(5000, std::byte{7});
  {
    const base::Buffer buffer = memory.copy(message);
    ASSERT_TRUE(buffer);
    EXPECT_THAT(buffer.bytes(), testing::ElementsAreArray(message));
    ledger.charge(account, buffer.block().index, 5000, StreamId(0), true);
    EXPECT_EQ(account.taken, buffer.block().capacity);
  }
  EXPECT_EQ(account.taken, 0u);
}

TEST(InlineSendMemoryTest, AllOfItIsGivenOutAgain) {
  InlineSendMemory memory(1);  // and is as small as it can be
  const std::vector<std::byte> message(300);
  const auto give_out = [&] {
    std::vector<base::Buffer> buffers;
    while (base::Buffer buffer = memory.copy(message)) buffers.push_back(std::move(buffer));
    return buffers.size();
  };
  const std::size_t all = give_out();
  EXPECT_GT(all, 3u);
  EXPECT_EQ(give_out(), all);
}

}  // namespace
}  // namespace sluice::socket
