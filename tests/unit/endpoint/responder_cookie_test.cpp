// COOKIE ECHOs without an association, in the role of directory: RFC 9260 §5.1.5.

#include "tests/unit/endpoint/worker_fixture.hpp"

namespace sluice::endpoint::test {
namespace {

using std::chrono::seconds;
using wire::CauseCode;

class ResponderCookie : public WorkerFixture {
 protected:
  ResponderCookie() : WorkerFixture(4) {}
  const PortPair ports{kLocalPort, kPeerPort};

  void expect_silence(const base::InboundPacket& packet, const std::uint64_t& counter) {
    EXPECT_EQ(receive(packet).next, Verdict::Next::done);
    EXPECT_TRUE(host.sent.empty());
    EXPECT_EQ(counter, 1u);
    EXPECT_EQ(directory.size(), 0u);
    EXPECT_EQ(backlog.waiting(), 0u);
  }
};

TEST_F(ResponderCookie, AGoodOneReservesItsAddressesAndOrdersAnAssociation) {
  receive(init({.addresses = {kPeer2}}), WorkerId(2));
  const InitAck ack = take_init_ack();
  const Verdict verdict = receive(echo_of(ack, {.udp_source_port = 1234}));
  ASSERT_EQ(verdict.next, Verdict::Next::create);
  EXPECT_EQ(verdict.owner.worker, WorkerId(2));
  EXPECT_EQ(verdict.owner.tag, ack.header.init_tag);
  EXPECT_EQ(order.endpoint, EndpointId(1));
  EXPECT_EQ(order.directory, WorkerId(0));
  EXPECT_EQ(order.udp_port, 1234);
  EXPECT_EQ(order.handshake.local_tag, ack.header.init_tag);
  EXPECT_EQ(order.handshake.peer_tag, kPeerTag);
  EXPECT_EQ(order.handshake.peer_addresses, (assoc::AddressList{kPeer, kPeer2}));
  for (const IpAddress& address : {kPeer, kPeer2}) {
    ASSERT_NE(directory.find(ports, address), nullptr);
    EXPECT_EQ(*directory.find(ports, address), verdict.owner.tag);
  }
  EXPECT_EQ(backlog.waiting(), 1u);
  EXPECT_TRUE(host.sent.empty());
}

TEST_F(ResponderCookie, MayComeFromAnyOfItsAddresses) {
  const InitAck ack = exchange_init({.addresses = {kPeer2}});
  EXPECT_EQ(receive(echo_of(ack, {.source = kPeer2})).next, Verdict::Next::create);
}

TEST_F(ResponderCookie, TheSecondOneGoesToTheOwner) {
  const InitAck ack = exchange_init();
  const Verdict first = receive(echo_of(ack));
  const Verdict second = receive(echo_of(ack));
  EXPECT_EQ(second.next, Verdict::Next::to_owner);
  EXPECT_EQ(second.owner, first.owner);
  EXPECT_EQ(backlog.waiting(), 1u);
}

TEST_F(ResponderCookie, OfAnAssociationKnownByAnotherAddressGoesToItsOwner) {
  const InitAck ack = exchange_init({.addresses = {kPeer2}});
  const Owner owner{.worker = WorkerId(3), .tag = steering.new_tag(WorkerId(3), random)};
  directory.reserve(ports, {&kPeer2, 1}, owner.tag);
  const Verdict verdict = receive(echo_of(ack));
  EXPECT_EQ(verdict.next, Verdict::Next::to_owner);
  EXPECT_EQ(verdict.owner, owner);
  EXPECT_EQ(directory.find(ports, kPeer), nullptr);
}

TEST_F(ResponderCookie, AForgedOneIsDroppedInSilence) {
  InitAck ack = exchange_init();
  ack.cookie[40] ^= std::byte{1};
  expect_silence(echo_of(ack), counters.cookie_bad_mac);
}

TEST_F(ResponderCookie, AForgedOneIsNoBusinessOfAnOwner) {
  InitAck ack = exchange_init();
  receive(echo_of(ack));
  ack.cookie[40] ^= std::byte{1};
  EXPECT_EQ(receive(echo_of(ack)).next, Verdict::Next::done);
  EXPECT_EQ(counters.cookie_bad_mac, 1u);
  EXPECT_EQ(counters.cookie_echoes_received, 2u);
}

TEST_F(ResponderCookie, TooManyForgedOnesKeepTheOthersOutForAWhile) {
  forged_cookies = RateLimit(1000, 10);
  const InitAck ack = exchange_init();
  InitAck wrong = ack;
  wrong.cookie[40] ^= std::byte{1};
  for (int i = 0; i < 30; ++i) EXPECT_EQ(receive(echo_of(wrong)).next, Verdict::Next::done);
  EXPECT_EQ(counters.cookie_bad_mac, 10u);
  EXPECT_EQ(counters.cookie_rate_limited, 20u);
  EXPECT_EQ(receive(echo_of(ack)).next, Verdict::Next::done);
  now += std::chrono::milliseconds(1);
  // Good ones take nothing of it.
  EXPECT_EQ(receive(echo_of(ack)).next, Verdict::Next::create);
  EXPECT_EQ(receive(echo_of(ack)).next, Verdict::Next::to_owner);
  EXPECT_EQ(counters.cookie_rate_limited, 21u);
}

TEST_F(ResponderCookie, OneOfAKeyThatIsGoneIsDroppedInSilence) {
  const InitAck ack = exchange_init();
  CookieKeys keys = CookieKeys::first(random);
  keys = keys.rotated(random).rotated(random);
  cookies.install(keys);
  expect_silence(echo_of(ack), counters.cookie_unknown_key);
}

TEST_F(ResponderCookie, RubbishIsDroppedInSilence) {
  InitAck ack = exchange_init();
  ack.cookie.resize(3);
  expect_silence(echo_of(ack), counters.cookie_malformed);
}

TEST_F(ResponderCookie, OneForOtherPortsIsDroppedInSilence) {
  expect_silence(echo_of(exchange_init(), {.source_port = kPeerPort + 1}), counters.cookie_mismatch);
}

TEST_F(ResponderCookie, OneForAnotherTagIsDroppedInSilence) {
  const InitAck ack = exchange_init();
  expect_silence(cookie_echo({}, VTag(ack.header.init_tag.value + 1), ack.cookie), counters.cookie_mismatch);
}

TEST_F(ResponderCookie, OneFromElsewhereIsDroppedInSilence) {
  expect_silence(echo_of(exchange_init(), {.source = kPeer2}), counters.cookie_mismatch);
}

TEST_F(ResponderCookie, OneToAnotherAddressOfOursIsDroppedInSilence) {
  expect_silence(echo_of(exchange_init(), {.destination = ip("198.18.9.9")}), counters.cookie_mismatch);
}

TEST_F(ResponderCookie, AStaleOneIsAnsweredWithHowStaleItIs) {
  const InitAck ack = exchange_init();
  now += seconds(60) + std::chrono::microseconds(250);
  EXPECT_EQ(receive(echo_of(ack)).next, Verdict::Next::done);
  ASSERT_EQ(host.sent.size(), 1u);
  EXPECT_EQ(last_header().tag, kPeerTag);
  const auto error = wire::ErrorChunk::parse(*last_chunk());
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(wire::read_stale_cookie(*error->causes().next()), std::chrono::microseconds(250));
  EXPECT_EQ(counters.cookie_stale, 1u);
  EXPECT_EQ(counters.stale_errors_sent, 1u);
  EXPECT_EQ(directory.size(), 0u);
}

TEST_F(ResponderCookie, WhenTheEndpointIsGoneIsAborted) {
  const InitAck ack = exchange_init();
  endpoints.find(EndpointId(1))->listening = false;
  receive(echo_of(ack));
  expect_abort(kPeerTag, false, 0);
  EXPECT_EQ(counters.cookie_no_endpoint, 1u);
}

TEST_F(ResponderCookie, WithAFullBacklogIsAborted) {
  const InitAck ack = exchange_init();
  ASSERT_TRUE(backlog.enter() && backlog.enter());
  receive(echo_of(ack));
  expect_abort(kPeerTag, false, static_cast<std::uint16_t>(CauseCode::out_of_resource));
  EXPECT_EQ(counters.cookie_backlog_full, 1u);
  EXPECT_EQ(directory.size(), 0u);
}

TEST_F(ResponderCookie, WithAFullDirectoryIsAbortedAndLeavesTheBacklog) {
  const InitAck ack = exchange_init();
  for (std::uint32_t i = 0; i < 64; ++i) {
    const IpAddress other = IpAddress::v4(0xc6130000 + i);
    directory.reserve(ports, {&other, 1}, VTag(i + 1));
  }
  receive(echo_of(ack));
  expect_abort(kPeerTag, false, static_cast<std::uint16_t>(CauseCode::out_of_resource));
  EXPECT_EQ(counters.cookie_directory_full, 1u);
  EXPECT_EQ(counters.directory_full, 1u);
  EXPECT_EQ(backlog.waiting(), 0u);
}

// Creation at the owner.

TEST_F(ResponderCookie, TheOwnerAdmitsOneWhoseTagIsFree) {
  const InitAck ack = exchange_init();
  const base::InboundPacket packet = echo_of(ack);
  receive(packet);
  EXPECT_EQ(owner_role.admit(now, order, packet, true), Admission::admitted);
  EXPECT_TRUE(host.sent.empty());
}

TEST_F(ResponderCookie, AReplayAfterTheAssociationEndedIsDroppedInSilence) {
  const InitAck ack = exchange_init();
  const base::InboundPacket packet = echo_of(ack);
  int association = 0;
  receive(packet);
  tags.insert(ack.header.init_tag, &association);
  tags.retire(ack.header.init_tag, now);
  EXPECT_EQ(owner_role.admit(now, order, packet, true), Admission::replayed);
  EXPECT_TRUE(host.sent.empty());
  EXPECT_EQ(counters.cookie_replayed, 1u);
}

TEST_F(ResponderCookie, OneWhoseTagAnotherAssociationHasIsStale) {
  const InitAck ack = exchange_init();
  const base::InboundPacket packet = echo_of(ack);
  int other = 0;
  receive(packet);
  tags.insert(ack.header.init_tag, &other);
  EXPECT_EQ(owner_role.admit(now, order, packet, true), Admission::tag_in_use);
  EXPECT_EQ(counters.cookie_tag_in_use, 1u);
  EXPECT_EQ(counters.stale_errors_sent, 1u);
}

TEST_F(ResponderCookie, WithoutRoomAtTheOwnerIsAbortedAndCanBeUndone) {
  const InitAck ack = exchange_init({.addresses = {kPeer2}});
  const base::InboundPacket packet = echo_of(ack);
  receive(packet);
  ASSERT_EQ(directory.size(), 2u);
  EXPECT_EQ(owner_role.admit(now, order, packet, false), Admission::full);
  expect_abort(kPeerTag, false, static_cast<std::uint16_t>(CauseCode::out_of_resource));
  responder.apply(release_of(order));
  EXPECT_EQ(directory.size(), 0u);
  EXPECT_EQ(counters.directory_released, 1u);
}

// What owners ask of the directory.

TEST_F(ResponderCookie, AnOpeningAttemptReservesAndLearnsWhoIsInItsWay) {
  const Owner mine{.worker = WorkerId(1), .tag = VTag(5), .association = AssocId(50)};
  const Owner other{.worker = WorkerId(2), .tag = VTag(6), .association = AssocId(60)};
  const DirectoryReply reply =
      responder.apply(DirectoryRequest{.directory = WorkerId(0), .ports = ports, .peers = {kPeer}, .owner = mine});
  EXPECT_EQ(reply.reservation.status, ReserveStatus::reserved);
  EXPECT_EQ(reply.ports, ports);
  EXPECT_EQ(reply.owner, mine);
  const DirectoryReply refused = responder.apply(
      DirectoryRequest{.directory = WorkerId(0), .ports = ports, .peers = {kPeer2, kPeer}, .owner = other});
  EXPECT_EQ(refused.reservation.status, ReserveStatus::conflict);
  EXPECT_EQ(refused.reservation.holder, mine.tag);
  EXPECT_EQ(counters.directory_conflicts, 1u);
  EXPECT_EQ(counters.directory_reserved, 1u);
}

TEST_F(ResponderCookie, AnOpeningAttemptWithoutAPortIsLeasedOne) {
  const Owner mine{.worker = WorkerId(1), .tag = VTag(5)};
  const DirectoryReply reply = responder.apply(
      DirectoryRequest{.directory = WorkerId(0), .ports = {.local = 0, .peer = 3868}, .peers = {kPeer}, .owner = mine});
  ASSERT_EQ(reply.reservation.status, ReserveStatus::reserved);
  EXPECT_GE(reply.ports.local, 49152);
  EXPECT_EQ(steering.directory_of(reply.ports.local, 3868), WorkerId(0));
  responder.apply(DirectoryRelease{
      .directory = WorkerId(0), .ports = reply.ports, .peers = {kPeer}, .tag = mine.tag, .leased = true});
  EXPECT_EQ(directory.leases(), 0u);
  EXPECT_EQ(directory.size(), 0u);
}

TEST_F(ResponderCookie, WithoutAPortLeftAnOpeningAttemptIsRefused) {
  DirectoryRequest request{
      .directory = WorkerId(0), .ports = {.local = 0, .peer = 3868}, .peers = {kPeer}, .owner = {}};
  for (std::uint32_t i = 0; i < 16; ++i) {
    request.owner = {.worker = WorkerId(1), .tag = VTag(i + 1)};
    ASSERT_EQ(responder.apply(request).reservation.status, ReserveStatus::reserved);
  }
  request.owner.tag = VTag(100);
  const DirectoryReply reply = responder.apply(request);
  EXPECT_EQ(reply.reservation.status, ReserveStatus::full);
  EXPECT_EQ(reply.ports.local, 0);
  EXPECT_EQ(counters.ports_exhausted, 1u);
  EXPECT_EQ(counters.directory_full, 0u);
}

TEST_F(ResponderCookie, ARestartMovesItsAddresses) {
  const VTag before(5);
  const VTag after(9);
  const assoc::AddressList both{kPeer, kPeer2};
  directory.reserve(ports, both, before);
  responder.apply(
      DirectoryRetag{.directory = WorkerId(0), .ports = ports, .peers = both, .old_tag = before, .new_tag = after});
  EXPECT_EQ(*directory.find(ports, kPeer), after);
  EXPECT_EQ(*directory.find(ports, kPeer2), after);
}

TEST_F(ResponderCookie, AGoodOneIsTakenAfterOthersWereRefused) {
  const InitAck ack = exchange_init();
  InitAck forged = ack;
  forged.cookie.assign(16, std::byte{3});
  EXPECT_EQ(receive(echo_of(forged)).next, Verdict::Next::done);
  EXPECT_EQ(receive(cookie_echo({}, VTag(15), ack.cookie)).next, Verdict::Next::done);
  EXPECT_EQ(receive(echo_of(ack, {.source = ip("224.0.0.5")})).next, Verdict::Next::done);
  EXPECT_EQ(receive(echo_of(ack, {.source = ip("255.255.255.255")})).next, Verdict::Next::done);
  EXPECT_EQ(receive(echo_of(ack, {.destination = ip("224.0.0.5")})).next, Verdict::Next::done);
  EXPECT_EQ(counters.not_unicast, 3u);
  EXPECT_TRUE(host.sent.empty());
  EXPECT_EQ(directory.size(), 0u);
  EXPECT_EQ(receive(echo_of(ack)).next, Verdict::Next::create);
}

}  // namespace
}  // namespace sluice::endpoint::test
