#pragma once

#include <cstdint>

namespace sluice::sim {

/// What a busy association got through in some seconds of virtual time, over a link of 100 Mbit/s.
struct SlowReaderResult {
  std::uint64_t alone = 0;        ///< bytes, beside `readers` associations without traffic
  std::uint64_t beside_slow = 0;  ///< bytes, beside as many that are full because their application stopped reading
};

SlowReaderResult slow_readers(std::uint64_t seed, std::uint32_t readers);

}  // namespace sluice::sim
