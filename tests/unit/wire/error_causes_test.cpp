#include "stack/wire/error_causes.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"

namespace sluice::wire::test {
namespace {

using std::chrono::microseconds;

/// A cause and the bytes that it stands in.
struct Received {
  explicit Received(std::string_view text) : bytes(hex(text)) {
    if (const auto first = CauseWalker(bytes).next()) cause = *first;
  }
  Octets bytes;
  Cause cause;
};

/// A chunk to write causes into, with room for `room` bytes of them.
struct Scratch {
  explicit Scratch(std::size_t room = 100)
      : memory(std::vector<std::byte>(kCommonHeaderSize + kChunkHeaderSize + room, std::byte{0xff})),
        packet(memory.span(), {}),
        chunk(packet, ChunkType::error, 0) {}
  std::string causes() const { return to_hex(packet.bytes().subspan(kCommonHeaderSize + kChunkHeaderSize)); }
  Octets memory;
  PacketWriter packet;
  ChunkWriter chunk;
};

TEST(InvalidStreamIdentifier, IsReadAndWritten) {
  Scratch scratch;
  EXPECT_TRUE(append_invalid_stream(scratch.chunk, StreamId(0x8007)));
  EXPECT_EQ(scratch.causes(), "0001000880070000");
  EXPECT_EQ(read_invalid_stream(Received("0001 0008 8007 abcd").cause), StreamId(0x8007));
  EXPECT_FALSE(read_invalid_stream(Received("0001 0006 8007").cause));
  EXPECT_FALSE(read_invalid_stream(Received("0009 0008 8007 0000").cause));
}

TEST(MissingMandatoryParameter, IsReadAndWritten) {
  Scratch scratch;
  const ParameterType missing[] = {ParameterType::state_cookie, ParameterType::ipv4_address,
                                   ParameterType::heartbeat_info};
  EXPECT_TRUE(append_missing_parameters(scratch.chunk, missing));
  EXPECT_EQ(scratch.causes(),
            "0002000e00000003000700050001"
            "0000");
  const Received received(scratch.causes());
  const auto read = MissingParameters::parse(received.cause);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->count(), 3u);
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(read->type(i), missing[i]);
}

TEST(MissingMandatoryParameter, WhoseCountAsksForMoreThanItHoldsIsRefused) {
  EXPECT_FALSE(MissingParameters::parse(Received("0002 000c 00000003 0007 0005").cause));
  EXPECT_FALSE(MissingParameters::parse(Received("0002 000b 00000002 0007 00").cause));
  EXPECT_FALSE(MissingParameters::parse(Received("0002 000c ffffffff 0007 0005").cause));
  EXPECT_FALSE(MissingParameters::parse(Received("0002 000c 80000000 0007 0005").cause));
  EXPECT_FALSE(MissingParameters::parse(Received("0002 0006 0000").cause));
  EXPECT_TRUE(MissingParameters::parse(Received("0002 000c 00000002 0007 0005").cause));
}

TEST(StaleCookie, IsReadAndWrittenInMicrosecondsAndCutToItsField) {
  Scratch scratch;
  EXPECT_TRUE(append_stale_cookie(scratch.chunk, microseconds(0x800003e8)));
  EXPECT_TRUE(append_stale_cookie(scratch.chunk, microseconds(-5)));
  EXPECT_TRUE(append_stale_cookie(scratch.chunk, microseconds(std::int64_t{1} << 40)));
  EXPECT_EQ(scratch.causes(),
            "00030008800003e8"
            "0003000800000000"
            "00030008ffffffff");
  EXPECT_EQ(read_stale_cookie(Received("0003 0008 800003e8").cause), microseconds(0x800003e8));
  EXPECT_FALSE(read_stale_cookie(Received("0003 0004").cause));
}

TEST(CausesWithoutAValue, AreWritten) {
  Scratch scratch;
  EXPECT_TRUE(append_out_of_resource(scratch.chunk));
  EXPECT_TRUE(append_invalid_mandatory_parameter(scratch.chunk));
  EXPECT_TRUE(append_cookie_while_shutting_down(scratch.chunk));
  EXPECT_EQ(scratch.causes(),
            "00040004"
            "00070004"
            "000a0004");
}

TEST(UnresolvableAddress, QuotesTheParameterWhole) {
  const Octets host = hex("000b 0006 6800");
  Scratch scratch;
  EXPECT_TRUE(append_unresolvable_address(scratch.chunk, *ParameterWalker(host).next()));
  EXPECT_EQ(scratch.causes(), "0005000a000b000668000000");
  const Received received(scratch.causes());
  const auto read = read_unresolvable_address(received.cause);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->type, ParameterType::host_name_address);
  EXPECT_EQ(to_hex(read->value()), "6800");
  EXPECT_FALSE(read_unresolvable_address(Received("0005 0006 000b").cause));
  EXPECT_FALSE(read_unresolvable_address(Received("0006 0008 000b 0004").cause));
}

TEST(UnrecognizedChunkType, QuotesTheChunkWhole) {
  const Octets bytes = hex("c7 05 0007 010203");
  Scratch scratch;
  EXPECT_TRUE(append_unrecognized_chunk(scratch.chunk, *ChunkWalker(bytes).next()));
  EXPECT_EQ(scratch.causes(), "0006000bc705000701020300");
  const Received received(scratch.causes());
  const auto read = read_unrecognized_chunk(received.cause);
  ASSERT_TRUE(read);
  EXPECT_EQ(to_hex(*read), "c7050007010203");
  EXPECT_FALSE(read_unrecognized_chunk(Received("0006 0007 c70500").cause));
  EXPECT_FALSE(read_unrecognized_chunk(Received("0007 0008 c7050004").cause));
}

TEST(UnrecognizedChunkType, ThatDoesNotFitIsLeftOut) {
  const Octets bytes = hex("c7 05 000c 0102030405060708");
  Scratch scratch(12);
  EXPECT_FALSE(append_unrecognized_chunk(scratch.chunk, *ChunkWalker(bytes).next()));
  EXPECT_EQ(scratch.causes(), "");
}

TEST(UnrecognizedParameters, QuotesEveryParameterOnItsBoundary) {
  const Octets first = hex("c0ff 0005 01");
  const Octets second = hex("c0fe 0007 020304");
  const Parameter parameters[] = {*ParameterWalker(first).next(), *ParameterWalker(second).next()};
  Scratch scratch;
  EXPECT_TRUE(append_unrecognized_parameters(scratch.chunk, parameters));
  EXPECT_EQ(scratch.causes(),
            "00080013"
            "c0ff000501000000"
            "c0fe000702030400");
  const Received received(scratch.causes());
  auto read = read_unrecognized_parameters(received.cause);
  ASSERT_TRUE(read);
  EXPECT_EQ(to_hex(read->next()->bytes), "c0ff000501");
  EXPECT_EQ(to_hex(read->next()->bytes), "c0fe0007020304");
  EXPECT_FALSE(read->next());
  EXPECT_FALSE(read->malformed());
  EXPECT_FALSE(read_unrecognized_parameters(Received("0006 0008 c0ff 0004").cause));
  Scratch small(16);
  EXPECT_FALSE(append_unrecognized_parameters(small.chunk, parameters));
  EXPECT_EQ(small.causes(), "");
}

TEST(NoUserData, IsReadAndWritten) {
  Scratch scratch;
  EXPECT_TRUE(append_no_user_data(scratch.chunk, Tsn(0x00112233)));
  EXPECT_EQ(scratch.causes(), "0009000800112233");
  EXPECT_EQ(read_no_user_data(Received("0009 0008 00112233").cause), Tsn(0x00112233));
  EXPECT_FALSE(read_no_user_data(Received("0009 0007 001122").cause));
  EXPECT_FALSE(read_no_user_data(Received("0001 0008 00112233").cause));
}

TEST(RestartWithNewAddresses, ListsEveryAddressAsAParameter) {
  const IpAddress added[] = {IpAddress::v4(0xc6120009), *IpAddress::parse("2001:db8::9")};
  Scratch scratch;
  EXPECT_TRUE(append_restart_addresses(scratch.chunk, added));
  EXPECT_EQ(scratch.causes(),
            "000b0020"
            "00050008c6120009"
            "0006001420010db8000000000000000000000009");
  const Received received(scratch.causes());
  auto read = read_restart_addresses(received.cause);
  ASSERT_TRUE(read);
  EXPECT_EQ(read_address(*read->next()), added[0]);
  EXPECT_EQ(read_address(*read->next()), added[1]);
  EXPECT_FALSE(read->next());
  EXPECT_FALSE(read_restart_addresses(Received("000c 0004").cause));
  Scratch small(28);
  EXPECT_FALSE(append_restart_addresses(small.chunk, added));
}

TEST(CausesWithInformation, CarryAsMuchOfItAsFits) {
  Scratch scratch;
  EXPECT_TRUE(append_user_initiated_abort(scratch.chunk, "bye"));
  EXPECT_TRUE(append_protocol_violation(scratch.chunk, ""));
  EXPECT_EQ(scratch.causes(),
            "000c000762796500"
            "000d0004");
  EXPECT_EQ(read_information(Received("000c 0007 627965").cause), "bye");
  EXPECT_EQ(read_information(Received("000d 0006 6869").cause), "hi");
  EXPECT_FALSE(read_information(Received("000b 0006 6869").cause));
  Scratch small(11);
  EXPECT_TRUE(append_protocol_violation(small.chunk, "contradiction"));
  EXPECT_EQ(small.causes(),
            "000d0008"
            "636f6e74");
  Scratch none(3);
  EXPECT_FALSE(append_protocol_violation(none.chunk, "contradiction"));
}

TEST(EveryCauseWriter, RefusesAChunkWithoutRoomAndAddsNothing) {
  Scratch none(0);
  const Octets bytes = hex("c0ff 0004");
  const Parameter parameter = *ParameterWalker(bytes).next();
  EXPECT_FALSE(append_invalid_stream(none.chunk, StreamId(1)));
  EXPECT_FALSE(append_missing_parameters(none.chunk, {}));
  EXPECT_FALSE(append_stale_cookie(none.chunk, microseconds(1)));
  EXPECT_FALSE(append_out_of_resource(none.chunk));
  EXPECT_FALSE(append_unresolvable_address(none.chunk, parameter));
  EXPECT_FALSE(append_invalid_mandatory_parameter(none.chunk));
  EXPECT_FALSE(append_unrecognized_parameters(none.chunk, {}));
  EXPECT_FALSE(append_no_user_data(none.chunk, Tsn(1)));
  EXPECT_FALSE(append_cookie_while_shutting_down(none.chunk));
  EXPECT_FALSE(append_restart_addresses(none.chunk, {}));
  EXPECT_FALSE(append_user_initiated_abort(none.chunk, ""));
  EXPECT_EQ(none.causes(), "");
}

}  // namespace
}  // namespace sluice::wire::test
