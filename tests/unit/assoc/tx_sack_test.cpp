// Acknowledgements in: the scoreboard, losses, RTT samples, T3-rtx.

#include "tests/unit/assoc/tx_fixture.hpp"

namespace sluice::assoc {
namespace {

class SackTest : public SenderTest {
 protected:
  /// `n` chunks of 1000 bytes, one a packet, in flight on `path`: TSNs from 1000 on.
  void send_packets(int n, Path& path) {
    parameters.max_burst = 0;
    if (!sender) start();
    open_cwnd(path, 100);
    for (int i = 0; i < n; ++i) {
      send_bytes(1000);
      ASSERT_EQ(fill(path).size(), 1u);
    }
    sender->end_flush(paths);
  }
  void send_packets(int n) { send_packets(n, paths[0]); }
  /// Three SACKs that report all below `first` missing, one more chunk each time.
  void report_missing(std::uint32_t cumulative, std::uint16_t first) {
    for (std::uint16_t i = 0; i < 3; ++i)
      sack({.cumulative = cumulative, .gaps = {{first, static_cast<std::uint16_t>(first + i)}}});
  }
};

TEST_F(SackTest, CumulativeAckFreesWhatItCovers) {
  send_packets(5);
  const SackResult result = sack({.cumulative = 1002});
  EXPECT_TRUE(result.valid && result.cumulative_advanced);
  EXPECT_EQ(result.paths_answered, path_bit(PathId(0)));
  EXPECT_EQ(buffers.out(), 2u);
  EXPECT_EQ(sender->outstanding_bytes(), 2000u);
  EXPECT_EQ(sender->buffered_bytes(), 2000u);
}

TEST_F(SackTest, OldSackIsIgnored) {
  send_packets(5);
  sack({.cumulative = 1002, .window = 50000});
  const SackResult result = sack({.cumulative = 1001, .window = 0});
  EXPECT_TRUE(result.stale && result.valid);
  EXPECT_EQ(sender->peer_window(), 50000u - 2000u);
  EXPECT_EQ(counters.stale_sacks, 1u);
}

TEST_F(SackTest, GapBlocksOfAnOldSackAcknowledgeNothing) {
  send_packets(2);
  sack({.cumulative = 1000});
  EXPECT_TRUE(sack({.cumulative = 999, .gaps = {{2, 2}}}).stale);
  EXPECT_EQ(sender->gap_acked_chunks(), 0u);
  EXPECT_EQ(sender->outstanding_chunks(), 1u);
  now = paths[0].t3_deadline;
  EXPECT_TRUE(sender->on_t3_expired(now, paths[0]));
  EXPECT_EQ(flat(flush()).at(0).tsn, Tsn(1001));
}

TEST_F(SackTest, AckOfWhatWasNeverSentIsInvalid) {
  send_packets(3);
  EXPECT_FALSE(sack({.cumulative = 1003}).valid);
  EXPECT_FALSE(sack({.cumulative = 999, .gaps = {{3, 2}}}).valid) << "ends before it starts";
  EXPECT_FALSE(sack({.cumulative = 999, .gaps = {{0, 2}}}).valid) << "offsets begin at 1";
  EXPECT_FALSE(sack({.cumulative = 1000, .gaps = {{2, 3}}}).valid);
  EXPECT_TRUE(sack({.cumulative = 1000, .gaps = {{2, 2}}}).valid);
  EXPECT_FALSE(sender->on_cumulative_ack(now, Tsn(1003), paths).valid);
  EXPECT_EQ(sender->gap_acked_chunks(), 1u) << "an invalid one changes nothing";
}

TEST_F(SackTest, SackBeforeAnythingWasSentIsJudgedToo) {
  start();
  EXPECT_TRUE(sack({.cumulative = 999}).valid);
  EXPECT_FALSE(sack({.cumulative = 1000}).valid);
}

TEST_F(SackTest, GapBlocksTakeChunksOutOfTheFlightButKeepTheirData) {
  send_packets(6);
  const SackResult result = sack({.cumulative = 1000, .gaps = {{2, 3}, {5, 5}}});
  EXPECT_EQ(result.paths_answered, path_bit(PathId(0)));
  EXPECT_EQ(sender->gap_acked_chunks(), 3u);
  EXPECT_EQ(sender->outstanding_bytes(), 2000u);
  EXPECT_EQ(buffers.out(), 5u);
  EXPECT_EQ(sack({.cumulative = 1000, .gaps = {{2, 3}, {5, 5}}}).paths_answered, 0) << "nothing new";
}

TEST_F(SackTest, BlocksOutOfOrderAndOverlappingCountOnce) {
  send_packets(9);
  sack({.cumulative = 999, .gaps = {{2, 4}, {3, 6}, {2, 2}, {9, 9}, {8, 9}}});
  EXPECT_EQ(sender->gap_acked_chunks(), 7u);
}

TEST_F(SackTest, WhatThePeerTakesBackIsInFlightAgain) {
  send_packets(8);
  sack({.cumulative = 999, .gaps = {{2, 5}, {7, 8}}});
  ASSERT_EQ(sender->gap_acked_chunks(), 6u);
  sack({.cumulative = 999, .gaps = {{3, 3}}});
  EXPECT_EQ(sender->gap_acked_chunks(), 1u);
  EXPECT_EQ(sender->outstanding_bytes(), 7000u);
  EXPECT_EQ(counters.chunks_reneged, 5u);
  sack({.cumulative = 1000});
  EXPECT_EQ(sender->gap_acked_chunks(), 0u);
  EXPECT_EQ(counters.chunks_reneged, 6u);
  sack({.cumulative = 1007});
  EXPECT_TRUE(sender->drained());
}

TEST_F(SackTest, TakingBackStartsT3AndCountsOneMiss) {
  send_packets(5);
  sack({.cumulative = 1000, .gaps = {{2, 4}}});
  sack({.cumulative = 1000, .gaps = {{2, 4}}});
  now += 100ms;
  paths[0].t3_deadline = kNever;  // as if its chunk had moved to another path
  sack({.cumulative = 1000, .gaps = {{3, 4}}});
  EXPECT_EQ(paths[0].t3_deadline, now + paths[0].rto.value());
  send_packets(2);
  sack({.cumulative = 1000, .gaps = {{3, 5}}});
  EXPECT_EQ(sender->marked_chunks(), 0u) << "the second miss";
  sack({.cumulative = 1000, .gaps = {{3, 6}}});
  EXPECT_EQ(sender->marked_chunks(), 2u) << "the third, of both";
}

TEST_F(SackTest, ThreeMissIndicationsRetransmitAtOnce) {
  send_packets(10);
  const std::uint32_t cwnd = paths[0].congestion->cwnd();
  sack({.cumulative = 1000, .gaps = {{2, 2}}});
  sack({.cumulative = 1000, .gaps = {{2, 3}}});
  EXPECT_FALSE(sender->has_data_for(paths[0]));
  sack({.cumulative = 1000, .gaps = {{2, 4}}});
  EXPECT_EQ(sender->marked_chunks(), 1u);
  EXPECT_EQ(counters.fast_retransmits, 1u);
  EXPECT_TRUE(sender->in_fast_recovery());
  EXPECT_EQ(paths[0].congestion->cwnd(), cwnd / 2);
  const SentPacket sent = flat(flush());
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].tsn, Tsn(1001));
  EXPECT_EQ(sent[0].ssn, Ssn(1));
  EXPECT_EQ(sent[0].text.size(), 1000u);
  EXPECT_EQ(sender->retransmitted_chunks(), 1u);
  check_scoreboard();
}

TEST_F(SackTest, OnlyWhatIsBelowTheHighestNewlyAckedIsMissed) {
  send_packets(10);
  sack({.cumulative = 999, .gaps = {{5, 5}}});
  for (int i = 0; i < 5; ++i) sack({.cumulative = 999, .gaps = {{5, 5}}});
  EXPECT_EQ(sender->marked_chunks(), 0u) << "nothing was newly acknowledged";
  sack({.cumulative = 999, .gaps = {{2, 2}, {5, 5}}});
  sack({.cumulative = 999, .gaps = {{2, 3}, {5, 5}}});
  EXPECT_EQ(sender->marked_chunks(), 1u) << "chunk 1 was below each of three, chunk 4 below one";
}

TEST_F(SackTest, InRecoveryEveryAdvanceIsAMissOfAllThatIsReportedMissing) {
  send_packets(12);
  report_missing(999, 2);  // 1000 is lost
  ASSERT_TRUE(sender->in_fast_recovery());
  flush();
  sack({.cumulative = 999, .gaps = {{2, 4}, {6, 6}}});  // 1004 missing: one
  sack({.cumulative = 1003, .gaps = {{2, 2}}});         // the retransmission came: two, though 1004 is above HTNA
  EXPECT_EQ(sender->marked_chunks(), 0u);
  sack({.cumulative = 1003, .gaps = {{2, 3}}});
  EXPECT_EQ(sender->marked_chunks(), 1u);
}

TEST_F(SackTest, RecoveryLowersTheCwndOnceUntilItsExitPoint) {
  send_packets(12);
  report_missing(999, 2);
  const std::uint32_t cwnd = paths[0].congestion->cwnd();
  flush();
  report_missing(1004, 2);  // 1005 is lost too
  EXPECT_EQ(counters.fast_retransmits, 2u);
  EXPECT_EQ(paths[0].congestion->cwnd(), cwnd);
  flush();
  sack({.cumulative = 1010});
  EXPECT_TRUE(sender->in_fast_recovery());
  sack({.cumulative = 1011});
  EXPECT_FALSE(sender->in_fast_recovery());
}

TEST_F(SackTest, TimeoutEndsTheRecoveryOfItsOwnPathOnly) {
  send_packets(12, paths[0]);
  send_packets(2, paths[1]);
  report_missing(999, 2);
  ASSERT_TRUE(sender->in_fast_recovery());
  sender->on_t3_expired(now, paths[1]);
  EXPECT_TRUE(sender->in_fast_recovery());
  sender->on_t3_expired(now, paths[0]);
  EXPECT_FALSE(sender->in_fast_recovery());
}

TEST_F(SackTest, FastRetransmitIgnoresCwndForOnePacketOnly) {
  send_packets(40);
  for (std::uint16_t i = 0; i < 3; ++i) sack({.cumulative = 999, .gaps = {{10, static_cast<std::uint16_t>(10 + i)}}});
  ASSERT_EQ(sender->marked_chunks(), 9u);
  ASSERT_EQ(paths[0].outstanding, 28u * 1016);
  // A cwnd far below the flight.
  for (int i = 0; i < 5; ++i) paths[0].congestion->on_fast_retransmit(now);
  ASSERT_LT(paths[0].congestion->cwnd(), paths[0].outstanding);
  EXPECT_EQ(flush().size(), 1u);
  EXPECT_EQ(sender->marked_chunks(), 8u);
}

TEST_F(SackTest, ChunkIsFastRetransmittedOnlyOnce) {
  send_packets(20);
  report_missing(999, 2);
  flush();
  for (std::uint16_t i = 5; i < 15; ++i) sack({.cumulative = 999, .gaps = {{2, i}}});
  EXPECT_EQ(counters.fast_retransmits, 1u);
  EXPECT_EQ(sender->marked_chunks(), 0u);
}

TEST_F(SackTest, MarkedChunkThatIsAckedAfterAllIsNotSentAgain) {
  send_packets(10);
  report_missing(999, 2);
  ASSERT_EQ(sender->marked_chunks(), 1u);
  sack({.cumulative = 1004});
  EXPECT_EQ(sender->marked_chunks(), 0u);
  EXPECT_FALSE(sender->has_data_for(paths[0]));
  EXPECT_EQ(sender->next_retransmission_size(), 0u);
}

TEST_F(SackTest, MarkedChunkInTheMiddleThatIsAckedAfterAllIsPassedOver) {
  send_packets(10);
  sender->on_t3_expired(now, paths[0]);
  sack({.cumulative = 999, .gaps = {{1, 1}, {3, 3}}});
  EXPECT_EQ(fill(paths[0]).at(0).tsn, Tsn(1001));
  sack({.cumulative = 1002});
  EXPECT_EQ(fill(paths[0]).at(0).tsn, Tsn(1003));
}

TEST_F(SackTest, RetransmissionsGoBeforeNewDataInTheSamePacket) {
  start();
  for (int i = 0; i < 5; ++i) send_bytes(100);
  ASSERT_EQ(fill(paths[0]).size(), 5u);
  sender->on_t3_expired(now, paths[0]);
  send("new");
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  ASSERT_EQ(packets[0].size(), 6u);
  for (std::uint32_t i = 0; i < 6; ++i) EXPECT_EQ(packets[0][i].tsn, Tsn(1000 + i));
}

TEST_F(SackTest, T3MarksEverythingButOnePacketLeavesUntilItIsAcked) {
  send_packets(10);
  const Duration rto = paths[0].rto.value();
  EXPECT_TRUE(sender->on_t3_expired(now, paths[0]));
  check_scoreboard();
  EXPECT_EQ(paths[0].rto.value(), 2 * rto);
  EXPECT_EQ(paths[0].congestion->cwnd(), kPmdcs);
  EXPECT_EQ(sender->marked_chunks(), 10u);
  EXPECT_EQ(sender->outstanding_bytes(), 0u);
  EXPECT_EQ(flush().size(), 1u) << "though the packet does not fill the cwnd";
  EXPECT_EQ(paths[0].t3_deadline, now + 2 * rto);
  sack({.cumulative = 1000});
  EXPECT_GE(flush().size(), 1u);
}

TEST_F(SackTest, AfterT3TheChunkThatIsMissingGoesBeforeNewOnes) {
  start();
  send_bytes(kFragment);
  flush();
  EXPECT_TRUE(sender->on_t3_expired(paths[0].t3_deadline, paths[0]));
  flush();
  sack({.cumulative = 1000});  // slow start from one packet
  send_bytes(kFragment);
  send_bytes(kFragment);
  ASSERT_EQ(flat(flush()).size(), 2u);
  sack({.cumulative = 1000, .gaps = {{2, 2}}});  // which lets the cwnd grow, too (§7.2.1)
  for (int i = 0; i < 3; ++i) send_bytes(kFragment);
  ASSERT_EQ(flat(flush()).size(), 2u) << "and the third waits";
  now = paths[0].t3_deadline;
  EXPECT_TRUE(sender->on_t3_expired(now, paths[0]));
  const SentPacket again = flat(flush());
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].tsn, Tsn(1001));
}

TEST_F(SackTest, T3OfOnePathLeavesTheOthersAlone) {
  send_packets(3, paths[0]);
  send_packets(2, paths[1]);
  sender->on_t3_expired(now, paths[0]);
  EXPECT_EQ(sender->marked_chunks(), 3u);
  EXPECT_EQ(paths[0].outstanding, 0u);
  EXPECT_EQ(paths[1].outstanding, 2u * 1016);
  EXPECT_EQ(paths[0].t3_deadline, kNever);
  EXPECT_NE(paths[1].t3_deadline, kNever);
}

TEST_F(SackTest, MarkedChunksMayLeaveOnAnotherPath) {
  send_packets(3, paths[0]);
  sender->on_t3_expired(now, paths[0]);
  ASSERT_EQ(flush(paths[1]).size(), 3u);
  EXPECT_EQ(paths[0].outstanding, 0u);
  EXPECT_EQ(paths[1].outstanding, 3u * 1016);
  EXPECT_EQ(paths[1].retransmitted, 3u);
  check_scoreboard();
  const SackResult result = sack({.cumulative = 1002});
  EXPECT_EQ(result.paths_answered, path_bit(PathId(1)));
}

TEST_F(SackTest, ChunkCutBeforeTheMtuFellTellsItsSize) {
  start();
  send_bytes(1400);
  flush();
  paths[0].pmtu = 1000;
  sender->set_fragment_size(900);
  sender->on_t3_expired(now, paths[0]);
  EXPECT_EQ(sender->next_retransmission_size(), 1416u);
  EXPECT_TRUE(fill(paths[0]).empty()) << "it does not fit";
  EXPECT_EQ(fill(paths[0], 1432).size(), 1u);
}

TEST_F(SackTest, T3RunsFromTheFirstChunkAndIsNotRestartedByLaterOnes) {
  start();
  send("a");
  flush();
  const Timestamp deadline = now + paths[0].rto.value();
  EXPECT_EQ(paths[0].t3_deadline, deadline);
  now += 300ms;
  send("b");
  flush();
  EXPECT_EQ(paths[0].t3_deadline, deadline);
}

TEST_F(SackTest, T3RestartsWhenTheEarliestIsAckedAndStopsWithTheLast) {
  send_packets(4);
  const Timestamp first = paths[0].t3_deadline;
  now += 50ms;
  sack({.cumulative = 999, .gaps = {{2, 2}}});
  EXPECT_EQ(paths[0].t3_deadline, first) << "not the earliest";
  sack({.cumulative = 1001});
  EXPECT_EQ(paths[0].t3_deadline, now + paths[0].rto.value());
  sack({.cumulative = 1003});
  EXPECT_EQ(paths[0].t3_deadline, kNever);
}

TEST_F(SackTest, T3RestartsWhenTheEarliestIsSentAgain) {
  send_packets(6);
  report_missing(999, 2);
  now += 70ms;
  flush();
  EXPECT_EQ(paths[0].t3_deadline, now + paths[0].rto.value());
}

TEST_F(SackTest, RttIsMeasuredOncePerRoundTrip) {
  send_packets(1);
  now += 10ms;
  send_packets(2);
  now += 50ms;
  sack({.cumulative = 1002});
  EXPECT_EQ(paths[0].rto.srtt(), 60ms) << "the sample of the first chunk alone";
  now += 1ms;
  send_packets(1);
  EXPECT_TRUE(paths[0].rtt_measuring);
  EXPECT_EQ(paths[0].rtt_tsn, Tsn(1003));
}

TEST_F(SackTest, GapAckGivesTheSampleToo) {
  send_packets(1);
  now += 30ms;
  sack({.cumulative = 999, .gaps = {{1, 1}}});
  EXPECT_EQ(paths[0].rto.srtt(), 30ms);
}

TEST_F(SackTest, RetransmittedChunksGiveNoSample) {
  send_packets(1);
  now += 1s;
  sender->on_t3_expired(now, paths[0]);
  flush();
  now += 20ms;
  sack({.cumulative = 1000});
  EXPECT_FALSE(paths[0].rto.measured());
}

TEST_F(SackTest, NoSampleWhenAnEarlierChunkWasSentAgainMeanwhile) {
  send_packets(1);
  now += 10ms;
  sack({.cumulative = 1000});
  const Duration srtt = paths[0].rto.srtt();
  send_packets(8);  // 1001, measured, to 1008
  now += 10ms;
  sack({.cumulative = 1001});
  send_packets(1);  // 1009 is measured
  EXPECT_EQ(paths[0].rtt_tsn, Tsn(1009));
  report_missing(1001, 2);
  flush();  // 1002 again
  now += 500ms;
  sack({.cumulative = 1009});
  EXPECT_EQ(paths[0].rto.srtt(), srtt);
}

// RFC 9260 §6.3.1 C5: not of a chunk, if an earlier one of another path was sent again since, wherever that went.
class SackOfOneSentAgain : public SackTest, public testing::WithParamInterface<std::size_t> {};

TEST_P(SackOfOneSentAgain, GivesNoSampleOfALaterChunkOfAnotherPath) {
  start();
  send("earlier");
  flush(paths[0]);
  send("measured");
  flush(paths[1]);
  ASSERT_TRUE(paths[1].rtt_measuring);
  now += 1s;
  sender->on_t3_expired(now, paths[0]);
  ASSERT_EQ(flat(flush(paths[GetParam()])).size(), 1u);
  now += 20ms;
  sack({.cumulative = 1001});
  EXPECT_FALSE(paths[1].rto.measured());
}

INSTANTIATE_TEST_SUITE_P(OnPath, SackOfOneSentAgain, testing::Values(0u, 1u));

TEST_F(SackTest, CwndGrowsOnlyIfItHadBeenFilled) {
  start();
  const std::uint32_t cwnd = paths[0].congestion->cwnd();
  send("x");
  flush();
  sack({.cumulative = 1000});
  EXPECT_EQ(paths[0].congestion->cwnd(), cwnd);
  send_bytes(20000);
  flush();
  sack({.cumulative = 1001});
  sack({.cumulative = 1002});
  EXPECT_EQ(paths[0].congestion->cwnd(), cwnd + 2 * kPmdcs) << "both SACKs of one turn meet a full window";
}

TEST_F(SackTest, MissesOfAllPathsLowerEachCwnd) {
  send_packets(2, paths[0]);
  send_packets(2, paths[1]);
  send_packets(4, paths[0]);
  const std::uint32_t first = paths[0].congestion->cwnd();
  const std::uint32_t second = paths[1].congestion->cwnd();
  report_missing(999, 5);
  EXPECT_EQ(sender->marked_chunks(), 4u);
  EXPECT_LT(paths[0].congestion->cwnd(), first);
  EXPECT_LT(paths[1].congestion->cwnd(), second);
}

// §3.3.4: the TSNs of each block were received, in whatever order the blocks stand.
TEST_F(SackTest, EveryBlockCountsInWhateverOrder) {
  send_packets(9);
  sack({.cumulative = 999, .gaps = {{6, 7}, {3, 4}}});
  EXPECT_EQ(sender->gap_acked_chunks(), 4u);
  sack({.cumulative = 999, .gaps = {{3, 4}, {6, 7}}});
  EXPECT_EQ(sender->gap_acked_chunks(), 4u);
  sack({.cumulative = 999, .gaps = {{6, 8}, {3, 4}}});
  EXPECT_EQ(sender->gap_acked_chunks(), 5u);
  EXPECT_EQ(counters.chunks_reneged, 0u);
}

TEST_F(SackTest, TheSackThatEndsRecoveryCountsMissesAsAnyInIt) {  // §7.2.4
  send_packets(12);
  report_missing(999, 2);  // 1000 is lost; the exit point is 1011
  flush();
  send_packets(4);
  sack({.cumulative = 999, .gaps = {{2, 12}, {14, 14}}});  // 1012 missing: one
  sack({.cumulative = 1011, .gaps = {{2, 2}}});            // two, though nothing above it is new
  ASSERT_FALSE(sender->in_fast_recovery());
  EXPECT_EQ(sender->marked_chunks(), 0u);
  sack({.cumulative = 1011, .gaps = {{2, 3}}});
  EXPECT_EQ(sender->marked_chunks(), 1u);
}

TEST_F(SackTest, WhatTimedOutElsewhereDoesNotRestartT3) {  // §6.1
  send_packets(1, paths[0]);
  now += 500ms;
  send_packets(1, paths[1]);
  const Timestamp running = paths[1].t3_deadline;
  now = paths[0].t3_deadline;
  sender->on_t3_expired(now, paths[0]);
  ASSERT_EQ(flat(flush(paths[1])).size(), 1u);
  EXPECT_EQ(paths[1].t3_deadline, running);
}

TEST_F(SackTest, AWindowThatOpensAfterATimeoutLetsOnePacketOut) {  // §7.2.1, §7.2.3
  send_packets(3);
  sack({.cumulative = 999, .window = 0});
  now = paths[0].t3_deadline;
  sender->on_t3_expired(now, paths[0]);
  ASSERT_EQ(flush().size(), 1u);
  sack({.cumulative = 999, .window = 0});
  sack({.cumulative = 999, .window = 10000});
  EXPECT_EQ(flush().size(), 1u);
}

TEST_F(SackTest, PartialBytesAckedBeginAnewOnEveryPath) {  // §7.2.2
  send_packets(1, paths[1]);
  send_packets(1, paths[0]);
  paths[1].congestion->on_fast_retransmit(now);
  paths[1].congestion->on_acked(now, {.bytes = kPmdcs, .cumulative_advanced = true, .fully_used = true});
  const std::uint32_t cwnd = paths[1].congestion->cwnd();
  paths[1].congestion->on_acked(now, {.bytes = cwnd - kPmdcs, .cumulative_advanced = true, .fully_used = true});
  sack({.cumulative = 1000});
  sack({.cumulative = 1001});
  paths[1].congestion->on_acked(now, {.bytes = kPmdcs, .cumulative_advanced = true, .fully_used = true});
  EXPECT_EQ(paths[1].congestion->cwnd(), cwnd);
}

}  // namespace
}  // namespace sluice::assoc
