// DATA that is made to cost memory or work: streams that do not exist, duplicates, fragments that never become a
// message, messages that never end.
#include "tests/unit/assoc/hostile_peer.hpp"

namespace sluice::assoc {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class HostileData : public HostilePeer {
 protected:
  static constexpr std::uint32_t kPinLimit = 200'000;
  static constexpr std::uint32_t kBlock = 12 + 16 + 1000;  ///< a packet with one fragment

  HostileData() {
    side_.parameters.receive_window = 100'000;
    side_.parameters.pin_limit = kPinLimit;
  }
  /// A fragment of 1000 bytes in a packet of its own.
  void inject_fragment(Tsn tsn, std::uint8_t flags, Ssn ssn = Ssn(), StreamId stream = StreamId()) {
    inject([&](wire::PacketWriter& packet) {
      std::byte* const at =
          wire::append_data(packet, {.tsn = tsn, .stream = stream, .ssn = ssn, .ppid = Ppid(46), .flags = flags}, 1000);
      std::memset(at, 'f', 1000);
    });
  }
  /// Blocks that are held, each counted whole, as they were allocated.
  std::uint64_t held_bytes() const {
    return std::uint64_t{inbound_.out()} * kBlock + std::uint64_t{side_.copies.out()} * 2048;
  }
  std::uint32_t taken_chunks() const {
    Snapshot snapshot;
    side_.association->snapshot(snapshot);
    return static_cast<std::uint32_t>(snapshot.data_chunks_received);
  }
  std::size_t whole_messages() {
    std::size_t ended = 0;
    for (const SeenEvent& message : host().seen(EventType::message)) ended += message.event.end ? 1 : 0;
    return ended;
  }
  std::uint64_t refused() const { return counters().data_chunks_refused + counters().data_chunks_beyond_window; }
};

TEST_F(HostileData, StreamsThatDoNotExistAreReportedAndPinNothing) {
  for (const std::uint16_t stream : {20, 21, 255, 32768, 65535}) {
    SCOPED_TRACE(stream);
    begin(State::established);
    inject_data(kPeerTsn, "x", StreamId(stream));
    EXPECT_THAT(reasons(), ElementsAre(Pair("invalid_streams_received", 1u)));
    EXPECT_EQ(flush().at(0).types(), (Types{ChunkType::error, ChunkType::sack}));
    expect_nothing_held();
    expect_works(kPeerTsn + 1);
  }
}

TEST_F(HostileData, StreamsThatDoNotExistPinNothingBeyondAGapEither) {
  begin(State::established);
  for (std::uint32_t i = 1; i <= 10'000; ++i) inject_data(kPeerTsn + i, "x", StreamId(65535));
  EXPECT_THAT(reasons(), ElementsAre(Pair("invalid_streams_received", 10'000u)));
  EXPECT_EQ(inbound_.out(), 0u);
  EXPECT_EQ(side_.pools.held_chunks.out(), 0u);
  flush();
  inject_data(kPeerTsn, "the gap");
  EXPECT_EQ(host().seen(EventType::message).size(), 1u);
  flush();
  expect_nothing_held();
  expect_works(kPeerTsn + 10'001);
}

TEST_F(HostileData, ThousandsOnStreamsThatDoNotExistBringEightErrors) {
  begin(State::established);
  std::uint32_t count = 0;
  base::Buffer packet = filled(
      [&, tsn = kPeerTsn](wire::PacketWriter& writer) mutable {
        if (writer.room() >= 20) write_data(writer, std::exchange(tsn, tsn + 1), "x", StreamId(999));
      },
      &count);
  ASSERT_GT(count, 3000u);
  inject(std::move(packet));
  EXPECT_THAT(reasons(), ElementsAre(Pair("invalid_streams_received", count), Pair("replies_dropped", count - 8)));
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].chunks.size(), 9u);
  expect_nothing_held();
  expect_works(kPeerTsn + count);
}

TEST_F(HostileData, AStormOfDuplicatesBringsOneSackAndPinsNothing) {
  begin(State::established);
  inject_data(kPeerTsn, "x");
  flush();
  mark();
  std::uint32_t count = 0;
  inject(filled(
      [&](wire::PacketWriter& writer) {
        if (writer.room() >= 20) write_data(writer, kPeerTsn, "x");
      },
      &count));
  EXPECT_THAT(reasons(), ElementsAre(Pair("duplicate_tsns_received", count)));
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  const auto sack = wire::SackChunk::parse(packets[0].chunks.at(0));
  ASSERT_TRUE(sack);
  EXPECT_EQ(sack->cumulative_tsn(), kPeerTsn);
  EXPECT_LE(packets[0].buffer.size(), 12u + 16 + 8 * 4);
  EXPECT_EQ(host().seen(EventType::message).size(), 1u);
  expect_nothing_held();
  expect_works(kPeerTsn + 1);
}

TEST_F(HostileData, DuplicatesOfWhatIsHeldPinNothingMore) {
  begin(State::established);
  inject_fragment(kPeerTsn + 1, wire::kDataBegin);
  const std::uint64_t held = held_bytes();
  for (int i = 0; i < 1000; ++i) inject_fragment(kPeerTsn + 1, wire::kDataBegin);
  EXPECT_EQ(held_bytes(), held);
  EXPECT_EQ(side_.pools.held_chunks.out(), 1u);
  EXPECT_THAT(reasons(), ElementsAre(Pair("duplicate_tsns_received", 1000u)));
}

TEST_F(HostileData, TsnsFromEverywhereAreDroppedUnlessTheyAreNear) {
  begin(State::established);
  const std::uint32_t far[] = {16384, 16385, 65536, 0x3fffffff, 0x7ffffffe};
  for (const std::uint32_t ahead : far) inject_data(kPeerTsn + ahead, "far");
  EXPECT_THAT(reasons(), ElementsAre(Pair("data_chunks_beyond_window", std::size(far))));
  mark();
  const std::uint32_t behind[] = {1, 2, 16384, 0x7ffffffe, 0x7fffffff};
  for (const std::uint32_t back : behind) inject_data(kPeerTsn - back, "old");
  EXPECT_THAT(reasons(), ElementsAre(Pair("duplicate_tsns_received", std::size(behind))));
  EXPECT_TRUE(host().seen(EventType::message).empty());
  flush();
  expect_nothing_held();
  expect_works();
}

TEST_F(HostileData, FragmentsThatNeverBecomeAMessageStayWithinThePinLimit) {
  begin(State::established);
  for (std::uint32_t i = 0; i < 2000; ++i) {
    inject_fragment(kPeerTsn + 1 + 2 * i, wire::kDataBegin, Ssn(static_cast<std::uint16_t>(i)));
    ASSERT_LE(held_bytes(), kPinLimit);
    if (i % 16 == 0) flush();
  }
  EXPECT_GT(refused(), 1000u);
  EXPECT_EQ(counters().data_chunks_reneged, 0u);
  EXPECT_TRUE(host().seen(EventType::message).empty());
  flush();
  // What we have to say still goes, and what is missing is still taken, lowest first.
  ASSERT_EQ(send("to them"), SendStatus::queued);
  EXPECT_NE(flush().at(0).find(ChunkType::data), nullptr);
  inject_sack(kOurTsn);
  inject_data(kPeerTsn, "the gap");
  EXPECT_EQ(whole_messages(), 1u);
  for (std::uint32_t i = 0; i < 200; ++i) {
    inject_fragment(kPeerTsn + 1 + 2 * i, wire::kDataBegin, Ssn(static_cast<std::uint16_t>(i)));
    inject_fragment(kPeerTsn + 2 + 2 * i, wire::kDataEnd, Ssn(static_cast<std::uint16_t>(i)));
    flush();
  }
  EXPECT_EQ(whole_messages(), 201u);
  expect_nothing_held();
  expect_works(kPeerTsn + 401, kOurTsn + 1);
}

TEST_F(HostileData, MiddlesWithoutBeginningOrEndStayWithinThePinLimitAndGoWithTheAssociation) {
  begin(State::established);
  for (std::uint32_t i = 0; i < 2000; ++i) {
    inject_fragment(kPeerTsn + 1 + i, 0);
    ASSERT_LE(held_bytes(), kPinLimit);
  }
  EXPECT_GT(refused(), 1000u);
  EXPECT_GT(inbound_.out(), 50u);
  flush();
  inject([](wire::PacketWriter& packet) { wire::append_abort(packet, false); });
  EXPECT_EQ(only(EventType::association_lost).reason(), Reason::peer_abort);
  EXPECT_TRUE(association().finished());
  side_.association.reset();
  EXPECT_EQ(side_.pools.pin_ledgers.out(), 0u);
  expect_nothing_held();
}

TEST_F(HostileData, OneByteFragmentsOnEveryStreamStayWithinThePinLimit) {
  begin(State::established);
  for (std::uint32_t i = 0; i < 16'000; ++i) {
    inject([&](wire::PacketWriter& packet) {
      const auto stream = static_cast<std::uint16_t>(i % 20);
      *wire::append_data(packet,
                         {.tsn = kPeerTsn + 1 + i,
                          .stream = StreamId(stream),
                          .ssn = Ssn(static_cast<std::uint16_t>(1 + i / 20)),
                          .ppid = Ppid(),
                          .flags = wire::kDataBegin | wire::kDataEnd},
                         1) = std::byte{'x'};
    });
    const std::uint64_t records = std::uint64_t{side_.pools.held_chunks.out()} * sizeof(HeldChunk);
    ASSERT_LE(records + std::uint64_t{side_.copies.out()} * 2048, kPinLimit);
    ASSERT_EQ(inbound_.out(), 0u);
  }
  EXPECT_GT(refused(), 10'000u);
  EXPECT_GT(side_.pools.held_chunks.out(), 1000u);
}

TEST_F(HostileData, AMessageWithoutEndIsDeliveredInPartsAndHoldsNothing) {
  begin(State::established);
  constexpr std::uint32_t kFragments = 5000;
  for (std::uint32_t i = 0; i < kFragments; ++i) {
    inject_fragment(kPeerTsn + i, i == 0 ? wire::kDataBegin : 0);
    ASSERT_LE(held_bytes(), kPinLimit);
    flush();
  }
  EXPECT_THAT(reasons(), ElementsAre(Pair("partial_deliveries", 1u)));
  EXPECT_EQ(host().seen(EventType::message).size(), kFragments);
  inject_fragment(kPeerTsn + kFragments, wire::kDataEnd);
  flush();
  expect_nothing_held();
  expect_works(kPeerTsn + kFragments + 1);
}

TEST_F(HostileData, AMessageWithoutEndThatNobodyReadsStopsAtTheWindow) {
  begin(State::established);
  host().event_room = 0;
  std::uint32_t taken = 0;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    inject_fragment(kPeerTsn + taken, taken == 0 ? wire::kDataBegin : 0);
    taken = taken_chunks();
    ASSERT_LE(held_bytes(), kPinLimit);
    if (i % 4 == 0) flush();
  }
  EXPECT_GT(refused(), 4000u);
  host().event_room = TestHost::kUnlimited;
  EXPECT_TRUE(association().resume_delivery(now_));
  EXPECT_EQ(host().seen(EventType::message).size(), taken);
  flush();
  inject_fragment(kPeerTsn + taken, wire::kDataEnd);
  flush();
  expect_nothing_held();
  expect_works(kPeerTsn + taken + 1);
}

struct Contradiction {
  const char* what;
  std::uint8_t first;
  std::uint8_t second;
  std::uint16_t second_stream;
  std::uint16_t second_ssn;
};

constexpr Contradiction kContradictions[] = {
    {"a second beginning", wire::kDataBegin, wire::kDataBegin, 0, 0},
    {"a middle of nothing", wire::kDataBegin | wire::kDataEnd, 0, 0, 1},
    {"an end of nothing", wire::kDataBegin | wire::kDataEnd, wire::kDataEnd, 0, 1},
    {"another stream", wire::kDataBegin, wire::kDataEnd, 1, 0},
    {"another SSN", wire::kDataBegin, wire::kDataEnd, 0, 1},
    {"another order", wire::kDataBegin, wire::kDataEnd | wire::kDataUnordered, 0, 0},
};

TEST_F(HostileData, FragmentsThatContradictEachOtherEndTheAssociationInWhateverOrderTheyCome) {
  for (const Contradiction& each : kContradictions) {
    for (const bool swapped : {false, true}) {
      SCOPED_TRACE(testing::Message() << each.what << (swapped ? ", swapped" : ""));
      begin(State::established);
      const auto first = [&] { inject_fragment(kPeerTsn, each.first); };
      const auto second = [&] {
        inject_fragment(kPeerTsn + 1, each.second, Ssn(each.second_ssn), StreamId(each.second_stream));
      };
      swapped ? second() : first();
      static_cast<void>(flush());  // its SACK
      swapped ? first() : second();
      EXPECT_EQ(reasons()["aborted"], 1u);
      expect_aborted(wire::CauseCode::protocol_violation);
      side_.association.reset();
      expect_nothing_held();
    }
  }
}

TEST_F(HostileData, DataWithoutUserDataEndsTheAssociationWithItsTsn) {
  begin(State::established);
  inject_data(kPeerTsn + 7, "");
  EXPECT_THAT(reasons(), ElementsAre(Pair("aborted", 1u)));
  expect_aborted(wire::CauseCode::no_user_data);
}

}  // namespace
}  // namespace sluice::assoc
