#include "stack/base/siphash.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace sluice::base {
namespace {

// The key and inputs of the reference implementation's test: bytes 00 01 … 0f, and 00 01 … of each length.
constexpr SipKey kReferenceKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::vector<std::byte> counting_bytes(std::size_t n) {
  std::vector<std::byte> bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(i);
  return bytes;
}

TEST(SipHash, GivesTheReferenceValuesIn64Bits) {
  EXPECT_EQ(siphash(kReferenceKey, counting_bytes(0)), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(siphash(kReferenceKey, counting_bytes(1)), 0x74f839c593dc67fdu);
  EXPECT_EQ(siphash(kReferenceKey, counting_bytes(7)), 0xab0200f58b01d137u);
  EXPECT_EQ(siphash(kReferenceKey, counting_bytes(8)), 0x93f5f5799a932462u);
  EXPECT_EQ(siphash(kReferenceKey, counting_bytes(15)), 0xa129ca6149be45e5u);
}

TEST(SipHash, GivesTheReferenceValuesIn128Bits) {
  using Digest = SipHash::Digest128;
  EXPECT_EQ(siphash128(kReferenceKey, counting_bytes(0)), (Digest{0xe6a825ba047f81a3, 0x930255c71472f66d}));
  EXPECT_EQ(siphash128(kReferenceKey, counting_bytes(1)), (Digest{0x44af996bd8c187da, 0x45fc229b11597634}));
  EXPECT_EQ(siphash128(kReferenceKey, counting_bytes(8)), (Digest{0x61f55862baa9623b, 0xb49714f364e2830f}));
  EXPECT_EQ(siphash128(kReferenceKey, counting_bytes(63)), (Digest{0x4a83502f77d15051, 0x7cbd3f979a063e50}));
}

TEST(SipHash, WordsAndBytesOfTheSameInputHashAlike) {
  SipHash hash(kReferenceKey);
  hash.add(0x0706050403020100);
  EXPECT_EQ(hash.finish(0x0a0908, 3), siphash(kReferenceKey, counting_bytes(11)));
}

TEST(SipHash, DependsOnEveryBitOfKeyAndInput) {
  std::array<std::byte, 24> input{};
  const std::uint64_t plain = siphash(kReferenceKey, input);
  for (std::size_t bit = 0; bit < input.size() * 8; ++bit) {
    auto flipped = input;
    flipped[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    EXPECT_NE(siphash(kReferenceKey, flipped), plain) << "input bit " << bit;
  }
  for (int bit = 0; bit < 64; ++bit) {
    EXPECT_NE(siphash({kReferenceKey.k0 ^ 1ull << bit, kReferenceKey.k1}, input), plain);
    EXPECT_NE(siphash({kReferenceKey.k0, kReferenceKey.k1 ^ 1ull << bit}, input), plain);
  }
}

}  // namespace
}  // namespace sluice::base
