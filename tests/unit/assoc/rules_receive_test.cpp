// Rules of RFC 9260 about receiving that no other test watches; see tests/RFC9260.md.
#include "tests/unit/assoc/rx_fixture.hpp"

namespace sluice::assoc {
namespace {

class RulesReceive : public RxTest {
 protected:
  RulesReceive() { block_capacity = 2176; }
  static std::string full() { return std::string(1452, 'f'); }
};

TEST_F(RulesReceive, WhatIsHeldForReassemblyStaysChargedToTheWindow) {  // §6.2
  std::uint32_t window = sack()->window;
  std::uint32_t tsn = 1000;
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(data({tsn++, full(), i == 0 ? "B" : ""}), DataVerdict::accepted);
    const std::uint32_t now_offered = sack()->window;
    EXPECT_LE(now_offered + 1452, window);
    window = now_offered;
  }
  ASSERT_TRUE(host.pieces.empty());
  data({tsn, full(), "E"});
  EXPECT_EQ(host.pieces.size(), 11u);
  EXPECT_EQ(sack()->window, parameters.receive_window);
}

TEST_F(RulesReceive, WhatWasGivenBackCountsForTheWindowAgain) {  // §6.2
  parameters.receive_window = 20000;
  parameters.pin_limit = 20000;
  std::uint32_t tsn = 1002;
  while (data({tsn, full(), "BE", 0, static_cast<std::uint16_t>(tsn - 1000)}) == DataVerdict::accepted) ++tsn;
  const std::uint32_t window = sack()->window;
  ASSERT_EQ(counters.data_chunks_reneged, 0u);
  ASSERT_EQ(data({1001, full(), "BE", 0, 1}), DataVerdict::accepted);
  ASSERT_EQ(counters.data_chunks_reneged, 1u);
  EXPECT_EQ(sack()->window, window) << "one came, one was given back";
}

TEST_F(RulesReceive, GapsThatDoNotFitStillMakeOneSack) {  // §6.7
  for (std::uint32_t i = 0; i < 1000; ++i) data({1001 + 2 * i, "x", "BEU"});
  ASSERT_TRUE(receiver().sack_due(now));
  EXPECT_LT(sack(1452)->gaps.size(), 1000u);
  EXPECT_FALSE(receiver().sack_due(now));
  EXPECT_FALSE(receiver().sack_pending());
}

}  // namespace
}  // namespace sluice::assoc
