#include "apps/perf/server_loop.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "tests/unit/apps/scripted_application.hpp"

namespace sluice::apps {
namespace {

/// Each event comes with memory lent under a handle of its own: 1, 2, 3 …
class ServerLoopTest : public ::testing::Test {
 protected:
  void take(EventType type, Ppid ppid = {}, std::span<const std::byte> bytes = std::as_bytes(std::span(kText))) {
    Event& event = application_.next.emplace();
    event.type = type;
    event.begin = event.end = true;
    event.association = AssocId(1);
    event.ppid = ppid;
    event.data = bytes.data();
    event.length = static_cast<std::uint32_t>(bytes.size());
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

TEST_F(ServerLoopTest, CountsWhatCouldNotBeEchoed) {
  take(EventType::association_up);
  application_.refuses = SendResult::invalid_stream;
  take(EventType::message);
  EXPECT_EQ(totals_.echo_failures.missed(), 1u);
  application_.refuses = SendResult::not_connected;
  take(EventType::message);
  EXPECT_EQ(totals_.echo_failures.missed(), 1u);
  EXPECT_EQ(totals_.echo_failures.sentences().size(), 2u);
  EXPECT_EQ(application_.released, (Handles{1, 2, 3}));
}

TEST_F(ServerLoopTest, TakesAHelloOnlyIfAClientWouldSendIt) {
  take(EventType::association_up);
  application_.room = 10;
  Hello hello = hello_of(Workload{});
  hello.unordered = 2;
  take(EventType::message, Ppid(kHelloPpid), as_message(hello));
  EXPECT_EQ(totals_.echoed, 1u);
  hello.unordered = 1;
  take(EventType::message, Ppid(kHelloPpid), as_message(hello));
  EXPECT_EQ(totals_.echoed, 1u);
}

}  // namespace
}  // namespace sluice::apps
