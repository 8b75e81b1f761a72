#pragma once

#include <cstddef>
#include <span>

#include "stack/ip/datagram.hpp"
#include "stack/ip/internet_checksum.hpp"

namespace sluice::ip {

inline constexpr std::uint32_t kIpv6HeaderLength = 40;
inline constexpr std::uint32_t kIpv6FragmentHeaderLength = 8;
inline constexpr std::uint16_t kIpv6LeastMtu = 1280;  ///< every IPv6 link takes this (RFC 8200 §5)

/// Reads and checks the header of the IPv6 packet that `packet` begins with, and its extension headers up to the
/// payload or to the fragment header (RFC 8200 §3, §4); link padding may follow. A source of `::` passes: only
/// neighbour discovery knows whether it may (RFC 4861 §4.3). `out` counts only without a fault.
HeaderFault parse_ipv6(std::span<const std::byte> packet, Datagram& out);

/// Where a chain of extension headers ends.
struct ExtensionEnd {
  std::uint8_t protocol = 0;                     ///< what follows
  std::uint32_t offset = 0;                      ///< where it begins
  std::optional<std::uint32_t> protocol_offset;  ///< where `protocol` stands; nothing: not in these headers
  std::optional<Fragment> fragment;              ///< a fragment header was the last one
};

/// Walks the extension headers that stand in `bytes`, the first of which is of type `next_header`. Nothing when one is
/// malformed, out of place, carries an option that asks for the packet to be discarded, or when there are too many. A
/// fragment header ends the walk, unless it is of an "atomic" fragment (RFC 6946), which is the whole.
std::optional<ExtensionEnd> walk_extensions(std::uint8_t next_header, std::span<const std::byte> bytes);

/// Writes a header at `to`, for `payload_length` bytes behind it; with `fragment`, a fragment header too, not counted
/// in `payload_length`.
void write_ipv6(std::byte* to, const OutgoingHeader& header, std::uint32_t payload_length,
                const std::optional<Fragment>& fragment);

/// Adds the pseudo-header of either family (RFC 8200 §8.1, RFC 768) to a checksum of an upper layer.
void add_pseudo_header(InternetChecksum& checksum, const IpAddress& source, const IpAddress& destination,
                       std::uint32_t length, std::uint8_t protocol);

}  // namespace sluice::ip
