#include "stack/ip/ipv6.hpp"

#include <cstring>

#include "stack/base/endian.hpp"

namespace sluice::ip {
namespace {

constexpr unsigned kMostExtensionHeaders = 8;
constexpr unsigned kMostOptions = 16;  // RFC 8504 §5.3 suggests to bound them

constexpr std::uint8_t kOptionPad1 = 0;

// Options of a type with a non-zero upper pair of bits are not to be skipped when unknown (RFC 8200 §4.2), and we know
// none but padding.
bool options_sound(std::span<const std::byte> options) {
  for (unsigned count = 0; !options.empty(); ++count) {
    if (count == kMostOptions) return false;
    const auto type = std::to_integer<std::uint8_t>(options[0]);
    if (type == kOptionPad1) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2 || type >> 6 != 0) return false;
    const std::size_t length = 2U + std::to_integer<std::uint8_t>(options[1]);
    if (length > options.size()) return false;
    options = options.subspan(length);
  }
  return true;
}

bool is_extension(std::uint8_t next_header) {
  return next_header == kProtocolHopByHop || next_header == kProtocolRouting || next_header == kProtocolFragment ||
         next_header == kProtocolDestinationOptions;
}

IpAddress load_address(const std::byte* from) {
  IpAddress::Bytes bytes;
  std::memcpy(bytes.data(), from, bytes.size());
  return IpAddress::v6(bytes);
}

Fragment load_fragment(const std::byte* header) {
  const auto word = base::load_be<std::uint16_t>(header + 2);
  return {base::load_be<std::uint32_t>(header + 4), word & 0xfff8U, (word & 1) != 0};
}

// One extension header that is not a fragment header, whole in `header`.
bool extension_sound(std::uint8_t type, std::span<const std::byte> header) {
  // A routing header whose segments are not used up asks us to forward; RH0 is dead (RFC 5095).
  if (type == kProtocolRouting) return header[3] == std::byte{0};
  return options_sound(header.subspan(2));
}

}  // namespace

std::optional<ExtensionEnd> walk_extensions(std::uint8_t next_header, std::span<const std::byte> bytes) {
  ExtensionEnd end;
  end.protocol = next_header;
  for (unsigned count = 0; is_extension(end.protocol); ++count) {
    const auto rest = bytes.subspan(end.offset);
    if (count == kMostExtensionHeaders || rest.size() < 8) return std::nullopt;
    // Hop-by-hop options stand first or not at all (RFC 8200 §4.1).
    if (end.protocol == kProtocolHopByHop && count > 0) return std::nullopt;
    const bool is_fragment = end.protocol == kProtocolFragment;
    const std::uint32_t length = is_fragment ? 8 : 8 + 8U * std::to_integer<std::uint8_t>(rest[1]);
    if (length > rest.size()) return std::nullopt;
    if (!is_fragment && !extension_sound(end.protocol, rest.first(length))) return std::nullopt;
    end.protocol = std::to_integer<std::uint8_t>(rest[0]);
    end.protocol_offset = end.offset;
    end.offset += length;
    if (!is_fragment) continue;
    const Fragment fragment = load_fragment(rest.data());
    if (fragment.offset == 0 && !fragment.more) continue;
    end.fragment = fragment;
    return end;
  }
  return end;
}

HeaderFault parse_ipv6(std::span<const std::byte> packet, Datagram& out) {
  if (packet.size() < kIpv6HeaderLength) return HeaderFault::malformed;
  const std::byte* const at = packet.data();
  const auto first = base::load_be<std::uint32_t>(at);
  const std::uint32_t payload = base::load_be<std::uint16_t>(at + 4);
  // A length of zero would be a jumbogram (RFC 2675); no link here carries one.
  if (first >> 28 != 6 || payload > packet.size() - kIpv6HeaderLength) return HeaderFault::malformed;
  out.source = load_address(at + 8);
  out.destination = load_address(at + 24);
  // IPv4-mapped addresses never stand on the wire, and would pass for IPv4 here (RFC 4942 §2.2).
  if (out.source.is_v4() || out.source.is_multicast() || out.source.is_loopback()) return HeaderFault::source;
  if (out.destination.is_v4()) return HeaderFault::malformed;
  const auto end = walk_extensions(std::to_integer<std::uint8_t>(at[6]), packet.subspan(kIpv6HeaderLength, payload));
  if (!end) return HeaderFault::options;
  out.payload_offset = kIpv6HeaderLength + end->offset;
  out.payload_length = payload - end->offset;
  out.protocol = end->protocol;
  out.protocol_offset = end->protocol_offset ? kIpv6HeaderLength + *end->protocol_offset : 6;
  out.traffic_class = static_cast<std::uint8_t>(first >> 20);
  out.hop_limit = std::to_integer<std::uint8_t>(at[7]);
  out.fragment = end->fragment;
  return HeaderFault::none;
}

void write_ipv6(std::byte* to, const OutgoingHeader& header, std::uint32_t payload_length,
                const std::optional<Fragment>& fragment) {
  const std::uint32_t extra = fragment ? kIpv6FragmentHeaderLength : 0;
  base::store_be(to, 6U << 28 | std::uint32_t{header.traffic_class} << 20);
  base::store_be(to + 4, static_cast<std::uint16_t>(payload_length + extra));
  to[6] = std::byte{fragment ? kProtocolFragment : header.protocol};
  to[7] = std::byte{header.hop_limit};
  std::memcpy(to + 8, header.source.bytes().data(), 16);
  std::memcpy(to + 24, header.destination.bytes().data(), 16);
  if (!fragment) return;
  std::byte* const at = to + kIpv6HeaderLength;
  at[0] = std::byte{header.protocol};
  at[1] = std::byte{0};
  base::store_be(at + 2, static_cast<std::uint16_t>(fragment->offset | (fragment->more ? 1U : 0U)));
  base::store_be(at + 4, fragment->id);
}

void add_pseudo_header(InternetChecksum& checksum, const IpAddress& source, const IpAddress& destination,
                       std::uint32_t length, std::uint8_t protocol) {
  if (source.is_v4()) {
    checksum.add_be32(source.v4_value());
    checksum.add_be32(destination.v4_value());
  } else {
    checksum.add(std::as_bytes(std::span(source.bytes())));
    checksum.add(std::as_bytes(std::span(destination.bytes())));
  }
  checksum.add_be32(length);
  checksum.add_be32(protocol);
}

}  // namespace sluice::ip
