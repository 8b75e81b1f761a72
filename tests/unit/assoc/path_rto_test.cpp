#include <gtest/gtest.h>

#include "stack/assoc/path/rto.hpp"

namespace sluice::assoc {
namespace {

using namespace std::chrono_literals;

Parameters wide() {
  Parameters parameters;
  parameters.rto_min = 1ms;
  return parameters;
}

TEST(Rto, IsInitialUntilTheFirstSample) {
  Parameters parameters;
  parameters.rto_initial = 3s;
  const Rto rto(parameters);
  EXPECT_EQ(rto.value(), 3s);
  EXPECT_FALSE(rto.measured());
}

TEST(Rto, FirstSampleSetsSrttAndHalfOfItAsVariation) {
  Rto rto(wide());
  rto.sample(200ms, wide());
  EXPECT_EQ(rto.srtt(), 200ms);
  EXPECT_EQ(rto.rttvar(), 100ms);
  EXPECT_EQ(rto.value(), 600ms);
}

TEST(Rto, LaterSamplesMoveByAlphaAndBetaWithTheOldSrtt) {
  Rto rto(wide());
  rto.sample(200ms, wide());
  rto.sample(280ms, wide());
  // RTTVAR = 3/4 * 100 + 1/4 * |200 - 280| = 95; SRTT = 7/8 * 200 + 1/8 * 280 = 210
  EXPECT_EQ(rto.rttvar(), 95ms);
  EXPECT_EQ(rto.srtt(), 210ms);
  EXPECT_EQ(rto.value(), 590ms);
  rto.sample(50ms, wide());
  EXPECT_EQ(rto.rttvar(), 95ms + (160ms - 95ms) / 4.0);
  EXPECT_EQ(rto.srtt(), 190ms);
}

TEST(Rto, ShiftsOfTheParametersAreUsed) {
  Parameters parameters = wide();
  parameters.rto_alpha_shift = 1;
  parameters.rto_beta_shift = 1;
  Rto rto(parameters);
  rto.sample(200ms, parameters);
  rto.sample(300ms, parameters);
  EXPECT_EQ(rto.srtt(), 250ms);
  EXPECT_EQ(rto.rttvar(), 100ms);
}

TEST(Rto, GrowsByWhatWasMeasuredIfBackOffIsLinear) {
  Parameters parameters = wide();
  parameters.rto_linear_back_off = true;
  parameters.rto_max = 1500ms;
  Rto rto(parameters);
  rto.sample(200ms, parameters);
  ASSERT_EQ(rto.value(), 600ms);
  rto.back_off(parameters);
  EXPECT_EQ(rto.value(), 1200ms);
  rto.back_off(parameters);
  EXPECT_EQ(rto.value(), 1500ms);
}

TEST(Rto, FollowsOtherParameters) {
  Parameters parameters;
  Rto unmeasured(parameters);
  Rto rto(parameters);
  rto.sample(10ms, parameters);
  ASSERT_EQ(rto.value(), 1s);
  parameters.rto_initial = 200ms;
  parameters.rto_min = 100ms;
  parameters.rto_max = 400ms;
  rto.adapt(parameters);
  unmeasured.adapt(parameters);
  EXPECT_EQ(rto.value(), 400ms);
  EXPECT_EQ(unmeasured.value(), 200ms);
  rto.sample(10ms, parameters);
  EXPECT_EQ(rto.value(), 100ms);
}

TEST(Rto, IsKeptBetweenMinAndMax) {
  Parameters parameters;
  parameters.rto_max = 2s;
  Rto rto(parameters);
  rto.sample(10ms, parameters);
  EXPECT_EQ(rto.value(), parameters.rto_min);
  rto.sample(5s, parameters);
  EXPECT_EQ(rto.value(), 2s);
}

TEST(Rto, VariationOfNothingBecomesTheGranularity) {
  Rto rto(wide());
  rto.sample(0ns, wide());
  EXPECT_EQ(rto.rttvar(), Rto::kGranularity);
  EXPECT_TRUE(rto.measured());
}

TEST(Rto, BackOffDoublesUpToMaxAndASampleUndoesIt) {
  Parameters parameters;
  parameters.rto_max = 3s;
  Rto rto(parameters);
  rto.sample(400ms, parameters);
  ASSERT_EQ(rto.value(), 1200ms);
  rto.back_off(parameters);
  EXPECT_EQ(rto.value(), 2400ms);
  rto.back_off(parameters);
  EXPECT_EQ(rto.value(), 3s);
  rto.sample(400ms, parameters);
  EXPECT_EQ(rto.value(), 1s);
}

}  // namespace
}  // namespace sluice::assoc
