// Workers that send through another one's transmit queue, because a port has fewer than there are workers.
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
    options.config.transmit_stall = milliseconds(20);
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

  EndpointId endpoint;
};

// More waits for the port than the worker with the queue takes: the rest stays in the ring between the two.
TEST_F(SharedQueue, APortThatTakesNothingHoldsUpNoOther) {
  make(64);
  const AssocId association = associate(1);
  associate(0);  // so that the neighbour is known
  wire.set_transmit_stalled(a->port_number(0), true);
  for (int i = 0; i < 2000; ++i) a.connect(1, endpoint, b->v4(0), kPort);
  run(milliseconds(5));
  ASSERT_GT(a->counter("worker.tx_back_pressure"), 0u);
  ASSERT_EQ(a.send(association, "by the other port"), assoc::SendStatus::queued);
  run(milliseconds(5));
  EXPECT_EQ(b.messages, std::vector<std::string>{"by the other port"});

  run(milliseconds(100));
  EXPECT_EQ(a->counter("worker.tx_stalls"), 2u) << "one worker has not noticed";
  a->group().poll_all();
  EXPECT_GT(a->group().next_deadline(), clock.now()) << "no worker may sleep";
  for (std::uint16_t i = 0; i < 2; ++i) EXPECT_FALSE(a->worker(i).has_work());
}

// A worker stands still for longer than the RTO, and all SACKs wait for it in the ring of the one with the queue.
TEST_F(SharedQueue, WhatWasForwardedIsReadBeforeATimerCountsAnError) {
  make(1024);
  constexpr int kAssociations = 200;  // more than the bursts of one turn
  for (int i = 0; i < kAssociations; ++i) a.connect(1, endpoint, b->v4(0), kPort);
  run(seconds(5));
  for (const Event& event : a.events)
    if (event.type == EventType::association_up) {
      ASSERT_EQ(a.send(event.association, "one"), assoc::SendStatus::queued);
    }
  a->worker(1).poll_once();
  const Timestamp end = clock.now() + milliseconds(1200);
  for (; clock.now() < end; clock.advance_to(clock.now() + milliseconds(1))) {
    a->worker(0).poll_once();
    b->group().poll_all();
    b.take();
  }
  ASSERT_EQ(b.messages.size(), std::size_t{kAssociations});
  run(seconds(5));
  EXPECT_EQ(a->counter("association.t3_expired"), 0u);
}

}  // namespace
}  // namespace sluice::worker
