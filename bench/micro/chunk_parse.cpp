#include "bench/micro/cycles.hpp"
#include "bench/micro/data_packet.hpp"

// Walking the chunks of a packet and reading the fields of each.

namespace sluice::bench {
namespace {

void parse_data_chunks(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  base::HeapBuffers source;
  const base::Buffer packet = data_packet(source, count, 64);
  CycleReport report(state, count);
  for (auto _ : state) {
    std::uint64_t sum = 0;
    auto walker = wire::chunks_of(packet.bytes());
    while (const auto chunk = walker.next()) {
      const auto data = wire::DataChunk::parse(*chunk);
      sum += data->tsn().value() + data->stream().value + data->ssn().value() + data->payload().size();
    }
    benchmark::DoNotOptimize(sum);
  }
}
BENCHMARK(parse_data_chunks)->Arg(1)->Arg(17);

}  // namespace
}  // namespace sluice::bench
