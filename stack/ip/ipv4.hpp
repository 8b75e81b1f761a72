#pragma once

#include <cstddef>
#include <span>

#include "stack/ip/datagram.hpp"

namespace sluice::ip {

inline constexpr std::uint32_t kIpv4HeaderLength = 20;  ///< without options: what is sent

/// Reads and checks the header of the IPv4 packet that `packet` begins with (RFC 791 §3.1, RFC 1122 §3.2.1); link
/// padding may follow it. `checksum_good`: the port verified the header checksum. `out` counts only without a fault.
HeaderFault parse_ipv4(std::span<const std::byte> packet, bool checksum_good, Datagram& out);

/// Writes a header without options at `to`, for `payload_length` bytes behind it. `id` is the datagram's; `fragment`
/// nothing: it is sent whole. With `leave_checksum` the field stays zero for the port to fill in.
void write_ipv4(std::byte* to, const OutgoingHeader& header, std::uint32_t payload_length, std::uint16_t id,
                const std::optional<Fragment>& fragment, bool leave_checksum);

}  // namespace sluice::ip
