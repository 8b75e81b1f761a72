#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "stack/wire/chunk_abort.hpp"
#include "stack/wire/chunk_cookie.hpp"
#include "stack/wire/chunk_data.hpp"
#include "stack/wire/chunk_error.hpp"
#include "stack/wire/chunk_heartbeat.hpp"
#include "stack/wire/chunk_init.hpp"
#include "stack/wire/chunk_sack.hpp"
#include "stack/wire/chunk_shutdown.hpp"
#include "tests/unit/assoc/association_host.hpp"

namespace sluice::assoc {

using namespace std::chrono_literals;
using wire::CauseCode;
using wire::ChunkType;
/// Of the chunks of a packet, in their order.
using Types = std::vector<ChunkType>;

/// A packet that the association sent, taken apart.
struct SentPacket {
  base::Departure departure;
  wire::CommonHeader header;
  base::Buffer buffer;
  std::vector<wire::Chunk> chunks;

  std::vector<wire::ChunkType> types() const {
    std::vector<wire::ChunkType> types;
    for (const wire::Chunk& chunk : chunks) types.push_back(chunk.type);
    return types;
  }
  const wire::Chunk* find(wire::ChunkType type) const {
    for (const wire::Chunk& chunk : chunks)
      if (chunk.type == type) return &chunk;
    return nullptr;
  }
};

/// One association, and a peer whose every packet the test writes.
class ScriptedPeer : public ::testing::Test {
 protected:
  static constexpr VTag kOurTag{0x11111111};
  static constexpr VTag kPeerTag{0x22222222};
  static inline const Tsn kOurTsn{1000};
  static inline const Tsn kPeerTsn{5000};
  using Write = std::function<void(wire::PacketWriter&)>;

  ScriptedPeer() : side_(1) { side_.parameters.heartbeat_interval = 0s; }

  Association& association() { return *side_.association; }
  TestHost& host() { return side_.host; }
  const Counters& counters() const { return side_.counters; }

  Handshake ours() const {
    Handshake handshake;
    handshake.local_port = kHerePort;
    handshake.peer_port = kTherePort;
    handshake.local_tag = kOurTag;
    handshake.local_initial_tsn = kOurTsn;
    handshake.outbound_streams = 10;
    handshake.inbound_streams = 20;
    handshake.local_addresses = {kHere};
    handshake.peer_addresses = {kThere};
    return handshake;
  }
  Handshake agreed() const {
    Handshake handshake = ours();
    handshake.peer_tag = kPeerTag;
    handshake.peer_initial_tsn = kPeerTsn;
    handshake.peer_window = 100000;
    return handshake;
  }

  void inject(VTag tag, const Write& write, const IpAddress& source = kThere) {
    base::Buffer packet = this->packet(tag, write);
    association().receive(
        now_, {.arrival = {.source = source, .destination = kHere, .time = now_}, .buffer = std::move(packet)});
  }
  void inject(const Write& write) { inject(kOurTag, write); }
  void inject_bytes(std::span<const std::byte> bytes) {
    association().receive(
        now_, {.arrival = {.source = kThere, .destination = kHere, .time = now_}, .buffer = inbound_.copy_of(bytes)});
  }
  /// A packet of exactly its size.
  base::Buffer packet(VTag tag, const Write& write) {
    std::vector<std::byte> memory(4096);
    wire::PacketWriter writer(memory,
                              {.source_port = kTherePort, .destination_port = kHerePort, .tag = tag, .checksum = 0});
    write(writer);
    return inbound_.copy_of(writer.bytes());
  }

  /// What left since the last call, after a flush.
  std::vector<SentPacket> flush() {
    EXPECT_TRUE(association().flush(now_));
    return sent();
  }
  std::vector<SentPacket> sent() {
    std::vector<SentPacket> packets;
    for (; !host().sent.empty(); host().sent.pop_front()) {
      SentPacket packet;
      packet.departure = host().sent.front().departure;
      packet.buffer = std::move(host().sent.front().buffer);
      packet.header = *wire::CommonHeader::parse(packet.buffer.bytes());
      wire::ChunkWalker walker = wire::chunks_of(packet.buffer.bytes());
      while (const auto chunk = walker.next()) packet.chunks.push_back(*chunk);
      EXPECT_FALSE(walker.malformed());
      packets.push_back(std::move(packet));
    }
    return packets;
  }
  void expect_silence() { EXPECT_TRUE(flush().empty()); }
  /// Lets time pass up to the next deadline and past it.
  void expire() {
    ASSERT_NE(association().next_deadline(), kNever);
    now_ = std::max(now_, association().next_deadline());
    association().on_deadline(now_);
  }

  void connect() {
    side_.open().connect(now_, ours());
    flush();
  }
  static void write_cookie(wire::ChunkWriter& chunk) {
    std::byte* const at = wire::append_state_cookie(chunk, 6);
    std::memcpy(at, "cookie", 6);
  }
  wire::InitHeader init_header() const {
    return {
        .init_tag = kPeerTag, .window = 100000, .outbound_streams = 5, .inbound_streams = 4, .initial_tsn = kPeerTsn};
  }
  void inject_init_ack() {
    inject([this](wire::PacketWriter& packet) {
      wire::ChunkWriter chunk = wire::append_init_ack(packet, init_header());
      write_cookie(chunk);
    });
  }
  void go_cookie_echoed() {
    connect();
    inject_init_ack();
    flush();
  }
  /// As the passive side.
  void go_established() {
    base::Buffer packet = this->packet(kOurTag, [](wire::PacketWriter& writer) {
      wire::append_cookie_echo(writer, std::as_bytes(std::span("cookie", 6)));
    });
    side_.open().accept(
        now_, agreed(),
        {.arrival = {.source = kThere, .destination = kHere, .time = now_}, .buffer = std::move(packet)});
    flush();
  }
  void go_shutdown_pending() {
    go_established();
    send("unacknowledged");
    flush();
    association().shutdown(now_);
  }
  void go_shutdown_sent() {
    go_established();
    association().shutdown(now_);
    flush();
  }
  void go_shutdown_received() {
    go_established();
    send("unacknowledged");
    flush();
    inject_shutdown(kOurTsn - 1);
  }
  void go_shutdown_ack_sent() {
    go_established();
    inject_shutdown(kOurTsn - 1);
    flush();
  }
  void go(State state) {
    switch (state) {
      case State::cookie_wait:
        return connect();
      case State::cookie_echoed:
        return go_cookie_echoed();
      case State::established:
        return go_established();
      case State::shutdown_pending:
        return go_shutdown_pending();
      case State::shutdown_sent:
        return go_shutdown_sent();
      case State::shutdown_received:
        return go_shutdown_received();
      case State::shutdown_ack_sent:
        return go_shutdown_ack_sent();
      case State::closed:
        go_established();
        association().abort(now_, "");
        sent();
    }
  }

  void inject_shutdown(Tsn cumulative) {
    inject([cumulative](wire::PacketWriter& packet) { wire::append_shutdown(packet, cumulative); });
  }
  void inject_sack(Tsn cumulative, std::uint32_t window = 100000) {
    inject([=](wire::PacketWriter& packet) { wire::append_sack(packet, cumulative, window, {}, {}); });
  }
  void inject_data(Tsn tsn, std::string_view text, StreamId stream = {}, std::uint8_t extra_flags = 0) {
    inject([=](wire::PacketWriter& packet) { write_data(packet, tsn, text, stream, extra_flags); });
  }
  static void write_data(wire::PacketWriter& packet, Tsn tsn, std::string_view text, StreamId stream = {},
                         std::uint8_t extra_flags = 0) {
    const wire::DataHeader header{
        .tsn = tsn,
        .stream = stream,
        .ssn = Ssn(),
        .ppid = Ppid(46),
        .flags = static_cast<std::uint8_t>(wire::kDataBegin | wire::kDataEnd | wire::kDataUnordered | extra_flags)};
    std::byte* const at = wire::append_data(packet, header, static_cast<std::uint16_t>(text.size()));
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
  }
  SendStatus send(std::string_view text, StreamId stream = {}) { return send_part(text, true, stream); }
  SendStatus send_part(std::string_view text, bool end, StreamId stream = {}) {
    SendRequest request;
    request.payload = side_.payloads.copy_of(std::as_bytes(std::span(text)));
    request.stream = stream;
    request.ppid = Ppid(46);
    request.end = end;
    return association().send(std::move(request));
  }
  /// The one event of `type`; fails if there is none or more.
  Event only(EventType type) {
    association().flush(now_);
    const std::vector<SeenEvent> found = host().seen(type);
    EXPECT_EQ(found.size(), 1u);
    return found.empty() ? Event{} : found.front().event;
  }
  /// The newest event, the end of the association included.
  const SeenEvent& last_event() {
    association().flush(now_);
    return host().events.back();
  }
  /// The codes of the first ERROR or ABORT of `packet`.
  static std::vector<wire::CauseCode> causes(const SentPacket& packet) {
    std::vector<wire::CauseCode> codes;
    for (const wire::Chunk& chunk : packet.chunks) {
      if (chunk.type != wire::ChunkType::error && chunk.type != wire::ChunkType::abort) continue;
      wire::CauseWalker walker(chunk.body());
      while (const auto cause = walker.next()) codes.push_back(cause->code);
    }
    return codes;
  }

  base::HeapBuffers inbound_;
  TestSide side_;
  Timestamp now_{10s};
};

}  // namespace sluice::assoc
