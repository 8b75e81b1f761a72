#include "drivers/flow_hash.hpp"

#include <cstring>

#include "stack/base/endian.hpp"
#include "stack/base/siphash.hpp"

namespace sluice::drivers {
namespace {

using base::load_be;

constexpr base::SipKey kKey{0x736c756963652d72, 0x73732d68617368ff};

bool has_ports(std::uint8_t protocol) {
  return protocol == 132 || protocol == 17 || protocol == 6;
}

/// Everything that the hash depends on.
struct Flow {
  std::byte addresses[32]{};
  std::byte ports[4]{};
  std::uint32_t protocol = 0;
};
static_assert(sizeof(Flow) == 40);

void take_ports(Flow& flow, std::span<const std::byte> payload) {
  if (has_ports(static_cast<std::uint8_t>(flow.protocol)) && payload.size() >= sizeof flow.ports)
    std::memcpy(flow.ports, payload.data(), sizeof flow.ports);
}

bool read_ipv4(Flow& flow, std::span<const std::byte> packet) {
  if (packet.size() < 20) return false;
  const std::size_t header = (std::to_integer<std::size_t>(packet[0]) & 15) * 4;
  std::memcpy(flow.addresses, &packet[12], 8);
  flow.protocol = std::to_integer<std::uint32_t>(packet[9]);
  const bool fragment = (load_be<std::uint16_t>(&packet[6]) & 0x3fff) != 0;
  if (!fragment && header <= packet.size()) take_ports(flow, packet.subspan(header));
  return true;
}

bool read_ipv6(Flow& flow, std::span<const std::byte> packet) {
  if (packet.size() < 40) return false;
  std::memcpy(flow.addresses, &packet[8], 32);
  flow.protocol = std::to_integer<std::uint32_t>(packet[6]);
  take_ports(flow, packet.subspan(40));
  return true;
}

bool is_vlan(std::uint16_t type) {
  return type == 0x8100 || type == 0x88a8;
}

}  // namespace

std::uint32_t ethernet_header_length(std::span<const std::byte> frame) {
  std::uint32_t length = 14;
  for (int tags = 0; tags < 2 && frame.size() >= length && is_vlan(load_be<std::uint16_t>(&frame[length - 2])); ++tags)
    length += 4;
  return frame.size() >= length ? length : 0;
}

std::uint32_t flow_hash(std::span<const std::byte> frame) {
  const std::uint32_t l2_length = ethernet_header_length(frame);
  if (l2_length == 0) return 0;
  const auto type = load_be<std::uint16_t>(&frame[l2_length - 2]);
  Flow flow;
  const bool known = type == 0x0800   ? read_ipv4(flow, frame.subspan(l2_length))
                     : type == 0x86dd ? read_ipv6(flow, frame.subspan(l2_length))
                                      : false;
  return known ? static_cast<std::uint32_t>(base::siphash(kKey, std::as_bytes(std::span(&flow, 1)))) : 0;
}

}  // namespace sluice::drivers
