// Zero window probes (RFC 9260 §6.1 A).

#include "tests/unit/assoc/tx_fixture.hpp"

namespace sluice::assoc {
namespace {

class WindowProbeTest : public SenderTest {
 protected:
  /// The peer took everything and has no room for the message that is queued.
  void close_window() {
    start();
    send("first");
    flush();
    now += 100ms;
    sack({.cumulative = 1000, .window = 0});
    rto = paths[0].rto.value();
    send("waits");
    send("waits too");
    ASSERT_FALSE(sender->has_data_for(paths[0]));
  }
  void probe() {
    ASSERT_NE(sender->probe_deadline(), kNever);
    now = sender->probe_deadline();
    sender->on_probe_deadline(now);
    ASSERT_TRUE(sender->has_data_for(paths[0]));
    ASSERT_EQ(flat(flush()).size(), 1u);
  }
  Duration rto{};
};

TEST_F(WindowProbeTest, FirstProbeLeavesOneRtoAfterTheWindowClosed) {
  close_window();
  EXPECT_EQ(sender->probe_deadline(), now + rto);
  sender->on_probe_deadline(now);
  EXPECT_FALSE(sender->has_data_for(paths[0])) << "too early";
  probe();
  EXPECT_EQ(counters.window_probes_sent, 1u);
  EXPECT_EQ(sender->probe_deadline(), kNever) << "one at a time";
  EXPECT_FALSE(sender->has_data_for(paths[0]));
}

// Found by the simulation: the peer's SHUTDOWN came again more often than the probe was due.
TEST_F(WindowProbeTest, AcknowledgementsOfNothingPutNoProbeOff) {
  close_window();
  const Timestamp due = sender->probe_deadline();
  now += rto / 2;
  sack({.cumulative = 1000, .window = 0});
  EXPECT_TRUE(sender->on_cumulative_ack(now, Tsn(1000), paths).valid);
  EXPECT_EQ(sender->probe_deadline(), due);
  now = due;
  sender->on_probe_deadline(now);
  EXPECT_TRUE(sender->on_cumulative_ack(now, Tsn(1000), paths).valid);
  EXPECT_TRUE(sender->has_data_for(paths[0]));
}

TEST_F(WindowProbeTest, NothingIsProbedWithoutDataOrWithAnOpenWindow) {
  start();
  send("x");
  flush();
  sack({.cumulative = 1000, .window = 0});
  EXPECT_EQ(sender->probe_deadline(), kNever);
  send("y");
  EXPECT_NE(sender->probe_deadline(), kNever);
  sack({.cumulative = 1000, .window = 1000});
  EXPECT_EQ(sender->probe_deadline(), kNever);
  EXPECT_EQ(flat(flush()).size(), 1u);
}

TEST_F(WindowProbeTest, AnsweredProbesAreNoErrorAndLeaveCwndAndRtoAlone) {
  close_window();
  const std::uint32_t cwnd = paths[0].congestion->cwnd();
  probe();
  for (int i = 1; i <= 3; ++i) {
    sack({.cumulative = 1000, .window = 0});
    const Timestamp deadline = paths[0].t3_deadline;
    now = deadline;
    EXPECT_FALSE(sender->on_t3_expired(now, paths[0]));
    EXPECT_EQ(flat(flush()).size(), 1u);
    EXPECT_EQ(paths[0].t3_deadline, now + rto * (1 << i)) << "the interval doubles";
  }
  EXPECT_EQ(paths[0].congestion->cwnd(), cwnd);
  EXPECT_EQ(paths[0].rto.value(), rto);
}

TEST_F(WindowProbeTest, UnansweredProbeIsAnError) {
  close_window();
  probe();
  now = paths[0].t3_deadline;
  EXPECT_TRUE(sender->on_t3_expired(now, paths[0]));
  EXPECT_EQ(paths[0].rto.value(), 2 * rto);
  flush();
  sack({.cumulative = 1000, .window = 0});
  EXPECT_FALSE(sender->on_t3_expired(paths[0].t3_deadline, paths[0]));
}

// A SHUTDOWN, which says nothing of the window, may come from anywhere.
TEST_F(WindowProbeTest, OnlyASackAnswersAProbe) {
  close_window();
  probe();
  EXPECT_TRUE(sender->on_cumulative_ack(now, Tsn(1000), paths).valid);
  EXPECT_TRUE(sender->on_t3_expired(paths[0].t3_deadline, paths[0])) << "an error";
}

TEST_F(WindowProbeTest, ProbeThatWasTakenIsFollowedByOneAfterALongerTime) {
  close_window();
  probe();
  sack({.cumulative = 1001, .window = 0});
  EXPECT_EQ(sender->probe_deadline(), now + 2 * rto);
  probe();
  sack({.cumulative = 1002, .window = 0});
  EXPECT_TRUE(sender->drained());
}

TEST_F(WindowProbeTest, ProbeThatWasDroppedLeavesAtOnceWhenTheWindowOpens) {
  close_window();
  probe();
  sack({.cumulative = 1000, .window = 5000});
  const SentPacket sent = flat(flush());
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].tsn, Tsn(1001));
  EXPECT_EQ(sent[1].tsn, Tsn(1002));
  EXPECT_EQ(paths[0].t3_deadline, now + rto);
}

TEST_F(WindowProbeTest, IntervalStartsAnewAfterTheWindowWasOpen) {
  close_window();
  probe();
  sack({.cumulative = 1001, .window = 0});
  probe();
  sack({.cumulative = 1002, .window = 5000});
  send("x");
  flush();
  sack({.cumulative = 1003, .window = 0});
  send("y");
  EXPECT_EQ(sender->probe_deadline(), now + paths[0].rto.value());
}

}  // namespace
}  // namespace sluice::assoc
