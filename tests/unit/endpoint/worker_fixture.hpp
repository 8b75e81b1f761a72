#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <vector>

#include "stack/base/heap_buffers.hpp"
#include "stack/base/seeded_random.hpp"
#include "stack/endpoint/association_table.hpp"
#include "stack/endpoint/owner_role.hpp"
#include "stack/endpoint/responder.hpp"
#include "stack/wire/chunk_abort.hpp"
#include "stack/wire/chunk_cookie.hpp"
#include "stack/wire/chunk_error.hpp"
#include "stack/wire/chunk_init.hpp"
#include "stack/wire/chunk_shutdown.hpp"

namespace sluice::endpoint::test {

inline IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

inline const IpAddress kLocal = ip("198.18.0.1");
inline const IpAddress kLocal6 = ip("2001:db8::1");
inline const IpAddress kPeer = ip("198.18.0.2");
inline const IpAddress kPeer2 = ip("198.18.1.2");
inline constexpr std::uint16_t kLocalPort = 2905;
inline constexpr std::uint16_t kPeerPort = 40000;
inline constexpr VTag kPeerTag{0xaabbccdd};
inline constexpr Timestamp kStart{std::chrono::hours(1)};

/// Keeps what is transmitted.
class RecordingHost final : public assoc::Host {
 public:
  base::Buffer allocate_packet(std::uint32_t bytes, std::uint16_t /*port*/) noexcept override {
    return buffers.allocate(base::kLowerHeadroom, bytes);
  }
  void transmit(base::OutboundPacket&& packet) noexcept override { sent.push_back(std::move(packet)); }
  bool deliver(const Event&, base::Buffer&) noexcept override { return true; }

  base::HeapBuffers buffers;
  std::vector<base::OutboundPacket> sent;
};

/// Packets as a peer sends them.
struct PacketOptions {
  IpAddress source = kPeer;
  IpAddress destination = kLocal;
  VTag tag{};
  std::uint16_t source_port = kPeerPort;
  std::uint16_t destination_port = kLocalPort;
  std::uint16_t udp_source_port = 0;
};

struct InitOptions {
  PacketOptions packet{};
  wire::InitHeader header{
      .init_tag = kPeerTag, .window = 65536, .outbound_streams = 5, .inbound_streams = 7, .initial_tsn = Tsn(1000)};
  std::vector<IpAddress> addresses{};
  std::function<void(wire::ChunkWriter&)> more{};
};

/// What a reply that holds an INIT ACK says.
struct InitAck {
  wire::CommonHeader packet;
  wire::InitHeader header;
  std::vector<IpAddress> addresses;
  std::vector<std::byte> cookie;
  std::vector<std::uint16_t> unrecognized;
};

/// The state of one worker of `workers`, both roles, with an endpoint on port 2905 that listens.
class WorkerFixture : public testing::Test {
 protected:
  explicit WorkerFixture(std::uint32_t workers = 1) : steering(base::SipKey{1, 2}, workers) {
    Endpoint endpoint;
    endpoint.id = EndpointId(1);
    endpoint.port = kLocalPort;
    endpoint.listening = true;
    endpoint.backlog = &backlog;
    EXPECT_EQ(endpoints.add(endpoint), EndpointTable::AddStatus::added);
  }

  base::InboundPacket build(const PacketOptions& options, const std::function<void(wire::PacketWriter&)>& chunks) {
    std::vector<std::byte> memory(4096);
    wire::PacketWriter writer(
        memory, {.source_port = options.source_port, .destination_port = options.destination_port, .tag = options.tag});
    chunks(writer);
    base::InboundPacket packet;
    packet.arrival.source = options.source;
    packet.arrival.destination = options.destination;
    packet.arrival.udp_source_port = options.udp_source_port;
    packet.buffer = host.buffers.copy_of(writer.bytes());
    return packet;
  }
  base::InboundPacket init(const InitOptions& options = {}) {
    return build(options.packet, [&](wire::PacketWriter& packet) {
      wire::ChunkWriter chunk = wire::append_init(packet, options.header);
      for (const IpAddress& address : options.addresses) wire::append_address(chunk, address);
      if (options.more) options.more(chunk);
    });
  }
  base::InboundPacket cookie_echo(PacketOptions options, VTag tag, std::span<const std::byte> cookie) {
    options.tag = tag;
    return build(options, [&](wire::PacketWriter& packet) { wire::append_cookie_echo(packet, cookie); });
  }
  base::InboundPacket echo_of(const InitAck& ack, const PacketOptions& options = {}) {
    return cookie_echo(options, ack.header.init_tag, ack.cookie);
  }
  /// A packet with one chunk without a body.
  base::InboundPacket bare(wire::ChunkType type, const PacketOptions& options, std::uint8_t flags = 0) {
    return build(options, [&](wire::PacketWriter& packet) { packet.append_chunk(type, flags, 0); });
  }

  /// The answer to a COOKIE ECHO in SHUTDOWN-ACK-SENT, the two in the order that not every stack has.
  base::InboundPacket error_and_shutdown_ack(VTag tag) {
    return build({.tag = tag}, [](wire::PacketWriter& packet) {
      {
        wire::ChunkWriter error = wire::append_error(packet);
        wire::append_cookie_while_shutting_down(error);
      }
      wire::append_shutdown_ack(packet);
    });
  }

  Verdict receive(const base::InboundPacket& packet, WorkerId owner = WorkerId(0)) {
    return responder.receive(now, packet, owner, order);
  }
  std::span<const std::byte> last() const { return host.sent.back().buffer.bytes(); }
  wire::CommonHeader last_header() const { return *wire::CommonHeader::parse(last()); }
  std::optional<wire::Chunk> last_chunk() const { return wire::chunks_of(last()).next(); }

  /// The one reply, an INIT ACK.
  InitAck take_init_ack() {
    InitAck ack;
    EXPECT_EQ(host.sent.size(), 1u);
    if (host.sent.size() != 1) return ack;
    ack.packet = last_header();
    const auto init_ack = wire::InitChunk::parse(*last_chunk());
    EXPECT_TRUE(init_ack && init_ack->ack());
    if (!init_ack) return ack;
    ack.header = init_ack->header();
    auto parameters = init_ack->parameters();
    while (const auto parameter = parameters.next()) {
      if (const auto address = wire::read_address(*parameter)) ack.addresses.push_back(*address);
      if (parameter->type == wire::ParameterType::state_cookie)
        ack.cookie.assign(parameter->value().begin(), parameter->value().end());
      if (const auto reported = wire::read_unrecognized_parameter(*parameter))
        ack.unrecognized.push_back(static_cast<std::uint16_t>(reported->type));
    }
    EXPECT_FALSE(parameters.malformed());
    host.sent.clear();
    return ack;
  }
  InitAck exchange_init(const InitOptions& options = {}) {
    EXPECT_EQ(receive(init(options)).next, Verdict::Next::done);
    return take_init_ack();
  }
  /// The one reply is an ABORT with this tag, T bit and first cause (0: none).
  void expect_abort(VTag tag, bool reflected, std::uint16_t cause) {
    ASSERT_EQ(host.sent.size(), 1u);
    EXPECT_EQ(last_header().tag, tag);
    const auto abort = wire::AbortChunk::parse(*last_chunk());
    ASSERT_TRUE(abort.has_value());
    EXPECT_EQ(abort->tag_reflected(), reflected);
    auto causes = abort->causes();
    const auto first = causes.next();
    EXPECT_EQ(first ? static_cast<std::uint16_t>(first->code) : 0, cause);
    EXPECT_EQ(counters.aborts_sent, 1u);
  }

  Timestamp now = kStart;
  RecordingHost host;
  base::SeededRandom random{7};
  Steering steering;
  EndpointTable endpoints{16};
  Backlog backlog{2};
  CookieSealer cookies{CookieKeys::first(random)};
  RateLimit inits{1000000, 1000000};
  RateLimit forged_cookies{1000000, 1000000};
  RateLimit answers{1000, 10};
  Counters counters;
  std::vector<IpAddress> stack_addresses{kLocal, kLocal6};
  Services services{.self = WorkerId(0),
                    .host = host,
                    .random = random,
                    .steering = steering,
                    .endpoints = endpoints,
                    .cookies = cookies,
                    .inits = inits,
                    .forged = forged_cookies,
                    .answers = answers,
                    .counters = counters,
                    .stack_addresses = stack_addresses};
  Directory directory{base::SipKey{3, 4}, {.addresses = 64, .leases = 16}};
  Responder responder{services, directory};
  TagTable tags{{.associations = 8, .retired = 8}};
  OwnerRole owner_role{services, tags};
  CreateOrder order;
};

}  // namespace sluice::endpoint::test
