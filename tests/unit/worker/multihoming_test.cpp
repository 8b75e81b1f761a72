// Two whole stacks with two ports each: what becomes of their associations when paths fail and heal.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <map>
#include <set>
#include <vector>

#include "stack/wire/chunk_data.hpp"
#include "tests/sim/run_pair.hpp"
#include "tests/sim/sctp_frame.hpp"

namespace sluice::worker {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::ChunkType;

constexpr std::uint16_t kPort = 5000;

/// What one side sent to one address of the other.
struct Sent {
  std::uint32_t new_data = 0;  // DATA chunks for the first time
  std::uint32_t again = 0;     // and those that had been sent before
  std::uint32_t sacks = 0;
  std::uint32_t heartbeats = 0;
};

class MultihomingTest : public testing::TestWithParam<std::uint16_t> {
 protected:
  MultihomingTest() {
    options.workers = GetParam();
    options.ports = 2;
    options.steering = drivers::Steering::random;
    Parameters& parameters = options.config.parameters;
    parameters.rto_initial = milliseconds(200);
    parameters.rto_min = milliseconds(100);
    parameters.rto_max = seconds(1);
    parameters.heartbeat_interval = seconds(1);
    parameters.path_max_retransmissions = 2;
    parameters.association_max_retransmissions = 12;
    parameters.sack_delay = milliseconds(40);
    wire.set_tap([this](const drivers::WireEvent& event) { on_wire(event); });
  }

  void make_stacks() {
    a = std::make_unique<sim::SimStack>(wire, clock, 1, options);
    options.name = "b";
    options.host = 2;
    b = std::make_unique<sim::SimStack>(wire, clock, 2, options);
    for (const std::uint16_t path : {0, 1}) set_path(path, {}, {});
  }
  /// What happens to packets to b, and to those to a.
  void set_path(std::uint16_t path, drivers::WireConditions there, drivers::WireConditions back) {
    there.delay = back.delay = milliseconds(5);
    wire.set_conditions(a->port_number(path), b->port_number(path), there);
    wire.set_conditions(b->port_number(path), a->port_number(path), back);
  }
  static drivers::WireConditions down() {
    drivers::WireConditions conditions;
    conditions.down = true;
    return conditions;
  }
  void cut(std::uint16_t path) { set_path(path, down(), down()); }
  void heal(std::uint16_t path) { set_path(path, {}, {}); }

  /// An endpoint with all IPv4 addresses of `stack`.
  EndpointId open(sim::SimStack& stack, bool listening) {
    OpenEndpointArguments arguments;
    arguments.addresses = {stack.v4(0), stack.v4(1)};
    arguments.port = listening ? kPort : 0;
    arguments.listen = listening;
    return stack.open(arguments);
  }
  /// a opens an association to b, of which it knows `peers`.
  void connect(const assoc::AddressList& peers) {
    open(*b, true);
    ConnectArguments arguments;
    arguments.peers = peers;
    arguments.port = kPort;
    a->worker(static_cast<std::uint16_t>(a->workers() - 1)).connect(sim::kInline, open(*a, false), arguments, 0);
    run(seconds(1));
    ASSERT_NE(association.value, 0u);
    ASSERT_NE(accepted.value, 0u);
  }
  void connect() {
    make_stacks();
    connect({b->v4(0), b->v4(1)});
  }

  /// Steps both stacks for `time`, to the next thing that happens each time.
  void run(Duration time) {
    sim::run_pair(clock, wire, *a, *b, clock.now() + time, microseconds(50), [this] {
      take(*a);
      take(*b);
      return false;
    });
  }
  /// And a sends a numbered message each 10 ms.
  void load(Duration time) {
    const Timestamp end = clock.now() + time;
    while (clock.now() < end) {
      send(100);
      run(milliseconds(10));
    }
  }
  void send(std::size_t bytes) {
    std::vector<std::byte> message(bytes);
    std::memcpy(message.data(), &sent_messages, sizeof sent_messages);
    ++sent_messages;
    ASSERT_EQ(a->send(association, message), assoc::SendStatus::queued);
  }

  void take(sim::SimStack& stack) {
    for (std::uint16_t i = 0; i < stack.workers(); ++i) {
      std::vector<Event> events(64);
      events.resize(stack.events(i).poll(events));
      for (const Event& event : events) {
        if (event.type == EventType::association_up) (&stack == a.get() ? association : accepted) = event.association;
        if (event.type == EventType::association_lost) lost.push_back(event.reason());
        if (event.type == EventType::path_changed && &stack == a.get())
          changes.emplace_back(event.path, event.path_state);
        if (event.type == EventType::message && event.begin) {
          std::uint32_t number = 0;
          std::memcpy(&number, event.data, sizeof number);
          EXPECT_EQ(number, received_messages++);
        }
        if (event.data != nullptr) {
          EXPECT_TRUE(stack.events(i).release(event.handle));
        }
      }
    }
  }

  void on_wire(const drivers::WireEvent& event) {
    const auto sctp = event.fate == drivers::WireFate::sent ? sim::sctp_in(event.frame) : std::nullopt;
    if (!sctp) return;
    Sent& there = sent[sctp->destination];
    wire::ChunkWalker walker = wire::chunks_of(sctp->packet);
    while (const auto chunk = walker.next()) {
      if (chunk->type == ChunkType::sack) ++there.sacks;
      if (chunk->type == ChunkType::heartbeat) ++there.heartbeats;
      if (const auto data = chunk->type == ChunkType::data ? wire::DataChunk::parse(*chunk) : std::nullopt)
        ++(tsns.insert(data->tsn().value()).second ? there.new_data : there.again);
    }
  }
  Sent to_b(std::uint16_t path) { return sent[b->v4(path)]; }
  Sent to_a(std::uint16_t path) { return sent[a->v4(path)]; }

  assoc::Snapshot status() {
    assoc::Snapshot snapshot;
    EXPECT_TRUE(a->worker(owner_of(association)).snapshot(association, snapshot));
    return snapshot;
  }
  PathState state_of(std::uint16_t path) {
    for (const assoc::PathSnapshot& shown : status().paths)
      if (shown.destination == b->v4(path)) return shown.state;
    ADD_FAILURE() << "no such path";
    return PathState::unconfirmed;
  }
  void expect_all_arrived() {
    EXPECT_EQ(received_messages, sent_messages);
    EXPECT_TRUE(lost.empty());
    EXPECT_EQ(status().buffered_bytes, 0u);
  }
  /// All new data of a goes to `path` alone.
  void expect_all_data_on(std::uint16_t path) {
    sent.clear();
    load(seconds(2));
    EXPECT_GE(to_b(path).new_data, 190u);
    EXPECT_EQ(to_b(static_cast<std::uint16_t>(1 - path)).new_data, 0u);
  }

  base::SimClock clock;
  base::SeededRandom random{5};
  drivers::MemoryWire wire{clock, random};
  sim::SimStackOptions options;
  std::unique_ptr<sim::SimStack> a, b;
  AssocId association, accepted;
  std::vector<Reason> lost;
  std::vector<std::pair<PathId, PathState>> changes;  // at a
  std::map<IpAddress, Sent> sent;
  std::set<std::uint32_t> tsns;
  std::uint32_t sent_messages = 0;
  std::uint32_t received_messages = 0;
};

TEST_P(MultihomingTest, BothPathsAreConfirmedAndTheFirstIsUsed) {
  connect();
  EXPECT_EQ(state_of(0), PathState::active);
  EXPECT_EQ(state_of(1), PathState::active);
  expect_all_data_on(0);
  run(seconds(1));
  expect_all_arrived();
}

TEST_P(MultihomingTest, TrafficLeavesABlackHoledPrimaryAndReturnsWhenItHeals) {
  connect();
  load(seconds(1));
  cut(0);
  load(seconds(10));
  EXPECT_NE(state_of(0), PathState::active);
  expect_all_data_on(1);
  EXPECT_GT(a->counter("association.failovers"), 0u);
  heal(0);
  load(seconds(10));
  EXPECT_EQ(state_of(0), PathState::active);
  expect_all_data_on(0);
  run(seconds(1));
  expect_all_arrived();
  ASSERT_GE(changes.size(), 2u);
  EXPECT_NE(changes.front(), std::pair(PathId(0), PathState::active));
  EXPECT_EQ(changes.back(), std::pair(PathId(0), PathState::active));
}

TEST_P(MultihomingTest, WhatWasLostGoesAgainOnTheOtherPath) {
  connect();
  cut(0);
  send(100);
  run(seconds(1));
  EXPECT_EQ(to_b(0).new_data, 1u);
  EXPECT_EQ(to_b(0).again, 0u);
  EXPECT_EQ(to_b(1).again, 1u);
  expect_all_arrived();
}

TEST_P(MultihomingTest, AFailureOfTheOtherPathChangesNothing) {
  connect();
  cut(1);
  load(seconds(10));
  EXPECT_EQ(state_of(1), PathState::inactive);
  expect_all_data_on(0);
  EXPECT_EQ(status().data_chunks_retransmitted, 0u);
  heal(1);
  load(seconds(5));
  EXPECT_EQ(state_of(1), PathState::active);
  run(seconds(1));
  expect_all_arrived();
}

TEST_P(MultihomingTest, BothPathsMayFailForAWhile) {
  connect();
  load(seconds(1));
  cut(0);
  cut(1);
  load(seconds(2));
  heal(1);
  load(seconds(3));
  heal(0);
  load(seconds(5));
  expect_all_data_on(0);
  run(seconds(1));
  expect_all_arrived();
}

TEST_P(MultihomingTest, BothPathsMayNotFailForGood) {
  connect();
  load(seconds(1));
  cut(0);
  cut(1);
  send(100);
  run(seconds(30));
  ASSERT_FALSE(lost.empty());
  for (const Reason reason : lost) EXPECT_EQ(reason, Reason::retransmissions);
  EXPECT_EQ(a->associations(), 0u);
}

TEST_P(MultihomingTest, TrafficLeavesAPathOnWhichDataIsLost) {
  connect();
  set_path(0, down(), {});
  load(seconds(10));
  expect_all_data_on(1);
  heal(0);
  load(seconds(10));
  expect_all_data_on(0);
  run(seconds(1));
  expect_all_arrived();
}

TEST_P(MultihomingTest, TrafficLeavesAPathOnWhichNoAnswerComesBack) {
  connect();
  set_path(0, {}, down());
  load(seconds(10));
  expect_all_data_on(1);
  EXPECT_GT(b->counter("association.duplicate_tsns_received"), 0u);
  heal(0);
  load(seconds(10));
  expect_all_data_on(0);
  run(seconds(1));
  expect_all_arrived();
}

TEST_P(MultihomingTest, TrafficLeavesAPortWhoseTransmitRingStandsStill) {
  connect();
  load(seconds(1));
  wire.set_transmit_stalled(a->port_number(0), true);
  load(seconds(10));
  EXPECT_EQ(state_of(0), PathState::inactive);
  EXPECT_GE(a->counter("worker.tx_stalls"), 1u);
  expect_all_data_on(1);
  wire.set_transmit_stalled(a->port_number(0), false);
  load(seconds(5));
  EXPECT_EQ(state_of(0), PathState::active);
  expect_all_data_on(0);
  run(seconds(1));
  expect_all_arrived();
}

TEST_P(MultihomingTest, ATransmitRingThatStandsStillHoldsUpNoSackForTheOtherPath) {
  connect();
  wire.set_transmit_stalled(b->port_number(0), true);
  load(seconds(10));
  EXPECT_GT(to_a(1).sacks, 50u);
  wire.set_transmit_stalled(b->port_number(0), false);
  load(seconds(5));
  expect_all_data_on(0);
  run(seconds(1));
  expect_all_arrived();
}

TEST_P(MultihomingTest, AllTransmitRingsMayStandStillForAWhile) {
  connect();
  load(seconds(1));
  for (const std::uint16_t port : {0, 1}) wire.set_transmit_stalled(a->port_number(port), true);
  load(seconds(2));
  for (const std::uint16_t port : {0, 1}) wire.set_transmit_stalled(a->port_number(port), false);
  load(seconds(5));
  expect_all_data_on(0);
  run(seconds(1));
  expect_all_arrived();
}

TEST_P(MultihomingTest, SacksGoWhereDataCameFrom) {
  connect();
  for (const std::uint16_t path : {1, 0, 1}) {
    ASSERT_TRUE(a->worker(owner_of(association)).set_primary(association, PathId(static_cast<std::uint8_t>(path))));
    run(seconds(1));
    expect_all_data_on(path);
    EXPECT_GE(to_a(path).sacks, 50u);
    // That for what came before the change may be on its way.
    EXPECT_LE(to_a(static_cast<std::uint16_t>(1 - path)).sacks, 1u);
  }
  run(seconds(1));
  expect_all_arrived();
}

TEST_P(MultihomingTest, NoDataGoesToAnAddressThatIsNotConfirmed) {
  make_stacks();
  cut(1);
  connect({b->v4(0)});
  EXPECT_EQ(state_of(1), PathState::unconfirmed);
  EXPECT_FALSE(a->worker(owner_of(association)).set_primary(association, PathId(1)));
  cut(0);
  load(seconds(1));
  EXPECT_GT(a->counter("association.heartbeats_sent"), 1u);  // though no neighbour is found to send them to
  EXPECT_EQ(to_b(1).new_data + to_b(1).again, 0u);
  heal(1);
  run(seconds(4));
  EXPECT_EQ(state_of(1), PathState::active);
  EXPECT_GT(to_b(1).again, 0u);
  expect_all_arrived();
}

TEST_P(MultihomingTest, HeartbeatsFlowOnIdlePaths) {
  connect();
  sent.clear();
  run(seconds(60));
  // One each HB.interval and RTO, with half an RTO of jitter either way (RFC 9260 §8.3).
  for (const std::uint16_t path : {0, 1})
    for (const Sent& there : {to_a(path), to_b(path)}) {
      EXPECT_GE(there.heartbeats, 45u);
      EXPECT_LE(there.heartbeats, 58u);
    }
  EXPECT_TRUE(changes.empty());
}

TEST_P(MultihomingTest, TrafficLeavesAPortWithoutALink) {
  connect();
  load(seconds(1));
  for (const sim::SimStack* const stack : {a.get(), b.get()}) {
    wire.set_link(stack->port_number(0), false);
    load(seconds(10));
    expect_all_data_on(1);
    wire.set_link(stack->port_number(0), true);
    load(seconds(10));
    expect_all_data_on(0);
  }
  run(seconds(1));
  expect_all_arrived();
}

TEST_P(MultihomingTest, APortThatFlapsLosesNoMessage) {
  connect();
  for (int i = 0; i < 20; ++i) {
    wire.set_link(a->port_number(0), i % 2 != 0);
    load(milliseconds(150));
  }
  load(seconds(5));
  expect_all_data_on(0);
  run(seconds(1));
  expect_all_arrived();
}

TEST_P(MultihomingTest, AStalledTransmitRingLosesNoMessage) {
  connect();
  wire.set_transmit_stalled(a->port_number(0), true);
  load(seconds(1));
  wire.set_transmit_stalled(a->port_number(0), false);
  load(seconds(5));
  expect_all_data_on(0);
  run(seconds(1));
  expect_all_arrived();
}

TEST_P(MultihomingTest, ShutdownTakesTheOtherPathToo) {
  connect();
  load(seconds(1));
  cut(0);
  send(5000);
  EXPECT_TRUE(a->worker(owner_of(association)).shutdown(association));
  run(seconds(10));
  EXPECT_EQ(received_messages, sent_messages);
  EXPECT_TRUE(lost.empty());
  EXPECT_EQ(a->associations() + b->associations(), 0u);
  EXPECT_EQ(a->buffers_out() + b->buffers_out(), 0u);
}

TEST_P(MultihomingTest, TheHandshakeTakesTheOtherPathToo) {
  make_stacks();
  cut(0);
  connect({b->v4(0), b->v4(1)});
  load(seconds(1));
  heal(0);
  load(seconds(5));
  expect_all_data_on(0);
  run(seconds(1));
  expect_all_arrived();
}

INSTANTIATE_TEST_SUITE_P(Workers, MultihomingTest, testing::Values(1, 2, 8));

}  // namespace
}  // namespace sluice::worker
