#include "tests/sim/mtu_router.hpp"

#include <algorithm>
#include <cstring>

#include "stack/base/endian.hpp"
#include "stack/ip/fragmenter.hpp"
#include "stack/ip/icmp.hpp"
#include "stack/ip/ipv4.hpp"
#include "stack/ip/ipv6.hpp"

namespace sluice::sim {
namespace {

using base::load_be;
using base::store_be;

constexpr std::size_t kEthernet = 14;
constexpr std::uint32_t kIpv4Quote = 128;   // more than RFC 792 asks for
constexpr std::uint32_t kIpv6Quote = 1200;  // as much as fits what every link takes (RFC 4443 §3.2)
constexpr std::size_t kMostWaiting = 64;    // routers limit their errors too

drivers::MemoryPortConfig port_config(std::uint16_t segment) {
  drivers::MemoryPortConfig config;
  config.name = "router";
  config.mac = base::MacAddress{{0x02, 0, 0, 0, static_cast<std::uint8_t>(segment), 0xfe}};
  config.mtu = 9000;
  config.segment = segment;
  return config;
}

std::span<const std::byte> trimmed(std::span<const std::byte> packet, std::uint32_t bytes) {
  return packet.first(std::min<std::size_t>(packet.size(), bytes));
}

}  // namespace

MtuRouter::MtuRouter(drivers::MemoryWire& wire, std::uint16_t segment)
    : segment_(static_cast<std::uint8_t>(segment)), port_(wire.add_port(port_config(segment))) {}

void MtuRouter::dropped(std::span<const std::byte> frame, std::uint16_t mtu) {
  if (waiting_.size() >= kMostWaiting || frame.size() < kEthernet + ip::kIpv6HeaderLength) return;
  const auto type = load_be<std::uint16_t>(&frame[12]);
  if (type == 0x86dd) return tell_ipv6(frame, mtu);
  if (type != 0x0800) return;
  const bool dont_fragment = (load_be<std::uint16_t>(&frame[kEthernet + 6]) & 0x4000) != 0;
  dont_fragment ? tell_ipv4(frame, mtu) : cut_ipv4(frame, mtu);
}

bool MtuRouter::step() {
  bool any = false;
  base::Buffer heard[2];  // the little that is for all stations
  while (port_.receive(0, heard) > 0) {
    for (base::Buffer& frame : heard) frame.reset();
    any = true;
  }
  const std::uint16_t sent = port_.transmit(0, waiting_);
  waiting_.erase(waiting_.begin(), waiting_.begin() + sent);
  return any || sent > 0;
}

void MtuRouter::cut_ipv4(std::span<const std::byte> frame, std::uint16_t mtu) {
  ip::Datagram datagram;
  const std::span<const std::byte> packet = frame.subspan(kEthernet);
  if (ip::parse_ipv4(packet, false, datagram) != ip::HeaderFault::none) return;
  ip::OutgoingHeader header{datagram.source,        datagram.destination, datagram.protocol,
                            datagram.traffic_class, datagram.hop_limit,   false};
  const auto id = load_be<std::uint16_t>(&packet[4]);
  const std::uint32_t before = datagram.fragment ? datagram.fragment->offset : 0;
  const bool after = datagram.fragment && datagram.fragment->more;
  ip::for_each_fragment(true, datagram.payload_length, mtu, [&](std::uint32_t offset, std::uint32_t length, bool more) {
    base::Buffer piece = room_for(kEthernet + ip::kIpv4HeaderLength + length);
    std::memcpy(piece.data(), frame.data(), kEthernet);
    ip::write_ipv4(piece.data() + kEthernet, header, length, id, ip::Fragment{id, before + offset, more || after},
                   false);
    std::memcpy(piece.data() + kEthernet + ip::kIpv4HeaderLength, packet.data() + datagram.payload_offset + offset,
                length);
    waiting_.push_back(std::move(piece));
    return true;
  });
  ++cut_;
}

void MtuRouter::tell_ipv4(std::span<const std::byte> frame, std::uint16_t mtu) {
  const std::span<const std::byte> quote = trimmed(frame.subspan(kEthernet), kIpv4Quote);
  const std::span<std::byte> packet = answer_to(frame, ip::kIpv4HeaderLength + ip::kIcmpHeaderLength + quote.size());
  const ip::OutgoingHeader header{IpAddress::v4(0xc61200fe | std::uint32_t{segment_} << 8),
                                  IpAddress::v4(load_be<std::uint32_t>(&quote[12])), ip::kProtocolIcmp};
  const std::span<std::byte> message = packet.subspan(ip::kIpv4HeaderLength);
  ip::write_ipv4(packet.data(), header, static_cast<std::uint32_t>(message.size()), 0, std::nullopt, false);
  message[0] = std::byte{3};  // destination unreachable
  message[1] = std::byte{4};  // fragmentation needed and DF set
  store_be(&message[6], mtu);
  std::memcpy(&message[ip::kIcmpHeaderLength], quote.data(), quote.size());
  ip::InternetChecksum checksum;
  checksum.add(message);
  store_be(&message[2], checksum.value());
}

void MtuRouter::tell_ipv6(std::span<const std::byte> frame, std::uint16_t mtu) {
  const std::span<const std::byte> quote = trimmed(frame.subspan(kEthernet), kIpv6Quote);
  const std::span<std::byte> packet = answer_to(frame, ip::kIpv6HeaderLength + ip::kIcmpHeaderLength + quote.size());
  IpAddress::Bytes to;
  std::memcpy(to.data(), &quote[8], to.size());
  const ip::OutgoingHeader header{IpAddress::v6({0x20, 0x01, 0x0d, 0xb8, 0, segment_, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfe}),
                                  IpAddress::v6(to), ip::kProtocolIcmpv6};
  const std::span<std::byte> message = packet.subspan(ip::kIpv6HeaderLength);
  const auto length = static_cast<std::uint32_t>(message.size());
  ip::write_ipv6(packet.data(), header, length, std::nullopt);
  message[0] = std::byte{2};  // packet too big
  store_be(&message[4], std::uint32_t{mtu});
  std::memcpy(&message[ip::kIcmpHeaderLength], quote.data(), quote.size());
  ip::InternetChecksum checksum;
  ip::add_pseudo_header(checksum, header.source, header.destination, length, ip::kProtocolIcmpv6);
  checksum.add(message);
  store_be(&message[2], checksum.value());
}

/// Zeroed.
base::Buffer MtuRouter::room_for(std::size_t bytes) {
  base::Buffer frame = buffers_.allocate(0, static_cast<std::uint32_t>(bytes));
  std::memset(frame.append(static_cast<std::uint32_t>(bytes)), 0, bytes);
  return frame;
}

/// A zeroed IP packet of `bytes` in a frame that goes back to where `frame` came from.
std::span<std::byte> MtuRouter::answer_to(std::span<const std::byte> frame, std::size_t bytes) {
  base::Buffer answer = room_for(kEthernet + bytes);
  std::memcpy(answer.data(), &frame[6], 6);
  std::memcpy(answer.data() + 6, port_.info().mac.octets.data(), 6);
  std::memcpy(answer.data() + 12, &frame[12], 2);
  waiting_.push_back(std::move(answer));
  ++told_;
  return waiting_.back().bytes().subspan(kEthernet);
}

}  // namespace sluice::sim
