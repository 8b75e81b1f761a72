#include "stack/ip/arp.hpp"

#include <cstring>

#include "stack/base/endian.hpp"
#include "stack/ip/ethernet.hpp"

namespace sluice::ip {
namespace {

constexpr std::uint16_t kHardwareEthernet = 1;
constexpr std::uint16_t kAddressLengths = 0x0604;  // six bytes of Ethernet, four of IPv4

}  // namespace

std::optional<ArpPacket> parse_arp(std::span<const std::byte> bytes) {
  if (bytes.size() < kArpLength) return std::nullopt;
  const std::byte* const at = bytes.data();
  if (base::load_be<std::uint16_t>(at) != kHardwareEthernet || base::load_be<std::uint16_t>(at + 2) != kEtherTypeIpv4 ||
      base::load_be<std::uint16_t>(at + 4) != kAddressLengths)
    return std::nullopt;
  const auto operation = base::load_be<std::uint16_t>(at + 6);
  if (operation != 1 && operation != 2) return std::nullopt;
  ArpPacket packet;
  packet.operation = static_cast<ArpPacket::Operation>(operation);
  std::memcpy(packet.sender_mac.octets.data(), at + 8, 6);
  packet.sender = IpAddress::v4(base::load_be<std::uint32_t>(at + 14));
  std::memcpy(packet.target_mac.octets.data(), at + 18, 6);
  packet.target = IpAddress::v4(base::load_be<std::uint32_t>(at + 24));
  if (packet.sender_mac.is_multicast() || packet.sender_mac.is_zero()) return std::nullopt;
  if (packet.sender.is_multicast() || packet.sender.is_broadcast() || packet.sender.is_loopback()) return std::nullopt;
  return packet;
}

void write_arp(std::byte* to, const ArpPacket& packet) {
  base::store_be(to, kHardwareEthernet);
  base::store_be(to + 2, kEtherTypeIpv4);
  base::store_be(to + 4, kAddressLengths);
  base::store_be(to + 6, static_cast<std::uint16_t>(packet.operation));
  std::memcpy(to + 8, packet.sender_mac.octets.data(), 6);
  base::store_be(to + 14, packet.sender.v4_value());
  std::memcpy(to + 18, packet.target_mac.octets.data(), 6);
  base::store_be(to + 24, packet.target.v4_value());
}

}  // namespace sluice::ip
