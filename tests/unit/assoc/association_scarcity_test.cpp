// An association for which there is no memory, no packet buffer or no room in a packet.
#include <gmock/gmock.h>

#include "tests/unit/assoc/scripted_peer.hpp"

namespace sluice::assoc {
namespace {

using ::testing::ElementsAre;

/// An association with pools of its own, beside the peer's.
class AssociationScarcity : public ScriptedPeer {
 protected:
  struct Scarce {
    Scarce(AssociationScarcity& test, const PoolLimits& limits)
        : pools(limits),
          services{test.host(), test.side_.random,  test.side_.copies, test.side_.receive_pool,
                   pools,       test.side_.counters},
          association(services, test.side_.parameters, {AssocId(1), EndpointId(1)}) {}

    Pools pools;
    Services services;
    Association association;
  };

  base::InboundPacket cookie_echo() {
    return {.arrival = {.source = kThere, .destination = kHere, .time = now_},
            .buffer = packet(kOurTag, [](wire::PacketWriter& writer) {
              wire::append_cookie_echo(writer, std::as_bytes(std::span("cookie", 6)));
            })};
  }
};

TEST_F(AssociationScarcity, WithoutMemoryForItsPathsItNeverOpens) {
  Scarce one(*this, {.associations = 0});
  one.association.connect(now_, ours());
  EXPECT_EQ(one.association.state(), State::closed);
  EXPECT_TRUE(one.association.resume_delivery(now_));
  ASSERT_EQ(host().events.size(), 1u);
  EXPECT_EQ(host().events[0].event.type, EventType::connect_failed);
  EXPECT_EQ(host().events[0].event.reason(), Reason::no_resources);
  EXPECT_TRUE(one.association.finished());
}

TEST_F(AssociationScarcity, ThePeerOfOneWithoutMemoryForItsPathsIsTold) {
  Scarce one(*this, {.associations = 0});
  one.association.accept(now_, agreed(), cookie_echo());
  EXPECT_TRUE(one.association.finished());
  EXPECT_TRUE(host().events.empty());
  const auto packets = sent();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].header.tag, kPeerTag);
  EXPECT_EQ(packets[0].departure.source, kHere);
  EXPECT_EQ(packets[0].departure.destination, kThere);
  EXPECT_THAT(causes(packets[0]), ElementsAre(CauseCode::out_of_resource));
}

TEST_F(AssociationScarcity, ThePeerIsNotToldWithoutAPacketBuffer) {
  Scarce one(*this, {.associations = 0});
  host().packet_room = 0;
  one.association.accept(now_, agreed(), cookie_echo());
  EXPECT_TRUE(one.association.finished());
  EXPECT_EQ(counters().replies_dropped, 1u);
}

TEST_F(AssociationScarcity, ARestartWithoutMemoryForNewPathsEndsIt) {
  Scarce one(*this, {.associations = 1});
  one.association.accept(now_, agreed(), cookie_echo());
  ASSERT_EQ(one.association.state(), State::established);
  Handshake anew = agreed();
  anew.local_tag = VTag(0x55555555);
  anew.peer_tag = VTag(0x66666666);
  one.association.flush(now_);
  sent();
  one.association.receive_cookie(now_, CookieAction::restart, anew, cookie_echo());
  EXPECT_EQ(one.association.state(), State::closed);
  const auto packets = sent();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].header.tag, VTag(0x66666666));
  EXPECT_EQ(causes(packets[0]), std::vector{CauseCode::out_of_resource});  // §5.1
  EXPECT_TRUE(one.association.resume_delivery(now_));
  const auto lost = host().seen(EventType::association_lost);
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0].event.reason(), Reason::no_resources);
}

TEST_F(AssociationScarcity, AnAbortWithoutAPacketBufferEndsItAllTheSame) {
  go_established();
  host().packet_room = 0;
  association().abort(now_, "no buffer for this");
  EXPECT_EQ(association().state(), State::closed);
  EXPECT_EQ(counters().replies_dropped, 1u);
  EXPECT_EQ(only(EventType::association_lost).reason(), Reason::local_abort);
}

TEST_F(AssociationScarcity, AShutdownCompleteWithoutAPacketBufferEndsItAllTheSame) {
  go(State::shutdown_sent);
  host().packet_room = 0;
  inject([](wire::PacketWriter& packet) { wire::append_shutdown_ack(packet); });
  EXPECT_EQ(association().state(), State::closed);
  EXPECT_EQ(counters().replies_dropped, 1u);
  EXPECT_EQ(counters().shutdowns, 1u);
}

// Three at most wait for an application that has no room: the first two, and the newest of all others.
TEST_F(AssociationScarcity, ErrorsOfThePeerThatNobodyReadsDoNotPileUp) {
  go_established();
  host().event_room = 0;
  for (std::uint16_t code = 1; code <= 6; ++code)
    inject([code](wire::PacketWriter& packet) {
      wire::ChunkWriter error = wire::append_error(packet);
      error.append(static_cast<CauseCode>(100 + code), 4);
    });
  host().event_room = TestHost::kUnlimited;
  EXPECT_TRUE(association().resume_delivery(now_));
  std::vector<int> errors;
  for (const SeenEvent& seen : host().seen(EventType::remote_error)) errors.push_back(seen.event.error);
  EXPECT_THAT(errors, ElementsAre(101, 102, 106));
}

TEST_F(AssociationScarcity, AReportThatDoesNotFitBesideTheCookieIsDropped) {
  connect();
  inject([this](wire::PacketWriter& packet) {
    wire::ChunkWriter chunk = wire::append_init_ack(packet, init_header());
    std::memset(wire::append_state_cookie(chunk, 1200), 'c', 1200);
    std::memset(chunk.append(static_cast<wire::ParameterType>(0xc123), 300), 'u', 300);
  });
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::cookie_echo});
  EXPECT_EQ(counters().replies_dropped, 1u);
}

TEST_F(AssociationScarcity, ACookieAckWithABodyIsNone) {
  go_cookie_echoed();
  inject([](wire::PacketWriter& packet) { std::memset(packet.append_chunk(ChunkType::cookie_ack, 0, 4), 0, 4); });
  EXPECT_EQ(association().state(), State::cookie_echoed);
  EXPECT_EQ(counters().malformed_chunks, 1u);
}

TEST_F(AssociationScarcity, OfManyReportsThoseThatFitLeaveBesideTheCookie) {  // §3.2.2
  connect();
  inject([this](wire::PacketWriter& packet) {
    wire::ChunkWriter chunk = wire::append_init_ack(packet, init_header());
    write_cookie(chunk);
    std::memset(chunk.append(static_cast<wire::ParameterType>(0xc123), 40), 'u', 40);
    std::memset(chunk.append(static_cast<wire::ParameterType>(0xc124), 1450), 'u', 1450);
  });
  const auto packets = flush();
  ASSERT_EQ(packets.at(0).types(), (Types{ChunkType::cookie_echo, ChunkType::error}));
  const std::optional<wire::Cause> cause = wire::CauseWalker(packets[0].chunks[1].body()).next();
  ASSERT_TRUE(cause.has_value());
  EXPECT_EQ(cause->value().size(), 44u);
  EXPECT_EQ(counters().replies_dropped, 1u);
}

TEST_F(AssociationScarcity, AnInitAckWithoutMemoryForItsPathsIsAborted) {  // §5.1
  Scarce one(*this, {.congestion_controllers = 2});
  one.association.connect(now_, ours());
  one.association.flush(now_);
  sent();
  base::Buffer init_ack = packet(kOurTag, [this](wire::PacketWriter& writer) {
    wire::ChunkWriter chunk = wire::append_init_ack(writer, init_header());
    wire::append_address(chunk, kThere2);
    write_cookie(chunk);
  });
  one.association.receive(
      now_, {.arrival = {.source = kThere, .destination = kHere, .time = now_}, .buffer = std::move(init_ack)});
  const auto packets = sent();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].header.tag, kPeerTag);
  EXPECT_EQ(causes(packets[0]), std::vector{CauseCode::out_of_resource});
  EXPECT_TRUE(one.association.resume_delivery(now_));
  ASSERT_EQ(host().seen(EventType::connect_failed).size(), 1u);
  EXPECT_EQ(host().seen(EventType::connect_failed)[0].event.reason(), Reason::no_resources);
}

TEST_F(AssociationScarcity, ARestartWithoutMemoryBesideAnAbortIsNotAnswered) {  // §9.1
  Scarce one(*this, {.associations = 1});
  one.association.accept(now_, agreed(), cookie_echo());
  one.association.flush(now_);
  sent();
  Handshake anew = agreed();
  anew.local_tag = VTag(0x55555555);
  base::InboundPacket echo = cookie_echo();
  echo.buffer = packet(anew.local_tag, [](wire::PacketWriter& writer) {
    wire::append_cookie_echo(writer, std::as_bytes(std::span("cookie", 6)));
    wire::append_abort(writer, false);
  });
  one.association.receive_cookie(now_, CookieAction::restart, anew, std::move(echo));
  EXPECT_EQ(one.association.state(), State::closed);
  EXPECT_TRUE(sent().empty());
  EXPECT_TRUE(one.association.resume_delivery(now_));
}

}  // namespace
}  // namespace sluice::assoc
