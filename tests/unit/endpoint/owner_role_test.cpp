// INITs and COOKIE ECHOs for what is there already, at its owner: RFC 9260 §5.2, §8.5.1 E, §9.2.

#include "stack/endpoint/owner_role.hpp"

#include "tests/unit/endpoint/worker_fixture.hpp"

namespace sluice::endpoint::test {
namespace {

using assoc::CookieAction;
using assoc::State;
using std::chrono::seconds;
using wire::CauseCode;
using Next = OwnerVerdict::Next;

constexpr std::uint16_t kNewAddresses = static_cast<std::uint16_t>(CauseCode::restart_with_new_addresses);

class OwnerRoleTest : public WorkerFixture {
 protected:
  OwnerRoleTest() : WorkerFixture(2) {
    tcb.handshake = {.local_port = kLocalPort,
                     .peer_port = kPeerPort,
                     .local_tag = steering.new_tag(WorkerId(0), random),
                     .peer_tag = VTag(0x55667788),
                     .local_initial_tsn = Tsn(4000),
                     .peer_initial_tsn = Tsn(9),
                     .peer_window = 5000,
                     .outbound_streams = 3,
                     .inbound_streams = 4,
                     .local_addresses = {kLocal, kLocal6},
                     .peer_addresses = {kPeer, kPeer2},
                     .extensions = {}};
    tcb.state = State::established;
    tcb.tie_tags = {.local = 123, .peer = 456};
    tcb.confirmed = tcb.handshake.peer_addresses;
    tags.insert(tcb.handshake.local_tag, &tcb);
  }
  void cookie_wait() {
    tcb.state = State::cookie_wait;
    tcb.handshake.peer_tag = VTag(0);
    tcb.tie_tags = {};
  }
  OwnerVerdict at_owner(const base::InboundPacket& packet) { return owner_role.receive(now, tcb, parameters, packet); }
  InitAck exchange_at_owner(const InitOptions& options = {}) {
    EXPECT_EQ(at_owner(init(options)).next, Next::done);
    return take_init_ack();
  }
  Cookie opened(const InitAck& ack) { return cookies.open(ack.cookie, now).cookie; }

  // A COOKIE ECHO with these tags and tie-tags, from the association's peer.
  base::InboundPacket echo(VTag local, VTag peer, assoc::TieTags ties, assoc::AddressList peers = {kPeer}) {
    Cookie cookie;
    cookie.handshake = tcb.handshake;
    cookie.handshake.local_tag = local;
    cookie.handshake.peer_tag = peer;
    cookie.handshake.peer_addresses = peers;
    cookie.handshake.peer_initial_tsn = Tsn(31337);
    cookie.tie_tags = ties;
    cookie.created = now;
    cookie.lifetime = seconds(60);
    std::byte sealed[kMaxCookieSize];
    const std::uint32_t length = cookies.seal(cookie, sealed);
    return cookie_echo({.source = peers[0]}, local, std::span(sealed, length));
  }
  void append_abort_to(base::InboundPacket& packet) {
    std::vector<std::byte> bytes(packet.buffer.bytes().begin(), packet.buffer.bytes().end());
    for (const unsigned byte : {6u, 0u, 0u, 4u}) bytes.push_back(static_cast<std::byte>(byte));
    packet.buffer = host.buffers.copy_of(bytes);
  }
  VTag match_local() const { return tcb.handshake.local_tag; }
  VTag match_peer() const { return tcb.handshake.peer_tag; }
  const VTag other{0x0badcafe};
  const VTag other2{0x0badbeef};

  Tcb tcb;
  Parameters parameters;
};

// §5.2.1

TEST_F(OwnerRoleTest, InCookieWaitAnInitIsAnsweredWithTheParametersOfOurInit) {
  cookie_wait();
  const InitAck ack = exchange_at_owner();
  EXPECT_EQ(ack.packet.tag, kPeerTag);
  EXPECT_EQ(ack.header.init_tag, match_local());
  EXPECT_EQ(ack.header.initial_tsn, Tsn(4000));
  EXPECT_EQ(ack.header.outbound_streams, 3);
  EXPECT_EQ(ack.header.inbound_streams, 4);
  const Cookie cookie = opened(ack);
  EXPECT_TRUE(cookie.tie_tags.none());
  EXPECT_EQ(cookie.handshake.local_tag, match_local());
  EXPECT_EQ(cookie.handshake.peer_tag, kPeerTag);
}

TEST_F(OwnerRoleTest, InCookieWaitNewAddressesAreWelcome) {
  cookie_wait();
  const InitAck ack = exchange_at_owner({.addresses = {ip("198.18.7.7")}});
  EXPECT_EQ(opened(ack).handshake.peer_addresses, (assoc::AddressList{kPeer, ip("198.18.7.7")}));
}

TEST_F(OwnerRoleTest, InCookieWaitTheInitAckGoesOnlyWhereTheUserWantedToConnect) {
  cookie_wait();
  ASSERT_EQ(at_owner(init({.packet = {.source = ip("198.18.7.7")}, .addresses = {kPeer2}})).next, Next::done);
  ASSERT_EQ(host.sent.size(), 1u);
  EXPECT_EQ(host.sent[0].departure.destination, kPeer2);
  host.sent.clear();
  at_owner(init({.packet = {.source = ip("198.18.7.7")}}));
  EXPECT_TRUE(host.sent.empty());
  EXPECT_EQ(counters.init_wrong_peer, 1u);
}

TEST_F(OwnerRoleTest, InCookieWaitTheInitAckGoesToNoAddressThatOnlyThePeerNamed) {  // §5.2.1 rule 1
  cookie_wait();
  tcb.confirmed = {kPeer};  // kPeer2 came with an INIT ACK, whose cookie was stale
  at_owner(init({.packet = {.source = kPeer2}, .addresses = {kPeer}}));
  ASSERT_EQ(host.sent.size(), 1u);
  EXPECT_EQ(host.sent[0].departure.destination, kPeer);
}

TEST_F(OwnerRoleTest, InCookieWaitTheInitAckGoesToTheFamilyThatTheUserNamed) {
  cookie_wait();
  tcb.confirmed = tcb.handshake.peer_addresses = {ip("2001:db8::2")};
  at_owner(init({.addresses = {ip("2001:db8::2")}}));
  ASSERT_EQ(host.sent.size(), 1u);
  EXPECT_EQ(host.sent[0].departure.destination, ip("2001:db8::2"));
  EXPECT_EQ(host.sent[0].departure.source, kLocal6);
}

TEST_F(OwnerRoleTest, InCookieEchoedTheTagStaysAndTheCookieHasTieTags) {
  tcb.state = State::cookie_echoed;
  const InitAck ack = exchange_at_owner();
  EXPECT_EQ(ack.header.init_tag, match_local());
  EXPECT_EQ(ack.header.initial_tsn, Tsn(4000));
  EXPECT_EQ(opened(ack).tie_tags, tcb.tie_tags);
}

TEST_F(OwnerRoleTest, InCookieEchoedNewAddressesAreAborted) {
  tcb.state = State::cookie_echoed;
  at_owner(init({.addresses = {ip("198.18.7.7")}}));
  expect_abort(kPeerTag, false, kNewAddresses);
}

// §5.2.2

TEST_F(OwnerRoleTest, WhenUpAnInitIsAnsweredWithAFreshTagOfThisWorkerAndTieTags) {
  for (const State state :
       {State::established, State::shutdown_pending, State::shutdown_sent, State::shutdown_received}) {
    tcb.state = state;
    const InitAck ack = exchange_at_owner({.addresses = {kPeer2}});
    EXPECT_EQ(ack.packet.tag, kPeerTag);
    EXPECT_NE(ack.header.init_tag, match_local());
    EXPECT_NE(ack.header.initial_tsn, Tsn(4000));
    EXPECT_EQ(steering.owner_of(ack.header.init_tag), WorkerId(0));
    EXPECT_TRUE(tags.is_free(ack.header.init_tag));
    EXPECT_EQ(opened(ack).tie_tags, tcb.tie_tags);
    EXPECT_EQ(opened(ack).handshake.local_addresses, tcb.handshake.local_addresses);
  }
}

TEST_F(OwnerRoleTest, ARestartWithNewAddressesIsAbortedAndTheyAreListed) {
  at_owner(init({.addresses = {kPeer2, ip("198.18.7.7")}}));
  expect_abort(kPeerTag, false, kNewAddresses);
  auto addresses = wire::read_restart_addresses(*wire::AbortChunk::parse(*last_chunk())->causes().next());
  ASSERT_TRUE(addresses.has_value());
  EXPECT_EQ(wire::read_address(*addresses->next()), ip("198.18.7.7"));
  EXPECT_FALSE(addresses->next().has_value());
  EXPECT_EQ(counters.init_new_addresses, 1u);
}

TEST_F(OwnerRoleTest, ANewSourceAddressIsANewAddress) {
  at_owner(init({.packet = {.source = ip("198.18.7.7")}, .addresses = {kPeer}}));
  expect_abort(kPeerTag, false, kNewAddresses);
}

TEST_F(OwnerRoleTest, TheListOfNewAddressesNeverMakesTheAbortLargerThanTheInit) {
  const IpAddress far = ip("2001:db8::77");
  tcb.handshake.local_addresses = {kLocal6};
  const base::InboundPacket packet = init({.packet = {.source = far, .destination = kLocal6}});
  at_owner(packet);
  expect_abort(kPeerTag, false, 0);
  EXPECT_LE(last().size(), packet.buffer.size());
}

TEST_F(OwnerRoleTest, InShutdownAckSentAnInitIsAnsweredWithShutdownAck) {
  tcb.state = State::shutdown_ack_sent;
  EXPECT_EQ(at_owner(init()).next, Next::repeat_shutdown_ack);
  EXPECT_TRUE(host.sent.empty());
}

TEST_F(OwnerRoleTest, ABadInitIsRefusedAsEverywhere) {
  InitOptions options;
  options.header.window = 10;
  at_owner(init(options));
  expect_abort(kPeerTag, false, static_cast<std::uint16_t>(CauseCode::invalid_mandatory_parameter));
}

// §5.2.4, Table 12

TEST_F(OwnerRoleTest, ActionARestartsWhenNeitherTagMatchesAndTheTieTagsDo) {
  const OwnerVerdict verdict = at_owner(echo(other, other2, tcb.tie_tags));
  ASSERT_EQ(verdict.next, Next::receive_cookie);
  EXPECT_EQ(verdict.action, CookieAction::restart);
  EXPECT_EQ(verdict.agreed.local_tag, other);
  EXPECT_EQ(verdict.agreed.peer_tag, other2);
  EXPECT_EQ(verdict.agreed.peer_initial_tsn, Tsn(31337));
  EXPECT_EQ(counters.restarts, 1u);
}

TEST_F(OwnerRoleTest, ActionBMeetsACollision) {
  for (const assoc::TieTags ties : {assoc::TieTags{}, tcb.tie_tags, assoc::TieTags{1, 2}}) {
    const OwnerVerdict verdict = at_owner(echo(match_local(), other, ties));
    ASSERT_EQ(verdict.next, Next::receive_cookie);
    EXPECT_EQ(verdict.action, CookieAction::collision);
  }
}

TEST_F(OwnerRoleTest, ActionBAlsoWhenThePeersTagIsUnknownYet) {
  cookie_wait();
  const OwnerVerdict verdict = at_owner(echo(match_local(), other, {}));
  ASSERT_EQ(verdict.next, Next::receive_cookie);
  EXPECT_EQ(verdict.action, CookieAction::collision);
}

TEST_F(OwnerRoleTest, ActionCDiscardsALateCookie) {
  EXPECT_EQ(at_owner(echo(other, match_peer(), {})).next, Next::done);
  EXPECT_EQ(counters.cookie_discarded, 1u);
  EXPECT_TRUE(host.sent.empty());
}

TEST_F(OwnerRoleTest, ActionDAcceptsTheAssociationsOwnCookieAgain) {
  for (const assoc::TieTags ties : {assoc::TieTags{}, tcb.tie_tags, assoc::TieTags{1, 2}}) {
    const OwnerVerdict verdict = at_owner(echo(match_local(), match_peer(), ties));
    ASSERT_EQ(verdict.next, Next::receive_cookie);
    EXPECT_EQ(verdict.action, CookieAction::duplicate);
  }
}

TEST_F(OwnerRoleTest, WhatTable12DoesNotListIsDiscarded) {
  EXPECT_EQ(at_owner(echo(other, other2, {})).next, Next::done);
  EXPECT_EQ(at_owner(echo(other, other2, {.local = 123, .peer = 457})).next, Next::done);
  EXPECT_EQ(at_owner(echo(other, other2, {.local = 124, .peer = 456})).next, Next::done);
  EXPECT_EQ(at_owner(echo(other, match_peer(), tcb.tie_tags)).next, Next::done);
  tcb.tie_tags = {};  // none on both sides is no match
  EXPECT_EQ(at_owner(echo(other, other2, {})).next, Next::done);
  EXPECT_EQ(counters.cookie_discarded, 5u);
  EXPECT_TRUE(host.sent.empty());
}

TEST_F(OwnerRoleTest, ARestartThatBringsNewAddressesAfterAllIsDiscarded) {
  EXPECT_EQ(at_owner(echo(other, other2, tcb.tie_tags, {kPeer, ip("198.18.7.7")})).next, Next::done);
  EXPECT_EQ(counters.cookie_discarded, 1u);
}

TEST_F(OwnerRoleTest, TheCookieOfAnEarlierRestartDoesNotBringItBack) {
  int value = 0;
  tags.insert(other, &value);
  tags.retire(other, now);
  EXPECT_EQ(at_owner(echo(other, other2, tcb.tie_tags)).next, Next::done);
  EXPECT_EQ(counters.cookie_discarded, 1u);
}

TEST_F(OwnerRoleTest, AStaleCookieIsAnsweredUnlessBothTagsMatch) {
  const base::InboundPacket restart = echo(other, other2, tcb.tie_tags);
  const base::InboundPacket collision = echo(match_local(), other, {});
  const base::InboundPacket late = echo(other, match_peer(), {});
  const base::InboundPacket own = echo(match_local(), match_peer(), {});
  now += seconds(61);
  for (const base::InboundPacket* const packet : {&restart, &collision, &late}) {
    EXPECT_EQ(at_owner(*packet).next, Next::done);
    ASSERT_EQ(host.sent.size(), 1u);
    const auto error = wire::ErrorChunk::parse(*last_chunk());
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(wire::read_stale_cookie(*error->causes().next()), seconds(1));
    host.sent.clear();
  }
  EXPECT_EQ(at_owner(own).action, CookieAction::duplicate);
  EXPECT_TRUE(host.sent.empty());
}

TEST_F(OwnerRoleTest, AForgedCookieIsDroppedInSilence) {
  base::InboundPacket packet = echo(other, other2, tcb.tie_tags);
  packet.buffer.data()[packet.buffer.size() - 1] ^= std::byte{0x80};
  EXPECT_EQ(at_owner(packet).next, Next::done);
  EXPECT_EQ(counters.cookie_bad_mac, 1u);
  EXPECT_TRUE(host.sent.empty());
}

// From INIT to restart, by way of what was sent.
TEST_F(OwnerRoleTest, TheCookieOfARestartingPeersInitAckRestarts) {
  const InitAck ack = exchange_at_owner();
  const OwnerVerdict verdict = at_owner(echo_of(ack));
  ASSERT_EQ(verdict.next, Next::receive_cookie);
  EXPECT_EQ(verdict.action, CookieAction::restart);
  EXPECT_EQ(verdict.agreed.local_tag, ack.header.init_tag);
}

TEST_F(OwnerRoleTest, TheCookieOfACollidingPeersInitAckCollides) {
  cookie_wait();
  const InitAck ack = exchange_at_owner();
  const OwnerVerdict verdict = at_owner(echo_of(ack));
  ASSERT_EQ(verdict.next, Next::receive_cookie);
  EXPECT_EQ(verdict.action, CookieAction::collision);
}

// §8.5.1

TEST_F(OwnerRoleTest, WhileOpeningAShutdownAckIsAnsweredAsOutOfTheBlue) {
  for (const State state : {State::cookie_wait, State::cookie_echoed}) {
    tcb.state = state;
    EXPECT_EQ(at_owner(bare(wire::ChunkType::shutdown_ack, {.tag = other})).next, Next::done);
    ASSERT_EQ(host.sent.size(), 1u);
    EXPECT_EQ(last_header().tag, other);
    EXPECT_TRUE(wire::ShutdownCompleteChunk::parse(*last_chunk())->tag_reflected);
    host.sent.clear();
  }
  tcb.state = State::established;
  EXPECT_EQ(at_owner(bare(wire::ChunkType::shutdown_ack, {.tag = other})).next, Next::done);
  EXPECT_TRUE(host.sent.empty());
  EXPECT_EQ(counters.wrong_tag, 1u);
}

TEST_F(OwnerRoleTest, WhileOpeningAShutdownAckBehindAnErrorIsAnswered) {
  tcb.state = State::cookie_echoed;
  EXPECT_EQ(at_owner(error_and_shutdown_ack(other)).next, Next::done);
  ASSERT_EQ(host.sent.size(), 1u);
  EXPECT_TRUE(wire::ShutdownCompleteChunk::parse(*last_chunk())->tag_reflected);
}

TEST_F(OwnerRoleTest, ReflectedTagsAreTheAssociationsToCheck) {
  EXPECT_EQ(at_owner(bare(wire::ChunkType::abort, {.tag = match_peer()}, wire::kFlagTagReflected)).next, Next::receive);
  EXPECT_EQ(at_owner(bare(wire::ChunkType::shutdown_complete, {.tag = match_peer()}, wire::kFlagTagReflected)).next,
            Next::receive);
}

TEST_F(OwnerRoleTest, WhatWasSentToAnotherAddressOfOursIsDropped) {
  EXPECT_EQ(at_owner(init({.packet = {.destination = ip("198.18.9.9")}})).next, Next::done);
  EXPECT_TRUE(host.sent.empty());
  EXPECT_EQ(counters.wrong_local_address, 1u);
}

TEST_F(OwnerRoleTest, AnAssociationThatHasEndedTakesNothing) {
  tcb.state = State::closed;
  EXPECT_EQ(at_owner(init()).next, Next::done);
  EXPECT_TRUE(host.sent.empty());
  EXPECT_EQ(counters.association_gone, 1u);
}

// A packet with an ABORT is never answered (§8.4 rule 2, §9.1).

TEST_F(OwnerRoleTest, AStaleCookieBeforeAnAbortIsNotAnswered) {
  base::InboundPacket packet = echo(other, other2, {});
  now += seconds(3600);
  append_abort_to(packet);
  EXPECT_EQ(at_owner(packet).next, Next::done);
  EXPECT_TRUE(host.sent.empty());
  EXPECT_EQ(counters.cookie_stale, 1u);
}

TEST_F(OwnerRoleTest, ARefusedRestartBeforeAnAbortIsNotAnswered) {
  tcb.state = State::shutdown_ack_sent;
  base::InboundPacket packet = echo(other, other2, tcb.tie_tags);
  EXPECT_EQ(at_owner(packet).next, Next::receive_cookie);
  append_abort_to(packet);
  EXPECT_EQ(at_owner(packet).next, Next::done);
  EXPECT_EQ(counters.cookie_discarded, 1u);
}

TEST_F(OwnerRoleTest, AShutdownAckBeforeAnAbortIsNotAnswered) {
  tcb.state = State::cookie_echoed;
  base::InboundPacket packet = bare(wire::ChunkType::shutdown_ack, {.tag = other});
  append_abort_to(packet);
  EXPECT_EQ(at_owner(packet).next, Next::done);
  EXPECT_TRUE(host.sent.empty());
}

}  // namespace
}  // namespace sluice::endpoint::test
