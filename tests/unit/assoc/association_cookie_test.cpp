// A COOKIE ECHO at an association that there is already: duplicates, collisions and restarts (RFC 9260 §5.2.4).
#include <gmock/gmock.h>

#include "tests/unit/assoc/scripted_peer.hpp"

namespace sluice::assoc {
namespace {

using ::testing::ElementsAre;

class AssociationCookie : public ScriptedPeer {
 protected:
  void receive_cookie(
      CookieAction action, const Handshake& agreed, const Write& behind = [](wire::PacketWriter&) {}) {
    base::Buffer packet = this->packet(agreed.local_tag, [&](wire::PacketWriter& writer) {
      wire::append_cookie_echo(writer, std::as_bytes(std::span("cookie", 6)));
      behind(writer);
    });
    association().receive_cookie(
        now_, action, agreed,
        {.arrival = {.source = kThere, .destination = kHere, .time = now_}, .buffer = std::move(packet)});
  }
};

TEST_F(AssociationCookie, CollisionInCookieEchoedTakesTheAddressesOfThePeersInit) {
  go_cookie_echoed();
  send("queued");
  Handshake newer = agreed();
  newer.peer_tag = VTag(0x44444444);
  ASSERT_TRUE(newer.peer_addresses.push_back(kThere2));
  receive_cookie(CookieAction::collision, newer);
  EXPECT_EQ(association().state(), State::established);
  ASSERT_EQ(association().paths().size(), 2u);
  EXPECT_EQ(association().paths()[1].state, PathState::unconfirmed);
  EXPECT_TRUE(association().take_addresses_changed());
}

TEST_F(AssociationCookie, DataOfTheFirstCookieEchoGoesAgainAfterACollision) {
  connect();
  inject_init_ack();
  send("rides along");
  EXPECT_EQ(flush().at(0).types(), (Types{ChunkType::cookie_echo, ChunkType::data}));
  Handshake newer = agreed();
  newer.peer_tag = VTag(0x44444444);
  receive_cookie(CookieAction::collision, newer);
  EXPECT_EQ(flush().at(0).types(), (Types{ChunkType::cookie_ack, ChunkType::data}));
  inject_sack(kOurTsn);
  EXPECT_EQ(association().paths()[0].outstanding, 0u);
}

TEST_F(AssociationCookie, CollisionTakesThePeersNewTag) {
  for (const State state : {State::cookie_wait, State::cookie_echoed}) {
    go(state);
    Handshake newer = agreed();
    newer.peer_tag = VTag(0x44444444);
    newer.peer_initial_tsn = Tsn(7000);
    receive_cookie(CookieAction::collision, newer,
                   [](wire::PacketWriter& writer) { write_data(writer, Tsn(7000), "first"); });
    EXPECT_EQ(association().state(), State::established);
    const auto packets = flush();
    EXPECT_EQ(packets.at(0).types(), (Types{ChunkType::cookie_ack, ChunkType::sack}));
    EXPECT_EQ(packets.at(0).header.tag, VTag(0x44444444));
    EXPECT_EQ(last_event().data, "first");
    EXPECT_EQ(association().next_deadline(), kNever);
  }
}

TEST_F(AssociationCookie, DuplicateCookieEchoIsAcknowledgedAgain) {
  go_established();
  receive_cookie(CookieAction::duplicate, agreed());
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::cookie_ack});
  EXPECT_EQ(host().seen(EventType::association_up).size(), 1u);
  go_cookie_echoed();
  receive_cookie(CookieAction::duplicate, agreed());
  EXPECT_EQ(association().state(), State::established);
}

TEST_F(AssociationCookie, RestartBeginsAnewWithTheCookiesTags) {
  go_established();
  send("lost");
  flush();
  Handshake anew = agreed();
  anew.local_tag = VTag(0x55555555);
  anew.peer_tag = VTag(0x66666666);
  anew.peer_initial_tsn = Tsn(9000);
  receive_cookie(CookieAction::restart, anew,
                 [](wire::PacketWriter& writer) { write_data(writer, Tsn(9000), "again"); });
  EXPECT_EQ(association().local_tag(), VTag(0x55555555));
  const auto packets = flush();
  EXPECT_EQ(packets.at(0).types(), (Types{ChunkType::cookie_ack, ChunkType::sack}));
  EXPECT_EQ(packets.at(0).header.tag, VTag(0x66666666));
  EXPECT_EQ(only(EventType::send_failed).reason(), Reason::restarted);
  EXPECT_EQ(host().seen(EventType::restarted).size(), 1u);
  EXPECT_EQ(last_event().data, "again");
  EXPECT_EQ(association().state(), State::established);
  EXPECT_TRUE(association().take_addresses_changed());
  EXPECT_EQ(counters().restarts, 1u);
}

TEST_F(AssociationCookie, RestartWaitsUntilTheApplicationTookWhatCameBefore) {
  go_established();
  host().event_room = 0;
  inject_data(kPeerTsn, "before");
  Handshake anew = agreed();
  anew.peer_initial_tsn = Tsn(9000);
  receive_cookie(CookieAction::restart, anew);
  EXPECT_EQ(counters().restarts, 0u);
  EXPECT_EQ(counters().restarts_put_off, 1u);
  host().event_room = TestHost::kUnlimited;
  EXPECT_TRUE(association().resume_delivery(now_));
  EXPECT_EQ(last_event().data, "before");
  receive_cookie(CookieAction::restart, anew);
  EXPECT_EQ(counters().restarts, 1u);
  EXPECT_EQ(last_event().event.type, EventType::restarted);
}

TEST_F(AssociationCookie, RestartIsToldAfterWhatItCost) {
  go_established();
  send("lost");
  flush();
  host().events.clear();
  host().event_room = 0;
  receive_cookie(CookieAction::restart, agreed());
  EXPECT_TRUE(host().events.empty());
  host().event_room = 1;
  EXPECT_FALSE(association().resume_delivery(now_));
  EXPECT_EQ(last_event().event.type, EventType::send_failed);
  host().event_room = TestHost::kUnlimited;
  EXPECT_TRUE(association().resume_delivery(now_));
  EXPECT_EQ(last_event().event.type, EventType::restarted);
}

TEST_F(AssociationCookie, RestartPutsOffAutoclose) {
  side_.parameters.autoclose = 5s;
  go_established();
  now_ += 4s;
  receive_cookie(CookieAction::restart, agreed());
  flush();
  EXPECT_EQ(association().next_deadline(), now_ + 5s);
}

TEST_F(AssociationCookie, RestartWhileShutdownAckIsSentIsRefused) {
  go_shutdown_ack_sent();
  receive_cookie(CookieAction::restart, agreed());
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), (Types{ChunkType::shutdown_ack, ChunkType::error}));
  EXPECT_THAT(causes(packets[0]), ElementsAre(CauseCode::cookie_received_while_shutting_down));
  EXPECT_EQ(association().state(), State::shutdown_ack_sent);
}

TEST_F(AssociationCookie, DataLostWithTheCookieEchoGoesAgainAfterThePeersOwn) {
  connect();
  inject_init_ack();
  send("lost");
  ASSERT_EQ(flush().at(0).types(), (Types{ChunkType::cookie_echo, ChunkType::data}));
  receive_cookie(CookieAction::duplicate, agreed());
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::cookie_ack});
  expire();  // T3-rtx is all that can bring it back
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::data});
  EXPECT_EQ(wire::DataChunk::parse(packets[0].chunks[0])->tsn(), kOurTsn);
}

TEST_F(AssociationCookie, CookieEchoOfARestartThatComesAgainTellsNothing) {
  go_established();
  Handshake anew = agreed();
  anew.local_tag = VTag(0x55555555);
  anew.peer_tag = VTag(0x66666666);
  receive_cookie(CookieAction::restart, anew);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::cookie_ack});
  // To Table 12 both tags match now.
  EXPECT_EQ(association().local_tag(), anew.local_tag);
  EXPECT_EQ(association().peer_tag(), anew.peer_tag);
  receive_cookie(CookieAction::duplicate, anew);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::cookie_ack});
  EXPECT_EQ(host().seen(EventType::restarted).size(), 1u);
}

TEST_F(AssociationCookie, ACollisionConfirmsTheAddressThatTheInitAckWentTo) {  // §5.4 rule 2
  connect();
  Handshake newer = agreed();
  newer.peer_addresses = {kThere2, kThere};  // its INIT came from an address that we were not given
  receive_cookie(CookieAction::collision, newer);
  ASSERT_EQ(association().paths().size(), 2u);
  for (const Path& path : association().paths())
    EXPECT_EQ(path.state, path.route.destination == kThere ? PathState::active : PathState::unconfirmed);
  send("to where it was asked to go");
  for (const SentPacket& packet : flush())
    EXPECT_EQ(packet.departure.destination, packet.find(ChunkType::heartbeat) != nullptr ? kThere2 : kThere);
}

TEST_F(AssociationCookie, InCookieEchoedACollisionConfirmsTheSourceOfItsInit) {  // §5.4 rule 2: the INIT ACK went there
  connect();
  inject([this](wire::PacketWriter& packet) {
    wire::ChunkWriter chunk = wire::append_init_ack(packet, init_header());
    wire::append_address(chunk, kThere2);
    write_cookie(chunk);
  });
  flush();
  ASSERT_EQ(association().state(), State::cookie_echoed);
  Handshake newer = agreed();
  newer.peer_addresses = {kThere2};  // which does not know of the first one any more
  receive_cookie(CookieAction::collision, newer);
  ASSERT_EQ(association().paths().size(), 1u);
  EXPECT_EQ(association().paths()[0].state, PathState::active);
}

}  // namespace
}  // namespace sluice::assoc
