// Rules of RFC 9260 about sending and congestion that no other test watches; see tests/RFC9260.md.
#include "tests/unit/assoc/tx_fixture.hpp"

namespace sluice::assoc {
namespace {

class RulesData : public SenderTest {};

TEST_F(RulesData, EveryFragmentBearsPpidAndUBit) {  // §3.3.1
  start();
  open_cwnd(paths[0]);
  for (const bool unordered : {false, true}) {
    SendRequest large = request(std::string(5000, 'x'));
    large.ppid = Ppid(0xdeadbeef);
    large.unordered = unordered;
    sender->send(std::move(large));
    const SentPacket sent = flat(flush());
    ASSERT_EQ(sent.size(), 4u);
    for (const SentData& chunk : sent) {
      EXPECT_EQ(chunk.ppid, Ppid(0xdeadbeef));
      EXPECT_EQ(chunk.unordered, unordered);
    }
  }
}

TEST_F(RulesData, NoMoreThan65535OrderedMessagesOfAStreamAreInTheWindow) {  // §6.1
  parameters.send_buffer = 1 << 30;
  parameters.max_burst = 0;
  limits.message_parts = 70000;
  limits.sent_segments = 3000;
  start();
  open_cwnd(paths[0], 100000);
  for (int i = 0; i < 65537; ++i) ASSERT_EQ(send("x"), SendStatus::queued);
  EXPECT_EQ(flat(flush()).size(), 65535u);
  EXPECT_FALSE(sender->has_data_for(paths[0]));
  sack({.cumulative = 1000});
  const SentPacket next = flat(flush());
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(next[0].ssn, Ssn(65535));
  sack({.cumulative = 1001});
  EXPECT_EQ(flat(flush()).at(0).ssn, Ssn(0));
}

class RulesWindow : public SenderTest {};

TEST_F(RulesWindow, NoProbeWhileAnythingIsInFlight) {  // §6.1 A
  start();
  send("one");
  send("two");
  flush();
  send("waits");
  sack({.cumulative = 1000, .window = 0});
  EXPECT_EQ(sender->probe_deadline(), kNever);
  sender->on_probe_deadline(now + 1h);
  EXPECT_FALSE(sender->has_data_for(paths[0]));
  sack({.cumulative = 1001, .window = 0});
  EXPECT_NE(sender->probe_deadline(), kNever);
}

TEST_F(RulesWindow, CwndShrinksWhileTheWindowIsClosed) {  // §6.1 A, §7.2.1
  start();
  open_cwnd(paths[0], 97);
  send("first");
  flush();
  sack({.cumulative = 1000, .window = 0});
  send("waits");
  const std::uint32_t cwnd = paths[0].congestion->cwnd();
  ASSERT_EQ(cwnd, 100 * kPmdcs);
  now = sender->probe_deadline();
  sender->on_probe_deadline(now);
  ASSERT_EQ(flat(flush()).size(), 1u);
  EXPECT_EQ(paths[0].congestion->cwnd(), cwnd / 2);
}

TEST_F(RulesWindow, MaxBurstLeavesTheCwndAlone) {  // §6.1 D
  start();
  open_cwnd(paths[0], 97);
  const std::uint32_t cwnd = paths[0].congestion->cwnd();
  send_bytes(20 * kFragment);
  ASSERT_EQ(flush().size(), parameters.max_burst);
  EXPECT_EQ(paths[0].congestion->cwnd(), cwnd);
}

class RulesSack : public SenderTest {};

TEST_F(RulesSack, ShutdownTakesNoGapAckBack) {  // §3.3.8
  start();
  for (int i = 0; i < 5; ++i) send("x");
  flush();
  sack({.cumulative = 999, .gaps = {{3, 4}}});
  ASSERT_EQ(sender->gap_acked_chunks(), 2u);
  EXPECT_TRUE(sender->on_cumulative_ack(now, Tsn(1000), paths).valid);
  EXPECT_EQ(sender->gap_acked_chunks(), 2u);
  EXPECT_EQ(sender->outstanding_chunks(), 2u);
  EXPECT_EQ(counters.chunks_reneged, 0u);
  check_scoreboard();
}

class RulesCongestion : public SenderTest {};

TEST_F(RulesCongestion, SsthreshBeginsHigh) {  // §7.2.1
  start();
  for (const Path& path : paths) EXPECT_GE(path.congestion->ssthresh(), 1u << 30);
}

TEST_F(RulesCongestion, EachPathGrowsByItsOwnAcknowledgements) {  // §7.2, §7.2.1
  parameters.max_burst = 0;
  start();
  send_bytes(40 * kFragment);
  const auto first = static_cast<std::uint16_t>(flat(flush(paths[0])).size());
  ASSERT_GE(flat(flush(paths[1])).size(), 3u);
  const std::uint32_t cwnd[] = {paths[0].congestion->cwnd(), paths[1].congestion->cwnd()};
  const auto there = static_cast<std::uint16_t>(first + 1);
  sack({.cumulative = 999, .gaps = {{there, there}}});
  EXPECT_EQ(paths[0].congestion->cwnd(), cwnd[0]);
  EXPECT_EQ(paths[1].congestion->cwnd(), cwnd[1] + kPmdcs);
  sack({.cumulative = 1000, .gaps = {{first, first}}});
  EXPECT_EQ(paths[0].congestion->cwnd(), cwnd[0] + kPmdcs);
  EXPECT_EQ(paths[1].congestion->cwnd(), cwnd[1] + kPmdcs);
}

TEST_F(RulesCongestion, AcknowledgementsCountBeforeLosses) {  // §7.2.4
  parameters.max_burst = 0;
  start();
  open_cwnd(paths[0], 17);
  send_bytes(60 * kFragment);
  ASSERT_GE(flush().size(), 20u);
  sack({.cumulative = 999, .gaps = {{3, 3}}});
  sack({.cumulative = 999, .gaps = {{3, 4}}});
  const std::uint32_t cwnd = paths[0].congestion->cwnd();
  // This one acknowledges 1000, which is new, and is the third that misses 1001.
  sack({.cumulative = 1000, .gaps = {{2, 4}}});
  ASSERT_EQ(counters.fast_retransmits, 1u);
  EXPECT_EQ(paths[0].congestion->cwnd(), (cwnd + kPmdcs) / 2);
}

}  // namespace
}  // namespace sluice::assoc
