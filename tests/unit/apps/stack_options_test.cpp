#include "apps/common/stack_options.hpp"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace sluice::apps {
namespace {

TEST(StackOptionsTest, AProfileComesBeforeAllOtherSettings) {
  StackOptions options;
  CLI::App app;
  options.add_to(app);
  options.defaults = {"parameters.outbound_streams=16"};
  app.parse(
      "--device sl0 --address 198.18.0.1/24 --set parameters.sack_frequency=7 --set parameters.profile=telecom "
      "--set parameters.dscp=46");
  const Parameters parameters = options.config().parameters;
  EXPECT_EQ(parameters.outbound_streams, 16);
  EXPECT_EQ(parameters.sack_frequency, 7);
  EXPECT_EQ(parameters.dscp, 46);
  EXPECT_EQ(parameters.rto_min, profile("telecom").rto_min);
}

}  // namespace
}  // namespace sluice::apps
