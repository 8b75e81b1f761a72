#include <memory>
#include <vector>

#include "bench/micro/cycles.hpp"
#include "stack/base/seeded_random.hpp"
#include "stack/endpoint/association_table.hpp"
#include "stack/endpoint/directory.hpp"

// Look-ups among few and many associations, in random order: what a received packet costs before its association.

namespace sluice::bench {
namespace {

constexpr std::size_t kLookUps = 1 << 16;

/// Places of entries, 0 to `entries` - 1, in random order.
std::vector<std::uint32_t> random_order(std::uint32_t entries) {
  base::SeededRandom random(1);
  std::vector<std::uint32_t> order(kLookUps);
  for (std::uint32_t& place : order) place = random.below(entries);
  return order;
}

void tag_table(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  base::SeededRandom random(2);
  endpoint::TagTable table({.associations = entries, .retired = 16});
  std::vector<VTag> tags;
  while (tags.size() < entries) {
    const VTag tag(random.u32() | 1);
    if (table.insert(tag, &table) == endpoint::TagTable::InsertStatus::inserted) tags.push_back(tag);
  }
  std::vector<VTag> asked;
  for (const std::uint32_t place : random_order(entries)) asked.push_back(tags[place]);
  CycleReport report(state, kLookUps);
  for (auto _ : state)
    for (const VTag tag : asked) benchmark::DoNotOptimize(table.find(tag));
}
BENCHMARK(tag_table)->RangeMultiplier(10)->Range(1000, 1'000'000);

void directory(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  endpoint::Directory table({3, 4}, {.addresses = entries, .leases = 16});
  // A thousand peers, each with as many ports as it takes.
  const auto ports = [](std::uint32_t i) {
    return endpoint::PortPair{5000, static_cast<std::uint16_t>(1024 + i / 1000)};
  };
  const auto peer = [](std::uint32_t i) { return IpAddress::v4(0xc6120000u + i % 1000); };
  for (std::uint32_t i = 0; i < entries; ++i) {
    const IpAddress address = peer(i);
    static_cast<void>(table.reserve(ports(i), {&address, 1}, VTag(i + 1)));
  }
  struct Asked {
    endpoint::PortPair ports;
    IpAddress peer;
  };
  std::vector<Asked> asked;
  for (const std::uint32_t place : random_order(entries)) asked.push_back({ports(place), peer(place)});
  CycleReport report(state, kLookUps);
  for (auto _ : state)
    for (const Asked& one : asked) benchmark::DoNotOptimize(table.find(one.ports, one.peer));
}
BENCHMARK(directory)->RangeMultiplier(10)->Range(1000, 1'000'000);

}  // namespace
}  // namespace sluice::bench
