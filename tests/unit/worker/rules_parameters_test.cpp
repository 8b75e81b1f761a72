// Rules of RFC 9260 about protocol parameters; see tests/RFC9260.md.
#include <gtest/gtest.h>

#include <cstring>

#include "stack/worker/command_arguments.hpp"

namespace sluice::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RulesParameters, DefaultsAreTheRecommendedValues) {  // §16
  const Parameters defaults;
  EXPECT_EQ(defaults.rto_initial, seconds(1));
  EXPECT_EQ(defaults.rto_min, seconds(1));
  EXPECT_EQ(defaults.rto_max, seconds(60));
  EXPECT_EQ(defaults.max_burst, 4);
  EXPECT_EQ(1 << defaults.rto_alpha_shift, 8);
  EXPECT_EQ(1 << defaults.rto_beta_shift, 4);
  EXPECT_EQ(defaults.valid_cookie_life, seconds(60));
  EXPECT_EQ(defaults.association_max_retransmissions, 10);
  EXPECT_EQ(defaults.path_max_retransmissions, 5);
  EXPECT_EQ(defaults.max_init_retransmissions, 8);
  EXPECT_EQ(defaults.heartbeat_interval, seconds(30));
  EXPECT_EQ(defaults.sack_delay, milliseconds(200));
  EXPECT_TRUE(in_range(defaults));
}

TEST(RulesParameters, WindowsBelow1500AreRefused) {  // §3.3.2, §3.3.3
  Parameters parameters;
  parameters.receive_window = 1499;
  EXPECT_FALSE(in_range(parameters));
  parameters.receive_window = 1500;
  EXPECT_TRUE(in_range(parameters));
}

TEST(RulesParameters, PeriodsWithoutEndAreRefused) {
  Parameters parameters;
  parameters.autoclose = Duration::max();
  EXPECT_FALSE(in_range(parameters));
  parameters.autoclose = std::chrono::hours(24 * 30);
  EXPECT_TRUE(in_range(parameters));
  parameters.heartbeat_interval = Duration::max();
  EXPECT_FALSE(in_range(parameters));
}

TEST(RulesParameters, WhatAnotherProcessWroteForABoolIsABoolAfterwards) {
  OpenEndpointArguments arguments;
  std::memset(static_cast<void*>(&arguments.listen), 7, sizeof arguments.listen);
  std::memset(static_cast<void*>(&arguments.parameters.rto_linear_back_off), 2, sizeof(bool));
  make_safe(arguments);
  EXPECT_TRUE(arguments.listen);
  EXPECT_FALSE(arguments.has_parameters);
  unsigned char byte = 0;
  std::memcpy(&byte, &arguments.parameters.rto_linear_back_off, sizeof byte);
  EXPECT_EQ(byte, 1);
}

TEST(RulesParameters, NoStreamsAreRefused) {  // §3.3.2, §3.3.3
  Parameters parameters;
  parameters.outbound_streams = 0;
  EXPECT_FALSE(in_range(parameters));
  parameters = {};
  parameters.max_inbound_streams = 0;
  EXPECT_FALSE(in_range(parameters));
}

TEST(RulesParameters, SackDelayAboveHalfASecondIsRefused) {  // §6.2
  Parameters parameters;
  parameters.sack_delay = milliseconds(501);
  EXPECT_FALSE(in_range(parameters));
  parameters.sack_delay = milliseconds(500);
  EXPECT_TRUE(in_range(parameters));
}

}  // namespace
}  // namespace sluice::worker
