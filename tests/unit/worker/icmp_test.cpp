// ICMP errors find the association that they are about, whichever worker has it (RFC 9260 §10).
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/sim/mtu_router.hpp"
#include "tests/sim/run_pair.hpp"

namespace sluice::worker {
namespace {

using std::chrono::seconds;

class IcmpTest : public testing::TestWithParam<std::uint16_t> {
 protected:
  static constexpr std::uint16_t kNarrow = 1300;

  IcmpTest() {
    sim::SimStackOptions options;
    options.workers = GetParam();
    options.steering = drivers::Steering::random;
    a = std::make_unique<sim::SimStack>(wire, clock, 1, options);
    options.name = "b";
    options.host = 2;
    b = std::make_unique<sim::SimStack>(wire, clock, 2, options);
    router = std::make_unique<sim::MtuRouter>(wire, std::uint16_t{0});
    wire.set_tap([this](const drivers::WireEvent& event) {
      constexpr std::size_t kEthernet = 14;
      if (event.fate == drivers::WireFate::lost && event.frame.size() > kNarrow + kEthernet)
        router->dropped(event.frame, kNarrow);
    });
  }

  void run(Duration time) {
    sim::run_pair(clock, wire, *a, *b, clock.now() + time, Duration(1000), [this] {
      const bool told = router->step();
      take(*a);
      take(*b);
      return told;
    });
  }
  void take(sim::SimStack& stack) {
    for (std::uint16_t i = 0; i < stack.workers(); ++i) {
      std::vector<Event> events(64);
      events.resize(stack.events(i).poll(events));
      for (const Event& event : events) {
        if (event.type == EventType::association_up && event.active) association = event.association;
        if (event.type == EventType::message) bytes_received += event.length;
        if (event.data != nullptr) {
          EXPECT_TRUE(stack.events(i).release(event.handle));
        }
      }
    }
  }
  void connect(const IpAddress& peer) {
    OpenEndpointArguments listening;
    listening.port = 5000;
    listening.listen = true;
    b->open(listening);
    ConnectArguments arguments;
    arguments.peers = {peer};
    arguments.port = 5000;
    a->worker(static_cast<std::uint16_t>(a->workers() - 1)).connect(sim::kInline, a->open({}), arguments, 1);
    run(seconds(1));
    ASSERT_NE(association.value, 0u);
  }
  void send_through_the_narrow(const IpAddress& peer) {
    connect(peer);
    drivers::WireConditions narrow;
    narrow.mtu = kNarrow;
    wire.set_conditions(narrow);
    const std::string message(20'000, 'm');
    EXPECT_EQ(a->send(association, std::as_bytes(std::span(message))), assoc::SendStatus::queued);
    run(seconds(1));
    EXPECT_EQ(bytes_received, message.size());
    EXPECT_EQ(a->counter("association.path_mtus_lowered"), 1u);
    assoc::Snapshot snapshot;
    ASSERT_TRUE(a->worker(owner_of(association)).snapshot(association, snapshot));
    EXPECT_EQ(snapshot.paths[0].pmtu, kNarrow);
  }

  base::SimClock clock;
  base::SeededRandom random{5};
  drivers::MemoryWire wire{clock, random};
  std::unique_ptr<sim::SimStack> a, b;
  std::unique_ptr<sim::MtuRouter> router;
  AssocId association;
  std::uint64_t bytes_received = 0;
};

TEST_P(IcmpTest, ARoutersWordLowersThePathMtuOverIpv4) {
  send_through_the_narrow(b->v4());
}

TEST_P(IcmpTest, ARoutersWordLowersThePathMtuOverIpv6) {
  send_through_the_narrow(b->v6());
}

INSTANTIATE_TEST_SUITE_P(Workers, IcmpTest, testing::Values(1, 2, 8));

}  // namespace
}  // namespace sluice::worker
