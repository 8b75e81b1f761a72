#pragma once

#include "stack/assoc/tx/sent_chunk.hpp"
#include "stack/wire/chunk_data.hpp"

namespace sluice::assoc {

/// Bytes that a DATA chunk with `length` bytes of user data takes in a packet: what congestion control counts.
constexpr std::uint32_t chunk_size(std::uint32_t length) {
  return wire::kDataHeaderSize + ((length + 3) & ~3u);
}

/// What Sender::set_fragment_size() accepts: a path MTU may be small, but not so small that headers are most of it.
inline constexpr std::uint32_t kMinFragmentSize = 256;
/// The most that the length field of a DATA chunk allows.
inline constexpr std::uint32_t kMaxFragmentSize = 65516;
/// Bursts saved up beyond this many packets are no limit any more.
inline constexpr std::uint32_t kMaxBurst = 1 << 16;

}  // namespace sluice::assoc
