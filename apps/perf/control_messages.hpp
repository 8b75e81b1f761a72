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
  Workload workload;
};

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
