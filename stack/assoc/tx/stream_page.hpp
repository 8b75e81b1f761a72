#pragma once

#include <array>

#include "stack/assoc/tx/outbound_stream.hpp"

namespace sluice::assoc {

/// A node of the StreamTable: streams at the lowest level, further pages above.
struct StreamPage {
  static constexpr std::uint32_t kBits = 4;
  static constexpr std::uint32_t kSize = 1 << kBits;

  union Slot {
    StreamPage* page;
    OutboundStream* stream;
  };
  std::array<Slot, kSize> slots{};
};

}  // namespace sluice::assoc
