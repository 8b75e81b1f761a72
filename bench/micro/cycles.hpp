#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <ctime>

#ifdef __x86_64__
#include <x86intrin.h>
#endif

namespace sluice::bench {

/// Reports cycles of the time-stamp counter for each of `items_per_iteration` items, from its making to its end. Only
/// the time that the thread really ran counts, so that a busy machine disturbs the figure little.
class CycleReport {
 public:
  CycleReport(benchmark::State& state, std::uint64_t items_per_iteration)
      : state_(state), items_(items_per_iteration), start_(now()) {}
  CycleReport(const CycleReport&) = delete;
  CycleReport& operator=(const CycleReport&) = delete;
  ~CycleReport() {
    const Reading end = now();
    const double items = static_cast<double>(state_.iterations()) * static_cast<double>(items_);
    const double cycles_per_ns = (end.cycles - start_.cycles) / (end.elapsed_ns - start_.elapsed_ns);
    state_.counters["cycles"] = (end.running_ns - start_.running_ns) * cycles_per_ns / items;
    state_.SetItemsProcessed(static_cast<std::int64_t>(items));
  }

 private:
  struct Reading {
    double cycles;
    double elapsed_ns;
    double running_ns;
  };
  static double read(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  }
  static Reading now() {
#ifdef __x86_64__
    const auto cycles = static_cast<double>(__rdtsc());
#else
    const double cycles = 0;
#endif
    return {cycles, read(CLOCK_MONOTONIC), read(CLOCK_THREAD_CPUTIME_ID)};
  }

  benchmark::State& state_;
  std::uint64_t items_;
  Reading start_;
};

}  // namespace sluice::bench
