#include "stack/ip/ethernet.hpp"

#include <cstring>

#include "stack/base/endian.hpp"

namespace sluice::ip {
namespace {

constexpr std::uint8_t kUntaggedLength = 14;
constexpr std::uint8_t kTaggedLength = 18;
constexpr std::uint16_t kVlanMask = 0x0fff;

}  // namespace

std::optional<EthernetHeader> parse_ethernet(std::span<const std::byte> frame) {
  if (frame.size() < kUntaggedLength) return std::nullopt;
  EthernetHeader header;
  std::memcpy(header.destination.octets.data(), frame.data(), 6);
  std::memcpy(header.source.octets.data(), frame.data() + 6, 6);
  header.ether_type = base::load_be<std::uint16_t>(frame.data() + 12);
  header.length = kUntaggedLength;
  if (header.ether_type != kEtherTypeVlan) return header;
  if (frame.size() < kTaggedLength) return std::nullopt;
  const std::uint16_t vlan = base::load_be<std::uint16_t>(frame.data() + 14) & kVlanMask;
  if (vlan != 0) header.vlan = vlan;
  header.ether_type = base::load_be<std::uint16_t>(frame.data() + 16);
  header.length = kTaggedLength;
  return header;
}

LinkHeader make_link_header(const base::MacAddress& destination, const base::MacAddress& source,
                            std::optional<std::uint16_t> vlan, std::uint16_t ether_type) {
  LinkHeader header;
  std::byte* const at = header.bytes.data();
  std::memcpy(at, destination.octets.data(), 6);
  std::memcpy(at + 6, source.octets.data(), 6);
  header.length = kUntaggedLength;
  if (vlan) {
    base::store_be(at + 12, kEtherTypeVlan);
    base::store_be(at + 14, *vlan);
    header.length = kTaggedLength;
  }
  base::store_be(at + header.length - 2, ether_type);
  return header;
}

base::MacAddress destination_of(const LinkHeader& header) {
  base::MacAddress mac;
  std::memcpy(mac.octets.data(), header.bytes.data(), mac.octets.size());
  return mac;
}

}  // namespace sluice::ip
