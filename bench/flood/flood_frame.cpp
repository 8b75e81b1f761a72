#include "bench/flood/flood_frame.hpp"

#include <cstring>

#include "stack/base/heap_buffers.hpp"
#include "stack/base/seeded_random.hpp"
#include "stack/endpoint/cookie.hpp"
#include "stack/ip/ethernet.hpp"
#include "stack/ip/ipv4.hpp"
#include "stack/ip/udp.hpp"
#include "stack/wire/chunk_cookie.hpp"
#include "stack/wire/chunk_init.hpp"
#include "stack/wire/crc32c.hpp"

namespace sluice::bench {
namespace {

constexpr std::uint32_t kHeadroom = 64;
constexpr std::uint32_t kRoom = 1500;
constexpr std::uint16_t kFirstPort = 1024;
constexpr std::uint32_t kWindow = 106496;
constexpr std::uint16_t kStreams = 10;

/// What is different in each frame.
struct Sender {
  IpAddress address;
  std::uint16_t port;
  base::SeededRandom random;
};

void write_init(wire::PacketWriter& packet, base::Random& random) {
  wire::ChunkWriter chunk = wire::append_init(packet, {.init_tag = VTag(random.u32() | 1),
                                                       .window = kWindow,
                                                       .outbound_streams = kStreams,
                                                       .inbound_streams = kStreams,
                                                       .initial_tsn = Tsn(random.u32())});
  wire::append_supported_address_types(chunk, {.ipv4 = true, .ipv6 = false});
  wire::append_empty_parameter(chunk, wire::ParameterType::ecn_capable);
  wire::append_empty_parameter(chunk, wire::ParameterType::forward_tsn_supported);
}

// Sealed with a key that only its number has in common with the first of a stack: all the work of a MAC is done on it.
void write_cookie(wire::PacketWriter& packet, const FloodRoute& route, VTag tag, Sender& from) {
  endpoint::Cookie cookie;
  cookie.handshake = {.local_port = route.port,
                      .peer_port = from.port,
                      .local_tag = tag,
                      .peer_tag = VTag(from.random.u32() | 1),
                      .local_initial_tsn = Tsn(from.random.u32()),
                      .peer_initial_tsn = Tsn(from.random.u32()),
                      .peer_window = kWindow,
                      .outbound_streams = kStreams,
                      .inbound_streams = kStreams,
                      .local_addresses = {IpAddress::v4(route.destination)},
                      .peer_addresses = {from.address},
                      .extensions = {}};
  cookie.lifetime = std::chrono::hours(1);
  std::byte sealed[endpoint::kMaxCookieSize];
  const endpoint::CookieSealer sealer(endpoint::CookieKeys::first(from.random));
  const std::uint32_t length = sealer.seal(cookie, sealed);
  wire::append_cookie_echo(packet, std::span(sealed).first(length));
}

void write_sctp(base::Buffer& buffer, FloodKind kind, const FloodRoute& route, Sender& from) {
  const VTag tag(kind == FloodKind::init ? 0 : from.random.u32() | 1);
  wire::PacketWriter packet(buffer, kRoom,
                            {.source_port = from.port, .destination_port = route.port, .tag = tag, .checksum = 0});
  if (kind == FloodKind::init)
    write_init(packet, from.random);
  else
    write_cookie(packet, route, tag, from);
  wire::crc32c_fill(buffer.bytes());
}

void write_udp(base::Buffer& buffer, const FloodRoute& route, Sender& from, std::uint32_t frame_bytes) {
  const std::uint32_t length = std::max(frame_bytes, kLeastUdpFrame) - kLeastUdpFrame;
  std::memset(buffer.append(length), 'x', length);
  ip::encapsulate(buffer, from.address, IpAddress::v4(route.destination), from.port, route.port);
}

}  // namespace

std::vector<std::byte> flood_frame(FloodKind kind, const FloodRoute& route, std::uint32_t number,
                                   std::uint32_t udp_frame_bytes) {
  Sender from{IpAddress::v4(route.first_source + number),
              static_cast<std::uint16_t>(kFirstPort + number % (UINT16_MAX - kFirstPort)), base::SeededRandom(number)};
  base::HeapBuffers memory;
  base::Buffer buffer = memory.allocate(kHeadroom, kRoom);
  if (kind == FloodKind::udp)
    write_udp(buffer, route, from, udp_frame_bytes);
  else
    write_sctp(buffer, kind, route, from);
  ip::OutgoingHeader header;
  header.source = from.address;
  header.destination = IpAddress::v4(route.destination);
  header.protocol = kind == FloodKind::udp ? ip::kProtocolUdp : ip::kProtocolSctp;
  const std::uint32_t payload = buffer.size();
  ip::write_ipv4(buffer.prepend(ip::kIpv4HeaderLength), header, payload, static_cast<std::uint16_t>(number), {}, false);
  const ip::LinkHeader link =
      ip::make_link_header(route.destination_mac, route.source_mac, std::nullopt, ip::kEtherTypeIpv4);
  std::memcpy(buffer.prepend(link.length), link.bytes.data(), link.length);
  return {buffer.data(), buffer.data() + buffer.size()};
}

}  // namespace sluice::bench
