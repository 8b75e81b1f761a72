#include "tests/unit/assoc/rx_fixture.hpp"

// When a SACK is due (RFC 9260 §6.2), and the window that it offers.

namespace sluice::assoc {
namespace {

using std::chrono::milliseconds;

class RxSackTest : public RxTest {
 protected:
  void take_next(const std::string& payload = "x") {
    const Tsn next = receiver().cumulative_tsn() + 1;
    ASSERT_EQ(data({next.value(), payload, "BEU"}), DataVerdict::accepted);
  }
};

TEST_F(RxSackTest, EverySecondPacketAtOnceOthersAfterTheDelay) {
  EXPECT_FALSE(receiver().sack_pending());
  take_next();
  EXPECT_TRUE(receiver().sack_pending());
  EXPECT_FALSE(receiver().sack_due(now));
  EXPECT_EQ(receiver().sack_deadline(), now + milliseconds(200));
  EXPECT_FALSE(receiver().sack_due(now + milliseconds(199)));
  EXPECT_TRUE(receiver().sack_due(now + milliseconds(200)));
  now += milliseconds(50);
  take_next();
  EXPECT_TRUE(receiver().sack_due(now));
  sack();
  EXPECT_FALSE(receiver().sack_due(now));
  EXPECT_FALSE(receiver().sack_pending());
  EXPECT_EQ(receiver().sack_deadline(), kNever);
  EXPECT_EQ(counters.sacks_sent, 1U);
}

TEST_F(RxSackTest, DelayRunsFromTheFirstPacketThatIsNotAcknowledged) {
  parameters.sack_frequency = 4;
  take_next();
  const Timestamp first = now;
  now += milliseconds(150);
  take_next();
  EXPECT_EQ(receiver().sack_deadline(), first + milliseconds(200));
}

TEST_F(RxSackTest, SeveralChunksInAPacketCountOnce) {
  packet({{1000, "a", "BEU"}, {1001, "b", "BEU"}, {1002, "c", "BEU"}});
  EXPECT_FALSE(receiver().sack_due(now));
}

TEST_F(RxSackTest, FrequencyOneOrNoDelayAcknowledgesEachPacket) {
  parameters.sack_frequency = 1;
  take_next();
  EXPECT_TRUE(receiver().sack_due(now));
  sack();
  parameters.sack_frequency = 10;
  parameters.sack_delay = Duration::zero();
  take_next();
  EXPECT_TRUE(receiver().sack_due(now));
}

TEST_F(RxSackTest, DelayIsNeverMoreThanHalfASecond) {
  parameters.sack_delay = std::chrono::seconds(5);
  take_next();
  EXPECT_EQ(receiver().sack_deadline(), now + milliseconds(500));
}

TEST_F(RxSackTest, AtOnceWhileThereIsAGapAndWhenItIsFilled) {
  data({1001, "b", "BEU"});
  EXPECT_TRUE(receiver().sack_due(now));
  sack();
  data({1002, "c", "BEU"});
  EXPECT_TRUE(receiver().sack_due(now));
  sack();
  data({1000, "a", "BEU"});
  EXPECT_TRUE(receiver().sack_due(now));
  sack();
  take_next();
  EXPECT_FALSE(receiver().sack_due(now));
}

TEST_F(RxSackTest, AtOnceForDuplicates) {
  take_next();
  sack();
  data({1000, "x", "BEU"});
  EXPECT_TRUE(receiver().sack_due(now));
}

TEST_F(RxSackTest, AtOnceForTheImmediateBit) {
  data({1000, "a", "BEUI"});
  EXPECT_TRUE(receiver().sack_due(now));
}

TEST_F(RxSackTest, SackCarriesTheWholeWindowWhileNothingIsHeld) {
  take_next();
  EXPECT_EQ(sack()->window, parameters.receive_window);
  EXPECT_EQ(sack()->window, receiver().window());
}

TEST_F(RxSackTest, WindowLetsAsMuchOfFullPacketsInAsItPromises) {
  host.keep = true;
  block_capacity = 2176;
  const std::string payload(1452, 'x');
  std::uint32_t bytes = 0;
  while (receiver().window() >= 1500) {
    take_next(payload);
    bytes += 1452;
    EXPECT_EQ(sack()->window, receiver().window());
  }
  EXPECT_NEAR(bytes, parameters.receive_window, 5000);
}

TEST_F(RxSackTest, RightEdgeStaysWhileFullPacketsAreUnread) {
  host.keep = true;
  block_capacity = 2176;
  const std::string payload(1452, 'x');
  std::uint32_t edge = sack()->window;
  std::uint32_t bytes = 0;
  for (int i = 0; i < 700; ++i) {
    take_next(payload);
    bytes += 1452;
    const std::uint32_t next_edge = bytes + sack()->window;
    ASSERT_GE(next_edge, edge);
    ASSERT_LE(next_edge, edge + 1500);
    edge = next_edge;
  }
  host.kept.clear();
  EXPECT_EQ(sack()->window, parameters.receive_window);
}

TEST_F(RxSackTest, SmallPacketsCloseTheWindowByWhatTheyPin) {
  host.keep = true;
  block_capacity = 2176;
  for (int i = 0; i < 400; ++i) take_next("x");
  const std::uint32_t window = sack()->window;
  EXPECT_LT(window, parameters.receive_window - 400 * 1000);
  EXPECT_EQ(window, receiver().window());
}

TEST_F(RxSackTest, SmallStepsOfTheEdgeAreNotOffered) {
  parameters.receive_window = 100000;
  host.keep = true;
  block_capacity = 2176;
  for (int i = 0; i < 69; ++i) take_next(std::string(1452, 'x'));
  const auto small = sack()->window;
  EXPECT_LT(small, 1500U);
  host.kept.pop_back();  // 1 450 bytes free: less than a packet
  EXPECT_EQ(sack()->window, small);
  host.kept.pop_back();
  EXPECT_GE(sack()->window, small + 1500);
}

TEST_F(RxSackTest, ClosedWindowDropsWhatIsBeyondTheHighestTsnAndAnswers) {
  parameters.receive_window = 20000;
  host.keep = true;
  block_capacity = 2176;
  while (receiver().window() > 0) take_next(std::string(1452, 'x'));
  EXPECT_EQ(sack()->window, 0U);
  const Tsn probe = receiver().cumulative_tsn() + 1;
  EXPECT_EQ(data({probe.value(), "probe", "BEU"}), DataVerdict::out_of_window);
  EXPECT_TRUE(receiver().sack_due(now));
  EXPECT_EQ(counters.data_chunks_beyond_window, 1U);
  EXPECT_EQ(sack()->cumulative, probe.value() - 1);
  host.kept.clear();
  EXPECT_EQ(data({probe.value(), "probe", "BEU"}), DataVerdict::accepted) << "it can be taken now";
}

TEST_F(RxSackTest, ClosedWindowStillTakesWhatFillsAGap) {
  parameters.receive_window = 20000;
  host.keep = true;
  block_capacity = 2176;
  while (receiver().window() > 0) take_next(std::string(1452, 'x'));
  const std::uint32_t next = receiver().cumulative_tsn().value() + 1;
  EXPECT_EQ(data({next + 1, "beyond", "BEU"}), DataVerdict::accepted) << "the peer cannot know yet";
  EXPECT_EQ(sack()->window, 0U);
  EXPECT_EQ(data({next + 2, "beyond", "BEU"}), DataVerdict::out_of_window);
  EXPECT_EQ(data({next, "gap", "BEU"}), DataVerdict::accepted);
  EXPECT_EQ(sack()->cumulative, next + 1);
}

TEST_F(RxSackTest, OpeningAClosedWindowIsTold) {
  parameters.receive_window = 20000;
  host.keep = true;
  block_capacity = 2176;
  while (receiver().window() > 0) take_next(std::string(1452, 'x'));
  EXPECT_EQ(sack()->window, 0U);
  EXPECT_FALSE(receiver().sack_due(now));
  host.kept.pop_back();
  EXPECT_FALSE(receiver().sack_due(now)) << "less than a packet";
  EXPECT_EQ(host.flushes_wanted, 0);
  host.kept.pop_back();
  EXPECT_TRUE(receiver().sack_due(now));
  EXPECT_TRUE(receiver().sack_pending());
  EXPECT_EQ(host.flushes_wanted, 1);
  EXPECT_GE(sack()->window, 1500U);
  EXPECT_EQ(counters.window_updates_sent, 1U);
  EXPECT_FALSE(receiver().sack_due(now));
  // From there on a quarter of the window is worth telling.
  host.kept.pop_back();
  EXPECT_FALSE(receiver().sack_due(now));
  for (int i = 0; i < 4; ++i) host.kept.pop_back();
  EXPECT_TRUE(receiver().sack_due(now));
  host.kept.clear();
  EXPECT_EQ(sack()->window, 20000U);
}

TEST_F(RxSackTest, NoUpdatesWhileTheApplicationKeepsUp) {
  for (int i = 0; i < 1000; ++i) {
    take_next(std::string(1452, 'x'));
    if (i % 2 == 1) {
      EXPECT_TRUE(receiver().sack_due(now));
      sack();
    }
  }
  EXPECT_EQ(host.flushes_wanted, 0);
  EXPECT_EQ(counters.window_updates_sent, 0U);
}

TEST_F(RxSackTest, WindowClosesShortOfThePinLimitIfThatComesFirst) {
  parameters.pin_limit = 64 << 10;
  host.keep = true;
  block_capacity = 2048;
  for (int i = 0; i < 29; ++i) take_next(std::string(1452, 'x'));
  EXPECT_GT(sack()->window, 0U);
  take_next(std::string(1452, 'x'));
  EXPECT_EQ(sack()->window, 0U);
}

// §6.2: what is inside the window that was told must be taken, to its last byte.
TEST_F(RxSackTest, NothingThatWasOfferedIsRefused) {
  parameters.pin_limit = 3 * parameters.receive_window / 2;
  host.keep = true;
  block_capacity = 2048 + 128;
  std::uint32_t window = parameters.receive_window;
  for (int i = 0; i < 5000 && window >= 60; ++i) {
    std::vector<Data> chunks;
    const std::uint32_t first = receiver().cumulative_tsn().value() + 1;
    for (std::uint32_t k = 0; k < 19 && window >= 60; ++k, window -= 60)
      chunks.push_back({first + k, std::string(60, 'x'), "BEU"});
    for (const DataVerdict verdict : packet(chunks)) {
      const std::optional<Sack> told = sack();
      ASSERT_EQ(verdict, DataVerdict::accepted) << "while the SACK offers " << told->window << " bytes";
    }
    window = sack()->window;
  }
  EXPECT_EQ(sack()->window, 0U);
}

}  // namespace
}  // namespace sluice::assoc
