#include "stack/ip/reassembler.hpp"

#include <algorithm>
#include <random>

#include "tests/unit/ip/support.hpp"

namespace sluice::ip::testing {
namespace {

class ReassemblerTest : public ::testing::Test {
 protected:
  struct Piece {
    unsigned offset;
    unsigned length;
    bool more;
  };

  void reset(const Limits& limits) { reassembler = std::make_unique<Reassembler>(limits, blocks, counters, 1); }
  std::optional<Bytes> add(const Piece& piece, const Bytes& whole, unsigned id = 1, int protocol = 132,
                           const IpAddress& from = kPeer, int traffic_class = 0) {
    Datagram header;
    header.source = from;
    header.destination = from.is_v4() ? kOurs : kOurs6;
    header.protocol = static_cast<std::uint8_t>(protocol);
    header.traffic_class = static_cast<std::uint8_t>(traffic_class);
    header.fragment = Fragment{id, piece.offset, piece.more};
    const Bytes payload = slice(whole, piece.offset, piece.length);
    auto joined = reassembler->add(header, payload, now);
    if (!joined) return std::nullopt;
    last_header = joined->header;
    return contents(joined->payload);
  }
  static std::vector<Piece> cut(unsigned total, unsigned piece) {
    std::vector<Piece> pieces;
    for (unsigned at = 0; at < total; at += piece)
      pieces.push_back({at, std::min(piece, total - at), at + piece < total});
    return pieces;
  }

  Timestamp now{1h};
  Counters counters;
  base::HeapBuffers blocks;
  Datagram last_header;
  std::unique_ptr<Reassembler> reassembler = std::make_unique<Reassembler>(Limits{}, blocks, counters, 1);
};

TEST_F(ReassemblerTest, JoinsInAnyOrder) {
  std::mt19937 random(7);
  for (const auto& [total, size] :
       {std::pair{65515U, 1480U}, {65515U, 1256U}, {65500U, 1232U}, {100U, 8U}, {17U, 16U}}) {
    const Bytes whole = pattern(total, total);
    auto pieces = cut(total, size);
    for (int round = 0; round < 5; ++round) {
      for (std::size_t i = 0; i < pieces.size(); ++i) {
        const auto joined = add(pieces[i], whole);
        ASSERT_EQ(joined.has_value(), i + 1 == pieces.size());
        if (joined) {
          EXPECT_EQ(*joined, whole);
        }
      }
      EXPECT_EQ(reassembler->contexts(), 0U);
      EXPECT_EQ(blocks.out(), 0U);
      std::shuffle(pieces.begin(), pieces.end(), random);
    }
  }
}

TEST_F(ReassemblerTest, JoinsTheLongestIpv6Payload) {
  const Bytes whole = pattern(65535);
  const auto pieces = cut(65535, 1232);
  EXPECT_EQ(pieces.size(), 54U);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto joined = add(pieces[i], whole, 1, 132, kPeer6);
    ASSERT_EQ(joined.has_value(), i + 1 == pieces.size());
    if (joined) {
      EXPECT_EQ(*joined, whole);
    }
  }
}

TEST_F(ReassemblerTest, RefusesMalformedFragments) {
  const Bytes whole = pattern(65536);
  EXPECT_FALSE(add({0, 0, true}, whole));
  EXPECT_FALSE(add({0, 9, true}, whole));
  EXPECT_FALSE(add({65512, 4, false}, whole));  // with its header longer than 65535
  EXPECT_FALSE(add({65528, 8, false}, whole, 1, 132, kPeer6));
  EXPECT_EQ(counters.drop_fragment_malformed, 4U);
  EXPECT_EQ(reassembler->contexts(), 0U);
}

TEST_F(ReassemblerTest, IgnoresRepeatedFragments) {
  const Bytes whole = pattern(50);
  EXPECT_FALSE(add({0, 16, true}, whole));
  EXPECT_FALSE(add({0, 16, true}, whole));
  EXPECT_FALSE(add({40, 10, false}, whole));
  EXPECT_FALSE(add({40, 10, false}, whole));
  const auto joined = add({16, 24, true}, whole);
  ASSERT_TRUE(joined);
  EXPECT_EQ(*joined, whole);
  EXPECT_EQ(counters.drop_fragment_duplicate, 2U);
}

TEST_F(ReassemblerTest, DropsADatagramWithOverlapsAndWhatStillComesOfIt) {
  const Bytes whole = pattern(64);
  const std::vector<std::vector<Piece>> attacks{
      {{0, 16, true}, {8, 16, true}},        // shifted
      {{8, 16, true}, {0, 16, true}},        // from before
      {{8, 8, true}, {0, 32, true}},         // around
      {{0, 32, true}, {24, 40, false}},      // the last one
      {{24, 12, false}, {32, 16, true}},     // past the end
      {{24, 12, false}, {24, 16, true}},     // over the end's last unit
      {{24, 8, false}, {24 + 8, 8, false}},  // two ends
      {{24, 8, true}, {0, 16, false}},       // an end before the furthest
      {{24, 8, false}, {16, 16, true}},      // more to come, but up to the end
  };
  std::uint64_t expected = 0;
  unsigned id = 100;
  for (const auto& attack : attacks) {
    ++id;
    EXPECT_FALSE(add(attack[0], whole, id));
    EXPECT_FALSE(add(attack[1], whole, id));
    EXPECT_EQ(counters.drop_fragment_overlap, ++expected) << id;
    EXPECT_EQ(blocks.out(), 0U) << id;
    // What would have made it whole comes too late.
    for (const Piece& piece : cut(64, 8)) EXPECT_FALSE(add(piece, whole, id));
    expected += 8;
    EXPECT_EQ(counters.drop_fragment_overlap, expected) << id;
  }
  EXPECT_EQ(counters.rx_reassembled, 0U);
}

TEST_F(ReassemblerTest, DropsARepeatedFragmentWithOtherContents) {
  EXPECT_FALSE(add({0, 16, true}, pattern(32, 1)));
  EXPECT_FALSE(add({0, 16, true}, pattern(32, 2)));
  EXPECT_EQ(counters.drop_fragment_overlap, 1U);
  EXPECT_FALSE(add({16, 16, false}, pattern(32, 1)));
  EXPECT_EQ(counters.rx_reassembled, 0U);
}

TEST_F(ReassemblerTest, KeepsDatagramsApart) {
  const Bytes a = pattern(32, 1);
  const Bytes b = pattern(32, 2);
  EXPECT_FALSE(add({0, 16, true}, a, 1, 132));
  EXPECT_FALSE(add({16, 16, false}, b, 2, 132));
  EXPECT_FALSE(add({16, 16, false}, b, 1, 17));  // in IPv4 another protocol is another datagram
  EXPECT_FALSE(add({16, 16, false}, b, 1, 132, kFar));
  EXPECT_EQ(reassembler->contexts(), 4U);
  EXPECT_EQ(add({16, 16, false}, a, 1, 132), a);
  EXPECT_FALSE(add({16, 16, false}, a, 9, 17, kPeer6));
  EXPECT_EQ(add({0, 16, true}, a, 9, 60, kPeer6), a);  // in IPv6 it is the first fragment that names it
  EXPECT_EQ(last_header.protocol, 60);
}

TEST_F(ReassemblerTest, BoundsTheFragmentsOfADatagram) {
  Limits limits;
  limits.reassembly_fragments = 4;
  reset(limits);
  const Bytes whole = pattern(64);
  for (const Piece& piece : cut(64, 8)) EXPECT_FALSE(add(piece, whole));
  EXPECT_EQ(counters.drop_fragment_too_many, 1U);
  EXPECT_EQ(blocks.out(), 0U);
  const Bytes small = pattern(32);
  std::optional<Bytes> joined;
  for (const Piece& piece : cut(32, 8)) joined = add(piece, small, 2);
  EXPECT_EQ(joined, small);
}

TEST_F(ReassemblerTest, TheOldestGivesWay) {
  Limits limits;
  limits.reassembly_contexts = 3;
  reset(limits);
  const Bytes whole = pattern(32);
  for (unsigned id = 1; id <= 10; ++id) EXPECT_FALSE(add({0, 16, true}, whole, id));
  EXPECT_EQ(reassembler->contexts(), 3U);
  EXPECT_EQ(blocks.out(), 3U);
  EXPECT_EQ(counters.drop_reassembly_evicted, 7U);
  EXPECT_EQ(add({16, 16, false}, whole, 8), whole);
  EXPECT_FALSE(add({16, 16, false}, whole, 7));
}

TEST_F(ReassemblerTest, BoundsItsMemory) {
  Limits limits;
  limits.reassembly_bytes = 2 * 65535;
  reset(limits);
  const Bytes whole = pattern(32);
  for (unsigned id = 1; id <= 5; ++id) EXPECT_FALSE(add({0, 16, true}, whole, id));
  EXPECT_EQ(blocks.out(), 2U);
  EXPECT_EQ(add({16, 16, false}, whole, 5), whole);
  EXPECT_EQ(blocks.out(), 1U);
  limits.reassembly_bytes = 1000;
  reset(limits);
  EXPECT_FALSE(add({0, 16, true}, whole));
  EXPECT_EQ(blocks.out(), 0U);
  EXPECT_EQ(counters.drop_fragment_no_memory, 1U);
}

TEST_F(ReassemblerTest, WithoutBlocksTheOldestGivesItsOwn) {
  blocks.set_limit(1);
  const Bytes whole = pattern(32);
  EXPECT_FALSE(add({0, 16, true}, whole, 1));
  EXPECT_FALSE(add({0, 16, true}, whole, 2));
  EXPECT_EQ(counters.drop_reassembly_evicted, 1U);
  EXPECT_EQ(add({16, 16, false}, whole, 2), whole);
  blocks.set_limit(0);
  EXPECT_FALSE(add({0, 16, true}, whole, 3));
  EXPECT_EQ(counters.drop_fragment_no_memory, 1U);
}

TEST_F(ReassemblerTest, TimeRunsFromTheFirstFragment) {
  const Bytes whole = pattern(48);
  EXPECT_FALSE(add({0, 16, true}, whole));
  const Timestamp deadline = now + Limits{}.reassembly_time;
  now += 20s;
  EXPECT_FALSE(add({16, 16, true}, whole));
  EXPECT_EQ(reassembler->next_deadline(), deadline);
  reassembler->expire(deadline - 1ns);
  EXPECT_EQ(reassembler->contexts(), 1U);
  reassembler->expire(deadline);
  EXPECT_EQ(reassembler->contexts(), 0U);
  EXPECT_EQ(counters.drop_reassembly_expired, 1U);
  EXPECT_EQ(reassembler->next_deadline(), kNever);
}

TEST_F(ReassemblerTest, JoinsEcnMarks) {
  const Bytes whole = pattern(32);
  const auto join = [&](int first, int second) -> int {
    if (add({0, 16, true}, whole, 1, 132, kPeer, first)) return -2;
    return add({16, 16, false}, whole, 1, 132, kPeer, second) ? last_header.traffic_class & 3 : -1;
  };
  EXPECT_EQ(join(2, 2), 2);
  EXPECT_EQ(join(2, 3), 3);
  EXPECT_EQ(join(3, 2), 3);
  EXPECT_EQ(join(0, 0), 0);
  EXPECT_EQ(join(0, 3), -1);
  EXPECT_EQ(counters.drop_fragment_ecn, 1U);
  EXPECT_EQ(blocks.out(), 0U);
}

}  // namespace
}  // namespace sluice::ip::testing
