// Packets that are not the peer's: verification tags and addresses that are wrong (RFC 9260 §8.5, §8.5.1), of every
// chunk type and in every state.
#include "tests/unit/assoc/hostile_peer.hpp"

namespace sluice::assoc {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class HostileTags : public HostilePeer {
 protected:
  /// Every chunk type, with the T bit and without.
  template <class Visit>
  static void for_each_chunk(Visit&& visit) {
    for (int type = 0; type < 256; ++type)
      for (const std::uint8_t flags : {std::uint8_t{0}, wire::kFlagTagReflected})
        visit(static_cast<ChunkType>(type), flags);
  }
  void inject_chunk(VTag tag, ChunkType type, std::uint8_t flags, const IpAddress& source = kThere) {
    inject(
        tag, [&](wire::PacketWriter& packet) { write_plausible(packet, type, flags); }, source);
  }
};

/// What the rules of §8.5.1 make of a chunk under another tag than ours.
struct Expected {
  const char* counter = "wrong_tags";
  bool answered = false;  ///< with SHUTDOWN COMPLETE, as out of the blue
  bool theirs = false;    ///< it is the peer's, reflected: another test's
};

Expected expected(State state, VTag tag, VTag peer_tag, ChunkType type, std::uint8_t flags) {
  const bool opening = state == State::cookie_wait || state == State::cookie_echoed;
  const bool reflected = flags == wire::kFlagTagReflected;
  const bool peers = tag == peer_tag && state != State::cookie_wait;
  if (type == ChunkType::shutdown_ack && opening) return {.answered = true};
  if (type == ChunkType::abort && peers) return {.theirs = reflected};
  if (type == ChunkType::shutdown_complete && peers)
    return {.counter = "unexpected_chunks", .theirs = reflected && state == State::shutdown_ack_sent};
  return {};
}

TEST_F(HostileTags, AnotherTagThanOursIsDroppedWithEveryChunkInEveryState) {
  for (const State state : kOpenStates) {
    for (const VTag tag : {VTag(0), VTag(kOurTag.value + 1), kPeerTag}) {
      for_each_chunk([&](ChunkType type, std::uint8_t flags) {
        SCOPED_TRACE(testing::Message() << name(state) << ", tag " << tag.value << ", chunk " << int(type) << ", flags "
                                        << int{flags});
        const Expected wanted = expected(state, tag, kPeerTag, type, flags);
        if (wanted.theirs) return;
        begin(state);
        const Timestamp deadline = association().next_deadline();
        inject_chunk(tag, type, flags);
        if (wanted.answered) {
          const auto packets = flush();
          ASSERT_EQ(packets.size(), 1u);
          EXPECT_EQ(packets[0].types(), Types{ChunkType::shutdown_complete});
          EXPECT_EQ(packets[0].buffer.size(), 16u);
          EXPECT_THAT(reasons(), ElementsAre());
        } else {
          expect_silence();
          EXPECT_THAT(reasons(), ElementsAre(Pair(wanted.counter, 1u)));
        }
        EXPECT_TRUE(host().events.empty());
        EXPECT_EQ(association().next_deadline(), deadline);
        expect_goes_on(state);
      });
    }
  }
}

TEST_F(HostileTags, OurTagFromAnotherAddressIsDroppedWithEveryChunkInEveryState) {
  for (const State state : kOpenStates) {
    for_each_chunk([&](ChunkType type, std::uint8_t flags) {
      SCOPED_TRACE(testing::Message() << name(state) << ", chunk " << int(type) << ", flags " << int{flags});
      const bool init_ack = type == ChunkType::init_ack;
      if (init_ack && state == State::cookie_wait) return;  // may come from where it likes (§5.1.2)
      begin(state);
      inject_chunk(kOurTag, type, flags, kElsewhere);
      expect_silence();
      EXPECT_THAT(reasons(), ElementsAre(Pair(init_ack ? "unexpected_chunks" : "foreign_sources", 1u)));
      EXPECT_TRUE(host().events.empty());
      expect_goes_on(state);
    });
  }
}

TEST_F(HostileTags, TheTBitWithOurOwnTagIsNotBelieved) {  // §8.5.1 B, C
  for (const State state : kOpenStates) {
    SCOPED_TRACE(name(state));
    begin(state);
    inject_chunk(kOurTag, ChunkType::abort, wire::kFlagTagReflected);
    EXPECT_THAT(reasons(), ElementsAre(Pair("wrong_tags", 1u)));
    expect_silence();
    expect_goes_on(state);
    begin(state);
    inject_chunk(kOurTag, ChunkType::shutdown_complete, wire::kFlagTagReflected);
    EXPECT_THAT(reasons(), ElementsAre(Pair("unexpected_chunks", 1u)));
    expect_silence();
    expect_goes_on(state);
  }
}

TEST_F(HostileTags, NothingBehindAChunkThatMayBearAnotherTagIsRead) {
  // Each of the chunks that have tag rules of their own, broken, with something behind it that wants our tag.
  for (const State state : kOpenStates) {
    for (const ChunkType first : {ChunkType::abort, ChunkType::shutdown_complete, ChunkType::shutdown_ack}) {
      for (const std::size_t body : {std::size_t{0}, std::size_t{4}}) {
        if (first != ChunkType::shutdown_ack && body == 0) continue;  // sound: see above
        for (const ChunkType behind : {ChunkType::cookie_ack, ChunkType::data, ChunkType::error, ChunkType::heartbeat,
                                       ChunkType::shutdown, ChunkType::sack}) {
          SCOPED_TRACE(testing::Message()
                       << name(state) << ", " << int(first) << " of " << body << ", then " << int(behind));
          begin(state);
          inject(kPeerTag, [&](wire::PacketWriter& packet) {
            write_chunk(packet, first, body);
            write_plausible(packet, behind);
          });
          EXPECT_LE(bytes_of(flush()), 16u);
          EXPECT_TRUE(host().events.empty());
          expect_goes_on(state);
        }
      }
    }
  }
}

TEST_F(HostileTags, AFloodUnderWrongTagsCostsNothing) {
  begin(State::established);
  for (std::uint32_t i = 1; i <= 10000; ++i) inject_chunk(VTag(kOurTag.value + i), ChunkType::data, 0);
  expect_silence();
  EXPECT_THAT(reasons(), ElementsAre(Pair("wrong_tags", 10000u)));
  expect_nothing_held();
  expect_works();
}

}  // namespace
}  // namespace sluice::assoc
