#pragma once

#include <gmock/gmock.h>

#include <map>

#include "tests/unit/assoc/scripted_peer.hpp"

namespace sluice::assoc {

/// A peer, or somebody who pretends to be it, that breaks every rule. A test looks at what was counted, at what was
/// answered, at what memory is held, and at whether the association is still good for what it was good for before.
class HostilePeer : public ScriptedPeer {
 protected:
  using Reasons = std::map<std::string, std::uint64_t>;
  using ScriptedPeer::inject;

  static constexpr State kOpenStates[] = {State::cookie_wait,      State::cookie_echoed, State::established,
                                          State::shutdown_pending, State::shutdown_sent, State::shutdown_received,
                                          State::shutdown_ack_sent};

  /// Into `state`, with nothing left to say, and nothing counted so far.
  void begin(State state) {
    go(state);
    association().flush(now_);
    sent();
    host().events.clear();
    mark();
  }
  void mark() { before_ = count(); }
  /// What was counted since mark(), traffic left out: why something was dropped or refused.
  Reasons reasons() const {
    Reasons reasons;
    for (const auto& [name, value] : count())
      if (value != before_.at(name)) reasons[name] = value - before_.at(name);
    return reasons;
  }

  /// The largest packet that there can be, as IP puts it together: as many times `write` as fit.
  base::Buffer filled(const Write& write, std::uint32_t* count = nullptr) {
    std::vector<std::byte> memory(65535);
    wire::PacketWriter writer(memory, {.source_port = kTherePort, .destination_port = kHerePort, .tag = kOurTag});
    std::uint32_t written = 0;
    for (std::uint32_t before = 0; before != writer.size(); ++written) {
      before = writer.size();
      write(writer);
    }
    if (count != nullptr) *count = written - 1;
    return inbound_.copy_of(writer.bytes());
  }
  void inject(base::Buffer&& packet) {
    association().receive(
        now_, {.arrival = {.source = kThere, .destination = kHere, .time = now_}, .buffer = std::move(packet)});
  }
  /// A packet with our tag whose chunks are `chunks`, whatever they are.
  void inject_chunks(std::span<const std::byte> chunks) {
    std::vector<std::byte> bytes(wire::kCommonHeaderSize + chunks.size());
    wire::CommonHeader{.source_port = kTherePort, .destination_port = kHerePort, .tag = kOurTag}.write(bytes.data());
    std::copy(chunks.begin(), chunks.end(), bytes.begin() + wire::kCommonHeaderSize);
    inject_bytes(bytes);
  }
  static void write_chunk(wire::PacketWriter& packet, wire::ChunkType type, std::size_t body, std::uint8_t flags = 0) {
    std::byte* const at = packet.append_chunk(type, flags, static_cast<std::uint32_t>(body));
    if (at != nullptr) std::memset(at, 0, body);
  }
  /// A chunk that would be sound and mean something if everything else about it were right.
  void write_plausible(wire::PacketWriter& packet, wire::ChunkType type, std::uint8_t flags = 0) const {
    switch (type) {
      case wire::ChunkType::data:
        return write_data(packet, kPeerTsn, "x");
      case wire::ChunkType::init:
        wire::append_init(packet, init_header());
        return;
      case wire::ChunkType::init_ack: {
        wire::ChunkWriter chunk = wire::append_init_ack(packet, init_header());
        return write_cookie(chunk);
      }
      case wire::ChunkType::sack:
        wire::append_sack(packet, kOurTsn - 1, 100000, {}, {});
        return;
      case wire::ChunkType::heartbeat:
        wire::append_heartbeat(packet, std::as_bytes(std::span("beat", 4)));
        return;
      case wire::ChunkType::heartbeat_ack:
        wire::append_heartbeat_ack(packet, std::as_bytes(std::span("beat", 4)));
        return;
      case wire::ChunkType::shutdown:
        wire::append_shutdown(packet, kOurTsn - 1);
        return;
      case wire::ChunkType::error: {
        wire::ChunkWriter error = wire::append_error(packet);
        wire::append_out_of_resource(error);
        return;
      }
      case wire::ChunkType::cookie_echo:
        wire::append_cookie_echo(packet, std::as_bytes(std::span("cookie", 6)));
        return;
      default:
        return write_chunk(packet, type, 0, flags);
    }
  }

  static std::size_t bytes_of(const std::vector<SentPacket>& packets) {
    std::size_t bytes = 0;
    for (const SentPacket& packet : packets) bytes += packet.buffer.size();
    return bytes;
  }

  /// A message goes each way; `theirs` and `ours` are the TSNs that come next.
  void expect_works(Tsn theirs = kPeerTsn, Tsn ours = kOurTsn) {
    ASSERT_EQ(association().state(), State::established);
    host().events.clear();
    inject_data(theirs, "from them");
    const auto seen = host().seen(EventType::message);
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].data, "from them");
    ASSERT_EQ(send("to them"), SendStatus::queued);
    bool left = false;
    for (const SentPacket& packet : flush())
      for (const wire::Chunk& chunk : packet.chunks)
        if (const auto data = wire::DataChunk::parse(chunk)) left |= data->tsn() == ours;
    EXPECT_TRUE(left);
    inject_sack(ours);
    EXPECT_EQ(association().state(), State::established);
    association().flush(now_);
    sent();
  }
  /// The association does what is next in `state`, where it still is.
  void expect_goes_on(State state) {
    ASSERT_EQ(association().state(), state);
    switch (state) {
      case State::cookie_wait:
        inject_init_ack();
        association().flush(now_);
        [[fallthrough]];
      case State::cookie_echoed:
        inject([](wire::PacketWriter& packet) { wire::append_cookie_ack(packet); });
        [[fallthrough]];
      case State::established:
        association().flush(now_);
        sent();
        return expect_works();
      case State::shutdown_pending:
        inject_sack(kOurTsn);
        association().flush(now_);
        [[fallthrough]];
      case State::shutdown_sent:
        inject([](wire::PacketWriter& packet) { wire::append_shutdown_ack(packet); });
        break;
      case State::shutdown_received:
        inject_sack(kOurTsn);
        association().flush(now_);
        [[fallthrough]];
      case State::shutdown_ack_sent:
        inject([](wire::PacketWriter& packet) { wire::append_shutdown_complete(packet, false); });
        break;
      case State::closed:
        return;
    }
    EXPECT_EQ(only(EventType::closed).reason(), Reason::none);
    sent();
  }
  /// Nothing that the peer sent is held any more, neither packets nor copies nor what keeps account of them.
  void expect_nothing_held() {
    EXPECT_EQ(inbound_.out(), 0u);
    EXPECT_EQ(side_.copies.out(), 0u);
    EXPECT_EQ(side_.pools.held_chunks.out(), 0u);
    EXPECT_EQ(side_.pools.held_pages.out(), 0u);
    EXPECT_EQ(side_.pools.tsn_maps.out(), 0u);
  }
  /// We ended it, as the RFC asks, with this cause in an ABORT alone, and the application knows why.
  void expect_aborted(wire::CauseCode cause) {
    const auto packets = flush();
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].types(), Types{wire::ChunkType::abort});
    EXPECT_EQ(packets[0].header.tag, kPeerTag);
    EXPECT_THAT(causes(packets[0]), ::testing::ElementsAre(cause));
    EXPECT_EQ(only(EventType::association_lost).reason(), Reason::protocol_violation);
    EXPECT_EQ(association().state(), State::closed);
  }

 private:
  static bool is_traffic(std::string_view name) {
    for (const std::string_view traffic :
         {"established_left", "control_chunks_sent", "ordered_chunks_sent", "unordered_chunks_sent",
          "control_chunks_received", "ordered_chunks_received", "unordered_chunks_received", "packets_sent",
          "packets_received", "bytes_sent", "bytes_received", "sacks_sent", "sacks_received"})
      if (name == traffic) return true;
    return false;
  }
  Reasons count() const {
    Reasons values;
    counters().for_each([&](const char* name, const char*, std::uint64_t value) {
      if (!is_traffic(name)) values[name] = value;
    });
    return values;
  }

  Reasons before_ = count();
};

}  // namespace sluice::assoc
