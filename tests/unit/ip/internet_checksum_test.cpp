#include "stack/ip/internet_checksum.hpp"

#include "tests/unit/ip/support.hpp"

namespace sluice::ip::testing {
namespace {

unsigned checksum(const Bytes& bytes) {
  InternetChecksum sum;
  sum.add(bytes);
  return sum.value();
}

TEST(InternetChecksum, MatchesTheExampleOfRfc1071) {
  EXPECT_EQ(checksum(hex("0001 f203 f4f5 f6f7")), static_cast<unsigned>(~0xddf2 & 0xffff));
}

TEST(InternetChecksum, MatchesAPublishedIpv4Header) {
  EXPECT_EQ(checksum(hex("4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7")), 0xb861U);
  EXPECT_EQ(checksum(hex("4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7")), 0U);
}

TEST(InternetChecksum, AgreesWithThePlainWayAtEveryLength) {
  for (std::size_t length = 0; length < 300; ++length) {
    EXPECT_EQ(checksum(pattern(length)), plain_checksum(pattern(length))) << length;
    EXPECT_EQ(checksum(Bytes(length, std::byte{0xff})), plain_checksum(Bytes(length, std::byte{0xff}))) << length;
  }
  EXPECT_EQ(checksum(Bytes(65535, std::byte{0xff})), plain_checksum(Bytes(65535, std::byte{0xff})));
}

TEST(InternetChecksum, PiecesOfEvenLengthMakeTheWhole) {
  const Bytes whole = pattern(101);
  for (std::size_t cut = 0; cut <= 100; cut += 2) {
    InternetChecksum sum;
    sum.add(slice(whole, 0, cut));
    sum.add(slice(whole, cut));
    EXPECT_EQ(sum.value(), plain_checksum(whole)) << cut;
  }
}

}  // namespace
}  // namespace sluice::ip::testing
