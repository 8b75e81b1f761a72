#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice::drivers {

/// What receive-side scaling looks at: the addresses and protocol of an IPv4 or IPv6 packet behind up to two VLAN tags,
/// and its ports if it is SCTP, UDP or TCP and no fragment. All other frames have one hash in common. The directions of
/// a flow differ, as with a NIC's usual key.
std::uint32_t flow_hash(std::span<const std::byte> frame);

/// Bytes of Ethernet header in front of the payload, up to two VLAN tags included; 0 when the frame is shorter.
std::uint32_t ethernet_header_length(std::span<const std::byte> frame);

}  // namespace sluice::drivers
