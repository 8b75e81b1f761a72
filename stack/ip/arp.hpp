#pragma once

#include <sluice/ip_address.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "stack/base/mac_address.hpp"

namespace sluice::ip {

inline constexpr std::uint32_t kArpLength = 28;

/// An ARP packet for IPv4 over Ethernet (RFC 826).
struct ArpPacket {
  enum class Operation : std::uint16_t { request = 1, reply = 2 };
  Operation operation = Operation::request;
  base::MacAddress sender_mac{};
  IpAddress sender;
  base::MacAddress target_mac{};
  IpAddress target;
};

/// Nothing when `bytes`, which may end in padding, is not a request or reply for IPv4 over Ethernet, or when its sender
/// is no single station.
std::optional<ArpPacket> parse_arp(std::span<const std::byte> bytes);

/// Writes kArpLength bytes at `to`.
void write_arp(std::byte* to, const ArpPacket& packet);

}  // namespace sluice::ip
