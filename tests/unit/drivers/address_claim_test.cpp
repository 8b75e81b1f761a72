#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "drivers/address_claim.hpp"
#include "drivers/setup_error.hpp"

namespace sluice::drivers {
namespace {

TEST(AddressClaim, AnAddressIsHeldOnceAtATime) {
  const IpAddress address = *IpAddress::parse("2001:db8:ffff:ffff:ffff:ffff:ffff:ff01");
  const std::string device = "unit-test-" + std::to_string(getpid());
  std::optional<AddressClaim> first(std::in_place, device, address);
  const AddressClaim other(device, *IpAddress::parse("198.19.255.1"));
  const AddressClaim elsewhere(device + "-2", address);
  try {
    const AddressClaim second(device, address);
    FAIL() << "had twice";
  } catch (const SetupError& error) {
    EXPECT_NE(std::string(error.what()).find("has the address " + address.to_string() + " on " + device),
              std::string::npos);
  }
  first.reset();
  const AddressClaim again(device, address);
}

}  // namespace
}  // namespace sluice::drivers
