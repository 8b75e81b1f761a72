#include "apps/perf/client_loop.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/unit/apps/scripted_application.hpp"

namespace sluice::apps {
namespace {

/// A client whose associations all come up and take whatever it sends.
class ClientLoopTest : public ::testing::Test {
 protected:
  ClientLoopTest() {
    application_.next.reset();
    application_.once = true;
    application_.connects = true;
    application_.room = UINT32_MAX;
    options_.peers = {"198.18.0.2"};
  }
  void come_up(ClientLoop& loop, std::uint64_t association) {
    Event& event = application_.next.emplace();
    event.type = EventType::association_up;
    event.association = AssocId(association);
    event.streams_out = 10;
    ASSERT_TRUE(loop.turn());
  }

  ScriptedApplication application_;
  PerfOptions options_;
  SpanOfTime active_;
  ClientTotals totals_{active_};
};

TEST_F(ClientLoopTest, ARateIsSharedByAllAssociations) {
  constexpr std::uint64_t kAssociations = 5;
  constexpr std::uint64_t kMessages = 20'000;  // many more than those before all are up
  ClientLoop loop(application_, options_, kAssociations, 200'000, totals_);
  for (std::uint64_t i = 1; i <= kAssociations; ++i) come_up(loop, i);
  std::uint64_t all = 0;
  for (int turns = 0; all < kMessages; ++turns) {
    ASSERT_LT(turns, 1'000'000);
    loop.turn();
    std::this_thread::sleep_for(std::chrono::microseconds(50));  // some ten are due each time
    all = 0;
    for (const auto& [association, messages] : application_.sent) all += messages;
  }
  ASSERT_EQ(application_.sent.size(), kAssociations);
  for (const auto& [association, messages] : application_.sent) {
    EXPECT_GT(messages, all / kAssociations / 2) << association;
    EXPECT_LT(messages, all / kAssociations * 2) << association;
  }
}

TEST_F(ClientLoopTest, WithoutARateEachSendsWhatGoesInATurn) {
  ClientLoop loop(application_, options_, 2, 0, totals_);
  come_up(loop, 1);
  come_up(loop, 2);
  const std::uint64_t before = application_.sent[2];
  loop.turn();
  EXPECT_GE(application_.sent[2], before + 128);
}

}  // namespace
}  // namespace sluice::apps
