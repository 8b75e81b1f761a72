// RFC 9260 §8.4, rule by rule, and packets of associations that bear another tag (§8.5).

#include "stack/endpoint/out_of_the_blue.hpp"

#include "tests/unit/endpoint/worker_fixture.hpp"

namespace sluice::endpoint::test {
namespace {

using wire::ChunkType;

constexpr VTag kTag{0x12345678};

class OutOfTheBlue : public WorkerFixture {
 protected:
  void expect_silence(const base::InboundPacket& packet, const std::uint64_t& counter) {
    const std::uint64_t before = counter;
    EXPECT_EQ(receive(packet).next, Verdict::Next::done);
    EXPECT_TRUE(host.sent.empty());
    EXPECT_EQ(counter, before + 1);
  }
  base::InboundPacket two(ChunkType first, ChunkType second) {
    return build({.tag = kTag}, [&](wire::PacketWriter& packet) {
      packet.append_chunk(first, 0, 0);
      packet.append_chunk(second, 0, 0);
    });
  }
  base::InboundPacket error(bool stale) {
    return build({.tag = kTag}, [&](wire::PacketWriter& packet) {
      wire::ChunkWriter chunk = wire::append_error(packet);
      wire::append_out_of_resource(chunk);
      if (stale) wire::append_stale_cookie(chunk, std::chrono::microseconds(5));
    });
  }
  void know_peer() { directory.reserve({kLocalPort, kPeerPort}, {&kPeer, 1}, VTag(99)); }
};

TEST_F(OutOfTheBlue, Rule1NonUnicastIsSilent) {
  expect_silence(bare(ChunkType::data, {.source = ip("224.1.2.3"), .tag = kTag}), counters.not_unicast);
  expect_silence(bare(ChunkType::shutdown_ack, {.destination = ip("255.255.255.255"), .tag = kTag}),
                 counters.not_unicast);
  expect_silence(bare(ChunkType::data, {.source = ip("ff02::1"), .tag = kTag}), counters.not_unicast);
}

TEST_F(OutOfTheBlue, Rule2AnAbortAnywhereIsSilent) {
  expect_silence(bare(ChunkType::abort, {.tag = kTag}), counters.ootb_abort);
  expect_silence(bare(ChunkType::abort, {.tag = kTag}, wire::kFlagTagReflected), counters.ootb_abort);
  expect_silence(two(ChunkType::data, ChunkType::abort), counters.ootb_abort);
  expect_silence(two(ChunkType::shutdown_ack, ChunkType::abort), counters.ootb_abort);
}

TEST_F(OutOfTheBlue, Rule5AShutdownAckIsAnsweredWithShutdownComplete) {
  for (const base::InboundPacket& packet :
       {bare(ChunkType::shutdown_ack, {.tag = kTag}), two(ChunkType::sack, ChunkType::shutdown_ack),
        two(ChunkType::shutdown_ack, ChunkType::shutdown_complete)}) {
    receive(packet);
    ASSERT_EQ(host.sent.size(), 1u);
    EXPECT_EQ(last_header().tag, kTag);
    const auto complete = wire::ShutdownCompleteChunk::parse(*last_chunk());
    ASSERT_TRUE(complete.has_value());
    EXPECT_TRUE(complete->tag_reflected);
    EXPECT_EQ(last().size(), 16u);
    host.sent.clear();
  }
  EXPECT_EQ(counters.shutdown_completes_sent, 3u);
}

TEST_F(OutOfTheBlue, Rule6AShutdownCompleteIsSilent) {
  expect_silence(bare(ChunkType::shutdown_complete, {.tag = kTag}), counters.ootb_shutdown_complete);
  expect_silence(bare(ChunkType::shutdown_complete, {.tag = kTag}, wire::kFlagTagReflected),
                 counters.ootb_shutdown_complete);
}

TEST_F(OutOfTheBlue, Rule7ACookieAckOrStaleCookieIsSilent) {
  expect_silence(bare(ChunkType::cookie_ack, {.tag = kTag}), counters.ootb_silent);
  expect_silence(error(true), counters.ootb_silent);
}

TEST_F(OutOfTheBlue, Rule8EverythingElseIsAbortedWithItsOwnTag) {
  for (const ChunkType type :
       {ChunkType::data, ChunkType::init_ack, ChunkType::sack, ChunkType::heartbeat, ChunkType::heartbeat_ack,
        ChunkType::shutdown, ChunkType::asconf, static_cast<ChunkType>(0x3f), static_cast<ChunkType>(0xff)}) {
    receive(bare(type, {.tag = kTag}));
    expect_abort(kTag, true, 0);
    EXPECT_EQ(last().size(), 16u);
    host.sent.clear();
    counters.aborts_sent = 0;
  }
}

TEST_F(OutOfTheBlue, Rule8AnErrorWithOtherCausesIsAborted) {
  receive(error(false));
  expect_abort(kTag, true, 0);
}

TEST_F(OutOfTheBlue, Rule8ACookieEchoBehindSomethingElseIsAborted) {
  receive(two(ChunkType::data, ChunkType::cookie_echo));
  expect_abort(kTag, true, 0);
}

TEST_F(OutOfTheBlue, AnswersGoBackWhereThePacketCameFrom) {
  receive(bare(ChunkType::data, {.source = kPeer2, .tag = kTag, .udp_source_port = 5555}));
  ASSERT_EQ(host.sent.size(), 1u);
  EXPECT_EQ(host.sent[0].departure.destination, kPeer2);
  EXPECT_EQ(host.sent[0].departure.source, kLocal);
  EXPECT_EQ(host.sent[0].departure.udp_destination_port, 5555);
  EXPECT_EQ(last_header().source_port, kLocalPort);
  EXPECT_EQ(last_header().destination_port, kPeerPort);
}

TEST_F(OutOfTheBlue, WhatStandsBehindTheLastWholeChunkIsNotLookedAt) {  // §8.4: formed correctly is what has its CRC
  base::InboundPacket packet = two(ChunkType::data, ChunkType::sack);
  packet.buffer.data()[12 + 4 + 3] = std::byte{5};  // the second chunk: one byte past the end
  receive(std::move(packet));
  expect_abort(kTag, true, 0);
  packet = two(ChunkType::shutdown_ack, ChunkType::sack);
  packet.buffer.data()[12 + 4 + 3] = std::byte{3};  // shorter than its own header
  host.sent.clear();
  receive(std::move(packet));
  ASSERT_EQ(host.sent.size(), 1u);
  EXPECT_EQ(last_chunk()->type, ChunkType::shutdown_complete);
}

TEST_F(OutOfTheBlue, APacketWithoutOneWholeChunkIsSilent) {
  base::InboundPacket packet = bare(ChunkType::data, {.tag = kTag});
  packet.buffer.data()[12 + 3] = std::byte{3};
  expect_silence(packet, counters.ootb_malformed);
}

TEST_F(OutOfTheBlue, ChunksWithoutEndAreSilent) {
  const auto many = [&](std::uint32_t n) {
    return build({.tag = kTag}, [&](wire::PacketWriter& packet) {
      for (std::uint32_t i = 0; i < n; ++i) packet.append_chunk(ChunkType::data, 0, 0);
    });
  };
  expect_silence(many(kMaxOutOfTheBlueChunks + 1), counters.ootb_malformed);
  receive(many(kMaxOutOfTheBlueChunks));
  expect_abort(kTag, true, 0);
}

TEST_F(OutOfTheBlue, AZeroTagWithoutInitIsSilent) {
  expect_silence(bare(ChunkType::data, {}), counters.ootb_malformed);
}

TEST_F(OutOfTheBlue, APacketTooShortIsSilent) {
  base::InboundPacket packet = bare(ChunkType::data, {.tag = kTag});
  packet.buffer.truncate(15);
  expect_silence(packet, counters.ootb_malformed);
  packet.buffer.truncate(11);
  expect_silence(packet, counters.ootb_malformed);
}

TEST_F(OutOfTheBlue, AnswersAreLimitedToARate) {
  for (int i = 0; i < 15; ++i) receive(bare(ChunkType::data, {.tag = kTag}));
  EXPECT_EQ(host.sent.size(), 10u);
  EXPECT_EQ(counters.answers_rate_limited, 5u);
  now += std::chrono::milliseconds(3);
  for (int i = 0; i < 15; ++i) receive(bare(ChunkType::shutdown_ack, {.tag = kTag}));
  EXPECT_EQ(host.sent.size(), 13u);
}

TEST_F(OutOfTheBlue, AKnownPeerWithAnotherTagIsNotAnswered) {
  know_peer();
  expect_silence(bare(ChunkType::data, {.tag = kTag}), counters.wrong_tag);
  // Its very tag, and yet missed at the owner: it was sent to another address of ours.
  expect_silence(bare(ChunkType::data, {.tag = VTag(99)}), counters.wrong_local_address);
}

TEST_F(OutOfTheBlue, AKnownPeersReflectedTagsAndShutdownAcksGoToTheOwner) {
  know_peer();
  for (const ChunkType type : {ChunkType::abort, ChunkType::shutdown_complete, ChunkType::shutdown_ack}) {
    const Verdict verdict = receive(bare(type, {.tag = kTag}, wire::kFlagTagReflected));
    EXPECT_EQ(verdict.next, Verdict::Next::to_owner);
    EXPECT_EQ(verdict.owner.tag, VTag(99));
  }
  EXPECT_TRUE(host.sent.empty());
}

TEST_F(OutOfTheBlue, AKnownPeersShutdownAckBehindAnErrorGoesToTheOwner) {
  know_peer();
  EXPECT_EQ(receive(error_and_shutdown_ack(kTag)).next, Verdict::Next::to_owner);
  expect_silence(bare(ChunkType::error, {.tag = kTag}), counters.wrong_tag);
}

TEST_F(OutOfTheBlue, AnInitThatIsCutOffIsSilentAndLeavesTheRestAsItWas) {
  for (const VTag tag : {VTag(0), kTag}) {
    base::InboundPacket packet = bare(ChunkType::init, {.tag = tag});
    packet.buffer.data()[wire::kCommonHeaderSize + 3] = std::byte{0x60};  // far beyond the packet's end
    EXPECT_EQ(receive(packet).next, Verdict::Next::done);
    EXPECT_TRUE(host.sent.empty());
  }
  receive(bare(ChunkType::shutdown_ack, {.tag = kTag}));
  ASSERT_EQ(host.sent.size(), 1u);
  EXPECT_EQ(last_chunk()->type, ChunkType::shutdown_complete);
}

TEST_F(OutOfTheBlue, ShutdownBetweenInitAndCookieEchoIsAbortedAndTheCookieStaysGood) {
  const InitAck ack = exchange_init();
  receive(
      build({.tag = ack.header.init_tag}, [](wire::PacketWriter& packet) { wire::append_shutdown(packet, Tsn(0)); }));
  expect_abort(ack.header.init_tag, true, 0);
  EXPECT_EQ(receive(echo_of(ack)).next, Verdict::Next::create);
}

TEST_F(OutOfTheBlue, ManyShutdownAcksBringOneShutdownComplete) {
  receive(build({.tag = kTag}, [](wire::PacketWriter& packet) {
    for (int i = 0; i < 10; ++i) packet.append_chunk(ChunkType::shutdown_ack, 0, 0);
  }));
  ASSERT_EQ(host.sent.size(), 1u);
  wire::ChunkWalker chunks = wire::chunks_of(last());
  EXPECT_EQ(chunks.next()->type, ChunkType::shutdown_complete);
  EXPECT_FALSE(chunks.next().has_value());
}

TEST_F(OutOfTheBlue, DataOfAPeerWhoseCookieNeverCameIsAborted) {
  const InitAck ack = exchange_init();
  receive(bare(ChunkType::data, {.tag = ack.header.init_tag}));
  ASSERT_EQ(host.sent.size(), 1u);
  EXPECT_EQ(last_header().tag, ack.header.init_tag);
  EXPECT_TRUE(wire::AbortChunk::parse(*last_chunk())->tag_reflected());
}

TEST_F(OutOfTheBlue, Rule2AnAbortBesideACookieEchoIsSilentToo) {
  const InitAck ack = exchange_init();
  const base::InboundPacket packet = build({.tag = ack.header.init_tag}, [&](wire::PacketWriter& writer) {
    wire::append_cookie_echo(writer, ack.cookie);
    wire::append_abort(writer, false);
  });
  EXPECT_EQ(receive(packet).next, Verdict::Next::done);
  EXPECT_TRUE(host.sent.empty());
  EXPECT_EQ(directory.size(), 0u);
}

}  // namespace
}  // namespace sluice::endpoint::test
