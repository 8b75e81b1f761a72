#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "apps/perf/checker.hpp"
#include "apps/perf/content.hpp"

// What sluice-perf's client and server tell each other besides the load, on stream 0, in the byte order of the machine:
// both ends are sluice-perf of the same version, which Hello::version checks.
namespace sluice::apps {

inline constexpr std::uint32_t kHelloPpid = 0xffffff01;   ///< client: the workload that follows
inline constexpr std::uint32_t kFinishPpid = 0xffffff02;  ///< client: how much it was
inline constexpr std::uint32_t kReportPpid = 0xffffff03;  ///< server: what arrived

struct Hello {
  static constexpr std::uint32_t kVersion = 1;
  std::uint32_t magic = 0x534c5543;
  std::uint32_t version = kVersion;
  std::uint64_t seed = 0;
  std::uint32_t min_size = 0;
  std::uint32_t max_size = 0;
  std::uint16_t streams = 0;
  std::uint8_t unordered = 0;  ///< 0 or 1: a peer may send any byte, and a bool must hold no other
};

inline Hello hello_of(const Workload& workload) {
  Hello hello;
  hello.seed = workload.seed;
  hello.min_size = workload.min_size;
  hello.max_size = workload.max_size;
  hello.streams = workload.streams;
  hello.unordered = workload.unordered ? 1 : 0;
  return hello;
}

/// Nothing if no client of this version sends such a Hello.
inline std::optional<Workload> workload_of(const Hello& hello) {
  if (hello.magic != Hello{}.magic || hello.version != Hello::kVersion) return std::nullopt;
  if (hello.min_size == 0 || hello.min_size > hello.max_size) return std::nullopt;
  if (hello.streams == 0 || hello.unordered > 1) return std::nullopt;
  return Workload{hello.seed, hello.min_size, hello.max_size, hello.streams, hello.unordered == 1};
}

struct Finish {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

struct Report {
  Findings findings;
};

template <class Value>
std::span<const std::byte> as_message(const Value& value) {
  return std::as_bytes(std::span(&value, 1));
}

/// The control message in `bytes`; nothing if the size differs.
template <class Value>
std::optional<Value> from_message(std::span<const std::byte> bytes) {
  if (bytes.size() != sizeof(Value)) return std::nullopt;
  Value value;
  std::memcpy(static_cast<void*>(&value), bytes.data(), sizeof value);
  return value;
}

}  // namespace sluice::apps
