#include <gtest/gtest.h>

#include "stack/assoc/congestion/rfc9260_controller.hpp"

namespace sluice::assoc {
namespace {

constexpr std::uint32_t kPmdcs = 1468;
constexpr Timestamp kNow{};

CongestionController::Acked full(std::uint32_t bytes) {
  return {.bytes = bytes, .outstanding = 1 << 20, .cumulative_advanced = true, .fully_used = true};
}

/// In congestion avoidance with cwnd = ssthresh + 1 PMDCS.
Rfc9260Controller avoiding() {
  Rfc9260Controller controller(kPmdcs, true);
  for (int i = 0; i < 13; ++i) controller.on_acked(kNow, full(kPmdcs));
  controller.on_fast_retransmit(kNow);
  controller.on_acked(kNow, full(kPmdcs));  // cwnd == ssthresh is still slow start
  return controller;
}

TEST(Rfc9260Controller, InitialCwndDependsOnMtuAndFamily) {
  EXPECT_EQ(Rfc9260Controller(1468, true).cwnd(), 4404u);
  EXPECT_EQ(Rfc9260Controller(1448, false).cwnd(), 4344u);
  EXPECT_EQ(Rfc9260Controller(500, true).cwnd(), 2000u);
  EXPECT_EQ(Rfc9260Controller(8968, true).cwnd(), 2 * 8968u);
}

TEST(Rfc9260Controller, SlowStartGrowsByWhatIsAckedButAtMostOnePacket) {
  Rfc9260Controller controller(kPmdcs, true);
  controller.on_acked(kNow, full(100));
  EXPECT_EQ(controller.cwnd(), 4404u + 100);
  controller.on_acked(kNow, full(10 * kPmdcs));
  EXPECT_EQ(controller.cwnd(), 4404u + 100 + kPmdcs);
}

TEST(Rfc9260Controller, SlowStartDoesNotGrowUnlessFullyUsedAndOutOfRecovery) {
  Rfc9260Controller controller(kPmdcs, true);
  auto acked = full(kPmdcs);
  acked.fully_used = false;
  controller.on_acked(kNow, acked);
  EXPECT_EQ(controller.cwnd(), 4404u);
  acked = full(kPmdcs);
  acked.in_fast_recovery = true;
  controller.on_acked(kNow, acked);
  EXPECT_EQ(controller.cwnd(), 4404u);
}

TEST(Rfc9260Controller, FastRetransmitHalvesButNotBelowFourPackets) {
  Rfc9260Controller controller(kPmdcs, true);
  controller.on_fast_retransmit(kNow);
  EXPECT_EQ(controller.cwnd(), 4 * kPmdcs);
  for (int i = 0; i < 8; ++i) controller.on_acked(kNow, full(kPmdcs));
  const std::uint32_t before = controller.cwnd();
  Rfc9260Controller larger(kPmdcs, true);
  for (int i = 0; i < 97; ++i) larger.on_acked(kNow, full(kPmdcs));
  larger.on_fast_retransmit(kNow);
  EXPECT_EQ(larger.cwnd(), 50 * kPmdcs);
  EXPECT_EQ(larger.ssthresh(), 50 * kPmdcs);
  EXPECT_GE(before, 4 * kPmdcs);
}

TEST(Rfc9260Controller, TimeoutLeavesOnePacket) {
  Rfc9260Controller controller(kPmdcs, true);
  for (int i = 0; i < 97; ++i) controller.on_acked(kNow, full(kPmdcs));
  controller.on_timeout(kNow);
  EXPECT_EQ(controller.cwnd(), kPmdcs);
  EXPECT_EQ(controller.ssthresh(), 50 * kPmdcs);
}

TEST(Rfc9260Controller, AvoidanceGrowsByOnePacketForEachCwndAcked) {
  Rfc9260Controller controller = avoiding();
  const std::uint32_t cwnd = controller.cwnd();
  ASSERT_GT(cwnd, controller.ssthresh());
  std::uint32_t acked = 0;
  for (; acked + kPmdcs < cwnd; acked += kPmdcs) controller.on_acked(kNow, full(kPmdcs));
  EXPECT_EQ(controller.cwnd(), cwnd);
  controller.on_acked(kNow, full(kPmdcs));
  EXPECT_EQ(controller.cwnd(), cwnd + kPmdcs);
}

TEST(Rfc9260Controller, AvoidanceSavesUpNoMoreThanOneCwndWhileNotFull) {
  Rfc9260Controller controller = avoiding();
  const std::uint32_t cwnd = controller.cwnd();
  auto acked = full(kPmdcs);
  acked.fully_used = false;
  for (int i = 0; i < 100; ++i) controller.on_acked(kNow, acked);
  EXPECT_EQ(controller.cwnd(), cwnd);
  controller.on_acked(kNow, full(kPmdcs));
  EXPECT_EQ(controller.cwnd(), cwnd + kPmdcs);
  controller.on_acked(kNow, full(kPmdcs));
  EXPECT_EQ(controller.cwnd(), cwnd + kPmdcs) << "only one cwnd had been saved up";
}

TEST(Rfc9260Controller, AvoidanceStartsAnewWhenEverythingIsAcked) {
  Rfc9260Controller controller = avoiding();
  const std::uint32_t cwnd = controller.cwnd();
  const auto last = full(cwnd - kPmdcs);
  controller.on_acked(kNow, last);
  controller.on_all_acknowledged();
  controller.on_acked(kNow, full(kPmdcs));
  EXPECT_EQ(controller.cwnd(), cwnd);
}

TEST(Rfc9260Controller, IdlenessHalvesDownToFourPacketsAndRemembersTheCwnd) {
  Rfc9260Controller controller(kPmdcs, true);
  for (int i = 0; i < 97; ++i) controller.on_acked(kNow, full(kPmdcs));
  controller.on_idle(kNow);
  EXPECT_EQ(controller.cwnd(), 50 * kPmdcs);
  EXPECT_EQ(controller.ssthresh(), 100 * kPmdcs);
  for (int i = 0; i < 10; ++i) controller.on_idle(kNow);
  EXPECT_EQ(controller.cwnd(), 4 * kPmdcs);
  EXPECT_EQ(controller.ssthresh(), 100 * kPmdcs);
}

TEST(Rfc9260Controller, IdlenessNeverRaisesTheCwnd) {
  Rfc9260Controller controller(kPmdcs, true);
  controller.on_timeout(kNow);
  controller.on_idle(kNow);
  EXPECT_EQ(controller.cwnd(), kPmdcs);
}

TEST(Rfc9260Controller, IdlenessAfterATimeoutKeepsTheThresholdOfTheSlowStartThatFollows) {
  Rfc9260Controller controller(kPmdcs, true);
  for (int i = 0; i < 97; ++i) controller.on_acked(kNow, full(kPmdcs));
  controller.on_timeout(kNow);
  controller.on_idle(kNow);
  EXPECT_EQ(controller.ssthresh(), 50 * kPmdcs);
}

TEST(Rfc9260Controller, GrowsWithThePathMtuSoThatOnePacketFits) {
  Rfc9260Controller controller(kPmdcs, true);
  controller.on_timeout(kNow);
  controller.set_mtu(8968);
  EXPECT_EQ(controller.cwnd(), 8968u);
}

}  // namespace
}  // namespace sluice::assoc
