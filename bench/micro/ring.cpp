#include <atomic>
#include <thread>

#include "bench/micro/cycles.hpp"
#include "stack/base/spsc_ring.hpp"

// Records of an event's size through an SpscRing, in bursts.

namespace sluice::bench {
namespace {

struct Record {
  std::uint64_t words[8];
};

void ring_same_thread(benchmark::State& state) {
  const auto burst = static_cast<std::size_t>(state.range(0));
  base::SpscRing<Record> ring(4096);
  Record out[64];
  CycleReport report(state, burst);
  for (auto _ : state) {
    for (std::size_t i = 0; i < burst; ++i) benchmark::DoNotOptimize(ring.push({{i}}));
    ring.publish();
    benchmark::DoNotOptimize(ring.pop({out, burst}));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(ring_same_thread)->Arg(1)->Arg(32);

/// Another thread consumes; the figure is the producer's, back-pressure included.
void ring_two_threads(benchmark::State& state) {
  const auto burst = static_cast<std::size_t>(state.range(0));
  base::SpscRing<Record> ring(4096);
  std::atomic<bool> stop = false;
  std::thread consumer([&] {
    Record out[64];
    std::uint64_t sum = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      const std::size_t n = ring.pop(out);
      for (std::size_t i = 0; i < n; ++i) sum += out[i].words[0];
      if (n == 0) std::this_thread::yield();
    }
    benchmark::DoNotOptimize(sum);
  });
  {
    CycleReport report(state, burst);
    for (auto _ : state) {
      for (std::size_t i = 0; i < burst; ++i)
        while (!ring.push({{i}})) std::this_thread::yield();
      ring.publish();
    }
  }
  stop.store(true, std::memory_order_relaxed);
  consumer.join();
}
BENCHMARK(ring_two_threads)->Arg(1)->Arg(32)->UseRealTime();

}  // namespace
}  // namespace sluice::bench
