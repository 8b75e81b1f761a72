#include "stack/ip/nd.hpp"

#include <cstring>

#include "stack/base/endian.hpp"
#include "stack/ip/ipv6.hpp"

namespace sluice::ip {
namespace {

constexpr std::uint32_t kFixedLength = 24;
constexpr std::uint8_t kOptionSourceLinkLayer = 1;
constexpr std::uint8_t kOptionTargetLinkLayer = 2;
constexpr std::uint32_t kFlagRouter = 0x80000000;
constexpr std::uint32_t kFlagSolicited = 0x40000000;
constexpr std::uint32_t kFlagOverride = 0x20000000;

// Steps over the options, taking the link-layer address of type `wanted` (RFC 4861 §4.6). False: one is malformed.
bool read_options(std::span<const std::byte> options, std::uint8_t wanted, std::optional<base::MacAddress>& mac) {
  while (!options.empty()) {
    if (options.size() < 8) return false;
    const std::size_t length = 8U * std::to_integer<std::uint8_t>(options[1]);
    if (length == 0 || length > options.size()) return false;
    if (std::to_integer<std::uint8_t>(options[0]) == wanted && length == 8) {
      base::MacAddress address;
      std::memcpy(address.octets.data(), options.data() + 2, address.octets.size());
      if (address.is_multicast() || address.is_zero()) return false;
      mac = address;
    }
    options = options.subspan(length);
  }
  return true;
}

bool solicitation_sound(const Datagram& datagram, const NdMessage& message) {
  if (!datagram.source.is_unspecified()) return true;
  return datagram.destination == solicited_node(message.target) && !message.mac;
}

bool advertisement_sound(const Datagram& datagram, const NdMessage& message) {
  return !datagram.source.is_unspecified() && !(datagram.destination.is_multicast() && message.solicited);
}

}  // namespace

std::optional<NdMessage> parse_nd(const Datagram& datagram, std::span<const std::byte> bytes) {
  if (datagram.hop_limit != kNdHopLimit || bytes.size() < kFixedLength || bytes[1] != std::byte{0}) return std::nullopt;
  const auto type = std::to_integer<std::uint8_t>(bytes[0]);
  if (type != kNdSolicitation && type != kNdAdvertisement) return std::nullopt;
  const auto flags = base::load_be<std::uint32_t>(bytes.data() + 4);
  NdMessage message;
  message.advertisement = type == kNdAdvertisement;
  message.router = message.advertisement && (flags & kFlagRouter) != 0;
  message.solicited = message.advertisement && (flags & kFlagSolicited) != 0;
  message.override = message.advertisement && (flags & kFlagOverride) != 0;
  IpAddress::Bytes target;
  std::memcpy(target.data(), bytes.data() + 8, target.size());
  message.target = IpAddress::v6(target);
  if (message.target.is_v4() || message.target.is_multicast() || message.target.is_unspecified()) return std::nullopt;
  const std::uint8_t wanted = message.advertisement ? kOptionTargetLinkLayer : kOptionSourceLinkLayer;
  if (!read_options(bytes.subspan(kFixedLength), wanted, message.mac)) return std::nullopt;
  const bool sound =
      message.advertisement ? advertisement_sound(datagram, message) : solicitation_sound(datagram, message);
  if (!sound) return std::nullopt;
  return message;
}

void write_nd(std::byte* to, const NdMessage& message, const IpAddress& source, const IpAddress& destination) {
  const std::uint32_t flags = (message.router ? kFlagRouter : 0) | (message.solicited ? kFlagSolicited : 0) |
                              (message.override ? kFlagOverride : 0);
  to[0] = std::byte{message.advertisement ? kNdAdvertisement : kNdSolicitation};
  to[1] = std::byte{0};
  base::store_be(to + 2, std::uint16_t{0});
  base::store_be(to + 4, flags);
  std::memcpy(to + 8, message.target.bytes().data(), 16);
  to[24] = std::byte{message.advertisement ? kOptionTargetLinkLayer : kOptionSourceLinkLayer};
  to[25] = std::byte{1};
  std::memcpy(to + 26, message.mac->octets.data(), 6);
  InternetChecksum checksum;
  add_pseudo_header(checksum, source, destination, kNdLength, kProtocolIcmpv6);
  checksum.add({to, kNdLength});
  base::store_be(to + 2, checksum.value());
}

IpAddress solicited_node(const IpAddress& address) {
  const auto& low = address.bytes();
  return IpAddress::v6({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, low[13], low[14], low[15]});
}

IpAddress all_nodes() {
  return IpAddress::v6({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
}

base::MacAddress multicast_mac(const IpAddress& group) {
  const auto& low = group.bytes();
  return {{0x33, 0x33, low[12], low[13], low[14], low[15]}};
}

}  // namespace sluice::ip
