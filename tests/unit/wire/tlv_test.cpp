#include "stack/wire/tlv.hpp"

#include <gtest/gtest.h>

#include "stack/wire/chunk.hpp"
#include "tests/unit/wire/octets.hpp"

namespace sluice::wire::test {
namespace {

TEST(TlvWalker, YieldsTypeAndExactValueOfEachUnitAndSkipsPadding) {
  const Octets bytes = hex("0001 0005 aa ffffff 8002 0004 0003 0008 01020304");
  TlvWalker walker(bytes);
  const auto first = walker.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->type, 1);
  EXPECT_EQ(to_hex(first->value()), "aa");
  EXPECT_EQ(to_hex(first->bytes), "00010005aa");
  const auto second = walker.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->type, 0x8002);
  EXPECT_TRUE(second->value().empty());
  const auto third = walker.next();
  ASSERT_TRUE(third);
  EXPECT_EQ(to_hex(third->value()), "01020304");
  EXPECT_FALSE(walker.next());
  EXPECT_FALSE(walker.malformed());
  EXPECT_TRUE(walker.rest().empty());
}

TEST(TlvWalker, NothingIsAnEndAndNotMalformed) {
  TlvWalker walker{std::span<const std::byte>()};
  EXPECT_FALSE(walker.next());
  EXPECT_FALSE(walker.malformed());
}

TEST(TlvWalker, LastUnitMayLackItsPaddingWhollyOrInPart) {
  for (const char* text : {"0001 0005 aa", "0001 0005 aa ff", "0001 0005 aa ffff", "0001 0005 aa ffffff"}) {
    const Octets bytes = hex(text);
    TlvWalker walker(bytes);
    const auto unit = walker.next();
    ASSERT_TRUE(unit) << text;
    EXPECT_EQ(to_hex(unit->value()), "aa");
    EXPECT_FALSE(walker.next());
    EXPECT_FALSE(walker.malformed()) << text;
  }
}

TEST(TlvWalker, LengthBelowFourIsMalformed) {
  for (const char* text : {"0001 0000", "0001 0001", "0001 0002", "0001 0003", "0001 0003 aabbccdd"}) {
    const Octets bytes = hex(text);
    TlvWalker walker(bytes);
    EXPECT_FALSE(walker.next()) << text;
    EXPECT_TRUE(walker.malformed()) << text;
  }
}

TEST(TlvWalker, LengthPastTheEndIsMalformedAndKeepsWhatCameBefore) {
  const Octets bytes = hex("0001 0004 0002 0009 01020304");
  TlvWalker walker(bytes);
  ASSERT_TRUE(walker.next());
  EXPECT_FALSE(walker.malformed());
  EXPECT_FALSE(walker.next());
  EXPECT_TRUE(walker.malformed());
  EXPECT_EQ(to_hex(walker.rest()), "0002000901020304");
}

TEST(TlvWalker, StrayBytesAfterTheLastUnitAreMalformed) {
  for (const char* text : {"0001 0004 00", "0001 0004 0000", "0001 0004 000000", "00", "0000", "000000"}) {
    const Octets bytes = hex(text);
    TlvWalker walker(bytes);
    while (walker.next()) {
    }
    EXPECT_TRUE(walker.malformed()) << text;
  }
}

TEST(TlvWalker, StaysWhereItStopped) {
  const Octets bytes = hex("0001 0003");
  TlvWalker walker(bytes);
  EXPECT_FALSE(walker.next());
  EXPECT_FALSE(walker.next());
  EXPECT_TRUE(walker.malformed());
}

TEST(TlvWalker, TakesTheLongestLength) {
  Octets bytes{std::vector<std::byte>(65535)};
  bytes[2] = bytes[3] = std::byte{0xff};
  TlvWalker walker(bytes.span());
  const auto unit = walker.next();
  ASSERT_TRUE(unit);
  EXPECT_EQ(unit->value().size(), 65531u);
  EXPECT_FALSE(walker.next());
  EXPECT_FALSE(walker.malformed());
}

TEST(TlvWalker, IsBoundedByTheBytes) {
  // The most units that fit: each consumes four bytes.
  std::vector<std::byte> many(65532);
  for (std::size_t i = 3; i < many.size(); i += 4) many[i] = std::byte{4};
  const Octets bytes(many);
  TlvWalker walker(bytes);
  std::size_t units = 0;
  while (walker.next()) ++units;
  EXPECT_EQ(units, many.size() / 4);
  EXPECT_FALSE(walker.malformed());
}

TEST(IsWellFormed, TellsWholeSequencesFromBrokenOnes) {
  EXPECT_TRUE(is_well_formed({}));
  EXPECT_TRUE(is_well_formed(hex("0001 0004 0002 0005 00")));
  EXPECT_FALSE(is_well_formed(hex("0001 0004 0002 0006 00")));
  EXPECT_FALSE(is_well_formed(hex("0001 0004 00")));
}

TEST(ChunksOf, WalksTheChunksBehindTheCommonHeader) {
  const Octets packet =
      hex("0b59 0b5a 01020304 00000000  0b 00 0004  00 03 0011 00000001 0000 0000 00000000 61 000000");
  ChunkWalker chunks = chunks_of(packet);
  const auto first = chunks.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->type, ChunkType::cookie_ack);
  EXPECT_EQ(first->flags, 0);
  EXPECT_TRUE(first->body().empty());
  const auto second = chunks.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->type, ChunkType::data);
  EXPECT_EQ(second->flags, 3);
  EXPECT_EQ(second->bytes.size(), 17u);
  EXPECT_EQ(second->body().size(), 13u);
  EXPECT_FALSE(chunks.next());
  EXPECT_FALSE(chunks.malformed());
}

TEST(ChunksOf, HasNoneInAPacketShorterThanItsHeader) {
  for (std::size_t size = 0; size <= kCommonHeaderSize; ++size) {
    const Octets packet{std::vector<std::byte>(size)};
    ChunkWalker chunks = chunks_of(packet);
    EXPECT_FALSE(chunks.next());
    EXPECT_FALSE(chunks.malformed());
  }
}

TEST(FirstChunkType, NeedsAWholeChunkHeader) {
  const Octets packet = hex("0b59 0b5a 01020304 00000000  0a 00 0004");
  EXPECT_EQ(first_chunk_type(packet), ChunkType::cookie_echo);
  for (std::size_t size = 0; size < packet.span().size(); ++size)
    EXPECT_FALSE(first_chunk_type(Octets(packet.span().first(size))));
}

}  // namespace
}  // namespace sluice::wire::test
