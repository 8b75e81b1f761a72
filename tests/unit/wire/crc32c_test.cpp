#include "stack/wire/crc32c.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace sluice::wire {
namespace {

/// CRC32c one bit at a time, as RFC 9260 Appendix A writes it down: shares nothing with the kernels.
std::uint32_t bitwise(std::uint32_t state, std::byte byte) {
  state ^= std::to_integer<std::uint32_t>(byte);
  for (int bit = 0; bit < 8; ++bit) state = (state & 1) != 0 ? (state >> 1) ^ 0x82f63b78U : state >> 1;
  return state;
}

std::uint32_t bitwise(std::span<const std::byte> bytes) {
  std::uint32_t state = 0xffffffff;
  for (const std::byte byte : bytes) state = bitwise(state, byte);
  return ~state;
}

std::vector<std::byte> noise(std::size_t n, std::uint32_t seed = 1) {
  std::vector<std::byte> bytes(n);
  for (std::byte& byte : bytes) {
    seed = seed * 1664525 + 1013904223;
    byte = static_cast<std::byte>(seed >> 24);
  }
  return bytes;
}

std::vector<std::byte> bytes_of(const std::string& text) {
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

class EachKernel : public testing::TestWithParam<const Crc32c*> {
 protected:
  const Crc32c& kernel() const { return *GetParam(); }
  std::uint32_t crc(std::span<const std::byte> bytes) const {
    return ~kernel().update(kCrc32cInitial, bytes.data(), bytes.size());
  }
};

INSTANTIATE_TEST_SUITE_P(Crc32c, EachKernel, testing::ValuesIn(crc32c_kernels().begin(), crc32c_kernels().end()),
                         [](const auto& kernel) {
                           std::string name = kernel.param->name;
                           std::erase(name, '.');
                           return name;
                         });

TEST_P(EachKernel, KnownAnswers) {
  EXPECT_EQ(crc({}), 0U);
  EXPECT_EQ(crc(bytes_of("123456789")), 0xe3069283U);
  EXPECT_EQ(crc(bytes_of("a")), 0xc1d04330U);
  // RFC 3720 B.4, which RFC 3309 and RFC 9260 take their CRC from.
  EXPECT_EQ(crc(std::vector<std::byte>(32, std::byte{0})), 0x8a9136aaU);
  EXPECT_EQ(crc(std::vector<std::byte>(32, std::byte{0xff})), 0x62a8ab43U);
  std::vector<std::byte> counting(32);
  for (std::size_t i = 0; i < 32; ++i) counting[i] = static_cast<std::byte>(i);
  EXPECT_EQ(crc(counting), 0x46dd794eU);
  for (std::size_t i = 0; i < 32; ++i) counting[i] = static_cast<std::byte>(31 - i);
  EXPECT_EQ(crc(counting), 0x113fdb5cU);
}

constexpr std::size_t kLongest = 9000;
constexpr std::size_t kAlignments = 64;

// Sanitizers make the kernels a hundred times slower; ReadsNothingOutsideItsBytes is what they are for.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kAlignmentStep = 21;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr std::size_t kAlignmentStep = 21;
#else
constexpr std::size_t kAlignmentStep = 1;
#endif
#else
constexpr std::size_t kAlignmentStep = 1;
#endif

TEST_P(EachKernel, EveryLengthAtEveryAlignment) {
  const auto data = noise(kLongest);
  std::vector<std::uint32_t> expected(kLongest + 1);
  std::uint32_t state = 0xffffffff;
  for (std::size_t n = 0; n <= kLongest; ++n) {
    expected[n] = ~state;
    if (n < kLongest) state = bitwise(state, data[n]);
  }
  alignas(64) static std::byte room[kLongest + kAlignments];
  for (std::size_t alignment = 0; alignment < kAlignments; alignment += kAlignmentStep) {
    std::memcpy(room + alignment, data.data(), kLongest);
    for (std::size_t n = 0; n <= kLongest; ++n)
      ASSERT_EQ(crc({room + alignment, n}), expected[n]) << n << " bytes at " << alignment;
  }
}

TEST_P(EachKernel, ReadsNothingOutsideItsBytes) {
  // Exact-size blocks: AddressSanitizer sees one byte too far.
  for (std::size_t n = 0; n <= 1600; n += n < 600 ? 1 : 37) {
    const auto data = noise(n, static_cast<std::uint32_t>(n));
    const auto exact = std::make_unique<std::byte[]>(n);
    if (n > 0) std::memcpy(exact.get(), data.data(), n);
    ASSERT_EQ(crc({exact.get(), n}), bitwise(data));
    const auto target = std::make_unique<std::byte[]>(n);
    ASSERT_EQ(~kernel().copy(kCrc32cInitial, target.get(), exact.get(), n), bitwise(data));
    ASSERT_EQ(std::vector(target.get(), target.get() + n), data);
  }
}

TEST_P(EachKernel, CopyWritesTheBytesAndNothingElse) {
  const auto data = noise(3000);
  constexpr auto kGuard = std::byte{0x5a};
  for (std::size_t n = 0; n <= 2600; n += n < 600 ? 1 : 53) {
    for (std::size_t alignment = 0; alignment < 64; alignment += 7) {
      std::vector<std::byte> room(n + 192, kGuard);
      std::byte* const to = room.data() + 64 + alignment;
      const auto state = kernel().copy(kCrc32cInitial, to, data.data() + alignment, n);
      ASSERT_EQ(~state, crc({data.data() + alignment, n}));
      ASSERT_TRUE(std::equal(to, to + n, data.data() + alignment));
      for (auto* at = room.data(); at < room.data() + room.size(); ++at)
        ASSERT_TRUE((at >= to && at < to + n) || *at == kGuard) << n << " bytes at " << alignment;
    }
  }
}

TEST_P(EachKernel, GoesOnFromAnyState) {
  const auto data = noise(700);
  for (std::size_t first = 0; first <= 40; ++first) {
    const auto state = kernel().update(kCrc32cInitial, data.data(), first);
    for (std::size_t n = first; n <= data.size(); n += 11)
      ASSERT_EQ(~kernel().update(state, data.data() + first, n - first), crc({data.data(), n}));
  }
}

TEST_P(EachKernel, PacketTakesItsChecksumFieldForZero) {
  for (std::size_t n = 12; n <= 1500; ++n) {
    auto packet = noise(n, static_cast<std::uint32_t>(n));
    const auto before = packet;
    const auto checksum = kernel().packet(packet.data(), n);
    ASSERT_EQ(packet, before);
    std::memset(packet.data() + kChecksumOffset, 0, 4);
    ASSERT_EQ(checksum, bitwise(packet)) << n;
  }
}

TEST_P(EachKernel, BurstEqualsOneByOne) {
  std::uint32_t seed = 7;
  for (int round = 0; round < 200; ++round) {
    std::vector<std::vector<std::byte>> storage;
    std::vector<std::span<const std::byte>> packets;
    for (std::uint32_t count = (seed = seed * 1664525 + 1013904223) >> 28; count > 0; --count) {
      seed = seed * 1664525 + 1013904223;
      const std::size_t n = 12 + (seed >> 16) % (seed % 3 == 0 ? 1500 : 100);
      storage.push_back(noise(n, seed));
    }
    for (const auto& packet : storage) packets.emplace_back(packet);
    std::vector<std::uint32_t> checksums(packets.size());
    kernel().packets(packets, checksums.data());
    for (std::size_t i = 0; i < packets.size(); ++i)
      ASSERT_EQ(checksums[i], kernel().packet(packets[i].data(), packets[i].size())) << packets[i].size();
  }
}

TEST(Crc32c, ExtendAndCopyContinueAFinishedCrc) {
  const auto data = noise(500);
  std::byte copy[500];
  const std::span all(data);
  EXPECT_EQ(crc32c_extend(0, all), crc32c(all));
  EXPECT_EQ(crc32c_extend(crc32c(all.first(123)), all.subspan(123)), crc32c(all));
  EXPECT_EQ(crc32c_copy(crc32c(all.first(123)), copy + 123, all.subspan(123)), crc32c(all));
  EXPECT_TRUE(std::equal(copy + 123, copy + 500, data.begin() + 123));
}

TEST(Crc32c, FilledPacketVerifies) {
  auto packet = noise(64);
  for (std::size_t i = kChecksumOffset; i < kChecksumEnd; ++i) packet[i] = std::byte{0};
  const std::uint32_t number = bitwise(packet);
  crc32c_fill(packet);
  EXPECT_EQ(crc32c_verify(packet), base::Checksum::good);
  // RFC 9260 Appendix A: the least significant byte of the number first.
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(packet[kChecksumOffset + i], static_cast<std::byte>(number >> (8 * i)));
}

TEST(Crc32c, EverySingleBitErrorIsSeen) {
  auto packet = noise(100);
  crc32c_fill(packet);
  for (std::size_t bit = 0; bit < packet.size() * 8; ++bit) {
    packet[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    EXPECT_EQ(crc32c_verify(packet), base::Checksum::bad);
    packet[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
  }
}

TEST(Crc32c, ZeroFieldIsToldFromAWrongOne) {
  auto packet = noise(40);
  std::memset(packet.data() + kChecksumOffset, 0, 4);
  EXPECT_EQ(crc32c_verify(packet), base::Checksum::zero);
  packet[kChecksumOffset] = std::byte{1};
  EXPECT_EQ(crc32c_verify(packet), base::Checksum::bad);
}

TEST(Crc32c, PacketWithoutRoomForAChecksumIsBad) {
  const auto packet = noise(11);
  for (std::size_t n = 0; n < 12; ++n) EXPECT_EQ(crc32c_verify(std::span(packet).first(n)), base::Checksum::bad);
}

TEST(Crc32c, BurstVerdictsMatchSingleOnes) {
  std::vector<std::vector<std::byte>> storage;
  std::vector<std::span<const std::byte>> packets;
  for (std::uint32_t i = 0; i < 300; ++i) {
    auto packet = noise(i % 7 == 3 ? i % 12 : 12 + i * 5 % 1400, i + 1);
    if (packet.size() >= 12 && i % 3 != 0) crc32c_fill(packet);
    if (packet.size() >= 12 && i % 5 == 0) std::memset(packet.data() + kChecksumOffset, 0, 4);
    storage.push_back(std::move(packet));
  }
  for (const auto& packet : storage) packets.emplace_back(packet);
  std::vector<base::Checksum> verdicts(packets.size(), base::Checksum::unknown);
  crc32c_verify(packets, verdicts.data());
  for (std::size_t i = 0; i < packets.size(); ++i) EXPECT_EQ(verdicts[i], crc32c_verify(packets[i])) << i;
}

TEST(Crc32c, PreferredKernelIsTheLastUsableOne) {
  EXPECT_STREQ(crc32c_kernel.name, crc32c_kernels().back()->name);
  EXPECT_STREQ(crc32c_kernels().front()->name, "portable");
}

}  // namespace
}  // namespace sluice::wire
