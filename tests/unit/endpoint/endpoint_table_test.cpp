#include "stack/endpoint/endpoint_table.hpp"

#include <gtest/gtest.h>

#include "stack/base/seeded_random.hpp"
#include "stack/endpoint/ephemeral_ports.hpp"

namespace sluice::endpoint {
namespace {

using AddStatus = EndpointTable::AddStatus;

const IpAddress kOne = IpAddress::v4(0xc6120001);
const IpAddress kTwo = IpAddress::v4(0xc6120002);
const IpAddress kThree = IpAddress::v4(0xc6120003);

Endpoint make(std::uint32_t id, std::uint16_t port, assoc::AddressList addresses = {}) {
  Endpoint endpoint;
  endpoint.id = EndpointId(id);
  endpoint.port = port;
  endpoint.addresses = addresses;
  return endpoint;
}

TEST(EndpointTable, FindsByPortAndLocalAddress) {
  EndpointTable table(4);
  ASSERT_EQ(table.add(make(1, 2905, {kOne})), AddStatus::added);
  ASSERT_EQ(table.add(make(2, 2905, {kTwo})), AddStatus::added);
  EXPECT_EQ(table.find(2905, kOne)->id, EndpointId(1));
  EXPECT_EQ(table.find(2905, kTwo)->id, EndpointId(2));
  EXPECT_EQ(table.find(2905, kThree), nullptr);
  EXPECT_EQ(table.find(2906, kOne), nullptr);
}

TEST(EndpointTable, WithoutAddressesItHasAllOfTheStack) {
  EndpointTable table(4);
  ASSERT_EQ(table.add(make(1, 2905)), AddStatus::added);
  EXPECT_EQ(table.find(2905, kThree)->id, EndpointId(1));
}

TEST(EndpointTable, TwoWithAPortMayNotShareAnAddress) {
  EndpointTable table(4);
  ASSERT_EQ(table.add(make(1, 2905, {kOne, kTwo})), AddStatus::added);
  EXPECT_EQ(table.add(make(2, 2905, {kTwo, kThree})), AddStatus::in_use);
  EXPECT_EQ(table.add(make(2, 2905)), AddStatus::in_use);
  EXPECT_EQ(table.add(make(2, 2906)), AddStatus::added);
  EXPECT_EQ(table.add(make(3, 2906, {kOne})), AddStatus::in_use);
  EXPECT_EQ(table.size(), 2u);
}

TEST(EndpointTable, RefusesMoreThanItsLimitAndReusesWhatWasRemoved) {
  EndpointTable table(2);
  ASSERT_EQ(table.add(make(1, 1)), AddStatus::added);
  ASSERT_EQ(table.add(make(2, 2)), AddStatus::added);
  EXPECT_EQ(table.add(make(3, 3)), AddStatus::full);
  EXPECT_TRUE(table.remove(EndpointId(1)));
  EXPECT_FALSE(table.remove(EndpointId(1)));
  EXPECT_FALSE(table.has_port(1));
  EXPECT_EQ(table.add(make(3, 3)), AddStatus::added);
  EXPECT_EQ(table.find(EndpointId(3))->port, 3);
}

TEST(EndpointTable, RemovingOneOfAPortLeavesTheOthers) {
  EndpointTable table(4);
  for (std::uint32_t i = 0; i < 3; ++i) table.add(make(i + 1, 2905, {IpAddress::v4(0xc6120001 + i)}));
  ASSERT_TRUE(table.remove(EndpointId(2)));
  EXPECT_EQ(table.find(2905, kOne)->id, EndpointId(1));
  EXPECT_EQ(table.find(2905, kTwo), nullptr);
  EXPECT_EQ(table.find(2905, kThree)->id, EndpointId(3));
}

TEST(EndpointTable, ChoosesEphemeralPortsThatNobodyHas) {
  EndpointTable table(4);
  base::SeededRandom random(1);
  base::SeededRandom same(1);
  const auto first = table.free_port(random);
  ASSERT_TRUE(first.has_value());
  EXPECT_GE(*first, kFirstEphemeralPort);
  table.add(make(1, *first));
  EXPECT_NE(table.free_port(same), first);
}

TEST(EndpointTable, HasNoPortToChooseWhenAllEphemeralOnesAreTaken) {
  EndpointTable table(kEphemeralPorts);
  for (std::uint32_t i = 0; i < kEphemeralPorts; ++i)
    ASSERT_EQ(table.add(make(i + 1, ephemeral_port(i))), AddStatus::added);
  base::SeededRandom random(1);
  EXPECT_FALSE(table.free_port(random).has_value());
  ASSERT_TRUE(table.remove(EndpointId(100)));
  EXPECT_EQ(table.free_port(random), ephemeral_port(99));
}

}  // namespace
}  // namespace sluice::endpoint
