#include "stack/wire/common_header.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"

namespace sluice::wire::test {
namespace {

TEST(CommonHeader, ReadsItsFieldsInNetworkByteOrderAndTheChecksumLittleEndFirst) {
  const auto header = CommonHeader::parse(hex("0b59 8234 01020304 78563412 ffff"));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->source_port, 0x0b59);
  EXPECT_EQ(header->destination_port, 0x8234);
  EXPECT_EQ(header->tag, VTag(0x01020304));
  EXPECT_EQ(header->checksum, 0x12345678u);
}

TEST(CommonHeader, WritesWhatItReads) {
  const Octets bytes = hex("0b59 8234 01020304 78563412");
  Octets written{std::vector<std::byte>(kCommonHeaderSize)};
  CommonHeader::parse(bytes)->write(written.span().data());
  EXPECT_EQ(to_hex(written), to_hex(bytes));
}

TEST(CommonHeader, IsNotReadFromFewerThanTwelveBytes) {
  const Octets whole = hex("0b59 8234 01020304 78563412");
  EXPECT_TRUE(CommonHeader::parse(whole));
  for (std::size_t size = 0; size < kCommonHeaderSize; ++size)
    EXPECT_FALSE(CommonHeader::parse(Octets(whole.span().first(size))));
}

}  // namespace
}  // namespace sluice::wire::test
