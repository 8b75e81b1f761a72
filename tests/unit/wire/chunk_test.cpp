// The views and writers of each chunk, against hand-made bytes.
#include "stack/wire/chunk.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "stack/wire/chunk_abort.hpp"
#include "stack/wire/chunk_cookie.hpp"
#include "stack/wire/chunk_data.hpp"
#include "stack/wire/chunk_error.hpp"
#include "stack/wire/chunk_heartbeat.hpp"
#include "stack/wire/chunk_init.hpp"
#include "stack/wire/chunk_sack.hpp"
#include "stack/wire/chunk_shutdown.hpp"
#include "tests/unit/wire/octets.hpp"

namespace sluice::wire::test {
namespace {

/// A chunk and the bytes that it stands in.
struct Received {
  explicit Received(std::string_view text) : bytes(hex(text)) {
    if (const auto first = ChunkWalker(bytes).next()) chunk = *first;
  }
  Octets bytes;
  Chunk chunk;
};

/// A packet to write into: 0xff all over, exactly `room` bytes behind the common header.
struct Scratch {
  explicit Scratch(std::size_t room = 200)
      : memory(std::vector<std::byte>(kCommonHeaderSize + room, std::byte{0xff})), packet(memory.span(), {}) {}
  std::string chunks() const { return to_hex(packet.bytes().subspan(kCommonHeaderSize)); }
  Octets memory;
  PacketWriter packet;
};

TEST(DataChunk, ReadsEveryField) {
  const Received received("00 0a 0015 00112233 0004 0005 80000003 68656c6c6f");
  const auto data = DataChunk::parse(received.chunk);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->tsn(), Tsn(0x00112233));
  EXPECT_EQ(data->stream(), StreamId(4));
  EXPECT_EQ(data->ssn(), Ssn(5));
  EXPECT_EQ(data->ppid(), Ppid(0x80000003));
  EXPECT_EQ(to_hex(data->payload()), "68656c6c6f");
}

TEST(DataChunk, ReadsEachFlagAndIgnoresReservedBits) {
  for (unsigned flags = 0; flags < 256; ++flags) {
    Received received("00 00 0011 00000000 0000 0000 00000000 00");
    received.chunk.flags = static_cast<std::uint8_t>(flags);
    const auto data = DataChunk::parse(received.chunk);
    ASSERT_TRUE(data);
    EXPECT_EQ(data->end(), (flags & 1) != 0);
    EXPECT_EQ(data->begin(), (flags & 2) != 0);
    EXPECT_EQ(data->unordered(), (flags & 4) != 0);
    EXPECT_EQ(data->immediate(), (flags & 8) != 0);
  }
}

TEST(DataChunk, WithoutUserDataIsReadSoThatTheTsnCanBeReported) {
  const Received received("00 03 0010 00112233 0004 0005 00000003");
  const auto data = DataChunk::parse(received.chunk);
  ASSERT_TRUE(data);
  EXPECT_TRUE(data->payload().empty());
  EXPECT_EQ(data->tsn(), Tsn(0x00112233));
}

TEST(DataChunk, ShorterThanItsHeaderIsRefused) {
  EXPECT_FALSE(DataChunk::parse(Received("00 03 000f 00112233 0004 0005 000000").chunk));
  EXPECT_FALSE(DataChunk::parse(Received("00 03 0004").chunk));
}

TEST(DataChunk, IsWrittenWithItsPadding) {
  Scratch scratch;
  const DataHeader header{Tsn(0x00112233), StreamId(4), Ssn(5), Ppid(0x80000003), kDataUnordered | kDataEnd};
  std::byte* const at = append_data(scratch.packet, header, 5);
  ASSERT_NE(at, nullptr);
  std::memcpy(at, "hello", 5);
  EXPECT_EQ(scratch.chunks(), "0005001500112233000400058000000368656c6c6f000000");
}

TEST(DataChunk, ThatDoesNotFitIsNotWritten) {
  Scratch scratch(23);
  EXPECT_EQ(append_data(scratch.packet, {}, 5), nullptr);
  EXPECT_TRUE(scratch.packet.empty());
  EXPECT_NE(append_data(scratch.packet, {}, 4), nullptr);
}

TEST(InitChunk, ReadsEveryFixedField) {
  const Received received("01 00 0014 11223344 00020000 000a 0800 55667788");
  const auto init = InitChunk::parse(received.chunk);
  ASSERT_TRUE(init);
  EXPECT_FALSE(init->ack());
  EXPECT_EQ(init->init_tag(), VTag(0x11223344));
  EXPECT_EQ(init->window(), 0x20000u);
  EXPECT_EQ(init->outbound_streams(), 10);
  EXPECT_EQ(init->inbound_streams(), 0x0800);
  EXPECT_EQ(init->initial_tsn(), Tsn(0x55667788));
  EXPECT_EQ(init->header(), (InitHeader{VTag(0x11223344), 0x20000, 10, 0x0800, Tsn(0x55667788)}));
  EXPECT_FALSE(init->parameters().next());
}

TEST(InitChunk, ReadsInitAckAlike) {
  const Received received("02 00 001c 11223344 00020000 000a 0800 55667788 0007 0008 0a0b0c0d");
  const auto ack = InitChunk::parse(received.chunk);
  ASSERT_TRUE(ack);
  EXPECT_TRUE(ack->ack());
  ParameterWalker parameters = ack->parameters();
  const auto cookie = parameters.next();
  ASSERT_TRUE(cookie);
  EXPECT_EQ(cookie->type, ParameterType::state_cookie);
  EXPECT_EQ(to_hex(cookie->value()), "0a0b0c0d");
  EXPECT_FALSE(parameters.next());
  EXPECT_FALSE(parameters.malformed());
}

TEST(InitChunk, TellsOfParametersThatAreMalformed) {
  const Received received("01 00 001c 11223344 00020000 000a 0800 55667788 0005 0009 0a0b0c0d");
  const auto init = InitChunk::parse(received.chunk);
  ASSERT_TRUE(init);
  ParameterWalker parameters = init->parameters();
  EXPECT_FALSE(parameters.next());
  EXPECT_TRUE(parameters.malformed());
}

TEST(InitChunk, ShorterThanItsFixedFieldsIsRefused) {
  EXPECT_FALSE(InitChunk::parse(Received("01 00 0013 11223344 00020000 000a 0800 556677").chunk));
  EXPECT_FALSE(InitChunk::parse(Received("02 00 0004").chunk));
}

TEST(InitChunk, IsWrittenWithItsParameters) {
  Scratch scratch;
  ChunkWriter init = append_init(scratch.packet, {VTag(0x11223344), 0x20000, 10, 0x0800, Tsn(0x55667788)});
  ASSERT_TRUE(init);
  EXPECT_TRUE(append_address(init, IpAddress::v4(0xc6120001)));
  EXPECT_EQ(scratch.chunks(), "0100001c1122334400020000000a08005566778800050008c6120001");
}

TEST(InitChunk, AckIsWrittenWithItsCookie) {
  Scratch scratch;
  ChunkWriter ack = append_init_ack(scratch.packet, {VTag(0x11223344), 0x20000, 10, 0x0800, Tsn(0x55667788)});
  ASSERT_TRUE(ack);
  std::byte* const cookie = append_state_cookie(ack, 5);
  ASSERT_NE(cookie, nullptr);
  std::memset(cookie, 0xcc, 5);
  EXPECT_EQ(scratch.chunks(), "0200001d1122334400020000000a08005566778800070009cccccccccc000000");
}

TEST(InitChunk, ThatDoesNotFitIsNotWritten) {
  Scratch scratch(16);
  EXPECT_FALSE(append_init(scratch.packet, {}));
  EXPECT_TRUE(scratch.packet.empty());
}

TEST(SackChunk, ReadsTheExampleOfTheRfc) {  // §3.3.4, with two duplicates
  const Received received("03 00 0020 0000000c 00001234 0002 0002 0002 0003 0005 0005 00000009 0000000a");
  const auto sack = SackChunk::parse(received.chunk);
  ASSERT_TRUE(sack);
  EXPECT_EQ(sack->cumulative_tsn(), Tsn(12));
  EXPECT_EQ(sack->window(), 4660u);
  ASSERT_EQ(sack->gap_count(), 2);
  EXPECT_EQ(sack->gap(0), (GapAckBlock{2, 3}));
  EXPECT_EQ(sack->gap(1), (GapAckBlock{5, 5}));
  ASSERT_EQ(sack->duplicate_count(), 2);
  EXPECT_EQ(sack->duplicate(0), Tsn(9));
  EXPECT_EQ(sack->duplicate(1), Tsn(10));
}

TEST(SackChunk, WhoseCountsAskForMoreThanItHoldsIsRefused) {
  EXPECT_TRUE(SackChunk::parse(Received("03 00 0014 0000000c 00001234 0001 0000 0002 0003").chunk));
  EXPECT_FALSE(SackChunk::parse(Received("03 00 0014 0000000c 00001234 0002 0000 0002 0003").chunk));
  EXPECT_FALSE(SackChunk::parse(Received("03 00 0014 0000000c 00001234 0001 0001 0002 0003").chunk));
  EXPECT_FALSE(SackChunk::parse(Received("03 00 0013 0000000c 00001234 0000 0001 000203").chunk));
  EXPECT_FALSE(SackChunk::parse(Received("03 00 0014 0000000c 00001234 ffff ffff 0002 0003").chunk));
  EXPECT_FALSE(SackChunk::parse(Received("03 00 000f 0000000c 00001234 0000 00").chunk));
}

TEST(SackChunk, IsWritten) {
  Scratch scratch;
  const GapAckBlock gaps[] = {{2, 3}, {5, 5}};
  const Tsn duplicates[] = {Tsn(9), Tsn(10)};
  const auto entries = append_sack(scratch.packet, Tsn(12), 4660, gaps, duplicates);
  ASSERT_TRUE(entries);
  EXPECT_EQ(entries->gaps, 2);
  EXPECT_EQ(entries->duplicates, 2);
  EXPECT_EQ(scratch.chunks(),
            "030000200000000c000012340002000200020003000500050000"
            "00090000000a");
}

TEST(SackChunk, IsWrittenWithAsManyGapsAndThenDuplicatesAsFit) {
  const GapAckBlock gaps[] = {{2, 3}, {5, 5}};
  const Tsn duplicates[] = {Tsn(9), Tsn(10)};
  struct Case {
    std::size_t room;
    int gaps;
    int duplicates;
  };
  for (const auto& [room, gap_count, duplicate_count] :
       {Case{16, 0, 0}, Case{19, 0, 0}, Case{20, 1, 0}, Case{24, 2, 0}, Case{28, 2, 1}, Case{31, 2, 1}}) {
    Scratch scratch(room);
    const auto entries = append_sack(scratch.packet, Tsn(12), 4660, gaps, duplicates);
    ASSERT_TRUE(entries) << room;
    EXPECT_EQ(entries->gaps, gap_count) << room;
    EXPECT_EQ(entries->duplicates, duplicate_count) << room;
    const auto chunk = chunks_of(scratch.packet.bytes()).next();
    ASSERT_TRUE(chunk);
    const auto sack = SackChunk::parse(*chunk);
    ASSERT_TRUE(sack);
    EXPECT_EQ(sack->gap_count(), gap_count);
    EXPECT_EQ(sack->duplicate_count(), duplicate_count);
    EXPECT_EQ(chunk->bytes.size(), 16u + 4u * (gap_count + duplicate_count));
  }
  Scratch scratch(15);
  EXPECT_FALSE(append_sack(scratch.packet, Tsn(12), 4660, gaps, duplicates));
  EXPECT_TRUE(scratch.packet.empty());
}

TEST(HeartbeatChunk, ReadsItsInfo) {
  for (const auto& [text, ack] : {std::pair("04 00 000f 0001 000b 01020304050607", false),
                                  std::pair("05 00 000f 0001 000b 01020304050607", true)}) {
    const Received received(text);
    const auto heartbeat = HeartbeatChunk::parse(received.chunk);
    ASSERT_TRUE(heartbeat);
    EXPECT_EQ(heartbeat->ack(), ack);
    EXPECT_EQ(to_hex(heartbeat->info()), "01020304050607");
  }
}

TEST(HeartbeatChunk, ReadsInfoWhosePaddingIsCountedInTheChunkLength) {
  const Received received("04 00 0010 0001 000b 01020304050607 00");
  const auto heartbeat = HeartbeatChunk::parse(received.chunk);
  ASSERT_TRUE(heartbeat);
  EXPECT_EQ(to_hex(heartbeat->info()), "01020304050607");
}

TEST(HeartbeatChunk, WithoutASoundInfoParameterIsRefused) {
  EXPECT_FALSE(HeartbeatChunk::parse(Received("04 00 0004").chunk));
  EXPECT_FALSE(HeartbeatChunk::parse(Received("04 00 0008 0002 0004").chunk));
  EXPECT_FALSE(HeartbeatChunk::parse(Received("04 00 000c 0001 0009 01020304").chunk));
  EXPECT_FALSE(HeartbeatChunk::parse(Received("05 00 000c 0001 0003 01020304").chunk));
}

TEST(HeartbeatChunk, AnswerCarriesTheSameInfo) {
  const Received request("04 00 000b 0001 0007 010203");
  Scratch scratch;
  ASSERT_TRUE(append_heartbeat_ack(scratch.packet, HeartbeatChunk::parse(request.chunk)->info()));
  EXPECT_EQ(scratch.chunks(), "0500000b0001000701020300");
}

TEST(HeartbeatChunk, IsWrittenOrLeftOutWhole) {
  const Octets info = hex("0102030405");
  Scratch scratch(16);
  EXPECT_TRUE(append_heartbeat(scratch.packet, info));
  EXPECT_EQ(scratch.chunks(), "0400000d000100090102030405000000");
  for (std::size_t room = 0; room < 16; ++room) {
    Scratch small(room);
    EXPECT_FALSE(append_heartbeat(small.packet, info)) << room;
    EXPECT_TRUE(small.packet.empty()) << room;
  }
}

TEST(AbortChunk, ReadsTheTBitAndTheCauses) {
  const Received bare("06 01 0004");
  const auto reflected = AbortChunk::parse(bare.chunk);
  ASSERT_TRUE(reflected);
  EXPECT_TRUE(reflected->tag_reflected());
  EXPECT_FALSE(reflected->causes().next());

  const Received received("06 fe 000e 0004 0004 000c 0006 6869");
  const auto abort = AbortChunk::parse(received.chunk);
  ASSERT_TRUE(abort);
  EXPECT_FALSE(abort->tag_reflected());
  CauseWalker causes = abort->causes();
  EXPECT_EQ(causes.next()->code, CauseCode::out_of_resource);
  EXPECT_EQ(causes.next()->code, CauseCode::user_initiated_abort);
  EXPECT_FALSE(causes.next());
}

TEST(AbortChunk, WithAFormatErrorIsRefused) {
  EXPECT_FALSE(AbortChunk::parse(Received("06 00 0008 0004 0003").chunk));
  EXPECT_FALSE(AbortChunk::parse(Received("06 00 0008 0004 0008").chunk));
  EXPECT_FALSE(AbortChunk::parse(Received("06 00 0006 0004").chunk));
}

TEST(AbortChunk, IsWrittenWithTheTBitAndACause) {
  Scratch scratch;
  ChunkWriter abort = append_abort(scratch.packet, true);
  ASSERT_TRUE(abort);
  EXPECT_TRUE(append_out_of_resource(abort));
  EXPECT_EQ(scratch.chunks(), "0601000800040004");
  Scratch plain;
  EXPECT_TRUE(append_abort(plain.packet, false));
  EXPECT_EQ(plain.chunks(), "06000004");
}

TEST(ErrorChunk, ReadsItsCauses) {
  const Received received("09 00 000c 0009 0008 00112233");
  const auto error = ErrorChunk::parse(received.chunk);
  ASSERT_TRUE(error);
  CauseWalker causes = error->causes();
  const auto cause = causes.next();
  ASSERT_TRUE(cause);
  EXPECT_EQ(read_no_user_data(*cause), Tsn(0x00112233));
  EXPECT_FALSE(causes.next());
}

TEST(ErrorChunk, WithoutACauseOrWithAFormatErrorIsRefused) {
  EXPECT_FALSE(ErrorChunk::parse(Received("09 00 0004").chunk));
  EXPECT_FALSE(ErrorChunk::parse(Received("09 00 0008 0004 0005").chunk));
  EXPECT_FALSE(ErrorChunk::parse(Received("09 00 000a 0004 0004 0004").chunk));
}

TEST(ErrorChunk, IsWritten) {
  Scratch scratch;
  ChunkWriter error = append_error(scratch.packet);
  ASSERT_TRUE(error);
  EXPECT_TRUE(append_no_user_data(error, Tsn(0x00112233)));
  EXPECT_EQ(scratch.chunks(), "0900000c0009000800112233");
}

TEST(ShutdownChunk, ReadsItsCumulativeTsnAndOnlyAtItsLength) {
  EXPECT_EQ(ShutdownChunk::parse(Received("07 00 0008 00112233").chunk)->cumulative_tsn, Tsn(0x00112233));
  EXPECT_FALSE(ShutdownChunk::parse(Received("07 00 0004").chunk));
  EXPECT_FALSE(ShutdownChunk::parse(Received("07 00 0007 001122").chunk));
  EXPECT_FALSE(ShutdownChunk::parse(Received("07 00 000c 00112233 00000000").chunk));
}

TEST(ShutdownChunk, AckAndCompleteAreReadOnlyAtTheirLength) {
  EXPECT_TRUE(ShutdownAckChunk::parse(Received("08 00 0004").chunk));
  EXPECT_FALSE(ShutdownAckChunk::parse(Received("08 00 0005 00").chunk));
  EXPECT_FALSE(ShutdownCompleteChunk::parse(Received("0e 00 0004").chunk)->tag_reflected);
  EXPECT_TRUE(ShutdownCompleteChunk::parse(Received("0e ff 0004").chunk)->tag_reflected);
  EXPECT_FALSE(ShutdownCompleteChunk::parse(Received("0e 00 0008 00000000").chunk));
}

TEST(ShutdownChunk, IsWrittenInEachForm) {
  Scratch scratch;
  EXPECT_TRUE(append_shutdown(scratch.packet, Tsn(0x00112233)));
  EXPECT_TRUE(append_shutdown_ack(scratch.packet));
  EXPECT_TRUE(append_shutdown_complete(scratch.packet, false));
  EXPECT_TRUE(append_shutdown_complete(scratch.packet, true));
  EXPECT_EQ(scratch.chunks(),
            "0700000800112233"
            "08000004"
            "0e000004"
            "0e010004");
  Scratch none(3);
  EXPECT_FALSE(append_shutdown(none.packet, Tsn(0)));
  EXPECT_FALSE(append_shutdown_ack(none.packet));
  EXPECT_FALSE(append_shutdown_complete(none.packet, true));
}

TEST(CookieEchoChunk, ReadsAndWritesTheExactCookie) {
  const Received received("0a 00 000b 01020304050607");
  const auto echo = CookieEchoChunk::parse(received.chunk);
  ASSERT_TRUE(echo);
  EXPECT_EQ(to_hex(echo->cookie), "01020304050607");
  Scratch scratch(12);
  EXPECT_TRUE(append_cookie_echo(scratch.packet, echo->cookie));
  EXPECT_EQ(scratch.chunks(), "0a00000b0102030405060700");
  Scratch small(11);
  EXPECT_FALSE(append_cookie_echo(small.packet, echo->cookie));
  EXPECT_TRUE(small.packet.empty());
}

TEST(CookieAckChunk, IsReadOnlyAtItsLengthAndWritten) {
  EXPECT_TRUE(CookieAckChunk::parse(Received("0b 00 0004").chunk));
  EXPECT_FALSE(CookieAckChunk::parse(Received("0b 00 0008 00000000").chunk));
  Scratch scratch(4);
  EXPECT_TRUE(append_cookie_ack(scratch.packet));
  EXPECT_EQ(scratch.chunks(), "0b000004");
  EXPECT_FALSE(append_cookie_ack(scratch.packet));
}

TEST(EveryView, RefusesChunksOfAnotherType) {
  for (unsigned type = 0; type < 256; ++type) {
    // Long enough, and well formed as parameters and causes, for every view whose type it is.
    Received received("00 00 0024 0001 0008 00000000 0001 0004 0001 0008 00000000 0001 0008 00000000 0001 0004");
    received.chunk.type = static_cast<ChunkType>(type);
    const Chunk& chunk = received.chunk;
    EXPECT_EQ(DataChunk::parse(chunk).has_value(), type == 0);
    EXPECT_EQ(InitChunk::parse(chunk).has_value(), type == 1 || type == 2);
    EXPECT_EQ(SackChunk::parse(chunk).has_value(), type == 3);
    EXPECT_EQ(HeartbeatChunk::parse(chunk).has_value(), type == 4 || type == 5);
    EXPECT_EQ(AbortChunk::parse(chunk).has_value(), type == 6);
    EXPECT_EQ(ErrorChunk::parse(chunk).has_value(), type == 9);
    EXPECT_EQ(CookieEchoChunk::parse(chunk).has_value(), type == 10);

    Chunk bare = chunk;
    bare.bytes = chunk.bytes.first(4);
    EXPECT_EQ(ShutdownAckChunk::parse(bare).has_value(), type == 8);
    EXPECT_EQ(CookieAckChunk::parse(bare).has_value(), type == 11);
    EXPECT_EQ(ShutdownCompleteChunk::parse(bare).has_value(), type == 14);
    bare.bytes = chunk.bytes.first(8);
    EXPECT_EQ(ShutdownChunk::parse(bare).has_value(), type == 7);
  }
}

}  // namespace
}  // namespace sluice::wire::test
