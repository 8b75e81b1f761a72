// Acknowledgements that lie (RFC 9260 §6.2.1, §12: a SACK for what was never sent must end the association).
#include "tests/unit/assoc/hostile_peer.hpp"

namespace sluice::assoc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class HostileSack : public HostilePeer {
 protected:
  static constexpr std::uint32_t kSent = 3;
  static inline const Tsn kNothing = kOurTsn - 1;

  /// Established, with messages of `bytes` in flight: TSNs kOurTsn to kOurTsn + kSent - 1.
  void begin_sending(std::size_t bytes = 8) {
    go_established();
    for (std::uint32_t i = 0; i < kSent; ++i) ASSERT_EQ(send(std::string(bytes, 'm')), SendStatus::queued);
    flush();
    host().events.clear();
    mark();
  }
  void inject_gaps(Tsn cumulative, std::vector<wire::GapAckBlock> gaps, std::vector<Tsn> duplicates = {},
                   std::uint32_t window = 100'000) {
    inject([&](wire::PacketWriter& packet) { wire::append_sack(packet, cumulative, window, gaps, duplicates); });
  }
  PathSnapshot path() const {
    Snapshot snapshot;
    side_.association->snapshot(snapshot);
    return *snapshot.paths.begin();
  }
};

struct Lie {
  const char* what;
  std::int64_t cumulative;  ///< TSNs acknowledged
  std::vector<wire::GapAckBlock> gaps;
};

TEST_F(HostileSack, WhatWasNeverSentCannotBeAcknowledged) {
  const Lie lies[] = {
      {"the next TSN", kSent + 1, {}},
      {"the TSN after it", kSent + 2, {}},
      {"far ahead", 100'000, {}},
      {"as far ahead as can be", 0x7fffffff, {}},
      {"a gap block one past the highest", 0, {{2, kSent + 1}}},
      {"a gap block past the highest alone", 0, {{kSent + 1, kSent + 1}}},
      {"a gap block past the highest behind the last", kSent, {{2, 2}}},
      {"the longest gap block", 0, {{2, 65535}}},
      {"the last gap block of all", 0, {{65535, 65535}}},
      {"a good gap block and one past the highest", 0, {{2, 2}, {5, 6}}},
      {"one past the highest and a good gap block", 0, {{5, 6}, {2, 2}}},
      {"a gap block that ends before it starts", 0, {{3, 2}}},
      {"a gap block from 0", 0, {{0, 2}}},
      {"a gap block of 0", 0, {{0, 0}}},
  };
  for (const Lie& lie : lies) {
    SCOPED_TRACE(lie.what);
    begin_sending();
    inject_gaps(kNothing + static_cast<std::uint32_t>(lie.cumulative), lie.gaps);
    EXPECT_THAT(reasons(), ElementsAre(Pair("aborted", 1u)));
    expect_aborted(wire::CauseCode::protocol_violation);
    EXPECT_EQ(side_.payloads.out(), 0u);
    EXPECT_EQ(side_.pools.message_parts.out(), 0u);
    EXPECT_EQ(side_.pools.sent_segments.out(), 0u);
  }
}

TEST_F(HostileSack, WhatIsOddButPossibleIsTaken) {
  struct Odd {
    const char* what;
    std::uint32_t cumulative;
    std::vector<wire::GapAckBlock> gaps;
    std::vector<Tsn> duplicates;
    Reasons counted;
  };
  const Odd odds[] = {
      {"overlapping gap blocks", 0, {{2, 3}, {2, 3}, {3, 3}}, {}, {}},
      {"gap blocks out of order", 0, {{3, 3}, {2, 2}}, {}, {}},
      {"gap blocks that touch", 0, {{2, 2}, {3, 3}}, {}, {}},
      {"a gap block without a gap", 0, {{1, 2}}, {}, {}},
      {"a gap block for all that is in flight", 0, {{1, 3}}, {}, {}},
      {"duplicates of what was never sent", 1, {}, {kOurTsn + 50, kOurTsn - 50}, {}},
      {"an old one", 0xffffffff, {}, {}, {{"stale_sacks", 1}}},
      {"one from the other half of the TSNs", 0x80000001, {}, {}, {{"stale_sacks", 1}}},
      {"an old one with gap blocks that lie", 0xfffffff0, {{9, 40}}, {}, {{"stale_sacks", 1}}},
  };
  for (const Odd& odd : odds) {
    SCOPED_TRACE(odd.what);
    begin_sending();
    inject_gaps(kNothing + odd.cumulative, odd.gaps, odd.duplicates);
    EXPECT_EQ(reasons(), odd.counted);
    EXPECT_THAT(host().events, IsEmpty());
    expect_silence();
    inject_sack(kNothing + kSent);
    EXPECT_EQ(side_.payloads.out(), 0u);
    expect_works(kPeerTsn, kOurTsn + kSent);
  }
}

TEST_F(HostileSack, GapBlocksByTheThousandAreOneSack) {
  begin_sending();
  inject(filled([&, begun = false](wire::PacketWriter& packet) mutable {
    const std::vector<wire::GapAckBlock> gaps(16'000, {2, 3});
    if (!std::exchange(begun, true)) wire::append_sack(packet, kNothing, 100'000, gaps, {});
  }));
  EXPECT_THAT(reasons(), IsEmpty());
  expect_silence();
  inject_sack(kNothing + kSent);
  expect_works(kPeerTsn, kOurTsn + kSent);
}

TEST_F(HostileSack, TakingBackAndAcknowledgingAgainMovesNothingButTheScoreboard) {
  begin_sending(1000);
  const std::uint32_t cwnd = path().cwnd;
  for (int i = 0; i < 1000; ++i) {
    inject_gaps(kNothing, {{2, 3}});
    EXPECT_LE(path().outstanding, 1016u);
    inject_gaps(kNothing, {});
    EXPECT_LE(path().outstanding, 3 * 1016u);
    EXPECT_GE(path().outstanding, 2 * 1016u);
    ASSERT_EQ(association().state(), State::established);
    ASSERT_LE(flush().size(), 1u);
  }
  EXPECT_EQ(counters().chunks_reneged, 2000u);
  EXPECT_LE(counters().chunks_retransmitted, 3u) << "each at most once before a timeout";
  // Nothing was acknowledged for good, so that it grew by nothing but what a loss leaves at least (§7.2.3).
  EXPECT_LE(path().cwnd, std::max(cwnd, 4 * 1468u));
  inject_sack(kNothing + kSent);
  flush();
  expect_works(kPeerTsn, kOurTsn + kSent);
}

TEST_F(HostileSack, TheSameSackAThousandTimesIsNoNews) {
  begin_sending(1000);
  inject_gaps(kNothing, {{2, 3}});
  const std::uint32_t cwnd = path().cwnd;
  mark();
  for (int i = 0; i < 1000; ++i) {
    inject_gaps(kNothing, {{2, 3}});
    expect_silence();
  }
  EXPECT_THAT(reasons(), IsEmpty());
  EXPECT_EQ(path().cwnd, cwnd);
  inject_sack(kNothing + kSent);
  expect_works(kPeerTsn, kOurTsn + kSent);
}

TEST_F(HostileSack, AcknowledgementsInSmallPiecesGrowTheCwndByNoMoreThanTheyAcknowledge) {
  go_established();
  for (int i = 0; i < 400; ++i) ASSERT_EQ(send(std::string(20, 'm')), SendStatus::queued);
  flush();
  const PathSnapshot before = path();
  ASSERT_GT(before.outstanding, 2000u);
  const std::uint32_t chunks = before.outstanding / 36;
  for (std::uint32_t i = 1; i <= chunks; ++i) inject_sack(kNothing + i);
  EXPECT_LE(path().cwnd - before.cwnd, before.outstanding);
}

TEST_F(HostileSack, AnOptimisticOneThatRunsAheadOfWhatLeftEndsTheAssociation) {
  go_established();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(send(std::string(1400, 'm')), SendStatus::queued);
  std::uint32_t left = 0;
  for (const SentPacket& packet : flush()) left += static_cast<std::uint32_t>(packet.chunks.size());
  ASSERT_LT(left, 100u);
  // Ahead of what it can have received, but not of what was sent: that cannot be told.
  inject_sack(kNothing + left);
  for (const SentPacket& packet : flush()) left += static_cast<std::uint32_t>(packet.chunks.size());
  ASSERT_LT(left, 100u);
  mark();
  inject_sack(kNothing + left + 1);  // queued, not sent
  EXPECT_THAT(reasons(), ElementsAre(Pair("aborted", 1u)));
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_THAT(causes(packets[0]), ElementsAre(wire::CauseCode::protocol_violation));
  EXPECT_EQ(only(EventType::association_lost).reason(), Reason::protocol_violation);
  EXPECT_EQ(side_.payloads.out(), 0u);
}

TEST_F(HostileSack, BeforeAnythingWasSentNothingIsAcknowledged) {
  for (const std::uint32_t ahead : {1u, 2u, 1000u, 0x7fffffffu}) {
    begin(State::established);
    inject_sack(kNothing + ahead);
    EXPECT_THAT(reasons(), ElementsAre(Pair("aborted", 1u)));
    expect_aborted(wire::CauseCode::protocol_violation);
    begin(State::established);
    inject_shutdown(kNothing + ahead);
    EXPECT_EQ(reasons()["aborted"], 1u);
    EXPECT_EQ(flush().at(0).types(), Types{ChunkType::abort});
  }
}

TEST_F(HostileSack, InStatesThatHaveNothingToAcknowledgeItIsDropped) {
  for (const State state : {State::cookie_wait, State::cookie_echoed, State::shutdown_sent, State::shutdown_ack_sent}) {
    SCOPED_TRACE(name(state));
    begin(state);
    inject_gaps(kNothing + 100, {{2, 65535}});
    EXPECT_THAT(reasons(), ElementsAre(Pair("unexpected_chunks", 1u)));
    expect_silence();
    expect_goes_on(state);
  }
}

TEST_F(HostileSack, AClosedWindowForEverIsProbedAndHoldsNoMoreThanTheSendBuffer) {
  side_.parameters.send_buffer = 20'000;
  begin_sending();
  inject_sack(kNothing + kSent, 0);
  SendStatus status = SendStatus::queued;
  for (int i = 0; i < 1000 && status == SendStatus::queued; ++i) status = send(std::string(100, 'm'));
  EXPECT_EQ(status, SendStatus::would_block);
  EXPECT_LE(side_.payloads.out(), 200u);
  std::size_t packets = 0;
  for (int i = 0; i < 20; ++i) {
    expire();
    packets += flush().size();
    inject_sack(kNothing + kSent, 0);
  }
  EXPECT_LE(packets, 20u);
  EXPECT_EQ(association().state(), State::established);
  inject_sack(kNothing + kSent, 100'000);
  EXPECT_FALSE(flush().empty());
}

TEST_F(HostileSack, SacksBeyondTheSecondOfAPacketAreNotRead) {  // each may be work for all that is in flight
  begin(State::established);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(send(std::string(1000, 'x')), SendStatus::queued);
  ASSERT_EQ(flush().size(), 3u);
  inject([](wire::PacketWriter& packet) {
    const wire::GapAckBlock gap{2, 3};
    for (int i = 0; i < 20; ++i) {
      wire::append_sack(packet, kOurTsn - 1, 100000, {&gap, 1}, {});
      wire::append_sack(packet, kOurTsn - 1, 100000, {}, {});
    }
  });
  EXPECT_EQ(counters().chunks_reneged, 2u);
  EXPECT_EQ(counters().unexpected_chunks, 38u);
}

}  // namespace
}  // namespace sluice::assoc
