#include "stack/assoc/rx/receiver.hpp"

#include "bench/micro/cycles.hpp"
#include "bench/micro/data_packet.hpp"
#include "stack/assoc/pools.hpp"
#include "stack/base/seeded_random.hpp"

// The receiving half of an association: from the packet to the application's call, SACKs included, checksum excluded.

namespace sluice::bench {
namespace {

class CountingHost final : public assoc::Host {
 public:
  base::Buffer allocate_packet(std::uint32_t, std::uint16_t) noexcept override { return {}; }
  void transmit(base::OutboundPacket&&) noexcept override {}
  bool deliver(const Event& event, base::Buffer& buffer) noexcept override {
    bytes += event.length;
    buffer.reset();
    return true;
  }
  std::uint64_t bytes = 0;
};

struct Side {
  Side() {
    assoc::Handshake handshake;
    handshake.peer_initial_tsn = Tsn(0);
    handshake.inbound_streams = 10;
    receiver.start(handshake);
  }
  void take(base::Buffer& packet) {
    auto walker = wire::chunks_of(packet.bytes());
    bool immediate = false;
    while (const auto chunk = walker.next()) {
      const auto data = wire::DataChunk::parse(*chunk);
      immediate |= data->immediate();
      benchmark::DoNotOptimize(receiver.on_data(now, *data, packet));
    }
    receiver.on_packet_end(now, immediate);
    if (receiver.sack_due(now)) {
      wire::PacketWriter writer(std::span<std::byte>(sack), {});
      receiver.write_sack(now, writer);
    }
  }

  CountingHost host;
  base::SeededRandom random{1};
  base::HeapBuffers source;
  assoc::Pools pools;
  assoc::Counters counters;
  assoc::Services services{host, random, source, source, pools, counters};
  Parameters parameters;
  assoc::Receiver receiver{services, parameters, AssocId(1), EndpointId(1)};
  Timestamp now{std::chrono::seconds(1)};
  std::byte sack[1500];
};

/// Cycles of one message, `count` of them to a packet.
void receive_in_order(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  const auto bytes = static_cast<std::uint16_t>(state.range(1));
  Side side;
  base::Buffer packet = data_packet(side.source, count, bytes);
  std::uint32_t tsn = 0;
  CycleReport report(state, count);
  for (auto _ : state) {
    renumber(packet, tsn, count, bytes);
    tsn += count;
    side.take(packet);
  }
  if (side.host.bytes != std::uint64_t{tsn} * bytes) state.SkipWithError("messages were lost");
}
BENCHMARK(receive_in_order)->Args({17, 64})->Args({1, 64})->Args({1, 1436});

/// Every packet arrives after the one that follows it.
void receive_swapped(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  const auto bytes = static_cast<std::uint16_t>(state.range(1));
  Side side;
  base::Buffer first = data_packet(side.source, count, bytes);
  base::Buffer second = data_packet(side.source, count, bytes);
  std::uint32_t tsn = 0;
  CycleReport report(state, std::uint64_t{count} * 2);
  for (auto _ : state) {
    renumber(first, tsn, count, bytes);
    renumber(second, tsn + count, count, bytes);
    tsn += 2 * count;
    side.take(second);
    side.take(first);
  }
  if (side.host.bytes != std::uint64_t{tsn} * bytes) state.SkipWithError("messages were lost");
}
BENCHMARK(receive_swapped)->Args({17, 64})->Args({1, 1436});

}  // namespace
}  // namespace sluice::bench
