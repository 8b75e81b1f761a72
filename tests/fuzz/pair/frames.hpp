#pragma once

#include <sluice/ip_address.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "stack/base/mac_address.hpp"

namespace sluice::fuzz {

inline constexpr std::size_t kEthernet = 14;

using Frame = std::vector<std::byte>;

/// The SCTP packet that a frame brings whole; empty if it brings none.
std::span<const std::byte> sctp_packet_of(std::span<const std::byte> frame);

/// A frame with an IP packet of either family around `payload`; Ethernet addresses are zero.
Frame frame_around(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                   std::span<const std::byte> payload);

/// What `mac` answers to an ARP request for an address of `first` or up to seven above; empty if `frame` is none.
Frame arp_reply_to(std::span<const std::byte> frame, std::uint32_t first, const base::MacAddress& mac);

/// Makes lengths and checksums of IP and SCTP what they should be for the bytes that are there.
void mend(Frame& frame);

}  // namespace sluice::fuzz
