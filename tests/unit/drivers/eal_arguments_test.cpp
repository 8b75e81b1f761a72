#include "drivers/eal_arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::drivers {
namespace {

using ::testing::Contains;
using ::testing::IsSupersetOf;
using ::testing::Not;

using Arguments = std::vector<std::string>;

constexpr unsigned kLevel = 5;

Arguments arguments_for(const EalConfig& config, bool huge = false) {
  return eal_arguments(config, {.megabytes = 96, .huge = huge}, kLevel);
}

/// Where `second` stands right behind `first`.
bool has_pair(const Arguments& all, const std::string& first, const std::string& second) {
  for (std::size_t i = 0; i + 1 < all.size(); ++i)
    if (all[i] == first && all[i + 1] == second) return true;
  return false;
}

TEST(EalArguments, LeaveThePciBusAloneWithoutAPciPort) {
  EXPECT_THAT(arguments_for({}), Contains("--no-pci"));
}

TEST(EalArguments, AllowTheConfiguredPciDevicesAndNoOthers) {
  EalConfig config;
  config.pci_devices = {"0000:03:00.0", "0000:04:00.1,mprq_en=1"};
  const Arguments all = arguments_for(config);
  EXPECT_TRUE(has_pair(all, "-a", "0000:03:00.0"));
  EXPECT_TRUE(has_pair(all, "-a", "0000:04:00.1,mprq_en=1"));
  EXPECT_THAT(all, Not(Contains("--no-pci")));
}

TEST(EalArguments, LeaveTheChoiceOfDevicesToTheUserWhoMadeOne) {
  EalConfig config;
  config.pci_devices = {"0000:03:00.0"};
  for (const char* own : {"-a0000:05:00.0", "--allow=0000:05:00.0", "-b0000:05:00.0", "--block=0000:05:00.0"}) {
    config.arguments = {own};
    const Arguments all = arguments_for(config);
    EXPECT_THAT(all, Not(Contains("-a"))) << own;
    EXPECT_EQ(all.back(), own);
  }
}

TEST(EalArguments, AskForMemoryOfTheKindThatWasChosen) {
  const Arguments small = arguments_for({}, false);
  EXPECT_TRUE(has_pair(small, "-m", "96"));
  EXPECT_THAT(small, IsSupersetOf({"--no-huge", "--no-shconf"}));
  const Arguments huge = arguments_for({}, true);
  EXPECT_TRUE(has_pair(huge, "-m", "96"));
  EXPECT_THAT(huge, IsSupersetOf({"--in-memory", "--single-file-segments"}));
  EXPECT_THAT(huge, Not(Contains("--no-huge")));
}

TEST(EalArguments, SayNothingOfMemoryWhenTheUserDoesInWhicheverSpelling) {
  for (const Arguments& own : {Arguments{"-m", "512"}, Arguments{"-m512"}, Arguments{"--no-huge"},
                               Arguments{"--socket-mem=512"}, Arguments{"--socket-mem", "512"}}) {
    EalConfig config;
    config.arguments = own;
    EXPECT_TRUE(chooses_memory(own)) << own[0];
    EXPECT_FALSE(has_pair(arguments_for(config), "-m", "96")) << own[0];
  }
  EXPECT_FALSE(chooses_memory({"--main-lcore=1", "--match-allocations"}));
}

TEST(EalArguments, TakeThePlaceOfTheUsersCoresAndPrefixOnlyWhenThereAreNone) {
  EalConfig config;
  config.cores = {2, 3};
  config.file_prefix = "gateway";
  EXPECT_THAT(arguments_for(config), IsSupersetOf({"--lcores=0@(2,3)", "--file-prefix=gateway"}));
  config.arguments = {"-l2-3", "--file-prefix", "mine"};
  const Arguments all = arguments_for(config);
  EXPECT_THAT(all, Not(Contains("--lcores=0@(2,3)")));
  EXPECT_THAT(all, Not(Contains("--file-prefix=gateway")));
}

}  // namespace
}  // namespace sluice::drivers
