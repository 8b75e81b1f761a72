#include "stack/ip/ipv4.hpp"

#include "stack/base/endian.hpp"
#include "stack/ip/internet_checksum.hpp"

namespace sluice::ip {
namespace {

constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kMoreFragments = 0x2000;
constexpr std::uint16_t kOffsetMask = 0x1fff;

constexpr std::uint8_t kOptionEnd = 0;
constexpr std::uint8_t kOptionNop = 1;
constexpr std::uint8_t kOptionLooseSourceRoute = 131;
constexpr std::uint8_t kOptionStrictSourceRoute = 137;

// Options are stepped over; a source route is refused, as RFC 7126 §4.3 and §4.4 advise.
bool options_sound(std::span<const std::byte> options) {
  while (!options.empty()) {
    const auto kind = std::to_integer<std::uint8_t>(options[0]);
    if (kind == kOptionEnd) return true;
    std::size_t length = 1;
    if (kind != kOptionNop) {
      if (options.size() < 2) return false;
      length = std::to_integer<std::uint8_t>(options[1]);
      if (length < 2 || length > options.size()) return false;
      if (kind == kOptionLooseSourceRoute || kind == kOptionStrictSourceRoute) return false;
    }
    options = options.subspan(length);
  }
  return true;
}

// RFC 1122 §3.2.1.3, RFC 6890: "this network", loopback, multicast, reserved and broadcast are no sources.
bool can_be_source(std::uint32_t address) {
  const std::uint32_t top = address >> 24;
  return top != 0 && top != 127 && top < 224;
}

}  // namespace

HeaderFault parse_ipv4(std::span<const std::byte> packet, bool checksum_good, Datagram& out) {
  if (packet.size() < kIpv4HeaderLength) return HeaderFault::malformed;
  const std::byte* const at = packet.data();
  const auto first = std::to_integer<std::uint8_t>(at[0]);
  const std::uint32_t header_length = (first & 0x0fU) * 4;
  const std::uint32_t total = base::load_be<std::uint16_t>(at + 2);
  if (first >> 4 != 4 || header_length < kIpv4HeaderLength || total < header_length || total > packet.size())
    return HeaderFault::malformed;
  if (!checksum_good) {
    InternetChecksum checksum;
    checksum.add(packet.first(header_length));
    if (checksum.value() != 0) return HeaderFault::checksum;
  }
  if (header_length > kIpv4HeaderLength &&
      !options_sound(packet.subspan(kIpv4HeaderLength, header_length - kIpv4HeaderLength)))
    return HeaderFault::options;
  const auto source = base::load_be<std::uint32_t>(at + 12);
  if (!can_be_source(source)) return HeaderFault::source;

  out.source = IpAddress::v4(source);
  out.destination = IpAddress::v4(base::load_be<std::uint32_t>(at + 16));
  out.payload_offset = header_length;
  out.payload_length = total - header_length;
  out.protocol_offset = 9;
  out.protocol = std::to_integer<std::uint8_t>(at[9]);
  out.traffic_class = std::to_integer<std::uint8_t>(at[1]);
  out.hop_limit = std::to_integer<std::uint8_t>(at[8]);
  const auto flags = base::load_be<std::uint16_t>(at + 6);
  out.fragment.reset();
  if ((flags & (kMoreFragments | kOffsetMask)) != 0)
    out.fragment =
        Fragment{base::load_be<std::uint16_t>(at + 4), (flags & kOffsetMask) * 8U, (flags & kMoreFragments) != 0};
  return HeaderFault::none;
}

void write_ipv4(std::byte* to, const OutgoingHeader& header, std::uint32_t payload_length, std::uint16_t id,
                const std::optional<Fragment>& fragment, bool leave_checksum) {
  std::uint16_t flags = header.dont_fragment ? kDontFragment : 0;
  if (fragment) flags = static_cast<std::uint16_t>(fragment->offset / 8 | (fragment->more ? kMoreFragments : 0U));
  to[0] = std::byte{0x45};
  to[1] = std::byte{header.traffic_class};
  base::store_be(to + 2, static_cast<std::uint16_t>(kIpv4HeaderLength + payload_length));
  base::store_be(to + 4, id);
  base::store_be(to + 6, flags);
  to[8] = std::byte{header.hop_limit};
  to[9] = std::byte{header.protocol};
  base::store_be(to + 10, std::uint16_t{0});
  base::store_be(to + 12, header.source.v4_value());
  base::store_be(to + 16, header.destination.v4_value());
  if (leave_checksum) return;
  InternetChecksum checksum;
  checksum.add({to, kIpv4HeaderLength});
  base::store_be(to + 10, checksum.value());
}

}  // namespace sluice::ip
