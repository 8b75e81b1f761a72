#pragma once

#include <sluice/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "stack/base/endian.hpp"

namespace sluice::wire {

/// Bytes of the common header (RFC 9260 §3.1).
inline constexpr std::uint32_t kCommonHeaderSize = 12;

/// The common header of an SCTP packet (RFC 9260 §3.1). Ports in host byte order.
struct CommonHeader {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  VTag tag;
  /// The CRC32c as computed: it is transmitted in the byte order of Appendix A, which is the little end first.
  std::uint32_t checksum = 0;

  /// Nothing if `packet` is shorter than a common header. Values are not judged.
  static std::optional<CommonHeader> parse(std::span<const std::byte> packet) {
    if (packet.size() < kCommonHeaderSize) return std::nullopt;
    CommonHeader header;
    header.source_port = base::load_be<std::uint16_t>(packet.data());
    header.destination_port = base::load_be<std::uint16_t>(packet.data() + 2);
    header.tag = VTag(base::load_be<std::uint32_t>(packet.data() + 4));
    std::memcpy(&header.checksum, packet.data() + 8, sizeof header.checksum);
    return header;
  }

  /// Writes kCommonHeaderSize bytes at `to`.
  void write(std::byte* to) const {
    base::store_be(to, source_port);
    base::store_be(to + 2, destination_port);
    base::store_be(to + 4, tag.value);
    std::memcpy(to + 8, &checksum, sizeof checksum);
  }

  friend bool operator==(const CommonHeader&, const CommonHeader&) = default;
};

}  // namespace sluice::wire
