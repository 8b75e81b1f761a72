#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/heap_buffers.hpp"
#include "stack/base/random.hpp"
#include "stack/ip/layer.hpp"

// Hand-made packets for the tests of the ip room. Nothing here uses the code under test.
namespace sluice::ip::testing {

using Bytes = std::vector<std::byte>;
using base::MacAddress;
using namespace std::chrono_literals;

inline Bytes bytes_of(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}
inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
/// `text` is hexadecimal, blanks ignored.
inline Bytes hex(std::string_view text) {
  Bytes bytes;
  std::string digits;
  for (const char c : text)
    if (c != ' ') digits += c;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}
inline Bytes be16(unsigned value) {
  return bytes_of({static_cast<int>(value >> 8 & 0xff), static_cast<int>(value & 0xff)});
}
inline Bytes be32(unsigned value) {
  return be16(value >> 16) + be16(value & 0xffff);
}
inline unsigned get16(const Bytes& bytes, std::size_t at) {
  return std::to_integer<unsigned>(bytes.at(at)) << 8 | std::to_integer<unsigned>(bytes.at(at + 1));
}
inline unsigned get32(const Bytes& bytes, std::size_t at) {
  return get16(bytes, at) << 16 | get16(bytes, at + 2);
}
inline void put16(Bytes& bytes, std::size_t at, unsigned value) {
  bytes.at(at) = static_cast<std::byte>(value >> 8);
  bytes.at(at + 1) = static_cast<std::byte>(value);
}
inline Bytes slice(const Bytes& bytes, std::size_t from, std::size_t length = SIZE_MAX) {
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(from);
  return {begin, begin + static_cast<std::ptrdiff_t>(std::min(length, bytes.size() - from))};
}
/// A payload in which each byte depends on its place.
inline Bytes pattern(std::size_t length, unsigned seed = 1) {
  Bytes bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::byte>(i * 7 + (i >> 8) * 13 + seed);
  return bytes;
}
inline IpAddress address(const char* text) {
  return IpAddress::parse(text).value();
}
inline Bytes raw(const IpAddress& a) {
  Bytes bytes(16);
  std::memcpy(bytes.data(), a.bytes().data(), 16);
  return a.is_v4() ? slice(bytes, 12) : bytes;
}
inline Bytes raw(const MacAddress& mac) {
  Bytes bytes(6);
  std::memcpy(bytes.data(), mac.octets.data(), 6);
  return bytes;
}

/// The checksum of RFC 1071, the slow and plain way.
inline unsigned plain_checksum(const Bytes& bytes) {
  unsigned long sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    sum += std::to_integer<unsigned long>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<unsigned>(~sum & 0xffff);
}
inline Bytes pseudo_header(const IpAddress& from, const IpAddress& to, std::size_t length, int protocol) {
  return raw(from) + raw(to) + be32(static_cast<unsigned>(length)) + be32(static_cast<unsigned>(protocol));
}

struct Ipv4Options {
  int protocol = 132;
  int tos = 0;
  unsigned id = 0;
  unsigned flags_offset = 0;  // in the header's own encoding
  Bytes options = {};
};
inline Bytes ipv4_packet(const IpAddress& from, const IpAddress& to, const Bytes& payload, Ipv4Options o = {}) {
  const std::size_t header = 20 + o.options.size();
  Bytes packet = bytes_of({static_cast<int>(0x40 | header / 4), o.tos}) +
                 be16(static_cast<unsigned>(header + payload.size())) + be16(o.id) + be16(o.flags_offset) +
                 bytes_of({64, o.protocol, 0, 0}) + raw(from) + raw(to) + o.options;
  put16(packet, 10, plain_checksum(packet));
  return packet + payload;
}
struct Ipv6Options {
  int next_header = 132;
  int traffic_class = 0;
  int hop_limit = 64;
};
inline Bytes ipv6_packet(const IpAddress& from, const IpAddress& to, const Bytes& payload, Ipv6Options o = {}) {
  return be32(6U << 28 | static_cast<unsigned>(o.traffic_class) << 20) + be16(static_cast<unsigned>(payload.size())) +
         bytes_of({o.next_header, o.hop_limit}) + raw(from) + raw(to) + payload;
}
inline Bytes ethernet(const MacAddress& to, const MacAddress& from, unsigned type, const Bytes& payload) {
  return raw(to) + raw(from) + be16(type) + payload;
}
inline Bytes ip_frame(const MacAddress& to, const MacAddress& from, const Bytes& packet) {
  return ethernet(to, from, (packet.at(0) >> 4) == std::byte{4} ? 0x0800 : 0x86dd, packet);
}
/// The fragment header of IPv6; `offset` in bytes.
inline Bytes fragment_header(int next_header, unsigned offset, bool more, unsigned id) {
  return bytes_of({next_header, 0}) + be16(offset | (more ? 1 : 0)) + be32(id);
}
inline Bytes icmp_message(int type, int code, unsigned rest, const Bytes& body) {
  Bytes message = bytes_of({type, code, 0, 0}) + be32(rest) + body;
  put16(message, 2, plain_checksum(message));
  return message;
}
inline Bytes icmpv6_message(const IpAddress& from, const IpAddress& to, int type, int code, unsigned rest,
                            const Bytes& body) {
  Bytes message = bytes_of({type, code, 0, 0}) + be32(rest) + body;
  put16(message, 2, plain_checksum(pseudo_header(from, to, message.size(), 58) + message));
  return message;
}
inline Bytes arp_packet(int operation, const MacAddress& sender_mac, const IpAddress& sender,
                        const MacAddress& target_mac, const IpAddress& target) {
  return hex("0001 0800 06 04") + be16(static_cast<unsigned>(operation)) + raw(sender_mac) + raw(sender) +
         raw(target_mac) + raw(target);
}
/// An SCTP packet with a chunk of `length` bytes of pattern behind its common header.
inline Bytes sctp_packet(std::size_t length = 20) {
  return be16(2905) + be16(3868) + be32(0xcafe0001) + be32(0) + pattern(length);
}
inline Bytes udp_datagram(const IpAddress& from, const IpAddress& to, unsigned source_port, unsigned destination_port,
                          const Bytes& payload) {
  Bytes datagram =
      be16(source_port) + be16(destination_port) + be16(static_cast<unsigned>(payload.size() + 8)) + be16(0) + payload;
  put16(datagram, 6, plain_checksum(pseudo_header(from, to, datagram.size(), 17) + datagram));
  return datagram;
}

class SeededRandom final : public base::Random {
 public:
  void fill(std::span<std::byte> out) noexcept override {
    for (std::byte& b : out) {
      state_ = state_ * 6364136223846793005U + 1442695040888963407U;
      b = static_cast<std::byte>(state_ >> 56);
    }
  }

 private:
  std::uint64_t state_ = 42;
};

/// Keeps what the layer puts out.
class RecordingSink final : public FrameSink {
 public:
  struct Sent {
    std::uint16_t port;
    Bytes frame;
    base::FrameInfo info;
  };
  bool send_frame(std::uint16_t port, base::Buffer&& frame) noexcept override {
    if (frames.size() >= room) return false;
    frames.push_back({port, {frame.bytes().begin(), frame.bytes().end()}, frame.block().frame});
    frame.reset();
    return true;
  }
  base::Buffer allocate_frame(std::uint16_t, std::uint32_t bytes) noexcept override {
    return buffers.allocate(0, bytes);
  }
  void on_icmp(const IcmpNotice& notice) noexcept override { notices.push_back(notice); }
  void on_neighbour(const NeighbourUpdate& update) noexcept override { updates.push_back(update); }

  Sent take() {
    if (frames.empty()) {
      ADD_FAILURE() << "no frame was sent";
      return {0, Bytes(200), {}};
    }
    Sent first = frames.front();
    frames.erase(frames.begin());
    return first;
  }

  base::HeapBuffers buffers;
  std::vector<Sent> frames;
  std::vector<IcmpNotice> notices;
  std::vector<NeighbourUpdate> updates;
  std::size_t room = SIZE_MAX;
};

inline constexpr MacAddress kBroadcastMac = MacAddress::broadcast();
inline constexpr MacAddress kOurMac{{0x02, 0, 0, 0, 0, 0x01}};
inline constexpr MacAddress kOurSecondMac{{0x02, 0, 0, 0, 0, 0x02}};
inline constexpr MacAddress kPeerMac{{0x02, 0, 0, 0, 0, 0xaa}};
inline constexpr MacAddress kGatewayMac{{0x02, 0, 0, 0, 0, 0xbb}};
inline const IpAddress kOurs = address("198.18.0.1");
inline const IpAddress kPeer = address("198.18.0.2");
inline const IpAddress kGateway = address("198.18.0.254");
inline const IpAddress kFar = address("198.19.7.7");
inline const IpAddress kOurs6 = address("2001:db8::1");
inline const IpAddress kPeer6 = address("2001:db8::2");
inline const IpAddress kFar6 = address("2001:db8:ffff::7");

/// One port with both families, and a default route by a gateway for IPv4.
inline Config one_port() {
  Interface interface;
  interface.mac = kOurMac;
  interface.addresses = {{kOurs, 24}, {kOurs6, 64}};
  Config config;
  config.interfaces = {interface};
  config.routes = {{{IpAddress::v4(0), 0}, kGateway, 0}};
  return config;
}

/// A layer with everything around it, at a time that tests move.
class LayerFixture {
 public:
  explicit LayerFixture(const Config& config = one_port(), Replica replica = {})
      : layer(config, sink, blocks, random, replica) {}

  std::optional<base::InboundPacket> input(const Bytes& frame, std::uint16_t port = 0) {
    return layer.input(port, received.copy_of(frame), now);
  }
  std::optional<base::InboundPacket> input_ip(const Bytes& packet) {
    return input(ip_frame(kOurMac, kPeerMac, packet));
  }
  /// Both neighbours of one_port() and the gateway are known from here on.
  void learn_neighbours() {
    for (const auto& [who, mac] : {std::pair{kPeer, kPeerMac}, {kGateway, kGatewayMac}, {kPeer6, kPeerMac}}) {
      NeighbourUpdate update;
      update.address = who;
      update.mac = mac;
      update.reachable = true;
      update.generation = 1;
      layer.apply(update, now);
    }
  }
  base::Departure departure(const IpAddress& to) {
    base::Departure d;
    d.source = to.is_v4() ? kOurs : kOurs6;
    d.destination = to;
    d.next_hop = layer.resolve(to, d.source);
    d.checksum = base::Checksum::good;
    return d;
  }
  SendResult send(const base::Departure& d, const Bytes& sctp) {
    base::Buffer buffer = received.allocate(base::kLowerHeadroom, static_cast<std::uint32_t>(sctp.size()));
    std::memcpy(buffer.append(static_cast<std::uint32_t>(sctp.size())), sctp.data(), sctp.size());
    return layer.send({d, std::move(buffer)}, now);
  }
  void advance(Duration by) {
    now += by;
    layer.poll(now);
  }

  Timestamp now{1h};
  SeededRandom random;
  base::HeapBuffers received;
  base::HeapBuffers blocks;
  RecordingSink sink;
  Layer layer;
};

inline Bytes contents(const base::Buffer& buffer) {
  return {buffer.bytes().begin(), buffer.bytes().end()};
}

}  // namespace sluice::ip::testing
