#include <gtest/gtest.h>

#include <optional>

#include "drivers/address_claim.hpp"
#include "drivers/setup_error.hpp"

namespace sluice::drivers {
namespace {

TEST(AddressClaim, AnAddressIsHeldOnceAtATime) {
  const IpAddress address = *IpAddress::parse("2001:db8:ffff:ffff:ffff:ffff:ffff:ff01");
  std::optional<AddressClaim> first(address);
  const AddressClaim other(*IpAddress::parse("198.19.255.1"));
  try {
    const AddressClaim second(address);
    FAIL() << "had twice";
  } catch (const SetupError& error) {
    EXPECT_NE(std::string(error.what()).find("has the address " + address.to_string()), std::string::npos);
  }
  first.reset();
  const AddressClaim again(address);
}

}  // namespace
}  // namespace sluice::drivers
