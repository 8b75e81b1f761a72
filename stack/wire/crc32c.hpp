#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "stack/base/buffer.hpp"

namespace sluice::wire {

/// One implementation of CRC32c (polynomial 0x1EDC6F41, RFC 9260 Appendix A). A `state` is the raw shift register in
/// its reflected form: kCrc32cInitial at the start, complemented at the end. No alignment is asked for anywhere, and
/// nothing outside the given bytes is touched.
struct Crc32c {
  const char* name;
  /// The state after `n` more bytes.
  std::uint32_t (*update)(std::uint32_t state, const std::byte* from, std::size_t n);
  /// The same, copying the bytes to `to`, which does not overlap them.
  std::uint32_t (*copy)(std::uint32_t state, std::byte* to, const std::byte* from, std::size_t n);
  /// The checksum that an SCTP packet of `n` bytes, at least 12, should carry: its checksum field counts as zero.
  std::uint32_t (*packet)(const std::byte* packet, std::size_t n);
  /// `packet` for each of `packets`, several short ones at a time.
  void (*packets)(std::span<const std::span<const std::byte>> packets, std::uint32_t* checksums);
};

inline constexpr std::uint32_t kCrc32cInitial = 0xffffffff;

/// The kernel that suits this CPU best, chosen when the program starts.
extern const Crc32c crc32c_kernel;
/// All kernels that this CPU can run, the portable one first and the one preferred last.
std::span<const Crc32c* const> crc32c_kernels();

/// CRC32c of `bytes`, as a number of which the *least* significant byte goes first on the wire: on the little-endian
/// machines that Sluice runs on it is copied into the checksum field as it is, without htonl (RFC 9260 Appendix A).
inline std::uint32_t crc32c(std::span<const std::byte> bytes) {
  return ~crc32c_kernel.update(kCrc32cInitial, bytes.data(), bytes.size());
}

/// From the CRC32c of some bytes (0 for none) that of those bytes followed by `more`.
inline std::uint32_t crc32c_extend(std::uint32_t crc, std::span<const std::byte> more) {
  return ~crc32c_kernel.update(~crc, more.data(), more.size());
}

/// crc32c_extend() that also copies `more` to `to`, in one pass.
inline std::uint32_t crc32c_copy(std::uint32_t crc, std::byte* to, std::span<const std::byte> more) {
  return ~crc32c_kernel.copy(~crc, to, more.data(), more.size());
}

/// Bytes of the SCTP common header, of which the last four are the checksum (RFC 9260 §3.1).
inline constexpr std::size_t kChecksumOffset = 8;
inline constexpr std::size_t kChecksumEnd = 12;

/// The verdict on a received packet: `good`, `bad`, or `zero` when the field is zero and should not be (RFC 9653).
/// A packet too short for a common header is `bad`. The packet is not written to.
base::Checksum crc32c_verify(std::span<const std::byte> packet);
/// crc32c_verify() for a burst of packets; `verdicts` has room for as many. Independent packets overlap in the CPU: on
/// kernels without VPCLMULQDQ packets of some hundred bytes cost a third to a half less.
void crc32c_verify(std::span<const std::span<const std::byte>> packets, base::Checksum* verdicts);
/// Writes the checksum into a packet of at least 12 bytes, whatever its checksum field holds.
void crc32c_fill(std::span<std::byte> packet);

}  // namespace sluice::wire
