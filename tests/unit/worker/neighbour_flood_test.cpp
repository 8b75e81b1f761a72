// A station on the link that claims to move all the time, to a stack of several workers.
#include <array>

#include "tests/unit/ip/support.hpp"
#include "tests/unit/worker/stack_pair.hpp"

namespace sluice::worker {
namespace {

constexpr std::uint16_t kPort = 5000;

class NeighbourFlood : public testing::Test, protected StackPair {
 protected:
  NeighbourFlood() {
    drivers::MemoryPortConfig attacker;
    attacker.name = "x";
    attacker.mac = {{2, 0, 0, 0, 0, 99}};
    wire.add_port(attacker);
    options.workers = 4;
  }
  bool take() override {
    std::array<base::Buffer, 64> answers;
    while (wire.port(0).receive(0, answers) > 0)
      for (base::Buffer& answer : answers) answer.reset();
    return StackPair::take();
  }
  /// Asks for a's address, as `sender` at `station`.
  void claim(const IpAddress& sender, std::uint8_t station) {
    const base::MacAddress mac{{2, 0, 0, 0, 1, station}};
    const auto request = ip::testing::arp_packet(1, mac, sender, base::MacAddress{}, a->v4());
    base::Buffer frame =
        frames_.copy_of(ip::testing::ethernet(wire.port(a->port_number()).info().mac, mac, 0x0806, request));
    ASSERT_EQ(wire.port(0).transmit(0, {&frame, 1}), 1u);
  }

 private:
  base::HeapBuffers frames_;
};

// Answers of the worker with the queue are no reason to leave those of others waiting.
TEST_F(NeighbourFlood, ThoseWhoSendThroughAnotherWorkerGoOn) {
  options.queues = 1;
  make_stacks();
  b.open(kPort, true);
  a.connect(1, a.open(0, false), b->v4(), kPort);
  run(std::chrono::seconds(5));
  ASSERT_EQ(a.send(a.up(), "one"), assoc::SendStatus::queued);
  for (int turn = 0; turn < 500; ++turn) {
    for (int i = 0; i < 300; ++i) claim(IpAddress::parse("198.18.0.77").value(), 0);
    a->group().poll_all();
    b->group().poll_all();
    take();
    clock.advance_to(clock.now() + std::chrono::milliseconds(1));
  }
  EXPECT_EQ(b.messages, std::vector<std::string>{"one"});
  EXPECT_EQ(a->counter("association.t3_expired"), 0u);
}

TEST_F(NeighbourFlood, UpdatesForTheOtherWorkersAreNotKeptWithoutLimit) {
  make_stacks();
  const IpAddress sender = IpAddress::parse("198.18.0.77").value();
  for (int turn = 0; turn < 200; ++turn) {
    for (int i = 0; i < 256; ++i) claim(sender, static_cast<std::uint8_t>(i % 2));
    a->group().poll_all();
  }
  EXPECT_EQ(a->counter("worker.control_overflows"), 0u);
  EXPECT_GT(a->counter("worker.drop_neighbour_ring_full"), 0u);
  b.open(kPort, true);
  a.connect(3, a.open(0, false), b->v4(), kPort);
  run(std::chrono::seconds(5));
  ASSERT_EQ(a.send(a.up(), "one"), assoc::SendStatus::queued);
  run(std::chrono::seconds(1));
  EXPECT_EQ(b.messages, std::vector<std::string>{"one"});
}

}  // namespace
}  // namespace sluice::worker
