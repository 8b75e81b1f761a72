#include "stack/endpoint/cookie.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "stack/base/seeded_random.hpp"
#include "stack/base/siphash.hpp"

namespace sluice::endpoint {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Timestamp kStart{std::chrono::hours(5)};

Cookie sample() {
  Cookie cookie;
  cookie.handshake = {
      .local_port = 2905,
      .peer_port = 40000,
      .local_tag = VTag(0x11223344),
      .peer_tag = VTag(0xaabbccdd),
      .local_initial_tsn = Tsn(0xfffffff0),
      .peer_initial_tsn = Tsn(77),
      .peer_window = 123456,
      .outbound_streams = 10,
      .inbound_streams = 2048,
      .local_addresses = {IpAddress::v4(0xc6120001), IpAddress::parse("2001:db8::1").value()},
      .peer_addresses = {IpAddress::parse("2001:db8::2").value(), IpAddress::v4(0xc6120002), IpAddress::v4(0xc6120003)},
      .extensions = {.forward_tsn = true, .ecn = false, .zero_checksum = true}};
  cookie.tie_tags = {.local = 5, .peer = 6};
  cookie.udp_port = 9899;
  cookie.created = kStart;
  cookie.lifetime = seconds(60);
  return cookie;
}

void expect_same(const Cookie& a, const Cookie& b) {
  EXPECT_EQ(a.handshake.local_port, b.handshake.local_port);
  EXPECT_EQ(a.handshake.peer_port, b.handshake.peer_port);
  EXPECT_EQ(a.handshake.local_tag, b.handshake.local_tag);
  EXPECT_EQ(a.handshake.peer_tag, b.handshake.peer_tag);
  EXPECT_EQ(a.handshake.local_initial_tsn, b.handshake.local_initial_tsn);
  EXPECT_EQ(a.handshake.peer_initial_tsn, b.handshake.peer_initial_tsn);
  EXPECT_EQ(a.handshake.peer_window, b.handshake.peer_window);
  EXPECT_EQ(a.handshake.outbound_streams, b.handshake.outbound_streams);
  EXPECT_EQ(a.handshake.inbound_streams, b.handshake.inbound_streams);
  EXPECT_EQ(a.handshake.local_addresses, b.handshake.local_addresses);
  EXPECT_EQ(a.handshake.peer_addresses, b.handshake.peer_addresses);
  EXPECT_EQ(a.handshake.extensions.forward_tsn, b.handshake.extensions.forward_tsn);
  EXPECT_EQ(a.handshake.extensions.ecn, b.handshake.extensions.ecn);
  EXPECT_EQ(a.handshake.extensions.zero_checksum, b.handshake.extensions.zero_checksum);
  EXPECT_EQ(a.tie_tags, b.tie_tags);
  EXPECT_EQ(a.udp_port, b.udp_port);
  EXPECT_EQ(a.created, b.created);
  EXPECT_EQ(a.lifetime, b.lifetime);
}

class CookieTest : public testing::Test {
 protected:
  std::vector<std::byte> seal(const Cookie& cookie) {
    std::vector<std::byte> bytes(kMaxCookieSize);
    bytes.resize(sealer.seal(cookie, bytes));
    bytes.shrink_to_fit();
    return bytes;
  }
  base::SeededRandom random{4};
  CookieKeys keys = CookieKeys::first(random);
  CookieSealer sealer{keys};
};

TEST_F(CookieTest, HoldsEverythingThatWasSealed) {
  const std::vector<std::byte> bytes = seal(sample());
  const OpenedCookie opened = sealer.open(bytes, kStart + seconds(1));
  ASSERT_EQ(opened.verdict, CookieVerdict::good);
  expect_same(opened.cookie, sample());
}

TEST_F(CookieTest, TheLargestFitsAndTheUsualIsSmall) {
  Cookie cookie = sample();
  cookie.handshake.local_addresses.clear();
  cookie.handshake.peer_addresses.clear();
  for (std::uint8_t i = 0; i < assoc::kMaxAddresses; ++i) {
    IpAddress::Bytes bytes{0x20, 0x01, 0x0d, 0xb8, i};
    ASSERT_TRUE(cookie.handshake.local_addresses.push_back(IpAddress::v6(bytes)));
    bytes[15] = 1;
    ASSERT_TRUE(cookie.handshake.peer_addresses.push_back(IpAddress::v6(bytes)));
  }
  const std::vector<std::byte> largest = seal(cookie);
  EXPECT_EQ(largest.size(), kMaxCookieSize);
  expect_same(sealer.open(largest, kStart).cookie, cookie);
  cookie.handshake.local_addresses = {IpAddress::v4(1)};
  cookie.handshake.peer_addresses = {IpAddress::v4(2)};
  EXPECT_EQ(seal(cookie).size(), 80u);
}

TEST_F(CookieTest, AnyBitThatFlipsIsNoticed) {
  std::vector<std::byte> bytes = seal(sample());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    const OpenedCookie opened = sealer.open(bytes, kStart);
    ASSERT_NE(opened.verdict, CookieVerdict::good) << "bit " << bit;
    ASSERT_NE(opened.verdict, CookieVerdict::stale) << "bit " << bit;
    bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
  }
  EXPECT_EQ(sealer.open(bytes, kStart).verdict, CookieVerdict::good);
}

TEST_F(CookieTest, AnyOtherLengthIsNoticed) {
  const std::vector<std::byte> bytes = seal(sample());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const std::vector<std::byte> shorter(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    ASSERT_NE(sealer.open(shorter, kStart).verdict, CookieVerdict::good) << n;
  }
  for (const std::size_t more : {1, 4, 100, 60000}) {
    std::vector<std::byte> longer = bytes;
    longer.resize(bytes.size() + more);
    ASSERT_NE(sealer.open(longer, kStart).verdict, CookieVerdict::good);
  }
}

TEST_F(CookieTest, LivesAsLongAsItSaysAndThenTellsHowLongAgo) {
  const std::vector<std::byte> bytes = seal(sample());
  EXPECT_EQ(sealer.open(bytes, kStart + seconds(60)).verdict, CookieVerdict::good);
  const OpenedCookie just = sealer.open(bytes, kStart + seconds(60) + Duration(1));
  EXPECT_EQ(just.verdict, CookieVerdict::stale);
  EXPECT_EQ(just.staleness, microseconds(1));
  expect_same(just.cookie, sample());
  EXPECT_EQ(sealer.open(bytes, kStart + seconds(63)).staleness, seconds(3));
}

TEST_F(CookieTest, OneFromAWorkerWhoseClockIsAheadIsNew) {
  EXPECT_EQ(sealer.open(seal(sample()), kStart - milliseconds(3)).verdict, CookieVerdict::good);
}

TEST_F(CookieTest, SurvivesOneRotationAndNotTwo) {
  const std::vector<std::byte> bytes = seal(sample());
  keys = keys.rotated(random);
  sealer.install(keys);
  EXPECT_EQ(sealer.open(bytes, kStart).verdict, CookieVerdict::good);
  EXPECT_EQ(sealer.open(seal(sample()), kStart).verdict, CookieVerdict::good);
  EXPECT_NE(seal(sample()), bytes);
  keys = keys.rotated(random);
  sealer.install(keys);
  EXPECT_EQ(sealer.open(bytes, kStart).verdict, CookieVerdict::unknown_key);
}

TEST_F(CookieTest, BeforeTheFirstRotationNoOtherKeyNumberIsKnown) {
  std::vector<std::byte> bytes = seal(sample());
  for (int number = 1; number < 256; ++number) {
    bytes[1] = static_cast<std::byte>(number);
    EXPECT_EQ(sealer.open(bytes, kStart).verdict, CookieVerdict::unknown_key);
  }
}

TEST_F(CookieTest, AnotherProcessesCookieIsNotOurs) {
  base::SeededRandom other_random(5);
  const CookieSealer other(CookieKeys::first(other_random));
  EXPECT_EQ(other.open(seal(sample()), kStart).verdict, CookieVerdict::bad_mac);
}

TEST_F(CookieTest, AnotherVersionIsMalformed) {
  std::vector<std::byte> bytes = seal(sample());
  bytes[0] = std::byte{2};
  EXPECT_EQ(sealer.open(bytes, kStart).verdict, CookieVerdict::malformed);
}

// Bytes that our own key sealed and that no seal() wrote.
class HostileCookie : public CookieTest {
 protected:
  static constexpr std::size_t kFlagsAt = 2;
  static constexpr std::size_t kCountsAt = 3;
  static constexpr std::size_t kCreatedAt = 4;
  static constexpr std::size_t kFamiliesAt = 54;

  CookieVerdict open_sealed(std::vector<std::byte> bytes) {
    bytes.resize(bytes.size() + 16);
    const auto sealed = std::span(bytes).first(bytes.size() - 16);
    const base::SipHash::Digest128 mac = base::siphash128(keys.current.secret, sealed);
    std::memcpy(bytes.data() + sealed.size(), &mac.low, 8);
    std::memcpy(bytes.data() + sealed.size() + 8, &mac.high, 8);
    return sealer.open(bytes, kStart).verdict;
  }
  std::vector<std::byte> contents() {
    std::vector<std::byte> bytes = seal(sample());
    bytes.resize(bytes.size() - 16);
    return bytes;
  }
};

TEST_F(HostileCookie, ThisTestSealsAsTheSealerDoes) {
  EXPECT_EQ(open_sealed(contents()), CookieVerdict::good);
}

TEST_F(HostileCookie, EveryCountOfAddressesButTheRightOneIsMalformed) {
  for (int counts = 0; counts < 256; ++counts) {
    std::vector<std::byte> bytes = contents();
    const bool right = bytes[kCountsAt] == static_cast<std::byte>(counts);
    bytes[kCountsAt] = static_cast<std::byte>(counts);
    // Two of ours and three of the peer's, or the same five divided otherwise.
    if (right || (counts >> 4) + (counts & 0xf) == 5) continue;
    EXPECT_EQ(open_sealed(bytes), CookieVerdict::malformed) << counts;
  }
}

TEST_F(HostileCookie, MoreAddressesThanMayBeAreMalformed) {
  std::vector<std::byte> bytes = contents();
  bytes.resize(kFamiliesAt + 2);
  bytes[kCountsAt] = std::byte{0x09};
  bytes[kFamiliesAt] = bytes[kFamiliesAt + 1] = std::byte{0};
  bytes.resize(bytes.size() + 9 * 4, std::byte{1});
  EXPECT_EQ(open_sealed(bytes), CookieVerdict::malformed);
  bytes[kCountsAt] = std::byte{0x08};
  bytes.resize(bytes.size() - 4);
  EXPECT_EQ(open_sealed(bytes), CookieVerdict::good);
}

TEST_F(HostileCookie, UnknownFlagsAreMalformed) {
  for (int bit = 3; bit < 8; ++bit) {
    std::vector<std::byte> bytes = contents();
    bytes[kFlagsAt] |= static_cast<std::byte>(1 << bit);
    EXPECT_EQ(open_sealed(bytes), CookieVerdict::malformed);
  }
}

// Found by the cookie's fuzzer: its age did not fit the clock's type.
TEST_F(HostileCookie, OneFromBeforeTheClockBeganIsMalformed) {
  std::vector<std::byte> bytes = contents();
  bytes[kCreatedAt] = std::byte{0x80};
  EXPECT_EQ(open_sealed(bytes), CookieVerdict::malformed);
}

TEST_F(HostileCookie, AFamilyWithoutAnAddressIsMalformed) {
  std::vector<std::byte> bytes = contents();
  bytes[kFamiliesAt + 1] |= std::byte{0x20};
  EXPECT_EQ(open_sealed(bytes), CookieVerdict::malformed);
}

TEST_F(HostileCookie, AMappedAddressAsIpv6IsMalformed) {
  const IpAddress mapped = IpAddress::v4(0xc6120001);
  Cookie cookie = sample();
  cookie.handshake.local_addresses = {mapped};
  cookie.handshake.peer_addresses.clear();
  std::vector<std::byte> bytes = seal(cookie);
  bytes.resize(kFamiliesAt + 2);
  bytes[kFamiliesAt + 1] = std::byte{1};
  for (const std::uint8_t byte : mapped.bytes()) bytes.push_back(static_cast<std::byte>(byte));
  EXPECT_EQ(open_sealed(bytes), CookieVerdict::malformed);
}

TEST_F(HostileCookie, BytesLeftOverAreMalformed) {
  std::vector<std::byte> bytes = contents();
  bytes.push_back(std::byte{0});
  EXPECT_EQ(open_sealed(bytes), CookieVerdict::malformed);
}

}  // namespace
}  // namespace sluice::endpoint
