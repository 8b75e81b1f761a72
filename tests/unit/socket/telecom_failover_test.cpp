// Two whole stacks with two networks between them and the profile `telecom`, under a steady load in virtual time: how
// long a failing network delays messages.
#include <gtest/gtest.h>
#include <sluice/config.hpp>

#include <cstring>
#include <vector>

#include "tests/sim/run_pair.hpp"

namespace sluice {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint16_t kPort = 2905;
constexpr Duration kInterval = microseconds(100);  // between two messages
constexpr std::size_t kMessageBytes = 64;

class TelecomFailover : public testing::TestWithParam<milliseconds> {
 protected:
  TelecomFailover() {
    options.ports = 2;
    options.config.parameters = profile("telecom");
    a = std::make_unique<sim::SimStack>(wire, clock, 1, options);
    options.name = "b";
    options.host = 2;
    b = std::make_unique<sim::SimStack>(wire, clock, 2, options);
    drivers::WireConditions conditions;
    conditions.delay = GetParam();
    wire.set_conditions(conditions);
    connect();
  }

  void connect() {
    worker::OpenEndpointArguments listening;
    listening.port = kPort;
    listening.listen = true;
    b->open(listening);
    worker::ConnectArguments peer;
    peer.peers = {b->v4(0), b->v4(1)};
    peer.port = kPort;
    a->worker().connect(sim::kInline, a->open({}), peer, 0);
    run_until(clock.now() + seconds(3));  // until both paths are confirmed
    ASSERT_NE(association.value, 0u);
  }

  /// Steps both stacks, to the next thing that happens each time.
  void run_until(Timestamp end) {
    sim::run_pair(clock, wire, *a, *b, end, microseconds(50), [this] {
      take(*a);
      take(*b);
      return false;
    });
  }
  /// And a sends 10 000 messages a second, each with the time of its sending.
  void load(Duration time) {
    const Timestamp end = clock.now() + time;
    for (Timestamp next = clock.now(); next < end; next += kInterval) {
      run_until(next);
      std::vector<std::byte> message(kMessageBytes);
      std::memcpy(message.data(), &next, sizeof next);
      ASSERT_EQ(a->send(association, message), assoc::SendStatus::queued);
      ++sent;
    }
  }

  void take(sim::SimStack& stack) {
    std::vector<Event> events(64);
    events.resize(stack.events().poll(events));
    for (const Event& event : events) {
      if (event.type == EventType::association_up && &stack == a.get()) association = event.association;
      EXPECT_NE(event.type, EventType::association_lost);
      if (event.type != EventType::message) continue;
      Timestamp sent_at;
      std::memcpy(&sent_at, event.data, sizeof sent_at);
      longest = std::max(longest, clock.now() - sent_at);
      ++received;
      EXPECT_TRUE(stack.events().release(event.handle));
    }
  }

  std::uint16_t primary() {
    assoc::Snapshot snapshot;
    EXPECT_TRUE(a->worker().snapshot(association, snapshot));
    for (const assoc::PathSnapshot& path : snapshot.paths)
      if (path.primary) return path.destination == b->v4(0) ? 0 : 1;
    ADD_FAILURE() << "no primary path";
    return 0;
  }
  void fall_silent(std::uint16_t network) {
    drivers::WireConditions conditions;
    conditions.down = true;
    wire.set_conditions(a->port_number(network), b->port_number(network), conditions);
    wire.set_conditions(b->port_number(network), a->port_number(network), conditions);
  }

  /// The longest delay of a message, by a load of which `fault` strikes the middle.
  template <class Fault>
  Duration delay_by(Fault&& fault) {
    load(milliseconds(500));
    EXPECT_EQ(primary(), 0);
    EXPECT_LT(longest, milliseconds(50));  // without a fault
    EXPECT_EQ(a->counter("association.failovers"), 0u);
    fault();
    load(milliseconds(1500));
    run_until(clock.now() + seconds(2));
    EXPECT_EQ(received, sent);
    EXPECT_GT(a->counter("association.failovers"), 0u);
    const double ms = std::chrono::duration<double, std::milli>(longest).count();
    std::printf("longest delay %.1f ms of virtual time, %.1f ms of which are the way\n", ms,
                std::chrono::duration<double, std::milli>(GetParam()).count());
    return longest;
  }

  base::SimClock clock;
  base::SeededRandom random{5};
  drivers::MemoryWire wire{clock, random};
  sim::SimStackOptions options;
  std::unique_ptr<sim::SimStack> a, b;
  AssocId association;
  Duration longest{};
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
};

TEST_P(TelecomFailover, SilenceOnThePrimaryPathDelaysNoMessageByHalfASecond) {
  EXPECT_LE(delay_by([this] { fall_silent(0); }), milliseconds(500));
}

TEST_P(TelecomFailover, SilenceOneWayDelaysNoMessageByHalfASecond) {
  EXPECT_LE(delay_by([this] {
              drivers::WireConditions conditions;
              conditions.down = true;
              wire.set_conditions(a->port_number(0), b->port_number(0), conditions);
            }),
            milliseconds(500));
}

TEST_P(TelecomFailover, APulledCableDelaysNoMessageByFiftyMilliseconds) {
  EXPECT_LE(delay_by([this] {
              wire.set_link(a->port_number(0), false);
              wire.set_link(b->port_number(0), false);
            }),
            milliseconds(50));
}

// The other side does not see it. What was under way arrives there and is acknowledged, which says nothing about the
// path any more.
TEST_P(TelecomFailover, ACablePulledAtTheSenderAloneDelaysNoMessageByFiftyMilliseconds) {
  EXPECT_LE(delay_by([this] { wire.set_link(a->port_number(0), false); }), milliseconds(50));
}

INSTANTIATE_TEST_SUITE_P(WayOf, TelecomFailover, testing::Values(milliseconds(1), milliseconds(5)),
                         [](const auto& way) { return std::to_string(way.param.count()) + "ms"; });

}  // namespace
}  // namespace sluice
