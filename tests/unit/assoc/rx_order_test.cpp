#include <algorithm>

#include "tests/unit/assoc/rx_fixture.hpp"

// TSNs, streams and the order of delivery.

namespace sluice::assoc {
namespace {

using Gaps = std::vector<std::pair<int, int>>;
using Tsns = std::vector<std::uint32_t>;

class RxOrderTest : public RxTest {};

TEST_F(RxOrderTest, InOrderMessagesAreDeliveredWhereTheyStand) {
  host.keep = true;
  EXPECT_EQ(packet({{1000, "a", "BE", 3, 0, 46}, {1001, "bc", "BE", 3, 1, 47}}),
            (std::vector{DataVerdict::accepted, DataVerdict::accepted}));
  ASSERT_EQ(host.pieces.size(), 2U);
  const Event& event = host.pieces[1].event;
  EXPECT_EQ(host.pieces[1].data, "bc");
  EXPECT_EQ(event.type, EventType::message);
  EXPECT_EQ(event.stream, StreamId(3));
  EXPECT_EQ(event.ppid, Ppid(47));
  EXPECT_EQ(event.association, AssocId(5));
  EXPECT_EQ(event.endpoint, EndpointId(6));
  EXPECT_EQ(event.message_id, 1U);
  EXPECT_TRUE(event.begin && event.end && !event.unordered);
  EXPECT_EQ(&host.kept[0].block(), &host.kept[1].block());
  EXPECT_EQ(copies.out(), 0U);
  EXPECT_EQ(receiver().cumulative_tsn(), Tsn(1001));
  EXPECT_EQ(pools.tsn_maps.out(), 0U) << "no gap, no map";
  EXPECT_EQ(counters.ordered_chunks_received, 2U);
  EXPECT_EQ(counters.bytes_received, 3U);
}

TEST_F(RxOrderTest, GapHoldsTheStreamBackAndIsReported) {
  EXPECT_EQ(data({1000, "a", "BE", 0, 0}), DataVerdict::accepted);
  EXPECT_EQ(data({1002, "c", "BE", 0, 2}), DataVerdict::accepted);
  EXPECT_EQ(data({1003, "d", "BE", 0, 3}), DataVerdict::accepted);
  EXPECT_EQ(data({1006, "g", "BE", 0, 6}), DataVerdict::accepted);
  EXPECT_EQ(delivered(), "a");
  const auto report = sack();
  EXPECT_EQ(report->cumulative, 1000U);
  EXPECT_EQ(report->gaps, (Gaps{{2, 3}, {6, 6}}));
  EXPECT_TRUE(receiver().has_gaps());
  data({1001, "b", "BE", 0, 1});
  EXPECT_EQ(delivered(), "a b c d");
  EXPECT_EQ(sack()->gaps, (Gaps{{3, 3}}));
  packet({{1005, "f", "BE", 0, 5}, {1004, "e", "BE", 0, 4}});
  EXPECT_EQ(delivered(), "a b c d e f g");
  EXPECT_EQ(sack()->cumulative, 1006U);
  EXPECT_FALSE(receiver().has_gaps());
  EXPECT_EQ(pools.tsn_maps.out(), 0U);
}

TEST_F(RxOrderTest, MapOfAGapThatClosedIsUsedAgain) {
  for (std::uint32_t tsn = kFirstTsn; tsn < kFirstTsn + 10; tsn += 2) {
    data({tsn + 1, "late", "BE", 0, static_cast<std::uint16_t>(tsn + 1 - kFirstTsn)});
    EXPECT_EQ(pools.tsn_maps.out(), 1U);
    EXPECT_EQ(pools.tsn_maps.kept(), 0U);
    data({tsn, "first", "BE", 0, static_cast<std::uint16_t>(tsn - kFirstTsn)});
    EXPECT_EQ(pools.tsn_maps.out(), 0U);
    EXPECT_EQ(pools.tsn_maps.kept(), 1U);
  }
  EXPECT_EQ(host.pieces.size(), 10U);
}

TEST_F(RxOrderTest, MapOfAGapThatNeverClosedIsNotUsedAgain) {
  data({kFirstTsn + 1, "waits", "BE", 0, 1});
  restart(kFirstTsn + 1);
  EXPECT_EQ(pools.tsn_maps.out(), 0U);
  EXPECT_EQ(pools.tsn_maps.kept(), 0U);
  EXPECT_EQ(data({kFirstTsn + 2, "waits again", "BE", 0, 1}), DataVerdict::accepted);
  EXPECT_EQ(sack()->gaps, (Gaps{{2, 2}}));
}

TEST(TurnTableTest, MessagesOfABucketGoAsTheyCame) {
  TurnTable turns;
  std::array<HeldChunk, 3> chunks;
  for (HeldChunk& chunk : chunks) {
    chunk.stream = StreamId(4);
    chunk.ssn = Ssn(7);
    turns.add(chunk);
  }
  turns.remove(chunks[1]);
  turns.remove(chunks[1]);
  EXPECT_EQ(turns.take(StreamId(4), Ssn(8)), nullptr);
  EXPECT_EQ(turns.take(StreamId(4), Ssn(7)), &chunks[0]);
  EXPECT_FALSE(turns.empty());
  EXPECT_EQ(turns.take(StreamId(4), Ssn(7)), &chunks[2]);
  EXPECT_EQ(turns.take(StreamId(4), Ssn(7)), nullptr);
  EXPECT_TRUE(turns.empty());
}

TEST_F(RxOrderTest, LossInOneStreamDoesNotHoldAnotherBack) {
  data({1001, "x", "BE", 1, 0});
  data({1003, "z", "BE", 1, 1});
  data({1004, "q", "BE", 0, 1});
  EXPECT_EQ(delivered(), "x z");
  // Stream 0 goes on although TSN 1002, of stream 2, is still missing.
  data({1000, "p", "BE", 0, 0});
  EXPECT_EQ(delivered(), "x z p q");
  EXPECT_EQ(receiver().cumulative_tsn(), Tsn(1001));
}

TEST_F(RxOrderTest, UnorderedMessagesDoNotWait) {
  data({1005, "late", "BEU", 0, 77});
  data({1001, "second", "BE", 0, 1});
  EXPECT_EQ(delivered(), "late");
  EXPECT_TRUE(host.pieces[0].event.unordered);
  data({1000, "first", "BE", 0, 0});
  EXPECT_EQ(delivered(), "late first second");
  EXPECT_EQ(counters.unordered_chunks_received, 1U);
}

TEST_F(RxOrderTest, DuplicatesAreListedOnceUntilReported) {
  data({1000, "a"});
  data({1002, "c", "BE", 0, 2});
  sack();
  EXPECT_EQ(data({1000, "a"}), DataVerdict::duplicate);
  EXPECT_EQ(data({1002, "c", "BE", 0, 2}), DataVerdict::duplicate);
  EXPECT_EQ(data({1002, "c", "BE", 0, 2}), DataVerdict::duplicate);
  EXPECT_EQ(data({600, "old"}), DataVerdict::duplicate);
  EXPECT_EQ(sack()->duplicates, (Tsns{1000, 1002, 1002, 600}));
  EXPECT_EQ(sack()->duplicates, Tsns{});
  EXPECT_EQ(counters.duplicate_tsns_received, 4U);
  EXPECT_EQ(delivered(), "a");
}

TEST_F(RxOrderTest, DuplicateListIsBounded) {
  data({1000, "a"});
  for (int i = 0; i < 1000; ++i) data({1000, "a"});
  EXPECT_EQ(sack()->duplicates.size(), 8U);
}

TEST_F(RxOrderTest, WindowOfTsnsIsAtLeast16384) {
  EXPECT_EQ(data({1000 + 16383, "far", "BEU"}), DataVerdict::accepted);
  EXPECT_EQ(sack()->gaps, (Gaps{{16384, 16384}}));
  EXPECT_EQ(data({1000 + 16384, "too far", "BEU"}), DataVerdict::out_of_window);
  EXPECT_EQ(data({1000U + 0x70000000U, "absurd", "BEU"}), DataVerdict::out_of_window);
  EXPECT_TRUE(receiver().sack_due(now));
  EXPECT_EQ(counters.data_chunks_beyond_window, 2U);
  EXPECT_EQ(sack()->gaps, (Gaps{{16384, 16384}}));
  data({1000, "a", "BEU"});
  EXPECT_EQ(data({1000 + 16384, "now", "BEU"}), DataVerdict::accepted);
}

TEST_F(RxOrderTest, SackTakesTheRoomThereIs) {
  for (std::uint32_t i = 0; i < 2000; ++i) data({1001 + 2 * i, "x", "BEU"});
  EXPECT_EQ(sack(1452)->gaps.size(), (1452U - 12 - 16) / 4);
  EXPECT_EQ(sack(12 + 16 + 8)->gaps, (Gaps{{2, 2}, {4, 4}}));
  EXPECT_EQ(sack(12 + 16)->gaps, Gaps{});
  EXPECT_FALSE(sack(12 + 12));
  EXPECT_EQ(sack(12000)->gaps.size(), 2000U);
}

TEST_F(RxOrderTest, TsnsAndSsnsWrap) {
  restart(0xfffffff0);
  std::string expected;
  for (std::uint32_t i = 0; i < 40; i += 2) {
    // Each pair arrives the wrong way round.
    data({0xfffffff0 + i + 1, std::to_string(i + 1), "BE", 0, static_cast<std::uint16_t>(i + 1)});
    data({0xfffffff0 + i, std::to_string(i), "BE", 0, static_cast<std::uint16_t>(i)});
    expected += (i == 0 ? "" : " ") + std::to_string(i) + " " + std::to_string(i + 1);
  }
  EXPECT_EQ(delivered(), expected);
  EXPECT_EQ(receiver().cumulative_tsn(), Tsn(23));
}

TEST_F(RxOrderTest, MessageIdsGoOnWhereSsnsWrap) {
  for (std::uint32_t i = 0; i < 70000; i += 2) {
    data({1000 + i + 1, "b", "BE", 1, static_cast<std::uint16_t>(i + 1)});
    data({1000 + i, "a", "BE", 1, static_cast<std::uint16_t>(i)});
    ASSERT_EQ(host.pieces.size(), 2U) << i;
    ASSERT_EQ(host.pieces[0].data + host.pieces[1].data, "ab");
    ASSERT_EQ(host.pieces[0].event.message_id, i);
    ASSERT_EQ(host.pieces[1].event.message_id, i + 1);
    host.pieces.clear();
  }
}

TEST_F(RxOrderTest, MessageIdsCountOrderedAndUnorderedTogether) {
  packet({{1000, "a", "BE", 0, 0}, {1001, "b", "BEU", 0, 0}, {1002, "c", "BE", 0, 1}, {1003, "d", "BE", 1, 0}});
  std::vector<std::uint32_t> ids;
  for (const Piece& piece : host.pieces) ids.push_back(piece.event.message_id);
  EXPECT_EQ(ids, (std::vector<std::uint32_t>{0, 1, 2, 0}));
}

TEST_F(RxOrderTest, StreamTablesFollowTheStreamsUsed) {
  restart(1000, 65535);
  data({1000, "low", "BE", 3});
  EXPECT_EQ(pools.inbound_stream_leaves.out(), 0U);
  data({1001, "high", "BE", 65534});
  data({1002, "middle", "BE", 3000});
  data({1003, "beside", "BE", 3001});
  EXPECT_EQ(pools.inbound_stream_leaves.out(), 2U);
  data({1004, "high again", "BE", 65534, 1});
  EXPECT_EQ(delivered(), "low high middle beside high again");
  restart(1000, 65535);
  EXPECT_EQ(pools.inbound_stream_leaves.out(), 0U);
}

TEST_F(RxOrderTest, EveryStreamHasItsOwnOrder) {
  restart(1000, 5000);
  for (std::uint32_t i = 0; i < 5000; ++i)
    ASSERT_EQ(data({1000 + i, std::to_string(i), "BE", static_cast<std::uint16_t>(i)}), DataVerdict::accepted);
  for (std::uint32_t i = 0; i < 5000; ++i)
    ASSERT_EQ(data({6000 + i, std::to_string(i), "BE", static_cast<std::uint16_t>(i), 1}), DataVerdict::accepted);
  ASSERT_EQ(host.pieces.size(), 10000U);
  for (std::uint32_t i = 0; i < 10000; ++i) {
    EXPECT_EQ(host.pieces[i].event.stream.value, i % 5000);
    EXPECT_EQ(host.pieces[i].event.message_id, i / 5000);
  }
}

TEST_F(RxOrderTest, InvalidStreamIsAcknowledgedAndReported) {
  EXPECT_EQ(data({1001, "no such stream", "BE", 10}), DataVerdict::invalid_stream);
  EXPECT_EQ(sack()->gaps, (Gaps{{2, 2}}));
  EXPECT_EQ(data({1000, "nor this", "BE", 65535}), DataVerdict::invalid_stream);
  EXPECT_EQ(sack()->cumulative, 1001U);
  EXPECT_EQ(data({1002, "but this", "BE", 9}), DataVerdict::accepted);
  EXPECT_EQ(delivered(), "but this");
  EXPECT_EQ(counters.invalid_streams_received, 2U);
  EXPECT_EQ(data({1001, "again", "BE", 10}), DataVerdict::duplicate);
}

TEST_F(RxOrderTest, NoUserDataIsRefusedUnseen) {
  EXPECT_EQ(data({1000, ""}), DataVerdict::no_user_data);
  EXPECT_EQ(receiver().cumulative_tsn(), Tsn(999));
}

// The peer should have begun with SSN 0, and let SSN 1 follow (§6.5). What it makes up for later is put in order
// (§6.6).
TEST_F(RxOrderTest, AMessageWhoseSsnCameTooSoonWaitsForTheOneLeftOut) {
  EXPECT_EQ(data({1000, "c", "BE", 0, 2}), DataVerdict::accepted);
  EXPECT_EQ(data({1001, "x", "BE", 1, 0}), DataVerdict::accepted);
  EXPECT_EQ(delivered(), "x");
  EXPECT_EQ(sack()->cumulative, 1001u);
  EXPECT_EQ(data({1002, "b", "BE", 0, 1}), DataVerdict::accepted);
  EXPECT_EQ(data({1003, "a", "BE", 0, 0}), DataVerdict::accepted);
  EXPECT_EQ(delivered(), "x a b c");
  EXPECT_EQ(data({1004, "d", "BE", 0, 3}), DataVerdict::accepted);
  EXPECT_EQ(delivered(), "x a b c d");
}

// It might have been in its turn while TSN 1000 was missing; then it turns out that it was not.
TEST_F(RxOrderTest, AMessageWhoseSsnCameTooSoonBehindAGapWaitsToo) {
  EXPECT_EQ(data({1001, "c", "BE", 0, 2}), DataVerdict::accepted);
  EXPECT_EQ(data({1000, "a", "BE", 0, 0}), DataVerdict::accepted);
  EXPECT_EQ(delivered(), "a");
  EXPECT_EQ(sack()->cumulative, 1001u);
  EXPECT_EQ(data({1003, "e", "BE", 0, 4}), DataVerdict::accepted);
  EXPECT_EQ(data({1002, "b", "B", 0, 1}), DataVerdict::protocol_violation) << "what stands behind does not go on";
}

TEST_F(RxOrderTest, AnSsnThatIsMadeUpForInFragmentsBringsThoseThatWait) {
  data({1000, "b", "BE", 0, 1});
  data({1001, "a", "B", 0, 0});
  EXPECT_EQ(delivered(), "");
  data({1002, "a", "E", 0, 0});
  EXPECT_EQ(delivered(), "a+a b");
}

TEST_F(RxOrderTest, NoMoreThanSixteenMessagesWaitForAnSsnLeftOut) {
  for (std::uint16_t i = 0; i < 16; ++i)
    ASSERT_EQ(data({1000u + i, "x", "BE", 0, static_cast<std::uint16_t>(i + 1)}), DataVerdict::accepted);
  EXPECT_EQ(data({1016, "x", "BE", 0, 17}), DataVerdict::protocol_violation);
}

TEST_F(RxOrderTest, WhatWaitsForAnSsnLeftOutEndsWithARestart) {
  data({1000, "b", "BE", 0, 1});
  restart(50);
  EXPECT_EQ(counters.ssns_skipped, 1u);
  EXPECT_EQ(counters.messages_never_due, 1u);
  data({50, "a", "BE", 0, 0});
  EXPECT_EQ(delivered(), "a");
}

TEST_F(RxOrderTest, AnSsnThatIsUsedTwiceWhileOneBeforeItIsLeftOutIsAProtocolViolation) {
  EXPECT_EQ(data({1000, "b", "BE", 0, 1}), DataVerdict::accepted);
  EXPECT_EQ(data({1001, "c", "BE", 0, 1}), DataVerdict::protocol_violation);
  restart(1000);
  EXPECT_EQ(data({1000, "b", "BE", 0, 1}), DataVerdict::accepted);
  EXPECT_EQ(data({1002, "c", "BE", 0, 1}), DataVerdict::accepted) << "behind a gap: not its turn yet, or never";
  EXPECT_EQ(data({1001, "a", "BE", 0, 0}), DataVerdict::protocol_violation);
  EXPECT_EQ(delivered(), "a b");
}

// Nothing of it could be given back.
TEST_F(RxOrderTest, NothingWaitsForAnSsnLeftOutWhenMemoryIsShort) {
  parameters.receive_window = parameters.pin_limit = 16 << 10;
  block_capacity = 2048;
  std::uint16_t waiting = 0;
  const auto next = [&] {
    return data({1000u + waiting, std::string(1400, 'x'), "BE", 0, static_cast<std::uint16_t>(waiting + 1)});
  };
  while (next() == DataVerdict::accepted) ++waiting;
  EXPECT_GT(waiting, 1);
  EXPECT_LT(waiting, 6);
  EXPECT_GT(sack()->window, 2000u);
}

TEST_F(RxOrderTest, AnSsnUsedTwiceOrSkippedByAFragmentIsAProtocolViolation) {
  EXPECT_EQ(data({1000, "a", "BE", 0, 0}), DataVerdict::accepted);
  EXPECT_EQ(data({1001, "b", "BE", 0, 0}), DataVerdict::protocol_violation) << "an SSN used twice";
  restart(1000);
  EXPECT_EQ(data({1000, "a", "B", 0, 1}), DataVerdict::protocol_violation) << "a fragment";
}

TEST_F(RxOrderTest, SsnUsedTwiceOutOfOrderIsDeliveredOnceAndRefused) {
  data({1002, "b", "BE", 0, 1});
  data({1003, "bb", "BE", 0, 1});
  data({1001, "c", "BE", 1, 0});
  EXPECT_EQ(data({1000, "a", "BE", 0, 0}), DataVerdict::protocol_violation);
}

TEST_F(RxOrderTest, RestartBeginsAnew) {
  data({1000, "a"});
  data({1005, "held", "BE", 0, 5});
  data({1001, "beginning", "B", 0, 1});
  restart(50);
  EXPECT_EQ(pools.held_chunks.out(), 0U);
  EXPECT_EQ(receiver().cumulative_tsn(), Tsn(49));
  EXPECT_FALSE(receiver().sack_pending());
  EXPECT_EQ(receiver().sack_deadline(), kNever);
  EXPECT_EQ(data({50, "b", "BE", 0, 0}), DataVerdict::accepted);
  EXPECT_EQ(delivered(), "a b");
}

TEST_F(RxOrderTest, EveryOrderOfSevenMessagesOnTwoStreamsEndsTheSame) {
  std::vector<Data> messages = {{1000, "a0", "BE", 0, 0}, {1001, "b0", "BE", 1, 0}, {1002, "a1", "BE", 0, 1},
                                {1003, "u", "BEU", 0, 9}, {1004, "b1", "BE", 1, 1}, {1005, "a2", "BE", 0, 2},
                                {1006, "b2", "BE", 1, 2}};
  std::vector<int> order = {0, 1, 2, 3, 4, 5, 6};
  std::uint32_t base_tsn = 0;
  do {
    restart(1000 + base_tsn);
    host.pieces.clear();
    for (const int i : order) {
      Data message = messages[static_cast<std::size_t>(i)];
      message.tsn += base_tsn;
      ASSERT_EQ(data(message), DataVerdict::accepted);
    }
    std::string streams[2];
    for (const Piece& piece : host.pieces)
      if (!piece.event.unordered) streams[piece.event.stream.value] += piece.data;
    ASSERT_EQ(host.pieces.size(), 7U);
    ASSERT_EQ(streams[0], "a0a1a2");
    ASSERT_EQ(streams[1], "b0b1b2");
    ASSERT_FALSE(receiver().has_gaps());
    ASSERT_EQ(pools.held_chunks.out(), 0U);
    base_tsn += 0x01357913;  // so that it also wraps and falls on every place of a word
  } while (std::next_permutation(order.begin(), order.end()));
}

}  // namespace
}  // namespace sluice::assoc
