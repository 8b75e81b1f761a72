// Chunks that share a packet: each means what it means alone, and those that must be alone are not taken in company.
#include "tests/unit/assoc/scripted_peer.hpp"

namespace sluice::assoc {
namespace {

class AssociationBundling : public ScriptedPeer {
 protected:
  /// The one packet that leaves now holds these chunks.
  SentPacket expect_one(const Types& types) {
    auto packets = flush();
    EXPECT_EQ(packets.size(), 1u);
    if (packets.empty()) return {};
    EXPECT_EQ(packets[0].types(), types);
    return std::move(packets[0]);
  }
};

TEST_F(AssociationBundling, DataBehindCookieAckIsDeliveredAndAcknowledgedAtOnce) {
  go_cookie_echoed();
  inject([](wire::PacketWriter& packet) {
    wire::append_cookie_ack(packet);
    write_data(packet, kPeerTsn, "behind");
  });
  ASSERT_EQ(host().events.size(), 2u);
  EXPECT_EQ(host().events[0].event.type, EventType::association_up);
  EXPECT_EQ(host().events[1].data, "behind");
  const SentPacket answer = expect_one({ChunkType::sack});
  EXPECT_EQ(wire::SackChunk::parse(answer.chunks.at(0))->cumulative_tsn(), kPeerTsn);
}

TEST_F(AssociationBundling, DataBehindASackIsDeliveredAndTheSackCounts) {
  go_established();
  send("to them");
  flush();
  inject([](wire::PacketWriter& packet) {
    wire::append_sack(packet, kOurTsn, 1500, {}, {});
    write_data(packet, kPeerTsn, "behind");
  });
  EXPECT_EQ(last_event().data, "behind");
  expect_one({ChunkType::sack});
  EXPECT_TRUE(association().shutdown(now_));
  expect_one({ChunkType::shutdown});  // nothing waits for an acknowledgement any more
}

TEST_F(AssociationBundling, SackBesideShutdownAcknowledgesWhatTheShutdownLeavesOut) {
  for (const bool outstanding : {false, true}) {
    for (const bool sack_first : {false, true}) {
      SCOPED_TRACE(testing::Message() << outstanding << sack_first);
      go_established();
      if (outstanding) send("to them");
      flush();
      const Tsn last = outstanding ? kOurTsn : kOurTsn - 1;
      inject([=](wire::PacketWriter& packet) {
        if (sack_first) wire::append_sack(packet, last, 1500, {}, {});
        wire::append_shutdown(packet, kOurTsn - 1);
        if (!sack_first) wire::append_sack(packet, last, 1500, {}, {});
      });
      expect_one({ChunkType::shutdown_ack});
      EXPECT_EQ(association().state(), State::shutdown_ack_sent);
    }
  }
}

TEST_F(AssociationBundling, DataBehindShutdownAckComesTooLate) {
  go_shutdown_sent();
  inject([](wire::PacketWriter& packet) {
    wire::append_shutdown_ack(packet);
    write_data(packet, kPeerTsn, "too late");
  });
  expect_one({ChunkType::shutdown_complete});
  EXPECT_TRUE(host().seen(EventType::message).empty());
  EXPECT_EQ(only(EventType::closed).reason(), Reason::none);
}

TEST_F(AssociationBundling, InitAckWithOthersBehindItIsNotTaken) {  // §5.1
  connect();
  inject([this](wire::PacketWriter& packet) {
    {
      wire::ChunkWriter chunk = wire::append_init_ack(packet, init_header());
      write_cookie(chunk);
    }
    write_data(packet, kPeerTsn, "behind");
  });
  for (const SentPacket& packet : flush()) EXPECT_EQ(packet.find(ChunkType::cookie_echo), nullptr);
  EXPECT_NE(association().state(), State::cookie_echoed);
}

TEST_F(AssociationBundling, ShutdownCompleteWithOthersBehindItIsNotTaken) {  // §6.10
  go_shutdown_ack_sent();
  inject([](wire::PacketWriter& packet) {
    wire::append_shutdown_complete(packet, false);
    write_data(packet, kPeerTsn, "behind");
  });
  EXPECT_EQ(association().state(), State::shutdown_ack_sent);
  EXPECT_TRUE(host().seen(EventType::closed).empty());
}

// Nothing in a packet with an ABORT is answered, and nothing before it counts (§8.4 rule 2, §9.1).

TEST_F(AssociationBundling, ShutdownAckBeforeAnAbortIsNotAnswered) {
  for (const State state : {State::cookie_wait, State::cookie_echoed, State::shutdown_sent, State::shutdown_ack_sent}) {
    SCOPED_TRACE(testing::Message() << static_cast<int>(state));
    go(state);
    inject([](wire::PacketWriter& packet) {
      wire::append_shutdown_ack(packet);
      wire::append_abort(packet, false);
    });
    expect_silence();
    const bool up = state == State::shutdown_sent || state == State::shutdown_ack_sent;
    EXPECT_EQ(last_event().event.type, up ? EventType::association_lost : EventType::connect_failed);
    EXPECT_EQ(last_event().event.reason(), up ? Reason::peer_abort : Reason::refused);
  }
}

TEST_F(AssociationBundling, ShutdownAckOfAnotherAssociationBeforeAnAbortIsNotAnswered) {
  go_cookie_echoed();
  inject(VTag(0x77777777), [](wire::PacketWriter& packet) {
    wire::append_shutdown_ack(packet);
    wire::append_abort(packet, false);
  });
  expect_silence();
  EXPECT_EQ(association().state(), State::cookie_echoed);
}

TEST_F(AssociationBundling, AnAbortWithoutATagEndsNothingThoughThePeersIsNotKnownYet) {  // §8.5.1 B
  connect();
  inject(VTag(0), [](wire::PacketWriter& packet) {
    wire::append_shutdown_ack(packet);
    wire::append_abort(packet, true);
  });
  expect_silence();
  EXPECT_EQ(association().state(), State::cookie_wait);
}

TEST_F(AssociationBundling, StaleCookieBeforeAnAbortBringsNoOtherInit) {
  go_cookie_echoed();
  inject([](wire::PacketWriter& packet) {
    {
      wire::ChunkWriter error = wire::append_error(packet);
      wire::append_stale_cookie(error, 0us);
    }
    wire::append_abort(packet, false);
  });
  expect_silence();
  EXPECT_EQ(only(EventType::connect_failed).reason(), Reason::refused);
}

TEST_F(AssociationBundling, NothingBesideAnAbortThatIsNotTakenIsAnswered) {  // §8.5.1 B
  go_established();
  inject([](wire::PacketWriter& packet) {
    wire::append_heartbeat(packet, std::as_bytes(std::span("beat", 4)));
    wire::append_abort(packet, true);
  });
  expect_silence();
  EXPECT_EQ(association().state(), State::established);
}

TEST_F(AssociationBundling, AnAbortThatIsNotTakenTakesNoAnswerToOthersAway) {
  go_established();
  inject([](wire::PacketWriter& packet) { wire::append_heartbeat(packet, std::as_bytes(std::span("mine", 4))); });
  inject([](wire::PacketWriter& packet) {
    wire::append_heartbeat(packet, std::as_bytes(std::span("beat", 4)));
    wire::append_abort(packet, true);
  });
  const SentPacket answer = expect_one({ChunkType::heartbeat_ack});
  EXPECT_EQ(std::to_integer<char>(answer.chunks.at(0).body()[4]), 'm');
}

// The report goes to the path in use, and with it what waits there; the HEARTBEAT ACK begins another packet.
TEST_F(AssociationBundling, ARefusedAbortTakesAwayNoMoreThanThePacketUnderWay) {
  Handshake handshake = agreed();
  ASSERT_TRUE(handshake.peer_addresses.push_back(kThere2));
  side_.parameters.heartbeat_interval = 30s;
  base::Buffer echo = packet(kOurTag, [](wire::PacketWriter& writer) {
    wire::append_cookie_echo(writer, std::as_bytes(std::span("cookie", 6)));
  });
  side_.open().accept(now_, handshake,
                      {.arrival = {.source = kThere, .destination = kHere, .time = now_}, .buffer = std::move(echo)});
  flush();
  const std::vector<std::byte> info(1000);
  inject([&](wire::PacketWriter& writer) { wire::append_heartbeat(writer, info); });
  inject(
      kOurTag,
      [](wire::PacketWriter& writer) {
        writer.append_chunk(static_cast<ChunkType>(0xc1), 0, 0);
        wire::append_heartbeat(writer, std::as_bytes(std::span("beat", 4)));
        wire::append_abort(writer, true);
      },
      kThere2);
  const SentPacket sent = expect_one({ChunkType::heartbeat_ack, ChunkType::error});
  EXPECT_EQ(sent.departure.destination, kThere);
}

TEST_F(AssociationBundling, ThePeersReasonForRefusingIsTold) {  // §9.1
  go_cookie_echoed();
  inject([](wire::PacketWriter& packet) {
    wire::ChunkWriter abort = wire::append_abort(packet, false);
    wire::append_user_initiated_abort(abort, "full");
  });
  EXPECT_EQ(last_event().event.type, EventType::connect_failed);
  EXPECT_EQ(last_event().data, "full");
}

TEST_F(AssociationBundling, HeartbeatAndShutdownAckWhileOpeningBringOnePacket) {  // §12.4
  go_cookie_echoed();
  inject([](wire::PacketWriter& packet) {
    wire::append_heartbeat(packet, std::as_bytes(std::span("beat", 4)));
    wire::append_shutdown_ack(packet);
  });
  expect_one({ChunkType::shutdown_complete});
}

// A SACK and what it may share a packet with.

TEST_F(AssociationBundling, ADelayedSackWaitsIfDataLeavesItNoRoom) {  // §6.2
  go_established();
  inject_data(kPeerTsn, "acknowledged at once");
  expect_one({ChunkType::sack});
  inject_data(kPeerTsn + 1, "later");
  send(std::string(1440, 'x'));
  expect_one({ChunkType::data});
  inject_sack(kOurTsn);
  expire();
  expect_one({ChunkType::sack});
}

TEST_F(AssociationBundling, NoGapAckBlockIsLeftOutForTheSakeOfAnotherChunk) {  // §6.2
  go_established();
  for (std::uint32_t i = 0; i < 60; ++i) inject_data(kPeerTsn + 1 + 2 * i, "x");
  flush();
  inject([](wire::PacketWriter& packet) {
    const std::vector<std::byte> info(1300);
    wire::append_heartbeat(packet, info);
    write_data(packet, kPeerTsn + 121, "x");
  });
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 2u);
  const wire::Chunk* const sack = packets[1].find(ChunkType::sack);
  ASSERT_NE(sack, nullptr);
  EXPECT_EQ(wire::SackChunk::parse(*sack)->gap_count(), 61u);
}

}  // namespace
}  // namespace sluice::assoc
