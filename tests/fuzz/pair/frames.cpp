#include "tests/fuzz/pair/frames.hpp"

#include <algorithm>
#include <cstring>

#include "stack/base/endian.hpp"
#include "stack/ip/ethernet.hpp"
#include "stack/ip/internet_checksum.hpp"
#include "stack/ip/ipv4.hpp"
#include "stack/ip/ipv6.hpp"
#include "stack/wire/crc32c.hpp"

namespace sluice::fuzz {
namespace {

using base::load_be;
using base::store_be;

bool is(std::span<const std::byte> frame, std::uint16_t ether_type, std::uint32_t header) {
  return frame.size() >= kEthernet + header && load_be<std::uint16_t>(&frame[12]) == ether_type;
}

}  // namespace

std::span<const std::byte> sctp_packet_of(std::span<const std::byte> frame) {
  ip::Datagram datagram;
  const std::span<const std::byte> packet = frame.subspan(std::min(frame.size(), kEthernet));
  ip::HeaderFault fault = ip::HeaderFault::malformed;
  if (is(frame, ip::kEtherTypeIpv4, ip::kIpv4HeaderLength)) fault = ip::parse_ipv4(packet, true, datagram);
  if (is(frame, ip::kEtherTypeIpv6, ip::kIpv6HeaderLength)) fault = ip::parse_ipv6(packet, datagram);
  if (fault != ip::HeaderFault::none || datagram.fragment || datagram.protocol != ip::kProtocolSctp) return {};
  return packet.subspan(datagram.payload_offset, datagram.payload_length);
}

Frame frame_around(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                   std::span<const std::byte> payload) {
  const bool v4 = destination.is_v4();
  const std::uint32_t header = v4 ? ip::kIpv4HeaderLength : ip::kIpv6HeaderLength;
  Frame frame(kEthernet + header);
  store_be(&frame[12], v4 ? ip::kEtherTypeIpv4 : ip::kEtherTypeIpv6);
  const ip::OutgoingHeader outgoing{source, destination, protocol};
  const auto length = static_cast<std::uint32_t>(payload.size());
  if (v4)
    ip::write_ipv4(&frame[kEthernet], outgoing, length, 0, std::nullopt, false);
  else
    ip::write_ipv6(&frame[kEthernet], outgoing, length, std::nullopt);
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

Frame arp_reply_to(std::span<const std::byte> frame, std::uint32_t first, const base::MacAddress& mac) {
  constexpr std::size_t kSize = 28;  // RFC 826, for IPv4 over Ethernet
  if (!is(frame, ip::kEtherTypeArp, kSize) || load_be<std::uint16_t>(&frame[kEthernet + 6]) != 1) return {};
  if (load_be<std::uint32_t>(&frame[kEthernet + 24]) - first >= 8) return {};
  Frame reply(frame.begin(), frame.begin() + kEthernet + kSize);
  store_be(&reply[kEthernet + 6], std::uint16_t{2});
  std::memcpy(&reply[0], &frame[6], 6);
  std::memcpy(&reply[6], mac.octets.data(), 6);
  std::memcpy(&reply[kEthernet + 8], mac.octets.data(), 6);  // sender: who was asked for
  std::memcpy(&reply[kEthernet + 14], &frame[kEthernet + 24], 4);
  std::memcpy(&reply[kEthernet + 18], &frame[kEthernet + 8], 10);  // target: who asked
  return reply;
}

void mend(Frame& frame) {
  std::size_t header = 0;
  if (is(frame, ip::kEtherTypeIpv4, ip::kIpv4HeaderLength)) {
    header = ip::kIpv4HeaderLength;
    store_be(&frame[kEthernet + 2], static_cast<std::uint16_t>(frame.size() - kEthernet));
    store_be(&frame[kEthernet + 10], std::uint16_t{0});
    ip::InternetChecksum sum;
    sum.add(std::span(frame).subspan(kEthernet, header));
    store_be(&frame[kEthernet + 10], sum.value());
  } else if (is(frame, ip::kEtherTypeIpv6, ip::kIpv6HeaderLength)) {
    header = ip::kIpv6HeaderLength;
    store_be(&frame[kEthernet + 4], static_cast<std::uint16_t>(frame.size() - kEthernet - header));
  }
  if (header == 0) return;
  const std::span<std::byte> packet = std::span(frame).subspan(kEthernet + header);
  const auto protocol = static_cast<std::uint8_t>(frame[kEthernet + (header == ip::kIpv4HeaderLength ? 9 : 6)]);
  if (protocol == ip::kProtocolSctp && packet.size() >= wire::kChecksumEnd) wire::crc32c_fill(packet);
}

}  // namespace sluice::fuzz
