#include "stack/ip/icmp.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "stack/base/endian.hpp"
#include "stack/ip/internet_checksum.hpp"
#include "stack/ip/ipv4.hpp"
#include "stack/ip/ipv6.hpp"
#include "stack/ip/nd.hpp"

namespace sluice::ip {
namespace {

using base::load_be;
using base::store_be;
using Kind = IcmpNotice::Kind;

// RFC 792.
constexpr std::uint8_t kEchoReply = 0;
constexpr std::uint8_t kUnreachable = 3;
constexpr std::uint8_t kEchoRequest = 8;
constexpr std::uint8_t kCodeProtocol = 2;
constexpr std::uint8_t kCodePort = 3;
constexpr std::uint8_t kCodeFragmentationNeeded = 4;
// RFC 4443.
constexpr std::uint8_t kV6Unreachable = 1;
constexpr std::uint8_t kV6PacketTooBig = 2;
constexpr std::uint8_t kV6ParameterProblem = 4;
constexpr std::uint8_t kV6EchoRequest = 128;
constexpr std::uint8_t kV6EchoReply = 129;
constexpr std::uint8_t kV6CodePort = 4;
constexpr std::uint8_t kV6CodeNextHeader = 1;

constexpr std::uint32_t kLeastIpv4Mtu = 68;    // RFC 791 §3.2
constexpr std::uint32_t kMostIpv4Error = 576;  // RFC 1812 §4.3.2.3
constexpr std::uint32_t kPortsLength = 8;      // ports and tag, what even the shortest quote holds
constexpr std::uint32_t kUdpLength = 8;
constexpr std::uint8_t kInitChunk = 1;

std::uint8_t byte_at(std::span<const std::byte> bytes, std::size_t i) {
  return std::to_integer<std::uint8_t>(bytes[i]);
}

std::uint16_t icmp_checksum(std::span<const std::byte> message, const IpAddress& source, const IpAddress& destination) {
  InternetChecksum checksum;
  if (source.is_v6())
    add_pseudo_header(checksum, source, destination, static_cast<std::uint32_t>(message.size()), kProtocolIcmpv6);
  checksum.add(message);
  return checksum.value();
}

// The packet that an error quotes: cut off anywhere, so its lengths are not held against it.
struct Quote {
  IpAddress source;
  IpAddress destination;
  std::uint8_t protocol = 0;
  std::uint32_t total_length = 0;
  std::span<const std::byte> payload;
};

std::optional<Quote> read_ipv4_quote(std::span<const std::byte> bytes) {
  if (bytes.size() < kIpv4HeaderLength || byte_at(bytes, 0) >> 4 != 4) return std::nullopt;
  const std::uint32_t header_length = (byte_at(bytes, 0) & 0x0fU) * 4;
  const bool later_fragment = (load_be<std::uint16_t>(&bytes[6]) & 0x1fff) != 0;
  if (header_length < kIpv4HeaderLength || header_length > bytes.size() || later_fragment) return std::nullopt;
  Quote quote;
  quote.source = IpAddress::v4(load_be<std::uint32_t>(&bytes[12]));
  quote.destination = IpAddress::v4(load_be<std::uint32_t>(&bytes[16]));
  quote.protocol = byte_at(bytes, 9);
  quote.total_length = load_be<std::uint16_t>(&bytes[2]);
  quote.payload = bytes.subspan(header_length);
  return quote;
}

std::optional<Quote> read_ipv6_quote(std::span<const std::byte> bytes) {
  if (bytes.size() < kIpv6HeaderLength || byte_at(bytes, 0) >> 4 != 6) return std::nullopt;
  auto rest = bytes.subspan(kIpv6HeaderLength);
  auto end = walk_extensions(byte_at(bytes, 6), rest);
  if (!end || (end->fragment && end->fragment->offset != 0)) return std::nullopt;
  IpAddress::Bytes source;
  IpAddress::Bytes destination;
  std::memcpy(source.data(), &bytes[8], source.size());
  std::memcpy(destination.data(), &bytes[24], destination.size());
  Quote quote;
  quote.source = IpAddress::v6(source);
  quote.destination = IpAddress::v6(destination);
  quote.protocol = end->protocol;
  quote.total_length = kIpv6HeaderLength + load_be<std::uint16_t>(&bytes[4]);
  quote.payload = rest.subspan(end->offset);
  return quote;
}

// A router from before RFC 1191 does not tell its MTU; then the next lower plateau is tried (RFC 1191 §7).
std::uint32_t plateau_below(std::uint32_t total_length) {
  constexpr std::array<std::uint32_t, 9> kPlateaus{32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296};
  for (const std::uint32_t plateau : kPlateaus)
    if (plateau < total_length) return plateau;
  return kLeastIpv4Mtu;
}

std::optional<Kind> ipv4_kind(std::uint8_t type, std::uint8_t code) {
  if (type != kUnreachable) return std::nullopt;
  switch (code) {
    case kCodeProtocol:
      return Kind::protocol_unreachable;
    case kCodePort:
      return Kind::port_unreachable;
    case kCodeFragmentationNeeded:
      return Kind::packet_too_big;
    case 0:   // net
    case 6:   // net unknown
    case 9:   // net prohibited
    case 11:  // net, for this type of service
      return Kind::network_unreachable;
    case 1:   // host
    case 7:   // host unknown
    case 10:  // host prohibited
    case 12:  // host, for this type of service
    case 13:  // administratively prohibited (RFC 1812 §5.2.7.1)
      return Kind::host_unreachable;
    default:
      return std::nullopt;
  }
}

std::optional<Kind> ipv6_kind(std::uint8_t type, std::uint8_t code) {
  if (type == kV6PacketTooBig) return Kind::packet_too_big;
  if (type == kV6ParameterProblem && code == kV6CodeNextHeader) return Kind::protocol_unreachable;
  if (type != kV6Unreachable) return std::nullopt;
  if (code == kV6CodePort) return Kind::port_unreachable;
  return code == 0 ? Kind::network_unreachable : Kind::host_unreachable;
}

// Fills in what the quoted SCTP packet says of itself. False: the quote is too short, or of another protocol.
bool read_sctp_quote(const Quote& quote, std::uint16_t udp_port, IcmpNotice& notice) {
  auto sctp = quote.payload;
  if (quote.protocol == kProtocolUdp && udp_port != 0) {
    if (sctp.size() < kUdpLength || load_be<std::uint16_t>(&sctp[0]) != udp_port) return false;
    notice.udp_destination_port = load_be<std::uint16_t>(&sctp[2]);
    sctp = sctp.subspan(kUdpLength);
  } else if (quote.protocol != kProtocolSctp) {
    return false;
  }
  if (sctp.size() < kPortsLength) return false;
  notice.source_port = load_be<std::uint16_t>(&sctp[0]);
  notice.destination_port = load_be<std::uint16_t>(&sctp[2]);
  notice.verification_tag = load_be<std::uint32_t>(&sctp[4]);
  if (sctp.size() >= 20 && byte_at(sctp, 12) == kInitChunk) notice.initiate_tag = load_be<std::uint32_t>(&sctp[16]);
  return true;
}

bool read_mtu(bool is_v4, std::span<const std::byte> message, const Quote& quote, IcmpNotice& notice) {
  notice.mtu = is_v4 ? load_be<std::uint16_t>(&message[6]) : load_be<std::uint32_t>(&message[4]);
  if (is_v4 && notice.mtu == 0) notice.mtu = plateau_below(quote.total_length);
  // No path has less; a forger has (RFC 8201 §4).
  return notice.mtu >= (is_v4 ? kLeastIpv4Mtu : kIpv6LeastMtu);
}

}  // namespace

IcmpClass classify_icmp(const Datagram& datagram, std::span<const std::byte> message) {
  if (message.size() < kIcmpHeaderLength) return IcmpClass::malformed;
  if (icmp_checksum(message, datagram.source, datagram.destination) != 0) return IcmpClass::malformed;
  const std::uint8_t type = byte_at(message, 0);
  if (datagram.source.is_v4()) {
    if (type == kEchoRequest && byte_at(message, 1) == 0) return IcmpClass::echo_request;
    return type == kUnreachable ? IcmpClass::error : IcmpClass::ignored;
  }
  if (type == kV6EchoRequest && byte_at(message, 1) == 0) return IcmpClass::echo_request;
  if (type == kNdSolicitation || type == kNdAdvertisement) return IcmpClass::discovery;
  const bool error = type == kV6Unreachable || type == kV6PacketTooBig || type == kV6ParameterProblem;
  return error ? IcmpClass::error : IcmpClass::ignored;
}

void make_echo_reply(std::span<std::byte> message, const IpAddress& source, const IpAddress& destination) {
  message[0] = std::byte{source.is_v4() ? kEchoReply : kV6EchoReply};
  store_be(&message[2], std::uint16_t{0});
  store_be(&message[2], icmp_checksum(message, source, destination));
}

std::optional<IcmpNotice> read_icmp_error(const Datagram& datagram, std::span<const std::byte> message,
                                          std::uint16_t udp_port) {
  const bool is_v4 = datagram.source.is_v4();
  const auto kind =
      is_v4 ? ipv4_kind(byte_at(message, 0), byte_at(message, 1)) : ipv6_kind(byte_at(message, 0), byte_at(message, 1));
  if (!kind) return std::nullopt;
  const auto quoted = message.subspan(kIcmpHeaderLength);
  const auto quote = is_v4 ? read_ipv4_quote(quoted) : read_ipv6_quote(quoted);
  IcmpNotice notice;
  if (!quote || !read_sctp_quote(*quote, udp_port, notice)) return std::nullopt;
  notice.kind = *kind;
  notice.source = quote->source;
  notice.destination = quote->destination;
  if (*kind == Kind::packet_too_big && !read_mtu(is_v4, message, *quote, notice)) return std::nullopt;
  return notice;
}

std::uint32_t unreachable_length(bool is_v4, std::uint32_t offending_length) {
  const std::uint32_t most = is_v4 ? kMostIpv4Error - kIpv4HeaderLength : kIpv6LeastMtu - kIpv6HeaderLength;
  return std::min(most, kIcmpHeaderLength + offending_length);
}

void write_unreachable(std::span<std::byte> to, Unreachable why, std::span<const std::byte> offending,
                       std::uint32_t next_header_offset, const IpAddress& source, const IpAddress& destination) {
  std::memset(to.data(), 0, kIcmpHeaderLength);
  if (source.is_v4()) {
    to[0] = std::byte{kUnreachable};
    to[1] = std::byte{why == Unreachable::port ? kCodePort : kCodeProtocol};
  } else if (why == Unreachable::port) {
    to[0] = std::byte{kV6Unreachable};
    to[1] = std::byte{kV6CodePort};
  } else {
    to[0] = std::byte{kV6ParameterProblem};
    to[1] = std::byte{kV6CodeNextHeader};
    store_be(&to[4], next_header_offset);
  }
  std::memcpy(to.data() + kIcmpHeaderLength, offending.data(), to.size() - kIcmpHeaderLength);
  store_be(&to[2], icmp_checksum(to, source, destination));
}

}  // namespace sluice::ip
