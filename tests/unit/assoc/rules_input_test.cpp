// Rules of RFC 9260 about chunks received and about shutting down that no other test watches; see tests/RFC9260.md.
#include <gmock/gmock.h>

#include "tests/unit/assoc/scripted_peer.hpp"

namespace sluice::assoc {
namespace {

using ::testing::ElementsAre;

void write_chunk(wire::PacketWriter& packet, ChunkType type, std::size_t body) {
  std::byte* const at = packet.append_chunk(type, 0, static_cast<std::uint32_t>(body));
  std::memset(at, 0, body);
}

class RulesInput : public ScriptedPeer {};

TEST_F(RulesInput, AbortWithAFormatErrorIsDropped) {  // §3.3.7
  go_established();
  inject([](wire::PacketWriter& packet) {
    std::byte* const cause = packet.append_chunk(ChunkType::abort, 0, 4);
    base::store_be(cause, std::uint16_t{4});
    base::store_be(cause + 2, std::uint16_t{3});  // shorter than its own header
  });
  expect_silence();
  EXPECT_EQ(association().state(), State::established);
  EXPECT_EQ(counters().malformed_chunks, 1u);
}

TEST_F(RulesInput, SackIsDroppedWhereNothingWasSent) {  // §6
  for (const State state : {State::cookie_wait, State::cookie_echoed, State::shutdown_sent, State::shutdown_ack_sent}) {
    SCOPED_TRACE(name(state));
    go(state);
    flush();
    inject_sack(kOurTsn + 5);  // where SACKs count, the end of the association
    expect_silence();
    EXPECT_EQ(association().state(), state);
  }
}

TEST_F(RulesInput, ChunksAreReadInTheirOrder) {  // §6.10
  for (const bool data_first : {true, false}) {
    host().events.clear();
    go_established();
    send("keeps SHUTDOWN ACK waiting");
    flush();
    inject([&](wire::PacketWriter& packet) {
      if (data_first) write_data(packet, kPeerTsn, "in time");
      wire::append_shutdown(packet, kOurTsn - 1);
      if (!data_first) write_data(packet, kPeerTsn, "too late");
    });
    EXPECT_EQ(association().state(), State::shutdown_received);
    EXPECT_EQ(host().seen(EventType::message).size(), data_first ? 1u : 0u);
  }
}

TEST_F(RulesInput, HeartbeatIsEchoedWithAllThatItHolds) {  // §8.3
  go_established();
  std::vector<std::byte> sent;
  inject([&](wire::PacketWriter& packet) {
    wire::ChunkWriter chunk(packet, ChunkType::heartbeat, 0);
    chunk.append(wire::ParameterType::heartbeat_info, std::as_bytes(std::span("beat!", 5)));
    chunk.append(static_cast<wire::ParameterType>(0xc123), std::as_bytes(std::span("more", 4)));
    const std::span<const std::byte> body = wire::chunks_of(packet.bytes()).next()->body();
    sent.assign(body.begin(), body.end());
  });
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::heartbeat_ack});
  const std::span<const std::byte> body = packets[0].chunks[0].body();
  EXPECT_EQ(std::vector<std::byte>(body.begin(), body.end()), sent);
}

TEST_F(RulesInput, OnePacketProvokesOnePacket) {  // §12.4
  go_established();
  const std::vector<std::byte> info(1380);
  inject([&](wire::PacketWriter& packet) {
    wire::append_heartbeat(packet, info);
    while (packet.size() < 1480) write_chunk(packet, static_cast<ChunkType>(0xfe), 0);
  });
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_NE(packets[0].find(ChunkType::heartbeat_ack), nullptr);
  EXPECT_NE(packets[0].find(ChunkType::error), nullptr);
  EXPECT_GT(counters().replies_dropped, 0u);
  // Behind COOKIE ACK as well.
  base::Buffer packet = this->packet(kOurTag, [&](wire::PacketWriter& writer) {
    wire::append_cookie_echo(writer, std::as_bytes(std::span("cookie", 6)));
    wire::append_heartbeat(writer, std::vector<std::byte>(1456));
  });
  side_.open().accept(now_, agreed(),
                      {.arrival = {.source = kThere, .destination = kHere, .time = now_}, .buffer = std::move(packet)});
  EXPECT_EQ(flush().size(), 1u);
}

class RulesShutdown : public ScriptedPeer {};

TEST_F(RulesShutdown, NoStateOfItTakesNewMessages) {  // §4, §9.2
  for (const State state :
       {State::shutdown_pending, State::shutdown_sent, State::shutdown_received, State::shutdown_ack_sent}) {
    SCOPED_TRACE(name(state));
    go(state);
    EXPECT_EQ(send("new"), SendStatus::not_connected);
    EXPECT_EQ(association().state(), state);
  }
}

TEST_F(RulesShutdown, T2BacksOff) {  // §9.2, by the rules of §6.3
  for (const State state : {State::shutdown_sent, State::shutdown_ack_sent}) {
    SCOPED_TRACE(name(state));
    go(state);
    for (const Duration timeout : {1s, 2s, 4s, 8s}) {
      EXPECT_EQ(association().next_deadline(), now_ + timeout);
      expire();
      EXPECT_EQ(flush().size(), 1u);
    }
  }
}

TEST_F(RulesShutdown, ItIsRepeatedWithTheTsnThen) {  // §9.2
  go_shutdown_sent();
  inject_data(kPeerTsn, "under way when we shut down");
  flush();
  expire();
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  ASSERT_EQ(packets[0].types(), Types{ChunkType::shutdown});
  EXPECT_EQ(wire::ShutdownChunk::parse(packets[0].chunks[0])->cumulative_tsn, kPeerTsn);
}

TEST_F(RulesShutdown, DuplicatesAreToldByASack) {  // §9.2
  go_established();
  inject_data(kPeerTsn, "x");
  flush();
  association().shutdown(now_);
  flush();
  inject_data(kPeerTsn, "x");
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_NE(packets[0].find(ChunkType::shutdown), nullptr);
  const wire::Chunk* const sack = packets[0].find(ChunkType::sack);
  ASSERT_NE(sack, nullptr);
  ASSERT_EQ(wire::SackChunk::parse(*sack)->duplicate_count(), 1);
  EXPECT_EQ(wire::SackChunk::parse(*sack)->duplicate(0), kPeerTsn);
}

}  // namespace
}  // namespace sluice::assoc
