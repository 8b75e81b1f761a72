// Two whole stacks joined by the in-memory wire.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/run_pair.hpp"

namespace sluice::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class PairTest : public testing::TestWithParam<std::uint16_t> {
 protected:
  PairTest() {
    options.workers = GetParam();
    options.steering = drivers::Steering::random;
    a = std::make_unique<sim::SimStack>(wire, clock, 1, options);
    options.name = "b";
    options.host = 2;
    b = std::make_unique<sim::SimStack>(wire, clock, 2, options);
  }

  /// Steps both stacks for `time`, to the next thing that happens each time.
  void run(Duration time) {
    sim::run_pair(clock, wire, *a, *b, clock.now() + time, Duration(1000), [this] {
      take(*a, from_a);
      take(*b, from_b);
      return false;
    });
  }
  void take(sim::SimStack& stack, std::vector<Event>& into) {
    for (std::uint16_t i = 0; i < stack.workers(); ++i) {
      std::vector<Event> events(64);
      events.resize(stack.events(i).poll(events));
      for (Event& event : events) {
        if (event.type == EventType::message)
          messages[&into].emplace_back(reinterpret_cast<const char*>(event.data), event.length);
        if (event.data != nullptr) {
          if (keeping)
            kept.emplace_back(&stack.events(i), event.handle);
          else
            EXPECT_TRUE(stack.events(i).release(event.handle));
          event.data = nullptr;
        }
        into.push_back(event);
      }
    }
  }
  static std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }
  const Event* find(const std::vector<Event>& events, EventType type) {
    for (const Event& event : events)
      if (event.type == type) return &event;
    return nullptr;
  }
  EndpointId listen(sim::SimStack& stack, std::uint16_t port) {
    OpenEndpointArguments arguments;
    arguments.port = port;
    arguments.listen = true;
    return stack.open(arguments);
  }
  /// From an endpoint of a's to b, spread over a's workers.
  EndpointId connect_many(std::size_t associations) {
    listen(*b, 5000);
    const EndpointId endpoint = a->open({});
    ConnectArguments arguments;
    arguments.peers = {b->v4()};
    arguments.port = 5000;
    for (std::size_t i = 0; i < associations; ++i) {
      a->worker(static_cast<std::uint16_t>(i % a->workers())).connect(sim::kInline, endpoint, arguments, i);
      if (i % 50 == 0) run(milliseconds(100));
    }
    run(seconds(1));
    EXPECT_EQ(b->associations(), associations);
    from_b.clear();
    return endpoint;
  }
  std::size_t aborted_at_b() const {
    return static_cast<std::size_t>(std::count_if(from_b.begin(), from_b.end(), [](const Event& event) {
      return event.type == EventType::association_lost && event.reason() == Reason::peer_abort;
    }));
  }
  AssocId connect(const IpAddress& to) {
    listen(*b, 5000);
    const EndpointId endpoint = a->open({});
    ConnectArguments arguments;
    arguments.peers = {to};
    arguments.port = 5000;
    a->worker(static_cast<std::uint16_t>(a->workers() - 1)).connect(sim::kInline, endpoint, arguments, 77);
    run(seconds(1));
    const Event* const up = find(from_a, EventType::association_up);
    EXPECT_NE(up, nullptr);
    return up != nullptr ? up->association : AssocId(0);
  }

  void TearDown() override {
    if (!HasFailure()) return;
    for (auto* stack : {a.get(), b.get()}) {
      if (stack == nullptr) continue;
      for (std::uint16_t i = 0; i < stack->workers(); ++i)
        visit_counters(stack->worker(i).counters(),
                       [&](const char* room, const char* name, const char*, std::uint64_t v) {
                         if (v != 0) std::printf("%s/%u %s.%s %lu\n", stack->name().c_str(), i, room, name, v);
                       });
    }
  }

  base::SimClock clock;
  base::SeededRandom random{5};
  drivers::MemoryWire wire{clock, random};
  sim::SimStackOptions options;
  std::unique_ptr<sim::SimStack> a, b;
  std::vector<Event> from_a, from_b;
  bool keeping = false;  // what is received is not given back
  std::vector<std::pair<InlineEvents*, std::uint64_t>> kept;
  std::map<std::vector<Event>*, std::vector<std::string>> messages;
};

TEST_P(PairTest, ALifeTimeBeginsWithTheSendAndNotWithTheTurnBefore) {
  run(milliseconds(1));
  clock.advance(milliseconds(20));
  EXPECT_EQ(a->worker(0).expiry(milliseconds(10)), clock.now() + milliseconds(10));
  EXPECT_EQ(a->worker(0).expiry({}), kNever);
}

TEST_P(PairTest, AConnectMayHaveParametersOfItsOwn) {  // §11.1.2: the outbound stream count, among others
  listen(*b, 5000);
  const EndpointId endpoint = a->open({});
  ConnectArguments arguments;
  arguments.peers = {b->v4()};
  arguments.port = 5000;
  arguments.has_parameters = true;
  arguments.parameters.outbound_streams = 7;
  a->worker(0).connect(sim::kInline, endpoint, arguments, 7);
  arguments.has_parameters = false;
  a->worker(0).connect(sim::kInline, endpoint, arguments, 8);
  arguments.has_parameters = true;
  arguments.parameters.rto_min = seconds(3) + arguments.parameters.rto_max;
  a->worker(0).connect(sim::kInline, endpoint, arguments, 9);
  run(seconds(1));
  std::map<std::uint64_t, const Event*> answers;
  for (const Event& event : from_a)
    if (event.context != 0) answers[event.context] = &event;
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[7]->streams_out, 7);
  EXPECT_EQ(a->worker(0).parameters(answers[7]->association)->outbound_streams, 7);
  EXPECT_GT(answers[8]->streams_out, 7);
  EXPECT_EQ(a->worker(0).parameters(answers[8]->association)->outbound_streams, Parameters().outbound_streams);
  EXPECT_EQ(answers[9]->type, EventType::connect_failed);
}

TEST_P(PairTest, AMessageGoesEachWay) {
  const AssocId mine = connect(b->v4());
  ASSERT_NE(mine.value, 0u);
  EXPECT_EQ(find(from_a, EventType::association_up)->context, 77u);
  EXPECT_TRUE(find(from_a, EventType::association_up)->active);
  const Event* const up = find(from_b, EventType::association_up);
  ASSERT_NE(up, nullptr);
  EXPECT_FALSE(up->active);
  EXPECT_EQ(a->send(mine, bytes("hello")), assoc::SendStatus::queued);
  EXPECT_EQ(b->send(up->association, bytes("and back")), assoc::SendStatus::queued);
  run(seconds(1));
  EXPECT_EQ(messages[&from_b], std::vector<std::string>{"hello"});
  EXPECT_EQ(messages[&from_a], std::vector<std::string>{"and back"});
}

TEST_P(PairTest, AStackMayGoWhileItsApplicationHoldsMessagesOrHasNotTakenThem) {
  const AssocId mine = connect(b->v4());
  ASSERT_NE(mine.value, 0u);
  keeping = true;
  EXPECT_EQ(a->send(mine, bytes("held")), assoc::SendStatus::queued);
  run(seconds(1));
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(a->send(mine, bytes("not taken")), assoc::SendStatus::queued);
  for (int turn = 0; turn < 100; ++turn) {
    a->group().poll_all();
    b->group().poll_all();
  }
  ASSERT_EQ(kept.front().first->lent(), 2u);
  b.reset();
  a->group().poll_all();
}

TEST_P(PairTest, EventsWaitForAnApplicationThatTakesTheLoopOverLater) {
  constexpr std::size_t kAssociations = 16;
  options.port = b->port_number();
  options.attached = 1;
  b.reset();
  b = std::make_unique<sim::SimStack>(wire, clock, 3, options);
  listen(*b, 5000);
  const EndpointId endpoint = a->open({});
  ConnectArguments arguments;
  arguments.peers = {b->v4()};
  arguments.port = 5000;
  for (std::size_t i = 0; i < kAssociations; ++i) a->worker().connect(sim::kInline, endpoint, arguments, i);
  run(seconds(1));
  for (const Event& event : std::vector<Event>(from_a)) {
    if (event.type != EventType::association_up) continue;
    EXPECT_EQ(a->send(event.association, bytes("early")), assoc::SendStatus::queued);
  }
  run(seconds(1));
  if (GetParam() > 1) {
    EXPECT_LT(messages[&from_b].size(), kAssociations);
  }
  for (std::uint16_t i = options.attached; i < b->workers(); ++i) b->worker(i).attach(b->events(i));
  run(seconds(1));
  EXPECT_EQ(messages[&from_b].size(), kAssociations);
}

// Whichever worker has the directory of the two ports.
TEST_P(PairTest, ACallBetweenTwoTurnsIsWork) {
  const EndpointId endpoint = listen(*a, 6000);
  run(milliseconds(1005));  // not when the links are looked at
  for (std::uint16_t i = 0; i < a->workers(); ++i) {
    ASSERT_FALSE(a->worker(i).has_work());
    ConnectArguments arguments;
    arguments.peers = {b->v4()};
    arguments.port = 5000;
    a->worker(i).connect(sim::kInline, endpoint, arguments, 1);
    EXPECT_TRUE(a->worker(i).has_work());
    EXPECT_TRUE(a->worker(i).poll_once());
    run(milliseconds(10));
  }
}

TEST_P(PairTest, WorksOverIpv6) {
  const AssocId mine = connect(b->v6());
  ASSERT_NE(mine.value, 0u);
  EXPECT_EQ(a->send(mine, bytes("six")), assoc::SendStatus::queued);
  run(seconds(1));
  EXPECT_EQ(messages[&from_b], std::vector<std::string>{"six"});
}

TEST_P(PairTest, ShutdownEndsBothSidesAndLeavesNothingBehind) {
  const AssocId mine = connect(b->v4());
  ASSERT_NE(mine.value, 0u);
  const std::string large(100'000, 'x');
  EXPECT_EQ(a->send(mine, bytes(large)), assoc::SendStatus::queued);
  EXPECT_TRUE(a->worker(owner_of(mine)).shutdown(mine));
  run(seconds(5));
  std::string joined;
  for (const std::string& piece : messages[&from_b]) joined += piece;
  EXPECT_TRUE(joined == large) << joined.size() << " bytes";
  EXPECT_NE(find(from_a, EventType::closed), nullptr);
  EXPECT_NE(find(from_b, EventType::closed), nullptr);
  EXPECT_EQ(a->associations() + b->associations(), 0u);
  EXPECT_EQ(a->buffers_out() + b->buffers_out(), 0u);
  for (sim::SimStack* const stack : {a.get(), b.get()})
    for (std::uint16_t i = 0; i < stack->workers(); ++i) EXPECT_EQ(stack->worker(i).directory_size(), 0u);
}

TEST_P(PairTest, AWindowThatOpensAgainIsToldWithoutAProbe) {
  const AssocId mine = connect(b->v4());
  ASSERT_NE(mine.value, 0u);
  keeping = true;
  for (int i = 0; i < 40; ++i) EXPECT_EQ(a->send(mine, bytes(std::string(50'000, 'w'))), assoc::SendStatus::queued);
  run(milliseconds(500));
  ASSERT_GT(kept.size(), 500u);
  EXPECT_EQ(b->counter("association.window_updates_sent"), 0u);
  const std::size_t before = messages[&from_b].size();
  keeping = false;
  for (const auto& [events, handle] : kept) EXPECT_TRUE(events->release(handle));
  run(milliseconds(50));
  EXPECT_GT(b->counter("association.window_updates_sent"), 0u);
  EXPECT_GT(messages[&from_b].size(), before);
}

TEST_P(PairTest, AnAbortIsSeenByThePeer) {
  const AssocId mine = connect(b->v4());
  ASSERT_NE(mine.value, 0u);
  EXPECT_TRUE(a->worker(owner_of(mine)).abort(mine, "enough"));
  run(seconds(1));
  const Event* const lost = find(from_b, EventType::association_lost);
  ASSERT_NE(lost, nullptr);
  EXPECT_EQ(lost->reason(), Reason::peer_abort);
  EXPECT_EQ(a->associations() + b->associations(), 0u);
}

TEST_P(PairTest, ClosingAnEndpointTellsEveryPeerAFewInEachTurn) {
  constexpr std::size_t kAssociations = 500;
  const EndpointId endpoint = connect_many(kAssociations);
  a->worker().close_endpoint(sim::kInline, endpoint, 1);
  std::uint64_t most = 0;
  for (int turn = 0; turn < 1000 && a->associations() > 0; ++turn) {
    const std::uint64_t before = wire.counters().sent;
    a->group().poll_all();
    most = std::max(most, wire.counters().sent - before);
    take(*a, from_a);
  }
  EXPECT_EQ(a->associations(), 0u);
  EXPECT_LE(most, TurnLimits().endings * a->workers());
  run(seconds(1));
  EXPECT_EQ(aborted_at_b(), kAssociations);
}

// More of them than packets may wait in a worker.
TEST_P(PairTest, ClosingAnEndpointWaitsForTheTransmitRing) {
  constexpr std::size_t kAssociations = 1500;
  const EndpointId endpoint = connect_many(kAssociations);
  wire.set_transmit_stalled(a->port_number(), true);
  a->worker().close_endpoint(sim::kInline, endpoint, 1);
  for (int turn = 0; turn < 100; ++turn) {
    a->group().poll_all();
    take(*a, from_a);
  }
  EXPECT_GT(a->associations(), 0u);
  wire.set_transmit_stalled(a->port_number(), false);
  run(seconds(1));
  EXPECT_EQ(a->associations(), 0u);
  EXPECT_EQ(aborted_at_b(), kAssociations);
}

// A vhost port without a peer, for instance, takes nothing for hours.
TEST_P(PairTest, WorkersSleepWhileFramesWaitForAStalledPort) {
  wire.set_transmit_stalled(a->port_number(), true);
  const EndpointId endpoint = a->open({});
  ConnectArguments arguments;
  arguments.peers = {b->v4()};
  arguments.port = 5000;
  a->worker().connect(sim::kInline, endpoint, arguments, 0);  // needs its peer's neighbour entry
  run(milliseconds(100));
  a->group().poll_all();
  EXPECT_LE(a->group().next_deadline(), clock.now()) << "it may go on at any time";
  run(seconds(2));
  a->group().poll_all();
  EXPECT_GT(a->group().next_deadline(), clock.now());
  wire.set_transmit_stalled(a->port_number(), false);
  run(seconds(2));
  EXPECT_GT(b->counter("ip.rx_arp"), 0u);
}

TEST_P(PairTest, AStackMayGoWhileAssociationsWaitForTheirApplication) {
  options.port = b->port_number();
  options.events = 1;
  b = std::make_unique<sim::SimStack>(wire, clock, 3, options);  // host 2, in place of the other
  OpenEndpointArguments listening;
  listening.port = 5000;
  listening.listen = true;
  listening.backlog = 100;
  b->open(listening);
  const EndpointId endpoint = a->open({});
  ConnectArguments arguments;
  arguments.peers = {b->v4()};
  arguments.port = 5000;
  for (std::uint64_t i = 0; i < 50; ++i) a->worker().connect(sim::kInline, endpoint, arguments, i);
  sim::run_pair(clock, wire, *a, *b, clock.now() + seconds(5), Duration(1000), [this] {
    take(*a, from_a);  // nobody takes what b has to tell
    return false;
  });
  EXPECT_EQ(b->associations(), 50u);
  b.reset();
}

// The ports are reserved, and the endpoint is closed, before the worker that asked for both comes to read of either.
TEST_P(PairTest, AnEndpointMayCloseWhileAConnectWaitsForItsPorts) {
  const EndpointId endpoint = listen(*a, 6000);
  run(milliseconds(1));
  from_a.clear();
  const auto last = static_cast<std::uint16_t>(a->workers() - 1);
  constexpr std::uint64_t kAttempts = 100;  // with as many ports most directories are other workers
  for (std::uint64_t i = 0; i < kAttempts; ++i) {
    ConnectArguments arguments;
    arguments.peers = {b->v4()};
    arguments.port = static_cast<std::uint16_t>(5000 + i);
    a->worker(last).connect(sim::kInline, endpoint, arguments, i);
  }
  a->worker(last).poll_once();
  a->worker().close_endpoint(sim::kInline, endpoint, 1);
  run(seconds(5));
  std::set<std::uint64_t> failed;
  for (const Event& event : from_a)
    if (event.type == EventType::connect_failed) failed.insert(event.context);
  EXPECT_EQ(failed.size(), kAttempts);
  EXPECT_EQ(a->associations(), 0u);
  a->check_pools();
}

TEST_P(PairTest, AConnectToAClosedPortIsRefused) {
  const EndpointId endpoint = a->open({});
  ConnectArguments arguments;
  arguments.peers = {b->v4()};
  arguments.port = 5999;
  a->worker().connect(sim::kInline, endpoint, arguments, 3);
  run(seconds(1));
  const Event* const failed = find(from_a, EventType::connect_failed);
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->context, 3u);
  EXPECT_EQ(failed->reason(), Reason::refused);
  EXPECT_EQ(a->associations(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Workers, PairTest, testing::Values(1, 2, 8));

}  // namespace
}  // namespace sluice::worker
