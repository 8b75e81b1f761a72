#include "apps/perf/content.hpp"

#include <algorithm>
#include <cstring>
#include <random>

namespace sluice::apps {
namespace {

constexpr std::uint32_t kWindow = 1 << 16;  // a piece of a message that lies together, and how many places it may have

std::uint64_t mix(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

}  // namespace

Content::Content(const Workload& workload) : workload_(workload), noise_(2 * kWindow) {
  std::mt19937_64 generator(workload.seed);
  for (std::byte& byte : noise_) byte = static_cast<std::byte>(generator());
}

std::uint32_t Content::size(std::uint32_t sequence) const {
  if (workload_.min_size == workload_.max_size) return workload_.min_size;
  return workload_.min_size +
         static_cast<std::uint32_t>(mix(workload_.seed + sequence) % (workload_.max_size - workload_.min_size + 1));
}

std::span<const std::byte> Content::bytes(std::uint32_t sequence, std::uint32_t offset, std::uint32_t most) const {
  const std::uint32_t within = offset % kWindow;
  const std::uint32_t start = mix(std::uint64_t{sequence} << 16 | offset / kWindow) % kWindow;
  const std::uint32_t left = std::min(size(sequence) - offset, kWindow - within);
  return std::span(noise_).subspan(start + within, std::min(left, most));
}

bool Content::matches(std::uint32_t sequence, std::uint32_t offset, std::span<const std::byte> bytes) const {
  if (offset > size(sequence) || bytes.size() > size(sequence) - offset) return false;
  while (!bytes.empty()) {
    const auto expected = this->bytes(sequence, offset, static_cast<std::uint32_t>(bytes.size()));
    if (std::memcmp(expected.data(), bytes.data(), expected.size()) != 0) return false;
    bytes = bytes.subspan(expected.size());
    offset += static_cast<std::uint32_t>(expected.size());
  }
  return true;
}

}  // namespace sluice::apps
