#include <gmock/gmock.h>

#include "tests/unit/assoc/scripted_peer.hpp"

namespace sluice::assoc {
namespace {

using ::testing::ElementsAre;

constexpr State kOpenStates[] = {State::cookie_wait,      State::cookie_echoed, State::established,
                                 State::shutdown_pending, State::shutdown_sent, State::shutdown_received,
                                 State::shutdown_ack_sent};

class AssociationInput : public ScriptedPeer {};

void write_chunk(wire::PacketWriter& packet, ChunkType type, std::size_t body) {
  std::byte* const at = packet.append_chunk(type, 0, static_cast<std::uint32_t>(body));
  std::memset(at, 0, body);
}

TEST_F(AssociationInput, DataIsDeliveredAndTheFirstIsAcknowledgedAtOnce) {
  go_established();
  inject_data(kPeerTsn, "hello", StreamId(3));
  const Event message = only(EventType::message);
  EXPECT_EQ(last_event().data, "hello");
  EXPECT_EQ(message.stream, StreamId(3));
  EXPECT_EQ(message.ppid, Ppid(46));
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::sack});
  EXPECT_EQ(wire::SackChunk::parse(packets[0].chunks[0])->cumulative_tsn(), kPeerTsn);
  EXPECT_EQ(packets[0].header.tag, kPeerTag);
}

TEST_F(AssociationInput, SackRidesWithDataAndControlComesFirst) {
  go_established();
  inject([](wire::PacketWriter& packet) {
    wire::append_heartbeat(packet, std::as_bytes(std::span("beat", 4)));
    write_data(packet, kPeerTsn, "hello");
  });
  send("answer");
  EXPECT_EQ(flush().at(0).types(), (Types{ChunkType::heartbeat_ack, ChunkType::sack, ChunkType::data}));
}

TEST_F(AssociationInput, DelayedSackLeavesWithDataOrAtItsDeadline) {
  go_established();
  inject_data(kPeerTsn, "first");
  flush();
  inject_data(kPeerTsn + 1, "second");
  expect_silence();
  send("answer");
  EXPECT_EQ(flush().at(0).types(), (Types{ChunkType::sack, ChunkType::data}));
  inject_sack(kOurTsn);
  inject_data(kPeerTsn + 2, "third");
  expect_silence();
  EXPECT_EQ(association().next_deadline(), now_ + side_.parameters.sack_delay);
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::sack});
}

TEST_F(AssociationInput, ImmediateBitAsksForTheSackAtOnce) {
  go_established();
  inject_data(kPeerTsn, "first");
  flush();
  inject_data(kPeerTsn + 1, "second", StreamId(), wire::kDataImmediate);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::sack});
}

TEST_F(AssociationInput, DataIsTakenInTheStatesThatMayReceiveIt) {
  for (const State state : kOpenStates) {
    SCOPED_TRACE(name(state));
    go(state);
    host().events.clear();
    inject_data(kPeerTsn, "hello");
    const bool taken = state == State::established || state == State::shutdown_pending || state == State::shutdown_sent;
    EXPECT_EQ(host().seen(EventType::message).size(), taken ? 1u : 0u);
  }
}

TEST_F(AssociationInput, SackIsTakenInTheStatesThatMaySend) {
  go_shutdown_pending();
  inject_sack(kOurTsn);
  EXPECT_EQ(association().state(), State::shutdown_sent);
  go_shutdown_received();
  inject_sack(kOurTsn);
  EXPECT_EQ(association().state(), State::shutdown_ack_sent);
}

TEST_F(AssociationInput, PacketsWithAWrongTagAreDroppedInEveryState) {
  const Write writers[] = {
      [](wire::PacketWriter& p) { write_data(p, kPeerTsn, "x"); },
      [this](wire::PacketWriter& p) {
        wire::ChunkWriter chunk = wire::append_init_ack(p, init_header());
        write_cookie(chunk);
      },
      [](wire::PacketWriter& p) { wire::append_sack(p, kOurTsn, 100000, {}, {}); },
      [](wire::PacketWriter& p) { wire::append_heartbeat(p, std::as_bytes(std::span("beat", 4))); },
      [](wire::PacketWriter& p) { wire::append_abort(p, false); },
      [](wire::PacketWriter& p) { wire::append_abort(p, true); },
      [](wire::PacketWriter& p) { wire::append_shutdown(p, kOurTsn - 1); },
      [](wire::PacketWriter& p) { wire::append_shutdown_complete(p, false); },
      [](wire::PacketWriter& p) { wire::append_shutdown_complete(p, true); },
      [](wire::PacketWriter& p) { wire::append_cookie_ack(p); },
      [](wire::PacketWriter& p) { write_chunk(p, static_cast<ChunkType>(0xc8), 4); },
  };
  for (const State state : kOpenStates) {
    SCOPED_TRACE(name(state));
    for (const Write& write : writers) {
      for (const VTag tag : {VTag(0), VTag(kOurTag.value + 1)}) {
        go(state);
        flush();
        const std::size_t events = host().events.size();
        inject(tag, write);
        expect_silence();
        EXPECT_EQ(association().state(), state);
        EXPECT_EQ(host().events.size(), events);
      }
    }
  }
}

TEST_F(AssociationInput, ShutdownAckWithAWrongTagIsDroppedOnceTheHandshakeIsOver) {
  for (const State state : {State::established, State::shutdown_sent, State::shutdown_ack_sent}) {
    go(state);
    inject(VTag(7), [](wire::PacketWriter& packet) { wire::append_shutdown_ack(packet); });
    expect_silence();
    EXPECT_EQ(association().state(), state);
  }
}

TEST_F(AssociationInput, PacketsFromForeignAddressesAreDropped) {
  go_established();
  inject(
      kOurTag, [](wire::PacketWriter& packet) { write_data(packet, kPeerTsn, "x"); }, kElsewhere);
  EXPECT_EQ(counters().foreign_sources, 1u);
  EXPECT_TRUE(host().seen(EventType::message).empty());
}

TEST_F(AssociationInput, DataWithoutUserDataIsAborted) {
  go_established();
  inject_data(kPeerTsn, "");
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::abort});
  wire::CauseWalker walker = wire::AbortChunk::parse(packets[0].chunks[0])->causes();
  EXPECT_EQ(wire::read_no_user_data(*walker.next()), kPeerTsn);
  EXPECT_EQ(only(EventType::association_lost).reason(), Reason::protocol_violation);
}

TEST_F(AssociationInput, DataOnAStreamThatDoesNotExistIsAcknowledgedAndReported) {
  go_established();
  inject_data(kPeerTsn, "x", StreamId(20));
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), (Types{ChunkType::error, ChunkType::sack}));
  wire::CauseWalker walker = wire::ErrorChunk::parse(packets[0].chunks[0])->causes();
  EXPECT_EQ(wire::read_invalid_stream(*walker.next()), StreamId(20));
  EXPECT_EQ(wire::SackChunk::parse(packets[0].chunks[1])->cumulative_tsn(), kPeerTsn);
  EXPECT_TRUE(host().seen(EventType::message).empty());
}

TEST_F(AssociationInput, AcknowledgingWhatWasNeverSentIsAborted) {
  go_established();
  inject_sack(kOurTsn);
  EXPECT_THAT(causes(flush().at(0)), ElementsAre(CauseCode::protocol_violation));
  EXPECT_EQ(only(EventType::association_lost).reason(), Reason::protocol_violation);
}

TEST_F(AssociationInput, UnrecognizedChunksAreHandledByTheirUpperBits) {
  struct Case {
    std::uint8_t type;
    bool stop;
    bool report;
  };
  for (const Case& each : {Case{0x3e, true, false}, Case{0x7e, true, true}, Case{0xbe, false, false},
                           Case{0xfe, false, true}, Case{12, true, false}}) {
    SCOPED_TRACE(int{each.type});
    go_established();
    host().events.clear();
    inject([&](wire::PacketWriter& packet) {
      write_chunk(packet, static_cast<ChunkType>(each.type), 8);
      write_data(packet, kPeerTsn, "behind");
    });
    EXPECT_EQ(host().seen(EventType::message).size(), each.stop ? 0u : 1u);
    const auto packets = flush();
    const SentPacket* const answer = packets.empty() ? nullptr : &packets[0];
    const wire::Chunk* const error = answer == nullptr ? nullptr : answer->find(ChunkType::error);
    ASSERT_EQ(error != nullptr, each.report);
    if (error == nullptr) continue;
    wire::CauseWalker walker = wire::ErrorChunk::parse(*error)->causes();
    const auto quoted = wire::read_unrecognized_chunk(*walker.next());
    ASSERT_TRUE(quoted);
    EXPECT_EQ(quoted->size(), 12u);
    EXPECT_EQ(std::to_integer<std::uint8_t>((*quoted)[0]), each.type);
  }
}

TEST_F(AssociationInput, ReportsOfOnePacketAreBounded) {
  go_established();
  inject([](wire::PacketWriter& packet) {
    while (packet.room() >= 4) write_chunk(packet, static_cast<ChunkType>(0xfe), 0);
  });
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].chunks.size(), 8u);
  EXPECT_LT(packets[0].buffer.size(), 200u);
  EXPECT_GT(counters().replies_dropped, 900u);
}

TEST_F(AssociationInput, HeartbeatIsEchoedUnchangedInTheStatesThatAnswer) {
  for (const State state : kOpenStates) {
    SCOPED_TRACE(name(state));
    go(state);
    flush();
    inject([](wire::PacketWriter& packet) { wire::append_heartbeat(packet, std::as_bytes(std::span("beat!", 5))); });
    const auto packets = flush();
    const bool answers = state == State::cookie_echoed || state == State::established ||
                         state == State::shutdown_pending || state == State::shutdown_sent ||
                         state == State::shutdown_received;
    ASSERT_EQ(packets.size(), answers ? 1u : 0u);
    if (!answers) continue;
    Types expected{ChunkType::heartbeat_ack};
    if (state == State::shutdown_sent) expected.push_back(ChunkType::shutdown);
    EXPECT_EQ(packets[0].types(), expected);
    const auto info = wire::HeartbeatChunk::parse(packets[0].chunks[0])->info();
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(info.data()), info.size()), "beat!");
  }
}

TEST_F(AssociationInput, HeartbeatLargerThanThePathIsEchoedByIpFragmentation) {
  go_established();
  association().on_icmp(
      now_, {.kind = IcmpReport::Kind::packet_too_big, .destination = kThere, .tag = kPeerTag, .mtu = 1000});
  const std::vector<std::byte> large(1400);
  inject([&](wire::PacketWriter& packet) { wire::append_heartbeat(packet, large); });
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::heartbeat_ack});
  EXPECT_EQ(packets[0].chunks[0].bytes.size(), 1408u);
  EXPECT_FALSE(packets[0].departure.dont_fragment);
}

TEST_F(AssociationInput, UnrecognizedChunkThatFillsItsPacketIsQuotedAsFarAsItFits) {
  go_established();
  inject([](wire::PacketWriter& packet) { write_chunk(packet, static_cast<ChunkType>(0xfe), 1464); });
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].buffer.size(), 1480u);
  wire::CauseWalker walker = wire::ErrorChunk::parse(packets[0].chunks.at(0))->causes();
  const auto quoted = wire::read_unrecognized_chunk(*walker.next());
  ASSERT_TRUE(quoted);
  EXPECT_EQ(quoted->size(), 1460u);
  EXPECT_EQ(base::load_be<std::uint16_t>(quoted->data() + 2), 1468);
}

TEST_F(AssociationInput, HeartbeatLargerThanAnyPacketIsNotEchoed) {
  go_established();
  const std::vector<std::byte> large(2000);
  inject([&](wire::PacketWriter& packet) { wire::append_heartbeat(packet, large); });
  expect_silence();
  EXPECT_EQ(counters().replies_dropped, 1u);
}

TEST_F(AssociationInput, ErrorsOfThePeerReachTheApplication) {
  go_established();
  inject([](wire::PacketWriter& packet) {
    wire::ChunkWriter error = wire::append_error(packet);
    wire::append_invalid_stream(error, StreamId(9));
  });
  EXPECT_EQ(only(EventType::remote_error).error, 1);
  expect_silence();
}

TEST_F(AssociationInput, AnErrorBeforeTheAssociationIsUpIsCountedAlone) {
  for (const State state : {State::cookie_wait, State::cookie_echoed}) {
    go(state);
    const std::uint64_t before = counters().unexpected_chunks;
    inject([](wire::PacketWriter& packet) {
      wire::ChunkWriter error = wire::append_error(packet);
      wire::append_invalid_stream(error, StreamId(9));
    });
    EXPECT_TRUE(host().seen(EventType::remote_error).empty());
    EXPECT_EQ(counters().unexpected_chunks, before + 1);
  }
}

TEST_F(AssociationInput, MisplacedSetupChunksEndThePacket) {
  go_established();
  inject([this](wire::PacketWriter& packet) {
    wire::append_init(packet, init_header());
    write_data(packet, kPeerTsn, "behind");
  });
  inject([](wire::PacketWriter& packet) {
    wire::append_sack(packet, kOurTsn - 1, 100000, {}, {});
    wire::append_cookie_echo(packet, std::as_bytes(std::span("cookie", 6)));
    write_data(packet, kPeerTsn, "behind");
  });
  EXPECT_TRUE(host().seen(EventType::message).empty());
  EXPECT_EQ(counters().unexpected_chunks, 2u);
}

TEST_F(AssociationInput, EveryChunkInEveryStateAtEveryLengthIsSurvived) {
  for (const State state : kOpenStates) {
    for (int type = 0; type < 256; ++type) {
      go(state);
      for (std::size_t body = 0; body <= 24; ++body) {
        inject([&](wire::PacketWriter& packet) { write_chunk(packet, static_cast<ChunkType>(type), body); });
        if (association().state() == State::closed) go(state);
      }
      association().flush(now_);
      sent();
      host().events.clear();
    }
  }
}

TEST_F(AssociationInput, TruncatedPacketsAreSurvivedAndCounted) {
  go_established();
  const base::Buffer whole = packet(kOurTag, [](wire::PacketWriter& packet) {
    wire::append_sack(packet, kOurTsn - 1, 100000, {}, {});
    write_data(packet, kPeerTsn, "cut off");
  });
  for (std::uint32_t length = 0; length < whole.size(); ++length) inject_bytes(whole.bytes().first(length));
  EXPECT_TRUE(host().seen(EventType::message).empty() || last_event().data == "cut off");
  EXPECT_GE(counters().malformed_packets, 12u);
  EXPECT_EQ(association().state(), State::established);
}

TEST_F(AssociationInput, NothingOvertakesTheNewsThatItBegan) {
  host().event_room = 0;
  go_established();
  host().event_room = TestHost::kUnlimited;
  inject_data(kPeerTsn, "early");
  EXPECT_TRUE(host().events.empty());
  EXPECT_TRUE(association().resume_delivery(now_));
  inject_data(kPeerTsn, "early");
  ASSERT_EQ(host().events.size(), 2u);
  EXPECT_EQ(host().events[0].event.type, EventType::association_up);
  EXPECT_EQ(host().events[1].data, "early");
}

TEST_F(AssociationInput, TheEndComesAfterEveryMessage) {
  go_established();
  host().events.clear();
  host().event_room = 0;
  inject_data(kPeerTsn, "one");
  inject_data(kPeerTsn + 1, "two");
  inject([](wire::PacketWriter& packet) { wire::append_abort(packet, false); });
  EXPECT_FALSE(association().finished());
  for (int room = 0; room < 3; ++room) {
    EXPECT_FALSE(association().resume_delivery(now_));
    host().event_room = 1;
  }
  EXPECT_TRUE(association().resume_delivery(now_));
  EXPECT_TRUE(association().finished());
  ASSERT_EQ(host().events.size(), 3u);
  EXPECT_EQ(host().events[0].data, "one");
  EXPECT_EQ(host().events[1].data, "two");
  EXPECT_EQ(host().events[2].event.reason(), Reason::peer_abort);
}

TEST_F(AssociationInput, ReportOfAnUnrecognizedChunkSharesThePacketOfTheSackAndStandsInFront) {
  go_established();
  inject([](wire::PacketWriter& packet) {
    write_chunk(packet, static_cast<ChunkType>(0xcf), 3);
    write_data(packet, kPeerTsn, "behind");
  });
  EXPECT_EQ(host().seen(EventType::message).size(), 1u);
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), (Types{ChunkType::error, ChunkType::sack}));
  // Quoted without its padding, which the ERROR's length leaves out as well (§3.2).
  EXPECT_EQ(packets[0].chunks[0].bytes.size(), 4u + 4u + 7u);
  EXPECT_EQ(wire::SackChunk::parse(packets[0].chunks[1])->cumulative_tsn(), kPeerTsn);
}

TEST_F(AssociationInput, WhatAnUnrecognizedChunkKeptFromBeingReadIsNotAcknowledged) {
  for (const std::uint8_t type : {0x3f, 0x4f}) {
    go_established();
    host().events.clear();
    inject([type](wire::PacketWriter& packet) {
      write_chunk(packet, static_cast<ChunkType>(type), type == 0x3f ? 3 : 0);
      write_data(packet, kPeerTsn, "behind");
    });
    EXPECT_TRUE(host().events.empty());
    const auto packets = flush();
    ASSERT_EQ(packets.size(), type == 0x3f ? 0u : 1u);
    for (const SentPacket& packet : packets) EXPECT_EQ(packet.types(), Types{ChunkType::error});
    association().shutdown(now_);
    const auto shutdown = wire::ShutdownChunk::parse(flush().at(0).chunks.at(0));
    ASSERT_TRUE(shutdown);
    EXPECT_EQ(shutdown->cumulative_tsn, kPeerTsn - 1);
  }
}

TEST_F(AssociationInput, HeartbeatWithoutABodyOfItsInformationIsEchoed) {
  go_established();
  inject([](wire::PacketWriter& packet) {
    for (int i = 0; i < 10; ++i) wire::append_heartbeat(packet, {});
  });
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types(10, ChunkType::heartbeat_ack));
  for (const wire::Chunk& chunk : packets[0].chunks) EXPECT_EQ(chunk.bytes.size(), 8u);
}

// §9.1: nothing that holds an ABORT is answered, not even by another one.
TEST_F(AssociationInput, BadDataBesideAnAbortIsNotAnswered) {
  go_established();
  inject([](wire::PacketWriter& packet) {
    write_data(packet, kPeerTsn, "");
    wire::append_abort(packet, false);
  });
  expect_silence();
  EXPECT_EQ(last_event().event.reason(), Reason::peer_abort);
}

// The ABORT itself is none: its T bit is wrong, or its causes are. That does not make the data any better.
TEST_F(AssociationInput, BadDataEndsTheAssociationWhateverAbortStandsBesideIt) {
  for (const bool wrong_tag : {true, false}) {
    go_established();
    inject([wrong_tag](wire::PacketWriter& packet) {
      write_data(packet, kPeerTsn, "");
      wire::ChunkWriter abort = wire::append_abort(packet, wrong_tag);
      if (!wrong_tag) abort.append(wire::CauseCode::protocol_violation, 0)[-1] = std::byte{2};
    });
    expect_silence();
    EXPECT_EQ(association().state(), State::closed);
    EXPECT_EQ(last_event().event.reason(), Reason::protocol_violation);
  }
}

// What comes in one poll turn.

TEST_F(AssociationInput, EverySecondPacketOfATurnIsAcknowledged) {  // §6.2
  go_established();
  inject_data(kPeerTsn, "the first, at once");
  flush();
  for (std::uint32_t i = 1; i <= 7; ++i) inject_data(kPeerTsn + i, "more");
  std::vector<Tsn> acknowledged;
  for (const SentPacket& packet : flush()) {
    ASSERT_EQ(packet.types(), Types{ChunkType::sack});
    acknowledged.push_back(wire::SackChunk::parse(packet.chunks[0])->cumulative_tsn());
  }
  EXPECT_EQ(acknowledged, (std::vector{kPeerTsn + 2, kPeerTsn + 4, kPeerTsn + 6}));
}

TEST_F(AssociationInput, EveryPacketOfATurnThatLeavesAHoleIsAcknowledged) {  // §6.7, §7.2.4
  go_established();
  inject_data(kPeerTsn, "before");
  flush();
  for (std::uint32_t i = 2; i <= 4; ++i) inject_data(kPeerTsn + i, "behind the hole");
  std::uint16_t last = 2;
  for (const SentPacket& packet : flush()) {
    ASSERT_EQ(packet.types(), Types{ChunkType::sack});
    const auto sack = wire::SackChunk::parse(packet.chunks[0]);
    EXPECT_EQ(sack->cumulative_tsn(), kPeerTsn);
    ASSERT_EQ(sack->gap_count(), 1u);
    EXPECT_EQ(sack->gap(0).end, last++);
  }
  EXPECT_EQ(last, 5);
}

TEST_F(AssociationInput, LongTurnsAreAcknowledgedLessOften) {
  go_established();
  inject_data(kPeerTsn, "the first, at once");
  flush();
  for (std::uint32_t i = 1; i <= 100; ++i) inject_data(kPeerTsn + i, "more");
  const auto packets = flush();
  EXPECT_EQ(packets.size(), 4u + 5u + 1u);
  EXPECT_EQ(wire::SackChunk::parse(packets.back().chunks[0])->cumulative_tsn(), kPeerTsn + 100);
}

}  // namespace
}  // namespace sluice::assoc
