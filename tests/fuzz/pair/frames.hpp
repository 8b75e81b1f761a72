#pragma once

#include <sluice/ip_address.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice::fuzz {

inline constexpr std::size_t kEthernet = 14;

using Frame = std::vector<std::byte>;

/// The SCTP packet that a frame brings whole; empty if it brings none.
std::span<const std::byte> sctp_packet_of(std::span<const std::byte> frame);

/// A frame with an IP packet of either family around `payload`; Ethernet addresses are zero.
Frame frame_around(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                   std::span<const std::byte> payload);

/// Makes lengths and checksums of IP and SCTP what they should be for the bytes that are there.
void mend(Frame& frame);

}  // namespace sluice::fuzz
