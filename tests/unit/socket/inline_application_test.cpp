// An application in its worker's own loop: that its calls wait for nothing that only it could take away.
#include "stack/socket/inline_application.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "tests/unit/drivers/dpdk_environment.hpp"
#include "tests/unit/worker/stack_pair.hpp"

namespace sluice::socket {
namespace {

using std::chrono::seconds;

constexpr std::uint16_t kPort = 5000;

class InlineApplicationTest : public testing::Test, protected worker::StackPair {
 protected:
  InlineApplicationTest() {
    drivers::test::eal();
    options.attached = 0;
    make_stacks();
    b->group().worker(0).attach(b->events(0));
    b.open(kPort, true);
    config.limits.events = 64;
    runners.emplace(a->group());
    seat.emplace(config);
    application = std::make_unique<InlineApplication>(config, a->group(), *runners, std::uint16_t{0}, *seat);
  }

  ~InlineApplicationTest() override {
    application.reset();
    a.stack.reset();  // before the seat
  }

  std::vector<EventType> poll() {
    std::vector<EventType> types;
    std::array<Event, 16> events;
    for (std::size_t n = application->poll(events); n > 0; n = application->poll(events)) {
      for (const Event& event : std::span(events).first(n))
        if (event.type != EventType::path_changed) types.push_back(event.type);
      application->release(std::span(events).first(n));
    }
    return types;
  }
  AssocId associate() {
    endpoint = application->open({});
    const IpAddress peer = b->v4();
    EXPECT_TRUE(application->connect(endpoint, std::span(&peer, 1), kPort, 0));
    run(seconds(1));
    std::array<Event, 1> events;
    EXPECT_EQ(application->poll(events), 1u);
    EXPECT_EQ(events[0].type, EventType::association_up);
    return events[0].association;
  }

  StackConfig config;
  std::optional<LoopRunners> runners;
  std::optional<InlineSeat> seat;
  std::unique_ptr<Application> application;
  EndpointId endpoint;
};

TEST_F(InlineApplicationTest, AnEndpointClosesThoughEventsWait) {
  associate();
  const auto multicast = IpAddress::parse("224.0.0.1");
  EXPECT_TRUE(application->connect(endpoint, std::span(&*multicast, 1), kPort, 0));
  EXPECT_NO_THROW(application->close(endpoint));
  EXPECT_EQ(poll(), (std::vector{EventType::connect_failed, EventType::association_lost}));
}

TEST_F(InlineApplicationTest, AnEndpointClosesThoughMoreIsToBeToldThanTheRingTakes) {
  const AssocId association = associate();
  wire.set_link(b->port_number(), false);
  const std::array<std::byte, 100> message{};
  std::size_t queued = 0;
  while (queued < 1000 && application->send(association, StreamId(0), Ppid(0), message) == SendResult::queued) ++queued;
  ASSERT_GT(queued, config.limits.events);
  EXPECT_NO_THROW(application->close(endpoint));
  std::vector<EventType> told(queued, EventType::send_failed);
  told.push_back(EventType::association_lost);
  EXPECT_EQ(poll(), told);
}

TEST_F(InlineApplicationTest, AnApplicationLeavesThoughEventsWait) {
  const AssocId association = associate();
  wire.set_link(b->port_number(), false);
  const std::array<std::byte, 100> message{};
  for (int i = 0; i < 1000; ++i) static_cast<void>(application->send(association, StreamId(0), Ppid(0), message));
  application.reset();
  EXPECT_EQ(a->associations(), 0u);
}

}  // namespace
}  // namespace sluice::socket
