#include "apps/perf/client_loop.hpp"

#include <gtest/gtest.h>
#include <sluice/error.hpp>

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
  Event& tell(EventType type, std::uint64_t association) {
    Event& event = application_.next.emplace();
    event.type = type;
    event.association = AssocId(association);
    return event;
  }
  void come_up(ClientLoop& loop, std::uint64_t association) {
    Event& event = tell(EventType::association_up, association);
    event.streams_out = event.streams_in = 10;
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

TEST_F(ClientLoopTest, WhatHasNoAnswerWhenItGivesUpIsLost) {
  options_.latency = true;
  options_.window = 8;
  ClientLoop loop(application_, options_, 1, 0, totals_);
  come_up(loop, 1);
  loop.turn();
  ASSERT_EQ(application_.sent[1], 8u);
  loop.give_up("nothing happened");
  EXPECT_EQ(totals_.lost, 8u);
  ASSERT_EQ(totals_.problems.size(), 1u);
  EXPECT_NE(totals_.problems[0].find("does the peer send back what it gets?"), std::string::npos);
}

TEST_F(ClientLoopTest, WithoutARateEachSendsWhatGoesInATurn) {
  ClientLoop loop(application_, options_, 2, 0, totals_);
  come_up(loop, 1);
  come_up(loop, 2);
  const std::uint64_t before = application_.sent[2];
  loop.turn();
  EXPECT_GE(application_.sent[2], before + 128);
}

TEST_F(ClientLoopTest, AttemptsThatFailMakeRoomForTheRest) {
  constexpr std::uint32_t kAssociations = 1000;
  ClientLoop loop(application_, options_, kAssociations, 0, totals_);
  for (std::uint32_t i = 1; i <= kAssociations; ++i) {
    tell(EventType::connect_failed, i);
    ASSERT_TRUE(loop.turn());
    ASSERT_LT(application_.attempts - i, 256u);
  }
  EXPECT_EQ(application_.attempts, kAssociations);
  EXPECT_TRUE(loop.done());
}

TEST_F(ClientLoopTest, WhoseAnswersWouldComeOnMissingStreamsIsToldSo) {
  options_.latency = true;
  options_.workload.streams = 11;
  ClientLoop loop(application_, options_, 1, 0, totals_);
  Event& event = tell(EventType::association_up, 1);
  event.streams_out = 11;
  event.streams_in = 10;
  try {
    loop.turn();
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "the peer sends on 10 streams, not 11; give --streams 10 or raise parameters.outbound_streams there");
  }
}

TEST_F(ClientLoopTest, WhatWasReportedIsNotLostWhenTheAssociationIsAborted) {
  options_.messages = 20;
  ClientLoop loop(application_, options_, 1, 0, totals_);
  come_up(loop, 1);
  Report report;
  report.findings.messages = 19;
  Event& event = tell(EventType::message, 1);
  event.ppid = Ppid(kReportPpid);
  event.data = as_message(report).data();
  event.length = sizeof report;
  ASSERT_TRUE(loop.turn());
  tell(EventType::association_lost, 1);
  ASSERT_TRUE(loop.turn());
  EXPECT_EQ(totals_.lost, 1u);
  EXPECT_EQ(totals_.problems.size(), 1u);
}

TEST_F(ClientLoopTest, WithoutAReportAllIsLostAndWithLatencyWhatWasNotAnswered) {
  options_.messages = 20;
  for (const bool latency : {false, true}) {
    totals_.lost = 0;
    options_.latency = latency;
    options_.window = 7;
    ClientLoop loop(application_, options_, 1, 0, totals_);
    come_up(loop, 1);
    tell(EventType::association_lost, 1);
    ASSERT_TRUE(loop.turn());
    EXPECT_EQ(totals_.lost, latency ? 7u : 20u);
  }
}

}  // namespace
}  // namespace sluice::apps
