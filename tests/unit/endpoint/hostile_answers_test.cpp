// Nobody can be flooded through us: an answer is no larger than what provoked it, but for the INIT ACK with its cookie,
// and no answer is answered for long, whoever stands at the other end.

#include "tests/unit/endpoint/worker_fixture.hpp"

namespace sluice::endpoint::test {
namespace {

using wire::ChunkType;

class HostileAnswers : public WorkerFixture {
 protected:
  HostileAnswers() { answers = RateLimit(1000, 1000); }

  /// What another stack, that knows as little as this one, gets when `answer` reaches it.
  base::InboundPacket turned_round(const base::OutboundPacket& answer) {
    base::InboundPacket packet;
    packet.arrival.source = answer.departure.source;
    packet.arrival.destination = answer.departure.destination;
    packet.buffer = host.buffers.copy_of(answer.buffer.bytes());
    return packet;
  }
  /// Lets two stacks answer each other, `packet` the first; returns how many packets there were besides.
  int play(base::InboundPacket packet) {
    for (int replies = 0; replies < 100; ++replies) {
      const std::uint32_t provoked_by = packet.buffer.size();
      receive(packet);
      now += std::chrono::seconds(1);  // the limit of the rate is not what ends it
      if (host.sent.empty()) return replies;
      EXPECT_EQ(host.sent.size(), 1u);
      const bool init_ack = last_chunk()->type == ChunkType::init_ack;
      EXPECT_LE(last().size(), init_ack ? kMaxInitAckPacket : provoked_by);
      packet = turned_round(host.sent.back());
      host.sent.clear();
    }
    return 100;
  }
  base::InboundPacket with(ChunkType type, std::uint8_t flags, std::uint32_t body, const PacketOptions& options) {
    return build(options, [&](wire::PacketWriter& packet) {
      std::memset(packet.append_chunk(type, flags, body), 0, body);
      if (type == ChunkType::init && body >= 16) {
        std::byte* const at = packet_body(packet);
        base::store_be(at, kPeerTag.value);
        base::store_be(at + 4, std::uint32_t{65536});
        base::store_be(at + 8, std::uint32_t{0x00050005});
      }
    });
  }

 private:
  static std::byte* packet_body(wire::PacketWriter& packet) {
    return const_cast<std::byte*>(packet.bytes().data()) + wire::kCommonHeaderSize + wire::kChunkHeaderSize;
  }
};

TEST_F(HostileAnswers, AreNoLargerThanWhatProvokedThemAndEndAtOnce) {
  for (int type = 0; type < 256; ++type) {
    for (const std::uint8_t flags : {std::uint8_t{0}, wire::kFlagTagReflected}) {
      for (const std::uint32_t body : {0u, 1u, 4u, 16u, 20u, 100u, 1400u}) {
        for (const VTag tag : {VTag(0), VTag(0x12345678)}) {
          for (const std::uint16_t port : {kLocalPort, std::uint16_t{9}}) {
            SCOPED_TRACE(testing::Message() << "chunk " << type << ", flags " << int{flags} << ", body " << body
                                            << ", tag " << tag.value << ", port " << port);
            const int packets =
                play(with(static_cast<ChunkType>(type), flags, body, {.tag = tag, .destination_port = port}));
            // INIT, INIT ACK, ABORT; SHUTDOWN ACK, SHUTDOWN COMPLETE; anything else, ABORT.
            EXPECT_LE(packets, type == static_cast<int>(ChunkType::init) ? 2 : 1);
            EXPECT_EQ(directory.size(), 0u);
          }
        }
      }
    }
  }
  EXPECT_EQ(counters.answers_rate_limited, 0u);
}

TEST_F(HostileAnswers, ToPairsOfChunksEndAtOnce) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 16; ++second) {
      SCOPED_TRACE(testing::Message() << first << ", " << second);
      const int packets = play(build({.tag = VTag(0x12345678)}, [&](wire::PacketWriter& packet) {
        packet.append_chunk(static_cast<ChunkType>(first), 0, 0);
        packet.append_chunk(static_cast<ChunkType>(second), 0, 0);
      }));
      EXPECT_LE(packets, 1);
    }
  }
}

TEST_F(HostileAnswers, ToAnUnknownPacketWithAnAbortAnywhereAreNone) {
  for (int type = 0; type < 256; ++type) {
    for (const std::uint8_t flags : {std::uint8_t{0}, wire::kFlagTagReflected}) {
      if (type == static_cast<int>(ChunkType::cookie_echo)) continue;  // the cookie decides
      EXPECT_EQ(play(build({.tag = VTag(5)},
                           [&](wire::PacketWriter& packet) {
                             packet.append_chunk(static_cast<ChunkType>(type), 0, 0);
                             packet.append_chunk(ChunkType::abort, flags, 0);
                           })),
                0)
          << type;
    }
  }
}

TEST_F(HostileAnswers, AnInitAckIsBoundedWhateverTheInitHolds) {
  for (const std::size_t parameters : {0u, 1u, 16u, 1000u}) {
    for (const std::size_t value : {0u, 4u, 60u, 1000u}) {
      InitOptions options;
      options.more = [&](wire::ChunkWriter& chunk) {
        for (std::size_t i = 0; i < parameters; ++i)
          chunk.append(static_cast<wire::ParameterType>(0xfff0), std::vector<std::byte>(value));
      };
      const base::InboundPacket packet = init(options);
      receive(packet);
      ASSERT_EQ(host.sent.size(), 1u);
      EXPECT_LE(last().size(), kMaxInitAckPacket);
      // What is reported is quoted with four bytes around it.
      EXPECT_LE(last().size(), packet.buffer.size() + kMaxCookieSize + 4 + 4 * kMaxReports);
      host.sent.clear();
    }
  }
  EXPECT_EQ(directory.size(), 0u);
}

TEST_F(HostileAnswers, TheTBitWithATagOfZeroIsSilent) {
  for (const ChunkType type : {ChunkType::abort, ChunkType::shutdown_complete}) {
    for (const bool known : {false, true}) {
      if (known) directory.reserve({kLocalPort, kPeerPort}, {&kPeer, 1}, VTag(99));
      const Verdict verdict = receive(bare(type, {}, wire::kFlagTagReflected));
      EXPECT_EQ(verdict.next, known ? Verdict::Next::to_owner : Verdict::Next::done);
      EXPECT_TRUE(host.sent.empty());
      const PortPair ports{kLocalPort, kPeerPort};
      directory.release(ports, {&kPeer, 1}, VTag(99), false);
    }
  }
  EXPECT_EQ(counters.ootb_abort, 1u);
  EXPECT_EQ(counters.ootb_malformed, 1u);
}

TEST_F(HostileAnswers, PacketsOfNothingToFifteenBytesAreSilent) {
  const base::InboundPacket whole = bare(ChunkType::data, {.tag = VTag(5)});
  for (std::uint32_t length = 0; length < 16; ++length) {
    base::InboundPacket packet;
    packet.arrival = whole.arrival;
    packet.buffer = host.buffers.copy_of(whole.buffer.bytes().first(length));
    EXPECT_EQ(receive(packet).next, Verdict::Next::done);
  }
  EXPECT_EQ(counters.ootb_malformed, 16u);
  EXPECT_TRUE(host.sent.empty());
}

TEST_F(HostileAnswers, AFloodOfInitsKeepsNothing) {
  constexpr int kFlood = 20'000;
  for (int i = 0; i < kFlood; ++i) {
    receive(init({.packet = {.source = IpAddress::v4(0x0a000001 + (random.u32() >> 8)),
                             .source_port = static_cast<std::uint16_t>(random.u32())},
                  .addresses = {kPeer2}}));
    host.sent.clear();
  }
  EXPECT_EQ(counters.init_acks_sent, static_cast<std::uint64_t>(kFlood));
  EXPECT_EQ(directory.size(), 0u);
  EXPECT_EQ(backlog.waiting(), 0u);
  EXPECT_EQ(host.buffers.out(), 0u);
}

}  // namespace
}  // namespace sluice::endpoint::test
