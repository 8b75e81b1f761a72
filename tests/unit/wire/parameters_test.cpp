#include "stack/wire/parameters.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"

namespace sluice::wire::test {
namespace {

using std::chrono::milliseconds;

/// A parameter and the bytes that it stands in.
struct Received {
  explicit Received(std::string_view text) : bytes(hex(text)) {
    if (const auto first = ParameterWalker(bytes).next()) parameter = *first;
  }
  Octets bytes;
  Parameter parameter;
};

/// A chunk to write parameters into, with room for `room` bytes of them.
struct Scratch {
  explicit Scratch(std::size_t room = 100)
      : memory(std::vector<std::byte>(kCommonHeaderSize + kChunkHeaderSize + room, std::byte{0xff})),
        packet(memory.span(), {}),
        chunk(packet, ChunkType::init, 0) {}
  std::string parameters() const { return to_hex(packet.bytes().subspan(kCommonHeaderSize + kChunkHeaderSize)); }
  Octets memory;
  PacketWriter packet;
  ChunkWriter chunk;
};

TEST(AddressParameter, IsReadInBothFamilies) {
  EXPECT_EQ(read_address(Received("0005 0008 c6120001").parameter), IpAddress::v4(0xc6120001));
  EXPECT_EQ(read_address(Received("0006 0014 20010db8000000000000000000000001").parameter),
            IpAddress::parse("2001:db8::1"));
}

TEST(AddressParameter, IsReadOnlyAtTheLengthOfItsFamily) {
  EXPECT_FALSE(read_address(Received("0005 0007 c61200").parameter));
  EXPECT_FALSE(read_address(Received("0005 0009 c612000100").parameter));
  EXPECT_FALSE(read_address(Received("0005 0014 20010db8000000000000000000000001").parameter));
  EXPECT_FALSE(read_address(Received("0006 0008 c6120001").parameter));
  EXPECT_FALSE(read_address(Received("0006 0013 20010db80000000000000000000000").parameter));
  EXPECT_FALSE(read_address(Received("000c 0008 c6120001").parameter));
}

TEST(AddressParameter, IsNotAnIpv4MappedOne) {  // §3.3.2.1.2
  EXPECT_FALSE(read_address(Received("0006 0014 00000000000000000000ffffc6120001").parameter));
}

TEST(AddressParameter, IsWrittenInBothFamilies) {
  Scratch scratch;
  EXPECT_TRUE(append_address(scratch.chunk, IpAddress::v4(0xc6120001)));
  EXPECT_TRUE(append_address(scratch.chunk, *IpAddress::parse("2001:db8::1")));
  EXPECT_EQ(scratch.parameters(),
            "00050008c6120001"
            "0006001420010db8000000000000000000000001");
  Scratch small(7);
  EXPECT_FALSE(append_address(small.chunk, IpAddress::v4(0xc6120001)));
  EXPECT_EQ(small.parameters(), "");
}

TEST(CookiePreservative, IsReadAndWrittenInMilliseconds) {
  const Received received("0009 0008 80001388");
  EXPECT_EQ(read_cookie_preservative(received.parameter), milliseconds(0x80001388));
  EXPECT_FALSE(read_cookie_preservative(Received("0009 0006 1388").parameter));
  EXPECT_FALSE(read_cookie_preservative(Received("0009 000c 00001388 00000000").parameter));
  EXPECT_FALSE(read_cookie_preservative(Received("0005 0008 00001388").parameter));
  Scratch scratch;
  EXPECT_TRUE(append_cookie_preservative(scratch.chunk, milliseconds(0x80001388)));
  EXPECT_EQ(scratch.parameters(), "0009000880001388");
}

TEST(CookiePreservative, IsCutToWhatItsFieldHolds) {
  Scratch scratch;
  EXPECT_TRUE(append_cookie_preservative(scratch.chunk, milliseconds(-1)));
  EXPECT_TRUE(append_cookie_preservative(scratch.chunk, milliseconds(std::int64_t{1} << 40)));
  EXPECT_EQ(scratch.parameters(),
            "0009000800000000"
            "00090008ffffffff");
}

TEST(SupportedAddressTypes, AreReadWhateverElseIsListed) {  // 000b is the host name type, 00ff none
  const auto both = read_supported_address_types(Received("000c 000c 000b 0006 00ff 0005").parameter);
  ASSERT_TRUE(both);
  EXPECT_TRUE(both->ipv4);
  EXPECT_TRUE(both->ipv6);
  const auto four = read_supported_address_types(Received("000c 0006 0005").parameter);
  ASSERT_TRUE(four);
  EXPECT_TRUE(four->ipv4);
  EXPECT_FALSE(four->ipv6);
  const auto none = read_supported_address_types(Received("000c 0004").parameter);
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->ipv4 || none->ipv6);
  EXPECT_FALSE(read_supported_address_types(Received("000c 0007 000500").parameter));
  EXPECT_FALSE(read_supported_address_types(Received("000d 0006 0005").parameter));
}

TEST(SupportedAddressTypes, AreWritten) {
  Scratch scratch;
  EXPECT_TRUE(append_supported_address_types(scratch.chunk, {.ipv4 = true, .ipv6 = true}));
  EXPECT_TRUE(append_supported_address_types(scratch.chunk, {.ipv4 = false, .ipv6 = true}));
  EXPECT_EQ(scratch.parameters(),
            "000c000800050006"
            "000c000600060000");
}

TEST(UnrecognizedParameter, QuotesAParameterWhole) {
  const Received quoted("c0ff 0007 010203");
  Scratch scratch;
  EXPECT_TRUE(append_unrecognized_parameter(scratch.chunk, quoted.parameter));
  EXPECT_EQ(scratch.parameters(), "0008000bc0ff000701020300");
  const Received received(scratch.parameters());
  const auto read = read_unrecognized_parameter(received.parameter);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->type, static_cast<ParameterType>(0xc0ff));
  EXPECT_EQ(to_hex(read->value()), "010203");
  EXPECT_FALSE(read_unrecognized_parameter(Received("0008 0008 c0ff 0005").parameter));
  EXPECT_FALSE(read_unrecognized_parameter(Received("0008 0004").parameter));
  EXPECT_FALSE(read_unrecognized_parameter(Received("0009 0008 c0ff 0004").parameter));
}

TEST(StateCookie, IsWrittenWhereTheCallerPutsIt) {
  Scratch scratch(12);
  std::byte* const cookie = append_state_cookie(scratch.chunk, 6);
  ASSERT_NE(cookie, nullptr);
  std::memset(cookie, 0xcc, 6);
  EXPECT_EQ(scratch.parameters(), "0007000acccccccccccc0000");
  Scratch small(8);
  EXPECT_EQ(append_state_cookie(small.chunk, 5), nullptr);
}

TEST(ZeroChecksumAcceptable, IsReadAndWritten) {
  Scratch scratch;
  EXPECT_TRUE(append_zero_checksum_acceptable(scratch.chunk, 1));
  EXPECT_EQ(scratch.parameters(), "8001000800000001");
  EXPECT_EQ(read_zero_checksum_acceptable(Received("8001 0008 00000001").parameter), 1u);
  EXPECT_FALSE(read_zero_checksum_acceptable(Received("8001 0004").parameter));
}

TEST(EmptyParameter, IsWritten) {
  Scratch scratch(8);
  EXPECT_TRUE(append_empty_parameter(scratch.chunk, ParameterType::ecn_capable));
  EXPECT_TRUE(append_empty_parameter(scratch.chunk, ParameterType::forward_tsn_supported));
  EXPECT_EQ(scratch.parameters(),
            "80000004"
            "c0000004");
  EXPECT_FALSE(append_empty_parameter(scratch.chunk, ParameterType::ecn_capable));
}

}  // namespace
}  // namespace sluice::wire::test
