#include <algorithm>
#include <numeric>

#include "tests/unit/assoc/rx_fixture.hpp"

// Messages of several chunks (RFC 9260 §6.9).

namespace sluice::assoc {
namespace {

class RxReassemblyTest : public RxTest {
 protected:
  /// A message of `count` fragments "<name>0", "<name>1" …
  static std::vector<Data> fragments(std::uint32_t tsn, const std::string& name, std::uint32_t count,
                                     std::uint16_t stream, std::uint16_t ssn, bool unordered = false) {
    std::vector<Data> chunks;
    for (std::uint32_t i = 0; i < count; ++i) {
      static constexpr const char* kOrdered[] = {"", "E", "B", "BE"};
      static constexpr const char* kUnordered[] = {"U", "EU", "BU", "BEU"};
      const int at = (i == 0 ? 2 : 0) + (i + 1 == count ? 1 : 0);
      chunks.push_back({tsn + i, name + std::to_string(i), unordered ? kUnordered[at] : kOrdered[at], stream, ssn, 7});
    }
    return chunks;
  }

  /// Every order in which `chunks`, at most 8, can arrive; `check` after each.
  template <class Check>
  void in_every_order(const std::vector<Data>& chunks, Check check) {
    std::vector<std::size_t> order(chunks.size());
    std::iota(order.begin(), order.end(), 0);
    std::uint32_t shift = 0;
    do {
      restart(kFirstTsn + shift);
      host.pieces.clear();
      for (const std::size_t i : order) {
        Data chunk = chunks[i];
        chunk.tsn += shift;
        ASSERT_EQ(data(chunk), DataVerdict::accepted);
      }
      check();
      if (HasFailure()) return;
      ASSERT_FALSE(receiver().has_gaps());
      ASSERT_EQ(pools.held_chunks.out(), 0U);
      ASSERT_EQ(pools.held_pages.out(), 0U);
      shift += 0x00fedcb7;
    } while (std::next_permutation(order.begin(), order.end()));
  }
};

TEST_F(RxReassemblyTest, FragmentsInOrderAreDeliveredTogether) {
  const auto chunks = fragments(1000, "m", 3, 2, 0);
  data(chunks[0]);
  data(chunks[1]);
  EXPECT_EQ(delivered(), "");
  data(chunks[2]);
  EXPECT_EQ(delivered(), "m0+m1+m2");
  ASSERT_EQ(host.pieces.size(), 3U);
  for (const Piece& piece : host.pieces) {
    EXPECT_EQ(piece.event.message_id, 0U);
    EXPECT_EQ(piece.event.stream, StreamId(2));
    EXPECT_EQ(piece.event.ppid, Ppid(7));
  }
  EXPECT_TRUE(host.pieces[2].event.end && !host.pieces[1].event.end && !host.pieces[0].event.end);
  EXPECT_EQ(counters.messages_reassembled, 1U);
}

TEST_F(RxReassemblyTest, OrderedMessageInEveryOrder) {
  auto chunks = fragments(1000, "a", 3, 0, 0);
  for (const Data& chunk : fragments(1003, "b", 4, 0, 1)) chunks.push_back(chunk);
  in_every_order(chunks, [&] { ASSERT_EQ(delivered(), "a0+a1+a2 b0+b1+b2+b3"); });
}

TEST_F(RxReassemblyTest, MessagesOfTwoStreamsInEveryOrder) {
  auto chunks = fragments(1000, "a", 2, 0, 0);
  for (const Data& chunk : fragments(1002, "b", 2, 1, 0)) chunks.push_back(chunk);
  for (const Data& chunk : fragments(1004, "c", 1, 0, 1)) chunks.push_back(chunk);
  for (const Data& chunk : fragments(1005, "d", 2, 1, 1)) chunks.push_back(chunk);
  in_every_order(chunks, [&] {
    std::string streams[2];
    for (const Piece& piece : host.pieces) streams[piece.event.stream.value] += piece.data;
    ASSERT_EQ(streams[0], "a0a1c0");
    ASSERT_EQ(streams[1], "b0b1d0d1");
  });
}

TEST_F(RxReassemblyTest, UnorderedMessagesInEveryOrder) {
  auto chunks = fragments(1000, "a", 3, 0, 5, true);
  for (const Data& chunk : fragments(1003, "b", 2, 0, 9, true)) chunks.push_back(chunk);
  for (const Data& chunk : fragments(1005, "c", 2, 0, 0)) chunks.push_back(chunk);
  in_every_order(chunks, [&] {
    std::string messages[3];
    for (const Piece& piece : host.pieces) messages[piece.data[0] - 'a'] += piece.data;
    ASSERT_EQ(messages[0], "a0a1a2");
    ASSERT_EQ(messages[1], "b0b1");
    ASSERT_EQ(messages[2], "c0c1");
    // Each message in one piece after another.
    for (std::size_t i = 1; i < host.pieces.size(); ++i)
      ASSERT_EQ(host.pieces[i].event.begin, host.pieces[i].data[0] != host.pieces[i - 1].data[0]);
  });
}

TEST_F(RxReassemblyTest, UnorderedMessageIsDeliveredAcrossAnEarlierGap) {
  for (const Data& chunk : fragments(1005, "u", 3, 0, 0, true)) data(chunk);
  EXPECT_EQ(delivered(), "u0+u1+u2");
  EXPECT_EQ(receiver().cumulative_tsn(), Tsn(999));
}

TEST_F(RxReassemblyTest, UnorderedFragmentsIgnoreTheSsn) {
  data({1000, "a", "BU", 0, 1});
  EXPECT_EQ(data({1001, "b", "EU", 0, 60000}), DataVerdict::accepted);
  EXPECT_EQ(delivered(), "a+b");
}

TEST_F(RxReassemblyTest, PpidIsTheFirstFragmentsForEveryPiece) {
  data({1002, "c", "E", 0, 0, 3});
  data({1001, "b", "", 0, 0, 2});
  data({1000, "a", "B", 0, 0, 1});
  ASSERT_EQ(host.pieces.size(), 3U);
  for (const Piece& piece : host.pieces) EXPECT_EQ(piece.event.ppid, Ppid(1));
}

struct Contradiction {
  const char* name;
  std::vector<Data> first;
  Data then;
};

class RxContradictionTest : public RxTest, public testing::WithParamInterface<Contradiction> {};

TEST_P(RxContradictionTest, IsAProtocolViolation) {
  for (const Data& chunk : GetParam().first) ASSERT_EQ(data(chunk), DataVerdict::accepted);
  EXPECT_EQ(data(GetParam().then), DataVerdict::protocol_violation);
}

INSTANTIATE_TEST_SUITE_P(
    Rx, RxContradictionTest,
    testing::Values(Contradiction{"MiddleWithoutBegin", {}, {1000, "m", ""}},
                    Contradiction{"EndWithoutBegin", {}, {1000, "m", "E"}},
                    Contradiction{"MiddleAfterAWholeMessage", {{1000, "a"}}, {1001, "m", "", 0, 1}},
                    Contradiction{"BeginInsideAMessage", {{1000, "a", "B"}}, {1001, "b", "B", 0, 1}},
                    Contradiction{"WholeInsideAMessage", {{1000, "a", "B"}}, {1001, "b", "BE", 1, 0}},
                    Contradiction{"StreamChanges", {{1000, "a", "B"}}, {1001, "b", "E", 1, 0}},
                    Contradiction{"SsnChanges", {{1000, "a", "B"}}, {1001, "b", "E", 0, 1}},
                    Contradiction{"UnorderedChanges", {{1000, "a", "B"}}, {1001, "b", "EU"}},
                    Contradiction{"OutOfOrderStreamChanges", {{1005, "a", "B"}}, {1006, "b", "E", 1, 0}},
                    Contradiction{"OutOfOrderSsnChanges", {{1005, "a", "B"}}, {1006, "b", "E", 0, 1}},
                    Contradiction{"OutOfOrderUnorderedChanges", {{1005, "a", ""}}, {1006, "b", "EU"}},
                    Contradiction{"OutOfOrderBeginAfterMiddle", {{1005, "a", ""}}, {1006, "b", "B"}},
                    Contradiction{"OutOfOrderMiddleAfterEnd", {{1005, "a", "E"}}, {1006, "b", "", 0, 1}},
                    Contradiction{"EarlierStreamDiffers", {{1006, "b", ""}}, {1005, "a", "B", 1}},
                    Contradiction{"EarlierSsnDiffers", {{1006, "b", ""}}, {1005, "a", "", 0, 3}},
                    Contradiction{"EarlierEndsBeforeMiddle", {{1006, "b", ""}}, {1005, "a", "E"}},
                    Contradiction{"EarlierGoesOnBeforeBegin", {{1006, "b", "B", 0, 1}}, {1005, "a", "B"}},
                    Contradiction{"MiddleAfterADeliveredOne", {{1005, "a", "BEU"}}, {1006, "b", "U"}},
                    Contradiction{"GoesOnBeforeADeliveredOne", {{1006, "a", "BEU"}}, {1005, "b", "BU"}},
                    Contradiction{"NextGoesOnBeforeADeliveredOne", {{1001, "a", "BEU"}}, {1000, "b", "B"}},
                    Contradiction{"SsnOfTheOpenMessage", {{1000, "a", "B"}}, {1005, "b", "BE"}}),
    [](const auto& each) { return each.param.name; });

TEST_F(RxReassemblyTest, LargeMessageIsDeliveredInParts) {
  parameters.partial_delivery_point = 1000;
  const std::string piece(300, 'x');
  data({1000, piece, "B", 1, 0, 9});
  data({1001, piece, "", 1, 0, 9});
  data({1002, piece, "", 1, 0, 9});
  EXPECT_EQ(host.pieces.size(), 0U);
  data({1003, piece, "", 1, 0, 9});
  EXPECT_EQ(host.pieces.size(), 4U) << "1200 bytes passed the point";
  data({1004, piece, "", 1, 0, 0});
  EXPECT_EQ(host.pieces.size(), 5U) << "then each part at once";
  // A message of another stream overtakes it in between.
  data({1006, "other", "BE", 2, 0});
  data({1005, "end", "E", 1, 0});
  ASSERT_EQ(host.pieces.size(), 7U);
  EXPECT_EQ(host.pieces[5].event.stream, StreamId(2));
  for (const std::size_t i : {0, 1, 2, 3, 4, 6}) {
    EXPECT_EQ(host.pieces[i].event.message_id, 0U);
    EXPECT_EQ(host.pieces[i].event.stream, StreamId(1));
    EXPECT_EQ(host.pieces[i].event.ppid, Ppid(9));
    EXPECT_EQ(host.pieces[i].event.begin, i == 0);
    EXPECT_EQ(host.pieces[i].event.end, i == 6);
  }
  EXPECT_EQ(counters.partial_deliveries, 1U);
  data({1007, "next", "BE", 1, 1});
  EXPECT_EQ(host.pieces.back().event.message_id, 1U);
}

TEST_F(RxReassemblyTest, NothingOfItsStreamComesBetweenThePiecesOfAMessage) {
  parameters.partial_delivery_point = 4;
  for (const char* const unordered : {"", "U"}) {
    restart(1000);
    host.pieces.clear();
    const auto flags = [&](const char* bits) { return std::string(bits) + unordered; };
    const std::string begin = flags("B");
    const std::string end = flags("E");
    const std::uint16_t turn = *unordered == 0 ? 1 : 0;  // of the next ordered message
    data({1000, "aaaa", begin.c_str(), 1, 0});
    data({1003, "u1", "BEU", 1, 0});
    data({1006, "u2b", "EU", 1, 0});
    data({1005, "u2a", "BU", 1, 0});
    data({1008, "o2b", "E", 1, static_cast<std::uint16_t>(turn + 1)});
    data({1007, "o2a", "B", 1, static_cast<std::uint16_t>(turn + 1)});
    data({1009, "o1", "BE", 1, turn});
    EXPECT_EQ(delivered(), "aaaa");
    data({1011, "other", "BEU", 2, 0});
    EXPECT_EQ(delivered(), "aaaa other");
    EXPECT_EQ(data({1001, "a", unordered, 1, 0}), DataVerdict::accepted);
    EXPECT_EQ(data({1002, "a", end.c_str(), 1, 0}), DataVerdict::accepted);
    // The gaps behind it need not be filled for what is whole.
    EXPECT_EQ(delivered(), "aaaa other+a+a u1 u2a+u2b o1 o2a+o2b");
    EXPECT_EQ(data({1004, "u3", "BEU", 1, 0}), DataVerdict::accepted);
    EXPECT_EQ(data({1010, "o3", "BE", 1, static_cast<std::uint16_t>(turn + 2)}), DataVerdict::accepted);
    EXPECT_EQ(receiver().cumulative_tsn(), Tsn(1011));
    EXPECT_EQ(receiver().held_chunks(), 0U);
  }
}

TEST_F(RxReassemblyTest, WhatWaitsBehindPiecesIsGivenBackForTheSakeOfTheMessage) {
  parameters.partial_delivery_point = 4;
  parameters.pin_limit = 12000;
  parameters.receive_window = 8000;
  block_capacity = 2176;
  host.keep = true;
  const std::string piece(1400, 'p');
  data({1000, piece, "BU", 1, 0});
  for (std::uint32_t tsn = 1002; counters.data_chunks_reneged == 0 && tsn < 1010; ++tsn)
    if (data({tsn, piece, "BEU", 1, 0}) != DataVerdict::accepted) break;
  EXPECT_EQ(host.pieces.size(), 1U) << "the others wait";
  EXPECT_GT(receiver().held_chunks(), 2U);
  EXPECT_EQ(data({1001, piece, "EU", 1, 0}), DataVerdict::accepted);
  EXPECT_GT(counters.data_chunks_reneged, 0U);
  ASSERT_GT(host.pieces.size(), 3U);
  EXPECT_TRUE(host.pieces[1].event.end);
  EXPECT_EQ(host.pieces[1].event.message_id, 0U);
  EXPECT_EQ(receiver().held_chunks(), 0U);
}

TEST_F(RxReassemblyTest, ARestartLetsGoOfWhatWaitsBehindPieces) {
  parameters.partial_delivery_point = 4;
  data({1000, "aaaa", "B", 1, 0});
  data({1002, "u", "BEU", 1, 0});
  data({1003, "o", "BE", 1, 1});
  restart(77);
  ASSERT_EQ(host.pieces.size(), 2U);
  EXPECT_EQ(host.pieces[1].event.type, EventType::delivery_aborted);
  EXPECT_EQ(data({78, "v", "BEU", 1, 0}), DataVerdict::accepted);
  EXPECT_EQ(host.pieces.size(), 3U);
}

TEST_F(RxReassemblyTest, PartsHeldBeyondAGapFollowWhenItIsFilled) {
  parameters.partial_delivery_point = 4;
  data({1000, "aaaa", "B"});
  EXPECT_EQ(delivered(), "aaaa");
  data({1002, "c", ""});
  data({1003, "d", "E"});
  data({1004, "after", "BE", 0, 1});
  EXPECT_EQ(delivered(), "aaaa");
  data({1001, "b", ""});
  EXPECT_EQ(delivered(), "aaaa+b+c+d after");
}

TEST_F(RxReassemblyTest, SixteenMegabytesThroughASmallWindow) {
  parameters.receive_window = 256 << 10;
  parameters.partial_delivery_point = 64 << 20;  // memory alone must bring it about
  host.keep = true;
  block_capacity = 2176;
  const std::string piece(1452, 'y');
  std::uint64_t bytes = 0;
  std::uint64_t in_window = sack()->window;
  for (std::uint32_t tsn = 1000; bytes < 16 << 20; ++tsn) {
    if (in_window < piece.size()) {
      host.kept.clear();  // the application reads only when the peer can send no more
      in_window = sack()->window;
      ASSERT_GE(in_window, piece.size());
    }
    ASSERT_EQ(data({tsn, piece, tsn == 1000 ? "B" : ""}), DataVerdict::accepted);
    bytes += piece.size();
    in_window -= piece.size();
    ASSERT_LE(receiver().pinned(), 512U << 10);
  }
  EXPECT_EQ(data({receiver().cumulative_tsn().value() + 1, "end", "E"}), DataVerdict::accepted);
  std::uint64_t seen = 0;
  for (const Piece& each : host.pieces) seen += each.data.size();
  EXPECT_EQ(seen, bytes + 3);
  EXPECT_TRUE(host.pieces.back().event.end);
  EXPECT_EQ(counters.data_chunks_refused, 0U);
}

TEST_F(RxReassemblyTest, RestartEndsAMessageOfWhichPartsWereDelivered) {
  parameters.partial_delivery_point = 4;
  data({1000, "whole", "BE", 1, 0});
  data({1001, "aaaa", "B", 1, 1});
  restart(77);
  ASSERT_EQ(host.pieces.size(), 3U);
  EXPECT_EQ(host.pieces[2].event.type, EventType::delivery_aborted);
  EXPECT_EQ(host.pieces[2].event.stream, StreamId(1));
  EXPECT_EQ(host.pieces[2].event.message_id, 1U);
  EXPECT_EQ(data({77, "b", "BE", 1, 0}), DataVerdict::accepted);
}

TEST_F(RxReassemblyTest, RestartEndsAMessageOfWhichNothingWasDeliveredInSilence) {
  data({1000, "aaaa", "B", 1, 0});
  restart(77);
  EXPECT_TRUE(host.pieces.empty());
}

}  // namespace
}  // namespace sluice::assoc
