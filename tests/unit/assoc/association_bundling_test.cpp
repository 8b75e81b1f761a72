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

}  // namespace
}  // namespace sluice::assoc
