#include "drivers/memory_wire.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "stack/base/seeded_random.hpp"
#include "stack/base/sim_clock.hpp"
#include "tests/unit/drivers/test_frames.hpp"

namespace sluice::drivers {
namespace {

using namespace std::chrono_literals;
using test::bytes_of;
using test::ethernet_frame;
using test::mac;
using test::sctp_frame;

/// Ports 0, 1, … with the addresses mac(0), mac(1), …
struct Bench {
  explicit Bench(std::uint16_t ports = 2, std::uint64_t seed = 1, MemoryPortConfig config = {}) : random(seed) {
    for (std::uint16_t i = 0; i < ports; ++i) {
      config.name = "port" + std::to_string(i);
      config.mac = mac(static_cast<std::uint8_t>(i));
      wire.add_port(config);
    }
  }

  bool send(std::uint16_t from, const std::vector<std::byte>& frame, std::uint16_t queue = 0) {
    base::Buffer buffer = heap.copy_of(frame);
    return wire.port(from).transmit(queue, {&buffer, 1}) == 1;
  }
  /// Sends numbered frames of 100 bytes from 0 to 1.
  void send_many(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      auto frame = ethernet_frame(1, 0, 100);
      base::store_be<std::uint32_t>(&frame[14], i);
      ASSERT_TRUE(send(0, frame));
    }
  }
  std::vector<std::vector<std::byte>> receive(std::uint16_t to, std::uint16_t queue = 0) {
    std::vector<std::vector<std::byte>> frames;
    std::array<base::Buffer, 8> burst;
    while (const std::uint16_t n = wire.port(to).receive(queue, burst)) {
      for (std::uint16_t i = 0; i < n; ++i) {
        frames.push_back(bytes_of(burst[i]));
        burst[i].reset();
      }
    }
    return frames;
  }
  std::vector<std::uint32_t> receive_numbers(std::uint16_t to) {
    std::vector<std::uint32_t> numbers;
    for (const auto& frame : receive(to)) numbers.push_back(base::load_be<std::uint32_t>(&frame[14]));
    return numbers;
  }

  base::HeapBuffers heap;
  base::SimClock clock;
  base::SeededRandom random;
  MemoryWire wire{clock, random};
};

TEST(MemoryWire, CarriesFramesInOrderAndUnchanged) {
  Bench bench;
  const auto a = ethernet_frame(1, 0, 60, 0xaa);
  const auto b = ethernet_frame(1, 0, 1514, 0xbb);
  ASSERT_TRUE(bench.send(0, a));
  ASSERT_TRUE(bench.send(0, b));
  EXPECT_EQ(bench.wire.in_flight(), 2u);
  EXPECT_EQ(bench.receive(1), (std::vector{a, b}));
  EXPECT_EQ(bench.wire.in_flight(), 0u);
  EXPECT_EQ(bench.heap.out(), 0u);
  EXPECT_EQ(bench.wire.counters().delivered, 2u);
  EXPECT_EQ(bench.wire.port(1).queue_counters(0).rx_bytes, 1574u);
  EXPECT_EQ(bench.wire.port(0).queue_counters(0).tx_packets, 2u);
}

TEST(MemoryWire, DeliversExactSizeBlocksThatBelongToTheReceiver) {
  Bench bench;
  ASSERT_TRUE(bench.send(0, ethernet_frame(1, 0, 60)));
  base::Buffer frame;
  ASSERT_EQ(bench.wire.port(1).receive(0, {&frame, 1}), 1);
  EXPECT_EQ(frame.tailroom(), 0u);
  EXPECT_EQ(frame.headroom(), 0u);
  EXPECT_EQ(frame.block().owner, &dynamic_cast<base::HeapBuffers&>(bench.wire.port(1).receive_pool(0)));
}

TEST(MemoryWire, HandsOverTheSendersBlockWhenAskedTo) {
  Bench bench;
  bench.wire.set_handing_over(true);
  base::Buffer sent = bench.heap.copy_of(ethernet_frame(1, 0, 60));
  sent.block().frame.sctp_checksum = base::Checksum::good;
  const base::Block* const block = &sent.block();
  ASSERT_EQ(bench.wire.port(0).transmit(0, {&sent, 1}), 1);
  base::Buffer frame;
  ASSERT_EQ(bench.wire.port(1).receive(0, {&frame, 1}), 1);
  EXPECT_EQ(&frame.block(), block);
  EXPECT_EQ(frame.block().frame.sctp_checksum, base::Checksum::unknown);
}

TEST(MemoryWire, SwitchesByAddressAndFloodsTheRest) {
  Bench bench(3);
  ASSERT_TRUE(bench.send(0, ethernet_frame(2, 0, 60)));
  EXPECT_EQ(bench.receive(1).size(), 0u);
  EXPECT_EQ(bench.receive(2).size(), 1u);
  auto broadcast = ethernet_frame(0, 0, 60);
  std::fill_n(broadcast.begin(), 6, std::byte{0xff});
  ASSERT_TRUE(bench.send(0, broadcast));
  EXPECT_EQ(bench.receive(0).size(), 0u);
  EXPECT_EQ(bench.receive(1).size(), 1u);
  EXPECT_EQ(bench.receive(2).size(), 1u);
}

TEST(MemoryWire, SegmentsAreSwitchesApart) {
  Bench bench(2);
  MemoryPortConfig config;
  config.segment = 1;
  for (std::uint8_t i = 2; i < 4; ++i) {
    config.name = "port" + std::to_string(i);
    config.mac = mac(i);
    bench.wire.add_port(config);
  }
  ASSERT_TRUE(bench.send(0, ethernet_frame(2, 0, 60)));  // nobody on its own segment
  ASSERT_TRUE(bench.send(3, ethernet_frame(2, 3, 60)));
  EXPECT_EQ(bench.receive(2).size(), 1u);
  EXPECT_EQ(bench.receive(1).size(), 1u);  // flooded there
  auto broadcast = ethernet_frame(0, 3, 60);
  std::fill_n(broadcast.begin(), 6, std::byte{0xff});
  ASSERT_TRUE(bench.send(3, broadcast));
  EXPECT_EQ(bench.receive(0).size(), 0u);
  EXPECT_EQ(bench.receive(1).size(), 0u);
  EXPECT_EQ(bench.receive(2).size(), 1u);
  // A full queue towards a port of another segment refuses nothing.
  WireConditions full;
  full.bits_per_second = 8;
  full.queue_bytes = 0;
  full.queue_refuses = true;
  bench.wire.set_conditions(3, 0, full);
  EXPECT_EQ(bench.wire.port(3).transmit_room(0), bench.wire.port(3).info().transmit_descriptors);
}

TEST(MemoryWire, DelayHoldsFramesUntilTheirTimeAndTellsWhen) {
  Bench bench;
  bench.wire.set_conditions(0, 1, {.delay = 10ms});
  EXPECT_EQ(bench.wire.next_event(), kNever);
  ASSERT_TRUE(bench.send(0, ethernet_frame(1, 0, 60)));
  EXPECT_EQ(bench.wire.next_event(), bench.clock.now() + 10ms);
  bench.clock.advance(10ms - 1ns);
  EXPECT_TRUE(bench.receive(1).empty());
  bench.clock.advance(1ns);
  EXPECT_EQ(bench.receive(1).size(), 1u);
  ASSERT_TRUE(bench.send(1, ethernet_frame(0, 1, 60)));
  EXPECT_EQ(bench.receive(0).size(), 1u) << "the other direction has no delay";
}

TEST(MemoryWire, JitterKeepsTheOrderOfFrames) {
  Bench bench;
  bench.wire.set_conditions({.delay = 1ms, .jitter = 5ms});
  bench.send_many(200);
  bench.clock.advance(6ms);
  const auto numbers = bench.receive_numbers(1);
  ASSERT_EQ(numbers.size(), 200u);
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
}

TEST(MemoryWire, ReorderingLetsLaterFramesPass) {
  Bench bench;
  bench.wire.set_conditions({.reordering = 200'000, .reordering_delay = 5ms, .delay = 1ms});
  bench.send_many(200);
  bench.clock.advance(6ms);
  auto numbers = bench.receive_numbers(1);
  EXPECT_FALSE(std::is_sorted(numbers.begin(), numbers.end()));
  std::sort(numbers.begin(), numbers.end());
  for (std::uint32_t i = 0; i < 200; ++i) ASSERT_EQ(numbers.at(i), i);
  EXPECT_GT(bench.wire.counters().reordered, 20u);
}

TEST(MemoryWire, LosesAboutTheShareAskedFor) {
  Bench bench;
  bench.wire.set_conditions({.loss = 250'000});
  for (int i = 0; i < 10; ++i) {
    bench.send_many(1000);
    bench.receive(1);
  }
  EXPECT_GT(bench.wire.counters().lost, 2200u);
  EXPECT_LT(bench.wire.counters().lost, 2800u);
  EXPECT_EQ(bench.wire.counters().delivered + bench.wire.counters().lost, 10'000u);
}

TEST(MemoryWire, BurstLossTakesNeighbours) {
  Bench bench;
  bench.wire.set_conditions({.burst_loss = 10'000, .burst_length = 20});
  bench.send_many(1000);
  const auto numbers = bench.receive_numbers(1);
  std::uint32_t longest = 0;
  for (std::size_t i = 1; i < numbers.size(); ++i) longest = std::max(longest, numbers[i] - numbers[i - 1] - 1);
  EXPECT_GT(longest, 2u);
  EXPECT_EQ(bench.wire.counters().lost, 0u);
  EXPECT_EQ(bench.wire.counters().lost_in_bursts + numbers.size(), 1000u);
}

TEST(MemoryWire, DuplicatesFrames) {
  Bench bench;
  bench.wire.set_conditions({.duplication = 100'000, .jitter = 1ms});
  bench.send_many(500);
  bench.clock.advance(10ms);
  std::map<std::uint32_t, int> seen;
  for (const std::uint32_t number : bench.receive_numbers(1)) ++seen[number];
  EXPECT_EQ(seen.size(), 500u);
  EXPECT_EQ(std::count_if(seen.begin(), seen.end(), [](const auto& entry) { return entry.second == 2; }),
            static_cast<long>(bench.wire.counters().duplicated));
  EXPECT_GT(bench.wire.counters().duplicated, 20u);
}

TEST(MemoryWire, CorruptsBehindTheEthernetHeaderAndNeverTheSendersBytes) {
  Bench bench;
  bench.wire.set_conditions({.corruption = 1'000'000});
  const auto frame = ethernet_frame(1, 0, 60);
  base::Buffer sent = bench.heap.copy_of(frame);
  base::Buffer kept = sent.share();
  ASSERT_EQ(bench.wire.port(0).transmit(0, {&sent, 1}), 1);
  const auto received = bench.receive(1);
  ASSERT_EQ(received.size(), 1u);
  EXPECT_NE(received[0], frame);
  EXPECT_TRUE(std::equal(frame.begin(), frame.begin() + 14, received[0].begin()));
  EXPECT_EQ(bytes_of(kept), frame);
  EXPECT_EQ(bench.wire.counters().corrupted, 1u);
}

TEST(MemoryWire, RateSpacesFramesAndItsQueueOverflows) {
  Bench bench;
  bench.wire.set_conditions({.bits_per_second = 8'000'000, .queue_bytes = 1000});  // 100 bytes take 100 µs
  bench.send_many(15);
  EXPECT_EQ(bench.wire.counters().queue_full, 5u);
  bench.clock.advance(100us);
  EXPECT_EQ(bench.receive(1).size(), 1u);
  bench.clock.advance(900us);
  EXPECT_EQ(bench.receive(1).size(), 9u);
}

TEST(MemoryWire, RefusingQueueGivesFramesBackAndTellsItsRoom) {
  Bench bench;
  bench.wire.set_conditions({.bits_per_second = 8'000'000, .queue_bytes = 3100, .queue_refuses = true});
  Port& port = bench.wire.port(0);
  EXPECT_EQ(port.transmit_room(0), 2u);
  std::array<base::Buffer, 5> frames;
  for (base::Buffer& frame : frames) frame = bench.heap.copy_of(ethernet_frame(1, 0, 1000));
  EXPECT_EQ(port.transmit(0, frames), 3);
  EXPECT_FALSE(frames[2]);
  EXPECT_TRUE(frames[3]);
  EXPECT_TRUE(frames[4]);
  EXPECT_EQ(port.transmit_room(0), 0u);
  EXPECT_EQ(port.queue_counters(0).tx_refused, 2u);
  EXPECT_EQ(bench.wire.counters().queue_full, 0u);
  bench.clock.advance(1ms);
  EXPECT_EQ(port.transmit(0, std::span(frames).subspan(3, 1)), 1);
}

TEST(MemoryWire, SilentlyDropsWhatExceedsAnMtuOnTheWay) {
  Bench bench;
  bench.wire.set_conditions({.mtu = 1280});
  ASSERT_TRUE(bench.send(0, ethernet_frame(1, 0, 1294)));
  ASSERT_TRUE(bench.send(0, ethernet_frame(1, 0, 1295)));
  EXPECT_EQ(bench.receive(1).size(), 1u);
  EXPECT_EQ(bench.wire.counters().too_long, 1u);
}

TEST(MemoryWire, PortDropsWhatExceedsItsOwnMtu) {
  Bench bench;
  ASSERT_TRUE(bench.send(0, ethernet_frame(1, 0, 1523)));
  EXPECT_TRUE(bench.receive(1).empty());
  EXPECT_EQ(bench.wire.port(0).queue_counters(0).tx_too_long, 1u);
}

TEST(MemoryWire, BlackHoleIsOneWayAndSilent) {
  Bench bench;
  bench.wire.set_conditions(0, 1, {.down = true});
  ASSERT_TRUE(bench.send(0, ethernet_frame(1, 0, 60)));
  ASSERT_TRUE(bench.send(1, ethernet_frame(0, 1, 60)));
  EXPECT_TRUE(bench.receive(1).empty());
  EXPECT_EQ(bench.receive(0).size(), 1u);
  EXPECT_TRUE(bench.wire.port(0).link().up);
  EXPECT_EQ(bench.wire.counters().black_holed, 1u);
}

TEST(MemoryWire, PulledCableIsSeenByThePortAndLosesWhatArrivesMeanwhile) {
  Bench bench;
  bench.wire.set_conditions({.delay = 1ms});
  bench.send_many(1);
  bench.clock.advance(1ms);  // arrived, though nobody fetched it yet
  bench.send_many(1);
  bench.wire.set_link(1, false);
  EXPECT_FALSE(bench.wire.port(1).link().up);
  EXPECT_FALSE(bench.send(1, ethernet_frame(0, 1, 60)));
  bench.clock.advance(1ms);
  bench.wire.set_link(1, true);
  EXPECT_EQ(bench.receive(1).size(), 1u);
  EXPECT_EQ(bench.wire.counters().unplugged, 1u);
  EXPECT_EQ(bench.wire.counters().refused, 1u);
}

TEST(MemoryWire, StalledTransmitRingRefusesEverything) {
  Bench bench;
  bench.wire.set_transmit_stalled(0, true);
  EXPECT_EQ(bench.wire.port(0).transmit_room(0), 0u);
  EXPECT_FALSE(bench.send(0, ethernet_frame(1, 0, 60)));
  bench.wire.set_transmit_stalled(0, false);
  EXPECT_TRUE(bench.send(0, ethernet_frame(1, 0, 60)));
}

TEST(MemoryWire, FullReceiveRingMissesTheLatest) {
  Bench bench(2, 1, {.receive_ring = 4});
  bench.send_many(6);
  EXPECT_EQ(bench.receive_numbers(1), (std::vector<std::uint32_t>{0, 1, 2, 3}));
  EXPECT_EQ(bench.wire.counters().missed, 2u);
  EXPECT_EQ(bench.wire.port(1).queue_counters(0).rx_missed, 2u);
}

TEST(MemoryWire, EmptyReceivePoolLosesFramesUntilBlocksComeBack) {
  Bench bench;
  bench.wire.set_receive_blocks(1, 2);
  bench.send_many(3);
  std::array<base::Buffer, 4> held;
  EXPECT_EQ(bench.wire.port(1).receive(0, held), 2);
  EXPECT_EQ(bench.wire.counters().no_buffer, 1u);
  EXPECT_EQ(bench.wire.port(1).receive_pool(0).available(), 0u);
  held[0].reset();
  bench.send_many(1);
  EXPECT_EQ(bench.wire.port(1).receive(0, std::span(held).first(1)), 1);
}

TEST(MemoryWire, FlowKeepsToOneQueueAndFlowsSpread) {
  Bench bench(2, 1, {.queues = 4});
  EXPECT_TRUE(bench.wire.port(1).info().offloads.spreads_flows);
  for (std::uint16_t port = 1; port <= 64; ++port)
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(bench.send(0, sctp_frame(1, 0, port, 2905), port % 4));
  std::set<std::uint16_t> seen;
  for (std::uint16_t queue = 0; queue < 4; ++queue) {
    const auto frames = bench.receive(1, queue);
    EXPECT_GT(frames.size(), 8u) << "queue " << queue;
    ASSERT_EQ(frames.size() % 2, 0u);
    for (std::size_t i = 0; i < frames.size(); i += 2) {
      EXPECT_EQ(frames[i], frames[i + 1]);
      EXPECT_TRUE(seen.insert(base::load_be<std::uint16_t>(&frames[i][34])).second);
    }
  }
}

TEST(MemoryWire, SenderQueueSteeringIgnoresTheFlow) {
  Bench bench(2, 1, {.queues = 2, .steering = Steering::sender_queue});
  for (std::uint16_t port = 1; port <= 8; ++port) ASSERT_TRUE(bench.send(0, sctp_frame(1, 0, port, 2905), 1));
  EXPECT_EQ(bench.receive(1, 0).size(), 0u);
  EXPECT_EQ(bench.receive(1, 1).size(), 8u);
}

TEST(MemoryWire, RandomSteeringTearsAFlowApart) {
  Bench bench(2, 1, {.queues = 2, .steering = Steering::random});
  for (int i = 0; i < 32; ++i) ASSERT_TRUE(bench.send(0, sctp_frame(1, 0, 1, 2905)));
  EXPECT_GT(bench.receive(1, 0).size(), 4u);
  EXPECT_GT(bench.receive(1, 1).size(), 4u);
}

/// Everything that a tap sees, as one string of bytes.
std::vector<std::byte> trace_of(std::uint64_t seed) {
  Bench bench(3, seed, {.queues = 2, .steering = Steering::random});
  std::vector<std::byte> trace;
  bench.wire.set_tap([&](const WireEvent& event) {
    const auto time = static_cast<std::uint64_t>(event.time.time_since_epoch().count());
    trace.resize(trace.size() + 8);
    base::store_be(&trace[trace.size() - 8], time);
    trace.push_back(static_cast<std::byte>(event.fate));
    trace.push_back(static_cast<std::byte>(event.to));
    trace.insert(trace.end(), event.frame.begin(), event.frame.end());
  });
  bench.wire.set_conditions({.loss = 50'000,
                             .burst_loss = 5'000,
                             .duplication = 50'000,
                             .reordering = 50'000,
                             .corruption = 50'000,
                             .delay = 3ms,
                             .jitter = 2ms,
                             .bits_per_second = 100'000'000});
  for (std::uint8_t i = 0; i < 200; ++i) {
    bench.send(0, ethernet_frame(i % 4, 0, 100u + i, i));
    bench.clock.advance(50us);
    for (std::uint16_t queue = 0; queue < 2; ++queue) bench.receive(1, queue), bench.receive(2, queue);
  }
  while (bench.wire.next_event() != kNever) {
    bench.clock.advance_to(std::max(bench.clock.now(), bench.wire.next_event()));
    for (std::uint16_t port = 0; port < 3; ++port)
      for (std::uint16_t queue = 0; queue < 2; ++queue) bench.receive(port, queue);
  }
  return trace;
}

TEST(MemoryWire, SameSeedSameTraceOtherSeedOtherTrace) {
  const auto trace = trace_of(7);
  EXPECT_GT(trace.size(), 10'000u);
  EXPECT_EQ(trace, trace_of(7));
  EXPECT_NE(trace, trace_of(8));
}

TEST(MemoryWire, TapSeesEachFateWithVirtualTime) {
  Bench bench;
  std::vector<std::pair<WireFate, Timestamp>> seen;
  bench.wire.set_tap([&](const WireEvent& event) { seen.emplace_back(event.fate, event.time); });
  bench.wire.set_conditions({.delay = 1ms});
  const Timestamp start = bench.clock.now();
  bench.send_many(1);
  bench.clock.advance(1ms);
  bench.receive(1);
  EXPECT_EQ(seen, (std::vector{std::pair{WireFate::sent, start}, std::pair{WireFate::delivered, start + 1ms}}));
}

}  // namespace
}  // namespace sluice::drivers
