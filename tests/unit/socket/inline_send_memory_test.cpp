#include "stack/socket/inline_send_memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/worker/association_id.hpp"

namespace sluice::socket {
namespace {

/// Two associations that send from one memory.
class InlineSendMemoryTest : public testing::Test {
 protected:
  static AssocId name(std::uint32_t index) {
    return worker::encode({.worker = endpoint::WorkerId(0), .index = index, .generation = 1});
  }
  /// Sends as an application does; false: it would block.
  bool send(AssocId association, std::uint32_t bytes) {
    base::Buffer buffer = memory.allocate(association, bytes);
    if (!buffer) return false;
    EXPECT_GE(buffer.tailroom(), bytes);
    sent.push_back(std::move(buffer));
    return true;
  }
  void send_all(AssocId association, std::uint32_t bytes) {
    while (send(association, bytes)) {
    }
  }

  InlineSendMemory memory{8 << 20};
  std::vector<base::Buffer> sent;
  const AssocId stuck = name(0);
  const AssocId other = name(7);
};

TEST_F(InlineSendMemoryTest, OneWhosePeerDoesNotReadLeavesRoomForOthers) {
  for (const std::uint32_t bytes : {300u, 100u, 60000u, 5000u}) {
    send_all(stuck, bytes);
    for (const std::uint32_t its : {100u, 300u, 5000u}) EXPECT_TRUE(send(other, its)) << its << " beside " << bytes;
  }
}

TEST_F(InlineSendMemoryTest, NoneIsToldToSendBeforeItsShareHasRoom) {
  send_all(stuck, 300);
  EXPECT_EQ(memory.take_writable(), AssocId());
  sent.resize(sent.size() / 2);
  EXPECT_EQ(memory.take_writable(), stuck);
  EXPECT_EQ(memory.take_writable(), AssocId()) << "once";
  EXPECT_TRUE(send(stuck, 300));
}

TEST_F(InlineSendMemoryTest, AllMemoryIsGivenOutAgainWhenItCameBack) {
  send_all(stuck, 300);
  const std::size_t most = sent.size();
  sent.clear();
  send_all(stuck, 300);
  EXPECT_EQ(sent.size(), most);
}

TEST_F(InlineSendMemoryTest, OneThatMaySendIsToldThoughManyInFrontMayNot) {
  std::uint32_t holders = 0;
  while (send(name(holders), 60000)) ++holders;
  ASSERT_GT(holders, 30u);
  for (std::uint32_t i = 0; i < holders; ++i) EXPECT_FALSE(send(name(i), 60000));
  sent.pop_back();  // the last holder's, which may send again then, as may the one that came when there was none left
  std::vector<AssocId> told;
  for (int call = 0; call < 6; ++call)
    if (const AssocId one = memory.take_writable(); one != AssocId()) told.push_back(one);
  EXPECT_THAT(told, testing::UnorderedElementsAre(name(holders - 1), name(holders)));
}

}  // namespace
}  // namespace sluice::socket
