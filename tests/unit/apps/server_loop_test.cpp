#include "apps/perf/server_loop.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace sluice::apps {
namespace {

/// Hands out one event at a time, and says of a message what the test wants it to.
class ScriptedApplication : public Application {
 public:
  std::size_t poll(std::span<Event> events) override {
    events[0] = next;
    return 1;
  }
  void release(std::span<const Event> events) override {
    for (const Event& event : events) released.push_back(event.handle);
  }
  SendResult send(AssocId, StreamId, Ppid, std::span<const std::byte>, const SendOptions&) override {
    if (room == 0) return SendResult::would_block;
    --room;
    return SendResult::queued;
  }

  EndpointId open(const EndpointOptions&) override { return {}; }
  void close(EndpointId) override {}
  std::uint16_t local_port(EndpointId) const override { return 0; }
  bool connect(EndpointId, std::span<const IpAddress>, std::uint16_t, std::uint64_t,
               const std::optional<Parameters>&) override {
    return false;
  }
  void shutdown(AssocId) override {}
  void abort(AssocId, std::string_view) override {}
  void wait(Duration) override {}
  int wait_descriptor() override { return -1; }
  bool set_primary(AssocId, PathId) override { return false; }
  bool request_heartbeat(AssocId, PathId) override { return false; }
  bool set_path(AssocId, PathId, const PathOptions&) override { return false; }
  bool set_parameters(AssocId, const Parameters&) override { return false; }
  void set_parameters(EndpointId, const Parameters&) override {}
  std::optional<Parameters> parameters(AssocId) override { return {}; }
  std::optional<AssociationStatus> status(AssocId) override { return {}; }

  Event next;
  std::uint32_t room = 0;  // for messages
  std::vector<std::uint64_t> released;
};

/// Each event comes with memory lent under a handle of its own: 1, 2, 3 …
class ServerLoopTest : public ::testing::Test {
 protected:
  void take(EventType type) {
    Event& event = application_.next;
    event = {};
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
