#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice::wire::test {

/// What a packet held, as far as it made sense.
struct Reading {
  std::uint32_t chunks = 0;                ///< chunks whose length was sound
  std::uint32_t refused = 0;               ///< those of RFC 9260 that their view did not take
  std::uint32_t unknown = 0;               ///< those of other types
  bool malformed = false;                  ///< the walk over the chunks ended at bytes that make none
  std::uint32_t parameters = 0;            ///< parameters and causes, quoted ones included
  std::uint32_t malformed_parameters = 0;  ///< walks over parameters or causes that ended so
  std::uint64_t sum = 0;                   ///< of every byte and every field that was read, so that each is touched
};

/// Reads everything that can be read of `packet`, which begins with a common header, by every view.
Reading read_packet(std::span<const std::byte> packet);

}  // namespace sluice::wire::test
