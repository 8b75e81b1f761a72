#include "stack/endpoint/directory.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "stack/base/seeded_random.hpp"
#include "stack/endpoint/ephemeral_ports.hpp"

namespace sluice::endpoint {
namespace {

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

class DirectoryTest : public testing::Test {
 protected:
  const PortPair ports{.local = 2905, .peer = 40000};
  const std::vector<IpAddress> both{ip("198.18.0.2"), ip("2001:db8::2")};
  const std::vector<IpAddress> second{ip("2001:db8::2")};
  const std::vector<IpAddress> third{ip("198.18.0.3")};
  const VTag one{100};
  const VTag two{200};
  Directory directory{{1, 2}, {.addresses = 4, .leases = 2}};
  Steering steering{{5, 6}, 1};
  EndpointTable endpoints{4};
  base::SeededRandom random{3};

  Reservation lease(const std::vector<IpAddress>& peers, VTag tag) {
    return directory.lease(40000, peers, tag, steering, WorkerId(0), endpoints, random);
  }
};

TEST_F(DirectoryTest, FindsTheOwnerByEveryAddress) {
  EXPECT_EQ(directory.reserve(ports, both, one).status, ReserveStatus::reserved);
  for (const IpAddress& address : both) {
    ASSERT_NE(directory.find(ports, address), nullptr);
    EXPECT_EQ(*directory.find(ports, address), one);
  }
  EXPECT_EQ(directory.find(ports, third[0]), nullptr);
  EXPECT_EQ(directory.find({.local = 2905, .peer = 40001}, both[0]), nullptr);
  EXPECT_EQ(directory.find({.local = 2906, .peer = 40000}, both[0]), nullptr);
}

TEST_F(DirectoryTest, AConflictNamesTheHolderAndReservesNothing) {
  ASSERT_EQ(directory.reserve(ports, second, one).status, ReserveStatus::reserved);
  const Reservation refused = directory.reserve(ports, both, two);
  EXPECT_EQ(refused.status, ReserveStatus::conflict);
  EXPECT_EQ(refused.holder, one);
  EXPECT_EQ(directory.find(ports, both[0]), nullptr);
  EXPECT_EQ(directory.size(), 1u);
}

TEST_F(DirectoryTest, AnAssociationMayReserveFurtherAddresses) {
  ASSERT_EQ(directory.reserve(ports, second, one).status, ReserveStatus::reserved);
  EXPECT_EQ(directory.reserve(ports, both, one).status, ReserveStatus::reserved);
  EXPECT_EQ(*directory.find(ports, both[0]), one);
  EXPECT_EQ(directory.size(), 2u);
}

TEST_F(DirectoryTest, WithoutRoomForAllNothingIsReserved) {
  const std::vector<IpAddress> three{ip("198.18.0.5"), ip("198.18.0.6"), ip("198.18.0.7")};
  ASSERT_EQ(directory.reserve(ports, both, one).status, ReserveStatus::reserved);
  EXPECT_EQ(directory.reserve(ports, three, two).status, ReserveStatus::full);
  EXPECT_EQ(directory.size(), 2u);
  EXPECT_EQ(directory.find_any(ports, three), nullptr);
}

TEST_F(DirectoryTest, AnAddressListedTwiceIsReservedOnce) {
  const std::vector<IpAddress> twice{both[0], both[0]};
  EXPECT_EQ(directory.reserve(ports, twice, one).status, ReserveStatus::reserved);
  EXPECT_EQ(directory.size(), 1u);
}

TEST_F(DirectoryTest, ReleaseLetsGoOfWhatTheTagHoldsAlone) {
  directory.reserve(ports, both, one);
  directory.release(ports, both, two, false);
  EXPECT_EQ(directory.size(), 2u);
  directory.release(ports, both, one, false);
  EXPECT_EQ(directory.size(), 0u);
  EXPECT_EQ(directory.reserve(ports, both, two).status, ReserveStatus::reserved);
}

TEST_F(DirectoryTest, ARestartMovesTheAddressesToTheNewTag) {
  directory.reserve(ports, both, one);
  const VTag restarted(300);
  directory.retag(ports, both, one, restarted);
  EXPECT_EQ(*directory.find(ports, both[1]), restarted);
  directory.retag(ports, both, one, two);
  EXPECT_EQ(*directory.find(ports, both[1]), restarted);
}

TEST_F(DirectoryTest, LeasesEphemeralPortsThatAreFreeTowardsThePeer) {
  const Reservation first = lease(both, one);
  ASSERT_EQ(first.status, ReserveStatus::reserved);
  EXPECT_GE(first.local_port, kFirstEphemeralPort);
  EXPECT_EQ(*directory.find({.local = first.local_port, .peer = 40000}, both[0]), one);
  random = base::SeededRandom(3);  // the same start again
  const Reservation next = lease(both, two);
  ASSERT_EQ(next.status, ReserveStatus::reserved);
  EXPECT_EQ(next.local_port, first.local_port == 65535 ? kFirstEphemeralPort : first.local_port + 1);
}

TEST_F(DirectoryTest, OnePortServesSeveralPeers) {
  const Reservation first = lease(both, one);
  random = base::SeededRandom(3);
  EXPECT_EQ(lease(third, two).local_port, first.local_port);
}

TEST_F(DirectoryTest, LeasesAreBoundedAndComeBack) {
  const Reservation first = lease({both[0]}, one);
  ASSERT_EQ(lease({both[1]}, two).status, ReserveStatus::reserved);
  EXPECT_EQ(lease(third, VTag(300)).status, ReserveStatus::full);
  const PortPair leased{.local = first.local_port, .peer = 40000};
  const std::vector<IpAddress> held{both[0]};
  directory.release(leased, held, one, true);
  EXPECT_EQ(directory.leases(), 1u);
  directory.release(leased, held, one, true);  // a second time gives nothing back
  EXPECT_EQ(directory.leases(), 1u);
  EXPECT_EQ(lease(third, VTag(300)).status, ReserveStatus::reserved);
}

TEST_F(DirectoryTest, NeverLeasesAPortThatAnEndpointHas) {
  base::SeededRandom same(3);
  const std::uint16_t would_be = lease(both, one).local_port;
  directory.release({.local = would_be, .peer = 40000}, both, one, true);
  Endpoint endpoint;
  endpoint.id = EndpointId(1);
  endpoint.port = would_be;
  ASSERT_EQ(endpoints.add(endpoint), EndpointTable::AddStatus::added);
  random = base::SeededRandom(3);
  EXPECT_NE(lease(both, one).local_port, would_be);
}

TEST_F(DirectoryTest, LeasesOnlyPortsWhoseDirectoryItIs) {
  steering = Steering({5, 6}, 4);
  Directory large({1, 2}, {.addresses = 64, .leases = 64});
  for (std::uint32_t i = 0; i < 32; ++i) {
    const VTag owner(1000 + i);
    const Reservation leased = large.lease(40000, both, owner, steering, WorkerId(3), endpoints, random);
    ASSERT_EQ(leased.status, ReserveStatus::reserved);
    EXPECT_EQ(steering.directory_of(leased.local_port, 40000), WorkerId(3));
  }
}

TEST_F(DirectoryTest, WhenAllPortsAreTakenItSaysSo) {
  Directory large({1, 2}, {.addresses = kEphemeralPorts + 10, .leases = kEphemeralPorts + 10});
  const std::vector<IpAddress> peer{both[0]};
  std::set<std::uint16_t> seen;
  for (std::uint32_t i = 0; i < kEphemeralPorts; ++i) {
    const PortPair taken{.local = ephemeral_port(i), .peer = 40000};
    ASSERT_EQ(large.reserve(taken, peer, VTag(1 + i)).status, ReserveStatus::reserved);
  }
  const VTag late(99999);
  EXPECT_EQ(large.lease(40000, peer, late, steering, WorkerId(0), endpoints, random).status, ReserveStatus::full);
}

TEST(DirectoryScale, AMillionAddressesAreFoundInAsFewProbesAsAThousand) {
  constexpr std::uint32_t kMillion = 1'000'000;
  Directory directory({1, 2}, {.addresses = kMillion, .leases = 1});
  const PortPair ports{.local = 2905, .peer = 2905};
  for (std::uint32_t i = 0; i < kMillion; ++i) {
    const IpAddress peer = IpAddress::v4(0xc6120000 + i);
    ASSERT_EQ(directory.reserve(ports, {&peer, 1}, VTag(i + 1)).status, ReserveStatus::reserved);
  }
  std::uint64_t total = 0;
  std::uint32_t longest = 0;
  for (std::uint32_t i = 0; i < kMillion; ++i) {
    const std::uint32_t n = directory.probes(ports, IpAddress::v4(0xc6120000 + i));
    total += n;
    longest = std::max(longest, n);
  }
  EXPECT_LT(static_cast<double>(total) / kMillion, 2.1);  // two slots in three are taken: (1 + 1 / (1 - 2/3)) / 2
  EXPECT_LT(longest, 128u);
}

}  // namespace
}  // namespace sluice::endpoint
