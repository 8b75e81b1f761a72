#include <functional>

#include "tests/unit/assoc/rx_fixture.hpp"

// What received data pin, and what happens when memory runs short.

namespace sluice::assoc {
namespace {

using Gaps = std::vector<std::pair<int, int>>;

class RxMemoryTest : public RxTest {
 protected:
  RxMemoryTest() { block_capacity = 2176; }
  static std::string full() { return std::string(1452, 'f'); }
};

TEST_F(RxMemoryTest, DeliveredBlocksStayChargedUntilTheApplicationLetsGo) {
  host.keep = true;
  packet({{1000, "a", "BEU"}, {1001, "b", "BEU"}});
  EXPECT_EQ(receiver().pinned(), 2176U) << "one block, however many messages stand in it";
  host.kept.pop_back();
  EXPECT_EQ(receiver().pinned(), 2176U);
  host.kept.clear();
  EXPECT_EQ(receiver().pinned(), 0U);
}

TEST_F(RxMemoryTest, BlocksMayOutliveTheAssociation) {
  host.keep = true;
  data({1000, "a", "BEU"});
  data({1001, full(), "BEU"});
  data({1003, "held", "BE", 1, 3});
  end_association();
  EXPECT_EQ(received.out(), 2U);
  EXPECT_EQ(copies.out(), 0U);
  EXPECT_EQ(pools.pin_ledgers.out(), 1U);
  host.kept.pop_back();
  EXPECT_EQ(pools.pin_ledgers.out(), 1U);
  host.kept.pop_back();
  EXPECT_EQ(pools.pin_ledgers.out(), 0U);
}

TEST_F(RxMemoryTest, OtherParametersTakeNothingBackOfWhatTheWindowPromised) {
  host.keep = true;
  const std::uint32_t window = receiver().window();
  Parameters tight = parameters;
  tight.receive_window = 1500;
  tight.pin_limit = 1500;
  receiver().set_parameters(tight);
  EXPECT_EQ(receiver().window(), window);
  for (std::uint32_t i = 0; i < 10; ++i) ASSERT_EQ(data({1000 + i, full(), "BEU"}), DataVerdict::accepted);
}

TEST_F(RxMemoryTest, LargePartsAreHeldInPlaceSmallOnesAreCopied) {
  data({1001, std::string(544, 's'), "BE", 0, 1});
  EXPECT_EQ(copies.out(), 0U);
  EXPECT_EQ(received.out(), 1U);
  data({1002, std::string(543, 's'), "BE", 0, 2});
  EXPECT_EQ(copies.out(), 1U);
  EXPECT_EQ(received.out(), 1U);
  EXPECT_EQ(counters.data_chunks_copied_out, 1U);
  data({1000, "first", "BE", 0, 0});
  EXPECT_EQ(host.pieces.size(), 3U);
  EXPECT_EQ(copies.out(), 0U);
  EXPECT_EQ(received.out(), 0U);
}

TEST_F(RxMemoryTest, OneByteMessagesOutOfOrderDoNotPinTheReceivePool) {
  for (std::uint32_t i = 1; i <= 10000; ++i)
    ASSERT_EQ(data({1000 + i, "x", "BE", 0, static_cast<std::uint16_t>(i)}), DataVerdict::accepted);
  EXPECT_EQ(received.out(), 0U);
  EXPECT_LE(copies.out(), 10000U / 2048 + 1) << "packed";
  EXPECT_LE(receiver().pinned(), 10000 * sizeof(HeldChunk) + 6 * 2048);
  data({1000, "x", "BE", 0, 0});
  EXPECT_EQ(host.pieces.size(), 10001U);
  EXPECT_EQ(receiver().pinned(), 0U);
}

TEST_F(RxMemoryTest, CopiesAreTakenWhenTheReceivePoolIsLow) {
  received.set_limit(8);
  std::vector<base::Buffer> others;
  for (int i = 0; i < 6; ++i) others.push_back(received.allocate(0, 10));
  data({1001, full(), "BE", 0, 1});  // its packet is the seventh of eight
  EXPECT_EQ(copies.out(), 1U);
  EXPECT_EQ(received.out(), 6U);
  others.clear();
}

TEST_F(RxMemoryTest, HeldDataTakesNothingFromAScarcePool) {
  received.set_limit(32);
  copies.set_limit(0);
  std::vector<base::Buffer> others;
  for (int i = 0; i < 30; ++i) others.push_back(received.allocate(0, 10));
  EXPECT_EQ(data({1001, full(), "BE", 0, 1}), DataVerdict::out_of_window) << "nor do many who hold one each";
  EXPECT_EQ(data({1000, full(), "B", 0, 0}), DataVerdict::accepted) << "who holds nothing may take what is next";
  EXPECT_EQ(data({1002, full(), "BE", 0, 2}), DataVerdict::out_of_window);
  EXPECT_EQ(counters.data_chunks_refused, 2U);
  EXPECT_EQ(sack()->gaps, Gaps{});
  others.clear();
  EXPECT_EQ(data({1002, full(), "BE", 0, 2}), DataVerdict::accepted);
}

TEST_F(RxMemoryTest, PinLimitHoldsAndTheHighestTsnsAreGivenBack) {
  parameters.pin_limit = 20000;
  std::uint32_t taken = 0;
  for (std::uint32_t i = 2; i < 40; ++i) {
    if (data({1000 + i, full(), "BE", 0, static_cast<std::uint16_t>(i)}) == DataVerdict::accepted) ++taken;
    ASSERT_LE(receiver().pinned(), parameters.pin_limit);
  }
  EXPECT_EQ(taken, 8U);
  EXPECT_EQ(counters.data_chunks_reneged, 0U) << "higher TSNs do not push lower ones out";
  EXPECT_EQ(sack()->gaps, (Gaps{{3, 10}}));
  EXPECT_EQ(data({1001, full(), "BE", 0, 1}), DataVerdict::accepted);
  EXPECT_EQ(counters.data_chunks_reneged, 1U);
  EXPECT_TRUE(receiver().sack_due(now));
  EXPECT_EQ(sack()->gaps, (Gaps{{2, 9}}));
  EXPECT_EQ(data({1000, full(), "BE", 0, 0}), DataVerdict::accepted);
  EXPECT_EQ(counters.data_chunks_reneged, 2U) << "the application may keep what it is given";
  EXPECT_EQ(host.pieces.size(), 8U);
  EXPECT_EQ(receiver().cumulative_tsn(), Tsn(1007));
  EXPECT_EQ(data({1008, "again", "BE", 0, 8}), DataVerdict::accepted) << "what was given back comes again";
  EXPECT_EQ(host.pieces.back().data, "again");
}

TEST_F(RxMemoryTest, GivingBackTakesAWaitingMessageApart) {
  parameters.pin_limit = 12000;  // five blocks
  data({1004, full(), "B", 0, 1});
  data({1005, full(), "", 0, 1});
  data({1006, full(), "E", 0, 1});  // whole, waits for SSN 0
  data({1003, full(), "E", 0, 0});
  data({1002, full(), "", 0, 0});
  EXPECT_EQ(counters.data_chunks_reneged, 0U);
  EXPECT_EQ(data({1001, full(), "", 0, 0}), DataVerdict::accepted);
  EXPECT_EQ(sack()->gaps, (Gaps{{2, 6}}));
  EXPECT_EQ(data({1000, full(), "B", 0, 0}), DataVerdict::accepted);
  EXPECT_EQ(counters.data_chunks_reneged, 2U);
  EXPECT_EQ(host.pieces.size(), 4U) << "SSN 1 is not whole any more";
  EXPECT_EQ(receiver().cumulative_tsn(), Tsn(1004));
  data({1006, full(), "E", 0, 1});
  data({1005, full(), "", 0, 1});
  EXPECT_EQ(host.pieces.size(), 7U);
}

TEST_F(RxMemoryTest, WhenTheHighestIsGivenBackTheNextLowerOneIsTheHighest) {
  parameters.pin_limit = 5500;  // two blocks
  data({1100, full(), "BE", 0, 3});
  data({1200, full(), "BE", 0, 4});
  EXPECT_EQ(data({1001, full(), "BE", 0, 1}), DataVerdict::accepted);
  EXPECT_EQ(sack()->gaps, (Gaps{{2, 2}, {101, 101}}));
  EXPECT_EQ(data({1000, full(), "BE", 0, 0}), DataVerdict::accepted);
  EXPECT_EQ(counters.data_chunks_reneged, 2U);
  EXPECT_EQ(sack()->cumulative, 1001U);
  EXPECT_FALSE(receiver().has_gaps());
}

TEST_F(RxMemoryTest, WhenTheOnlyOneIsGivenBackThereAreNoGaps) {
  parameters.pin_limit = 3000;  // one block
  data({1200, full(), "BE", 0, 4});
  EXPECT_EQ(sack()->gaps, (Gaps{{201, 201}}));
  EXPECT_EQ(data({1000, full(), "BE", 0, 0}), DataVerdict::accepted);
  EXPECT_EQ(counters.data_chunks_reneged, 1U);
  EXPECT_EQ(sack()->cumulative, 1000U);
  EXPECT_FALSE(receiver().has_gaps());
}

TEST_F(RxMemoryTest, MemoryShortDeliversTheOpenMessageInParts) {
  parameters.receive_window = 30000;
  std::uint32_t tsn = 1000;
  data({tsn++, full(), "B"});
  while (host.pieces.empty() && tsn < 1100) ASSERT_EQ(data({tsn++, full(), ""}), DataVerdict::accepted);
  EXPECT_LT(tsn, 1015U) << "half the window";
  EXPECT_EQ(receiver().pinned(), 0U);
  EXPECT_EQ(counters.partial_deliveries, 1U);
}

TEST_F(RxMemoryTest, FullRingHoldsEventsBackInOrder) {
  host.room = 1;
  packet({{1000, "a", "BE", 0, 0}, {1001, "b", "BE", 0, 1}, {1002, "c", "BEU"}, {1003, "d", "B", 0, 2}});
  EXPECT_EQ(data({1004, "e", "E", 0, 2}), DataVerdict::accepted);
  EXPECT_EQ(delivered(), "a");
  EXPECT_TRUE(receiver().delivery_waiting());
  EXPECT_EQ(receiver().cumulative_tsn(), Tsn(1004));
  EXPECT_GT(receiver().pinned(), 0U);
  EXPECT_GT(counters.deliveries_held_back, 0U);
  host.room = 2;
  EXPECT_FALSE(receiver().resume_delivery(now));
  EXPECT_EQ(delivered(), "a b c");
  host.room = 100;
  EXPECT_EQ(data({1005, "f", "BE", 0, 3}), DataVerdict::accepted);
  EXPECT_EQ(delivered(), "a b c") << "nothing overtakes what waits";
  EXPECT_TRUE(receiver().resume_delivery(now));
  EXPECT_EQ(delivered(), "a b c d+e f");
  EXPECT_FALSE(receiver().delivery_waiting());
  EXPECT_EQ(receiver().pinned(), 0U);
  EXPECT_EQ(host.pieces[3].event.message_id, 3U);
}

TEST_F(RxMemoryTest, FullRingClosesTheWindow) {
  parameters.receive_window = 40000;
  parameters.pin_limit = 100000;
  host.room = 0;
  std::uint32_t tsn = 1000;
  while (tsn < 1200 && data({tsn, full(), "BEU"}) == DataVerdict::accepted) {
    ++tsn;
    sack();
    ASSERT_LE(receiver().pinned(), parameters.pin_limit);
  }
  EXPECT_EQ(receiver().window(), 0U);
  EXPECT_LT(tsn, 1030U);
  host.room = UINT32_MAX;
  EXPECT_TRUE(receiver().resume_delivery(now));
  EXPECT_TRUE(receiver().sack_due(now)) << "the window opened";
  EXPECT_EQ(sack()->window, 40000U);
  EXPECT_EQ(host.pieces.size(), tsn - 1000);
}

TEST_F(RxMemoryTest, APeerThatIgnoresTheWindowMeetsThePinLimit) {
  parameters.receive_window = 40000;
  parameters.pin_limit = 80000;
  host.keep = true;
  std::uint32_t refused = 0;
  for (std::uint32_t i = 0; i < 200; ++i) {  // no SACK in between: it cannot know
    if (data({receiver().cumulative_tsn().value() + 1, full(), "BEU"}) != DataVerdict::accepted) ++refused;
    ASSERT_LE(receiver().pinned(), parameters.pin_limit);
  }
  EXPECT_GT(refused, 100U);
  EXPECT_EQ(counters.data_chunks_refused, refused);
}

TEST_F(RxMemoryTest, SmallMessagesThatNobodyReadsAreCopiedAndPacked) {
  parameters.receive_window = 1 << 18;
  host.keep = true;
  for (int i = 0; i < 2000; ++i) {
    if (data({receiver().cumulative_tsn().value() + 1, "tiny", "BEU"}) != DataVerdict::accepted) break;
    if (i % 2 == 1) sack();
  }
  EXPECT_EQ(host.pieces.size(), 2000U);
  EXPECT_LT(received.out(), 100U);
  EXPECT_LT(receiver().pinned(), 300000U);
  for (const Piece& piece : host.pieces) ASSERT_EQ(piece.data, "tiny");
}

TEST_F(RxMemoryTest, ProgressIsPossibleWithATinyPinLimit) {
  parameters.pin_limit = 100;
  EXPECT_EQ(data({1000, full(), "BEU"}), DataVerdict::accepted);
  EXPECT_EQ(data({1001, full(), "B", 0, 0}), DataVerdict::accepted);
  EXPECT_EQ(data({1002, full(), "E", 0, 0}), DataVerdict::accepted);
  EXPECT_EQ(host.pieces.size(), 3U);
}

class RxPoolsTest : public RxTest {
 protected:
  /// A receiver whose pools hold only what `limits` say; each exhaustion refuses a chunk and nothing else.
  void with(const PoolLimits& limits, const std::function<void(Receiver&)>& test) {
    Pools few(limits);
    Services scarce{host, random, copies, received, few, counters};
    Receiver small(scarce, parameters, AssocId(5), EndpointId(6));
    Handshake handshake;
    handshake.peer_initial_tsn = Tsn(1000);
    handshake.inbound_streams = 100;
    small.start(handshake);
    test(small);
  }
  DataVerdict give(Receiver& to, const Data& chunk) {
    std::byte memory[200];
    wire::PacketWriter writer(memory, {});
    wire::DataHeader header;
    header.tsn = Tsn(chunk.tsn);
    header.stream = StreamId(chunk.stream);
    header.ssn = Ssn(chunk.ssn);
    header.flags = wire::kDataBegin | wire::kDataEnd;
    std::memcpy(wire::append_data(writer, header, 1), "x", 1);
    base::Buffer buffer = received.copy_of(writer.bytes());
    const auto data = wire::DataChunk::parse(*wire::chunks_of(buffer.bytes()).next());
    const auto verdict = to.on_data(now, *data, buffer);
    to.on_packet_end(now, false);
    return verdict;
  }
};

TEST_F(RxPoolsTest, EachEmptyPoolRefusesAndIsCounted) {
  PoolLimits none;
  none.pin_ledgers = 0;
  with(none, [&](Receiver& rx) { EXPECT_EQ(give(rx, {1000, "x"}), DataVerdict::out_of_window); });
  none = {};
  none.tsn_maps = 0;
  with(none, [&](Receiver& rx) {
    EXPECT_EQ(give(rx, {1001, "x", "BE", 0, 1}), DataVerdict::out_of_window);
    EXPECT_EQ(give(rx, {1000, "x"}), DataVerdict::accepted);
  });
  none = {};
  none.held_chunks = 0;
  with(none, [&](Receiver& rx) {
    EXPECT_EQ(give(rx, {1001, "x", "BE", 0, 1}), DataVerdict::out_of_window);
    EXPECT_FALSE(rx.has_gaps());
    EXPECT_EQ(give(rx, {1000, "x"}), DataVerdict::accepted);
  });
  none = {};
  none.held_pages = 0;
  with(none, [&](Receiver& rx) {
    EXPECT_EQ(give(rx, {1001, "x", "BE", 0, 1}), DataVerdict::out_of_window);
    EXPECT_FALSE(rx.has_gaps());
  });
  none = {};
  none.inbound_stream_leaves = 0;
  with(none, [&](Receiver& rx) {
    EXPECT_EQ(give(rx, {1000, "x", "BE", 50}), DataVerdict::out_of_window);
    EXPECT_EQ(give(rx, {1000, "x", "BE", 3}), DataVerdict::accepted);
  });
  EXPECT_EQ(counters.data_chunks_refused, 5U);
}

// Pools that all associations of a worker share, most of which another one took.
class RxScarceTest : public RxTest {
 protected:
  RxScarceTest() : RxTest({.held_chunks = 256, .held_pages = 16}) {}
  ~RxScarceTest() override {
    for (HeldChunk* const chunk : chunks_) pools.held_chunks.destroy(chunk);
    for (HeldPage* const page : pages_) pools.held_pages.destroy(page);
  }
  void take_chunks(int n) {
    while (n-- > 0) chunks_.push_back(pools.held_chunks.make());
  }
  void take_pages(int n) {
    while (n-- > 0) pages_.push_back(pools.held_pages.make());
  }
  DataVerdict waits(std::uint32_t tsn) {
    return data({tsn, "x", "BE", 0, static_cast<std::uint16_t>(tsn - kFirstTsn)});
  }

 private:
  std::vector<HeldChunk*> chunks_;
  std::vector<HeldPage*> pages_;
};

TEST_F(RxScarceTest, WhoHoldsManyChunksGivesBackBeforeItTakesOneMore) {
  for (std::uint32_t i = 0; i < 100; ++i) ASSERT_EQ(waits(1010 + i), DataVerdict::accepted);
  take_chunks(150);
  EXPECT_EQ(waits(1200), DataVerdict::out_of_window);
  EXPECT_EQ(waits(1005), DataVerdict::accepted);
  EXPECT_EQ(counters.data_chunks_reneged, 1U);
  EXPECT_EQ(pools.held_chunks.out(), 250U);
}

TEST_F(RxScarceTest, WhoHoldsFewChunksTakesOfTheLast) {
  take_chunks(250);
  for (std::uint32_t i = 0; i < 6; ++i) EXPECT_EQ(waits(1010 + i), DataVerdict::accepted);
  EXPECT_EQ(waits(1020), DataVerdict::out_of_window);
}

TEST_F(RxScarceTest, AMapOfManyPagesTakesNoneOfTheLast) {
  take_pages(9);
  for (std::uint32_t i = 1; i <= 4; ++i) EXPECT_EQ(waits(1000 + 64 * i), DataVerdict::accepted);
  EXPECT_EQ(waits(1000 + 64 * 5), DataVerdict::out_of_window);
  EXPECT_EQ(pools.held_pages.out(), 13U) << "three are left, for others";
}

TEST_F(RxScarceTest, WithoutAChunkToHoldAMessageComesInParts) {
  take_chunks(256);
  EXPECT_EQ(data({1000, "one", "B"}), DataVerdict::accepted);
  EXPECT_EQ(data({1001, "two", "E"}), DataVerdict::accepted);
  EXPECT_EQ(delivered(), "one+two");
}

// Neither memory to hold it nor an application that takes it: the peer sends it again, as if it had never come.
TEST_F(RxScarceTest, TheBeginOfAMessageThatNobodyCanTakeIsRefusedAndLeavesNothing) {
  take_chunks(256);
  host.room = 0;
  EXPECT_EQ(data({1000, "one", "B"}), DataVerdict::out_of_window);
  EXPECT_EQ(receiver().cumulative_tsn(), Tsn(999));
  EXPECT_FALSE(receiver().delivery_waiting());
  host.room = 100;
  EXPECT_EQ(data({1000, "whole", "BE"}), DataVerdict::accepted) << "no message is open";
  EXPECT_EQ(data({1001, "one", "B", 0, 1}), DataVerdict::accepted);
  EXPECT_EQ(data({1002, "two", "E", 0, 1}), DataVerdict::accepted);
  EXPECT_EQ(delivered(), "whole one+two");
  EXPECT_EQ(host.pieces[0].event.message_id, 0U);
  EXPECT_EQ(host.pieces[1].event.message_id, 1U);
}

}  // namespace
}  // namespace sluice::assoc
