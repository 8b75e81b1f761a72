#include "stack/wire/crc32c.hpp"

#include <cstring>
#include <vector>

#include "bench/micro/cycles.hpp"

#ifdef __x86_64__
#include <nmmintrin.h>
#endif
#ifdef SLUICE_HAVE_ISAL
#include <isa-l/crc.h>
#endif

// CRC32c by size: our kernels, ISA-L, and a plain loop of crc32q.

namespace sluice::bench {
namespace {

constexpr std::size_t kPackets = 64;  // enough to defeat branch prediction by content, few enough to stay in cache

std::vector<std::byte> noise(std::size_t n) {
  std::vector<std::byte> bytes(n);
  std::uint32_t x = 1;
  for (auto& byte : bytes) byte = static_cast<std::byte>((x = x * 1664525 + 1013904223) >> 24);
  return bytes;
}

template <class Crc>
void run(benchmark::State& state, Crc crc) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto data = noise(n + 64);
  CycleReport report(state, 1);
  for (auto _ : state) benchmark::DoNotOptimize(crc(data.data() + 12, n));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void kernel_update(benchmark::State& state, const wire::Crc32c* kernel) {
  run(state, [=](const std::byte* at, std::size_t n) { return kernel->update(wire::kCrc32cInitial, at, n); });
}

void kernel_copy(benchmark::State& state, const wire::Crc32c* kernel) {
  std::vector<std::byte> to(static_cast<std::size_t>(state.range(0)) + 64);
  run(state, [&](const std::byte* at, std::size_t n) {
    const auto crc = kernel->copy(wire::kCrc32cInitial, to.data() + 28, at, n);
    benchmark::ClobberMemory();
    return crc;
  });
}

void memcpy_then_update(benchmark::State& state, const wire::Crc32c* kernel) {
  std::vector<std::byte> to(static_cast<std::size_t>(state.range(0)) + 64);
  run(state, [&](const std::byte* at, std::size_t n) {
    std::memcpy(to.data() + 28, at, n);
    benchmark::ClobberMemory();
    return kernel->update(wire::kCrc32cInitial, to.data() + 28, n);
  });
}

/// Cycles of one packet, checked in bursts of 32 or one by one.
void packets(benchmark::State& state, const wire::Crc32c* kernel, bool burst) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto data = noise(n * kPackets);
  std::vector<std::span<const std::byte>> views;
  for (std::size_t i = 0; i < kPackets; ++i) views.emplace_back(data.data() + i * n, n);
  std::vector<std::uint32_t> checksums(kPackets);
  CycleReport report(state, kPackets);
  for (auto _ : state) {
    if (burst) {
      kernel->packets(std::span(views).first(32), checksums.data());
      kernel->packets(std::span(views).last(32), checksums.data() + 32);
    } else {
      for (std::size_t i = 0; i < kPackets; ++i) checksums[i] = kernel->packet(views[i].data(), n);
    }
    benchmark::DoNotOptimize(checksums.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(n * kPackets));
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) std::uint32_t plain_crc32q(const std::byte* at, std::size_t n) {
  std::uint64_t state = 0xffffffff;
  for (; n >= 8; n -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    state = _mm_crc32_u64(state, word);
  }
  auto narrow = static_cast<std::uint32_t>(state);
  for (; n > 0; --n, ++at) narrow = _mm_crc32_u8(narrow, std::to_integer<std::uint8_t>(*at));
  return narrow;
}
#endif

void sizes(benchmark::internal::Benchmark* bench) {
  for (const int n : {16, 64, 92, 128, 256, 512, 1024, 1452, 1488, 4096, 8960}) bench->Arg(n);
}

[[maybe_unused]] const bool kRegistered = [] {
  for (const wire::Crc32c* const kernel : wire::crc32c_kernels()) {
    const std::string name = kernel->name;
    benchmark::RegisterBenchmark(("crc32c/update/" + name).c_str(), kernel_update, kernel)->Apply(sizes);
    benchmark::RegisterBenchmark(("crc32c/copy/" + name).c_str(), kernel_copy, kernel)->Apply(sizes);
    benchmark::RegisterBenchmark(("crc32c/memcpy+update/" + name).c_str(), memcpy_then_update, kernel)->Apply(sizes);
    benchmark::RegisterBenchmark(("crc32c/packet/" + name).c_str(), packets, kernel, false)->Apply(sizes);
    benchmark::RegisterBenchmark(("crc32c/burst/" + name).c_str(), packets, kernel, true)->Apply(sizes);
  }
#ifdef __x86_64__
  if (__builtin_cpu_supports("sse4.2"))
    benchmark::RegisterBenchmark("crc32c/plain crc32q", [](benchmark::State& state) {
      run(state, plain_crc32q);
    })->Apply(sizes);
#endif
#ifdef SLUICE_HAVE_ISAL
  benchmark::RegisterBenchmark("crc32c/isa-l crc32_iscsi", [](benchmark::State& state) {
    run(state, [](const std::byte* at, std::size_t n) {
      // It takes a pointer to non-const and an int, and writes nothing.
      auto* const bytes = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(at));
      return crc32_iscsi(bytes, static_cast<int>(n), 0xffffffff);
    });
  })->Apply(sizes);
#endif
  return true;
}();

}  // namespace
}  // namespace sluice::bench
