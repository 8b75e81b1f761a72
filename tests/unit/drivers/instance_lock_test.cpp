#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>

#include "drivers/instance_lock.hpp"
#include "drivers/setup_error.hpp"

namespace sluice::drivers {
namespace {

TEST(InstanceLock, ANameIsHeldOnceAtATime) {
  const std::string name = "unit-test-" + std::to_string(getpid());
  std::optional<InstanceLock> first(name);
  const InstanceLock other(name + "-other");
  try {
    const InstanceLock second(name);
    FAIL() << "had twice";
  } catch (const SetupError& error) {
    EXPECT_NE(std::string(error.what()).find("'" + name + "' runs on this host already"), std::string::npos);
  }
  first.reset();
  const InstanceLock again(name);
}

TEST(InstanceLock, SaysWhichFileCannotBeMade) {
  try {
    const InstanceLock lock("no/such/directory");
    FAIL() << "no error";
  } catch (const SetupError& error) {
    EXPECT_NE(std::string(error.what()).find("-no/such/directory.lock cannot be made"), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice::drivers
