// Workers that send through another one's transmit queue, because a port has fewer than there are workers.
#include <array>

#include "tests/unit/worker/stack_pair.hpp"

namespace sluice::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint16_t kPort = 5000;

class SharedQueue : public testing::Test, protected StackPair {
 protected:
  SharedQueue() {
    options.workers = 2;
    options.queues = 1;
    options.ports = 2;
  }
  void make(std::uint32_t forwarded_packets) {
    options.config.limits.forwarded_packets = forwarded_packets;
    make_stacks();
    b.open(kPort, true);
    endpoint = a.open(0, false);
  }
  /// An association of worker 1 of a, by port `port`.
  AssocId associate(std::uint16_t port) {
    a.connect(1, endpoint, b->v4(port), kPort);
    run(seconds(5));
    EXPECT_EQ(owner_of(a.up()), 1);
    return a.up();
  }
  /// Sends a message on each of many associations of `worker`, which then makes no turn until all were acknowledged
  /// long ago.
  void send_and_stand_still(std::uint16_t worker) {
    constexpr int kAssociations = 200;  // more than the bursts of one turn
    for (int i = 0; i < kAssociations; ++i) a.connect(worker, endpoint, b->v4(0), kPort);
    run(seconds(5));
    for (const Event& event : a.events)
      if (event.type == EventType::association_up) {
        ASSERT_EQ(a.send(event.association, "one"), assoc::SendStatus::queued);
      }
    a->worker(worker).poll_once();
    const Timestamp end = clock.now() + milliseconds(1200);
    for (; clock.now() < end; clock.advance_to(clock.now() + milliseconds(1))) {
      if (worker != 0) a->worker(0).poll_once();
      b->group().poll_all();
      b.take();
    }
    ASSERT_EQ(b.messages.size(), std::size_t{kAssociations});
    run(seconds(5));
  }

  EndpointId endpoint;
};

// More waits for the port than the worker with the queue takes: the rest stays in the ring between the two.
TEST_F(SharedQueue, APortThatTakesNothingHoldsUpNoOther) {
  options.config.transmit_stall = milliseconds(20);
  make(64);
  const AssocId association = associate(1);
  associate(0);  // so that the neighbour is known
  wire.set_transmit_stalled(a->port_number(0), true);
  for (int i = 0; i < 2000; ++i) a.connect(1, endpoint, b->v4(0), kPort);
  run(milliseconds(5));
  ASSERT_LT(a->counter("worker.tx_frames_forwarded"), 1000u) << "the worker with the queue takes all of them";
  ASSERT_EQ(a.send(association, "by the other port"), assoc::SendStatus::queued);
  run(milliseconds(5));
  EXPECT_EQ(b.messages, std::vector<std::string>{"by the other port"});

  run(milliseconds(100));
  EXPECT_EQ(a->counter("worker.tx_stalls"), 2u) << "one worker has not noticed";
  a->group().poll_all();
  EXPECT_GT(a->group().next_deadline(), clock.now()) << "no worker may sleep";
  for (std::uint16_t i = 0; i < 2; ++i) EXPECT_FALSE(a->worker(i).has_work());
}

// The port is slower than what worker 1 would send by it. The others, one of them the worker with the queue, send a
// message now and then.
TEST_F(SharedQueue, NoWorkerTakesASlowPortForItself) {
  options.workers = 3;
  make(256);
  wire.set_conditions({.bits_per_second = 100'000'000, .queue_bytes = 20'000, .queue_refuses = true});
  constexpr int kLoading = 60;
  for (int i = 0; i < kLoading; ++i) a.connect(1, endpoint, b->v4(0), kPort);
  a.connect(0, endpoint, b->v4(0), kPort);
  a.connect(2, endpoint, b->v4(0), kPort);
  run(seconds(5));
  std::vector<AssocId> loading;
  std::array<AssocId, 3> small;
  for (const Event& event : a.events) {
    if (event.type != EventType::association_up) continue;
    if (owner_of(event.association) == 1) loading.push_back(event.association);
    small[owner_of(event.association)] = event.association;
  }
  ASSERT_EQ(loading.size(), std::size_t{kLoading});
  const std::string large(1000, 'x');
  for (int i = 0; i < 10; ++i) {
    for (const std::uint16_t worker : {0, 2})
      ASSERT_EQ(a.send(small[worker], std::to_string(worker)), assoc::SendStatus::queued);
    for (int k = 0; k < 4; ++k) {
      for (const AssocId association : loading)
        while (a.send(association, large) == assoc::SendStatus::queued) continue;
      run(milliseconds(10));
    }
  }
  for (const char* const worker : {"0", "2"})
    EXPECT_GE(std::count(b.messages.begin(), b.messages.end(), worker), 7) << worker;
  EXPECT_GT(b.messages.size(), 2'000u) << "the port was not busy";
  EXPECT_EQ(a->counter("worker.tx_stalls"), 0u);
}

// A worker stands still for longer than the RTO, and all SACKs wait for it in the ring of the one with the queue.
TEST_F(SharedQueue, WhatWasForwardedIsReadBeforeATimerCountsAnError) {
  make(1024);
  send_and_stand_still(1);
  EXPECT_EQ(a->counter("association.t3_expired"), 0u);
}

TEST_F(SharedQueue, WhatTheDeviceHoldsIsReadBeforeATimerCountsAnErrorThoughItsBurstsAreShort) {
  options.workers = 1;
  options.receive_burst = 61;
  make(1024);
  send_and_stand_still(0);
  EXPECT_EQ(a->counter("association.t3_expired"), 0u);
  EXPECT_GT(a->counter("queue.rx_packets"), 0u);
}

}  // namespace
}  // namespace sluice::worker
