// The application apart from the workers: that it sleeps through nothing that it is told. Where an event could be
// missed, there is an hour to wait for it: the test would hang.
#include "stack/socket/ring_application.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>

#include "tests/unit/worker/stack_pair.hpp"

namespace sluice::socket {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::uint16_t kPort = 5000;

class RingApplicationTest : public testing::Test, protected worker::StackPair {
 protected:
  RingApplicationTest() {
    make_stacks();
    b.open(kPort, true);
    application = std::make_unique<RingApplication>(StackConfig{}, a->group());
  }
  ~RingApplicationTest() override {
    with_workers([this] { application.reset(); });
  }

  /// Does `what` while another thread runs the workers of both stacks, and `beside` after each of their turns.
  template <class What, class Beside>
  void with_workers(What&& what, Beside&& beside) {
    const std::jthread loops([&](const std::stop_token& done) {
      while (!done.stop_requested()) {
        a->group().poll_all();
        b->group().poll_all();
        beside();
        std::this_thread::yield();
      }
    });
    what();
  }
  template <class What>
  void with_workers(What&& what) {
    with_workers(what, [] {});
  }

  std::vector<Event> poll() {
    std::vector<Event> events(16);
    events.resize(application->poll(events));
    application->release(events);
    return events;
  }
  /// An association with b.
  AssocId associate() {
    EndpointId endpoint;
    with_workers([&] { endpoint = application->open({}); });
    const IpAddress peer = b->v4();
    EXPECT_TRUE(application->connect(endpoint, std::span(&peer, 1), kPort, 0));
    run(seconds(1));
    const std::vector<Event> events = poll();
    EXPECT_EQ(events.at(0).type, EventType::association_up);
    return events.at(0).association;
  }
  bool readable() {
    pollfd descriptor{application->wait_descriptor(), POLLIN, 0};
    return ::poll(&descriptor, 1, 0) == 1;
  }

  std::unique_ptr<Application> application;
};

TEST_F(RingApplicationTest, TheDescriptorIsReadableForWhatCameBeforeItWasAskedFor) {
  associate();
  ASSERT_EQ(poll().size(), 0u);
  ASSERT_EQ(b.send(b.up(), "one"), assoc::SendStatus::queued);
  run(seconds(1));
  EXPECT_TRUE(readable());
  EXPECT_EQ(poll().size(), 1u);
}

TEST_F(RingApplicationTest, TheDescriptorIsReadableOnceForEachEventThatAnEmptyPollPreceded) {
  associate();
  application->wait_descriptor();
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(poll().size(), 0u);
    EXPECT_FALSE(readable());
    ASSERT_EQ(b.send(b.up(), "one"), assoc::SendStatus::queued);
    run(seconds(1));
    EXPECT_TRUE(readable());
    EXPECT_EQ(poll().size(), 1u);
  }
}

// Memory that came back while nobody had announced himself is seen by a second look only.
TEST_F(RingApplicationTest, WhoWaitsToSendIsNotLetSleepWhenTheMemoryIsBack) {
  const AssocId association = associate();
  const std::array<std::byte, 1000> message{};
  SendResult result = SendResult::queued;
  for (int i = 0; i < 100'000 && result == SendResult::queued; ++i)
    result = application->send(association, StreamId(0), Ppid(0), message);
  ASSERT_EQ(result, SendResult::would_block);
  ASSERT_EQ(poll().size(), 0u);
  run(seconds(60));
  application->wait(hours(1));
  const std::vector<Event> events = poll();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].type, EventType::writable);
}

// What is refused by then is answered by events, which fill their ring; the worker takes nothing until they are taken.
TEST_F(RingApplicationTest, ACallIsNotStuckBehindAnswersThatNobodyPolls) {
  StackConfig config;
  config.limits.events = 64;
  with_workers([&] { application = std::make_unique<RingApplication>(config, a->group()); });
  const AssocId association = associate();
  b.owner(b.up()).abort(b.up(), "gone");
  run(seconds(1));
  const std::array<std::byte, 64> message{};
  std::uint32_t queued = 0;
  for (int round = 0; round < 3; ++round) {
    while (application->send(association, StreamId(0), Ppid(0), message) == SendResult::queued) ++queued;
    run(seconds(1));
  }
  with_workers([&] { application->abort(association, "nobody is there"); });
  std::uint32_t failed = 0;
  for (std::vector<Event> events = poll(); !events.empty(); events = poll()) {
    for (const Event& event : events) failed += event.type == EventType::send_failed ? 1 : 0;
    run(seconds(1));
  }
  EXPECT_EQ(failed, queued);
}

// The race that is lost when an event comes between the look at the rings and the announcement: the look is taken a
// little later each time, so that many of them meet the event.
TEST_F(RingApplicationTest, TheDescriptorMissesNothing) {
  constexpr int kRounds = 20'000;
  associate();
  std::atomic<int> wanted{0};
  int given = 0;
  const auto give = [&] {
    b.take();
    clock.advance_to(clock.now() + std::chrono::milliseconds(1));
    if (given < wanted.load() && b.send(b.up(), "one") == assoc::SendStatus::queued) ++given;
  };
  const auto take = [&] {
    pollfd descriptor{application->wait_descriptor(), POLLIN, 0};
    for (int taken = 0; taken < kRounds;) {
      wanted.store(taken + 1);
      for (int pause = taken % 400; pause > 0; --pause) __builtin_ia32_pause();
      const std::size_t n = poll().size();
      taken += static_cast<int>(n);
      if (n == 0) ::poll(&descriptor, 1, -1);
    }
  };
  with_workers(take, give);
  EXPECT_EQ(given, kRounds);
}

}  // namespace
}  // namespace sluice::socket
