#include "stack/ip/udp.hpp"

#include "stack/base/endian.hpp"
#include "stack/ip/ipv6.hpp"

namespace sluice::ip {
namespace {

std::uint16_t udp_checksum(std::span<const std::byte> bytes, const IpAddress& source, const IpAddress& destination) {
  InternetChecksum checksum;
  add_pseudo_header(checksum, source, destination, static_cast<std::uint32_t>(bytes.size()), kProtocolUdp);
  checksum.add(bytes);
  return checksum.value();
}

}  // namespace

std::optional<UdpHeader> parse_udp(const Datagram& datagram, std::span<const std::byte> payload) {
  if (payload.size() < kUdpHeaderLength) return std::nullopt;
  UdpHeader header;
  header.source_port = base::load_be<std::uint16_t>(&payload[0]);
  header.destination_port = base::load_be<std::uint16_t>(&payload[2]);
  header.length = base::load_be<std::uint16_t>(&payload[4]);
  if (header.length < kUdpHeaderLength || header.length > payload.size()) return std::nullopt;
  if (base::load_be<std::uint16_t>(&payload[6]) == 0) {
    if (datagram.source.is_v6()) return std::nullopt;
    return header;
  }
  if (udp_checksum(payload.first(header.length), datagram.source, datagram.destination) != 0) return std::nullopt;
  return header;
}

void encapsulate(base::Buffer& packet, const IpAddress& source, const IpAddress& destination, std::uint16_t source_port,
                 std::uint16_t destination_port) {
  std::byte* const at = packet.prepend(kUdpHeaderLength);
  base::store_be(at, source_port);
  base::store_be(at + 2, destination_port);
  base::store_be(at + 4, static_cast<std::uint16_t>(packet.size()));
  base::store_be(at + 6, std::uint16_t{0});
  const std::uint16_t checksum = udp_checksum(packet.bytes(), source, destination);
  base::store_be(at + 6, checksum == 0 ? std::uint16_t{0xffff} : checksum);
}

}  // namespace sluice::ip
