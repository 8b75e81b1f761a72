#include "tests/sim/sctp_frame.hpp"

#include <cstring>

#include "stack/base/endian.hpp"

namespace sluice::sim {
namespace {

using base::load_be;

constexpr std::size_t kEthernet = 14;
constexpr std::byte kSctp{132};

std::optional<SctpFrame> in_ipv4(std::span<const std::byte> packet) {
  const std::size_t header = (std::to_integer<std::size_t>(packet[0]) & 15) * 4;
  const auto length = load_be<std::uint16_t>(packet.data() + 2);
  const bool fragment = (load_be<std::uint16_t>(packet.data() + 6) & 0x3fff) != 0;
  if (packet[9] != kSctp || fragment || header > length || length > packet.size()) return std::nullopt;
  return SctpFrame{IpAddress::v4(load_be<std::uint32_t>(packet.data() + 12)),
                   IpAddress::v4(load_be<std::uint32_t>(packet.data() + 16)), packet.subspan(header, length - header)};
}

std::optional<SctpFrame> in_ipv6(std::span<const std::byte> packet) {
  constexpr std::size_t kHeader = 40;
  if (packet.size() < kHeader || packet[6] != kSctp) return std::nullopt;
  const auto length = load_be<std::uint16_t>(packet.data() + 4);
  if (length > packet.size() - kHeader) return std::nullopt;
  IpAddress::Bytes source;
  IpAddress::Bytes destination;
  std::memcpy(source.data(), packet.data() + 8, source.size());
  std::memcpy(destination.data(), packet.data() + 24, destination.size());
  return SctpFrame{IpAddress::v6(source), IpAddress::v6(destination), packet.subspan(kHeader, length)};
}

}  // namespace

std::optional<SctpFrame> sctp_in(std::span<const std::byte> frame) {
  if (frame.size() < kEthernet + 20) return std::nullopt;
  const auto type = load_be<std::uint16_t>(frame.data() + 12);
  if (type == 0x0800) return in_ipv4(frame.subspan(kEthernet));
  return type == 0x86dd ? in_ipv6(frame.subspan(kEthernet)) : std::nullopt;
}

}  // namespace sluice::sim
