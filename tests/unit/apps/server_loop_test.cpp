#include "apps/perf/server_loop.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "tests/unit/apps/scripted_application.hpp"

namespace sluice::apps {
namespace {

/// Each event comes with memory lent under a handle of its own: 1, 2, 3 …
class ServerLoopTest : public ::testing::Test {
 protected:
  void take(EventType type) {
    Event& event = application_.next.emplace();
    event.type = type;
    event.begin = event.end = true;
    event.association = AssocId(1);
    event.data = reinterpret_cast<const std::byte*>(kText.data());
    event.length = kText.size();
    event.handle = ++handles_;
    ASSERT_TRUE(loop_.turn());
  }

  using Handles = std::vector<std::uint64_t>;
  static constexpr std::string_view kText = "enough";
  ScriptedApplication application_;
  ServerTotals totals_;
  ServerLoop loop_{application_, totals_};
  std::uint64_t handles_ = 0;
};

TEST_F(ServerLoopTest, GivesBackTheReasonOfAnAbort) {
  take(EventType::association_up);
  take(EventType::association_lost);
  EXPECT_EQ(application_.released, (Handles{1, 2}));
  EXPECT_EQ(totals_.ended, 1u);
}

TEST_F(ServerLoopTest, GivesBackEachMessageOnceWhetherItCouldBeEchoedOrNot) {
  take(EventType::association_up);
  application_.room = 1;
  take(EventType::message);
  take(EventType::message);
  take(EventType::message);
  EXPECT_EQ(application_.released, (Handles{1, 2}));
  application_.room = 1;
  take(EventType::writable);
  EXPECT_EQ(application_.released, (Handles{1, 2, 3, 5}));
  take(EventType::association_lost);
  EXPECT_EQ(application_.released, (Handles{1, 2, 3, 5, 4, 6}));
}

}  // namespace
}  // namespace sluice::apps
