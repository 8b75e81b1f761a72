// Rules of RFC 9260 about INIT and INIT ACK that no other test watches; see tests/RFC9260.md.
#include <set>

#include "stack/endpoint/cookie.hpp"
#include "tests/unit/endpoint/worker_fixture.hpp"

namespace sluice::endpoint::test {
namespace {

using assoc::State;
using wire::ChunkType;
using wire::ParameterType;

constexpr std::uint16_t kBadValues = static_cast<std::uint16_t>(wire::CauseCode::invalid_mandatory_parameter);

class RulesInit : public WorkerFixture {
 protected:
  assoc::Handshake agreed(const InitAck& ack) { return cookies.open(ack.cookie, now).cookie.handshake; }
};

TEST_F(RulesInit, InitAckIsAloneInItsPacket) {  // §3
  receive(init());
  wire::ChunkWalker chunks = wire::chunks_of(last());
  EXPECT_EQ(chunks.next()->type, ChunkType::init_ack);
  EXPECT_FALSE(chunks.next().has_value());
  EXPECT_FALSE(chunks.malformed());
}

TEST_F(RulesInit, ReservedFlagsAreIgnored) {  // §3.3.2
  base::InboundPacket packet = init();
  packet.buffer.data()[wire::kCommonHeaderSize + 1] = std::byte{0xff};
  receive(packet);
  EXPECT_FALSE(take_init_ack().cookie.empty());
}

TEST_F(RulesInit, WithoutAddressesTheSourceIsTheOnlyDestination) {  // §3.3.2.1.2, §5.1.2 A
  EXPECT_EQ(agreed(exchange_init({.packet = {.source = kPeer2}})).peer_addresses, (assoc::AddressList{kPeer2}));
}

TEST_F(RulesInit, InitAckHasEachParameterOnceAndNoHostName) {  // §3.3.3
  receive(init());
  std::set<ParameterType> types;
  std::set<std::string> addresses;
  wire::ParameterWalker walker = wire::InitChunk::parse(*last_chunk())->parameters();
  while (const auto parameter = walker.next()) {
    EXPECT_NE(parameter->type, ParameterType::host_name_address);
    if (const auto address = wire::read_address(*parameter))
      EXPECT_TRUE(addresses.insert(address->to_string()).second);
    else
      EXPECT_TRUE(types.insert(parameter->type).second);
  }
  EXPECT_EQ(addresses.size(), 2u);
  EXPECT_EQ(types.count(ParameterType::state_cookie), 1u);
}

TEST_F(RulesInit, OutboundStreamsAreNoMoreThanTheInitGrants) {  // §3.3.3
  InitOptions options;
  options.header.inbound_streams = 3;  // we wish for 10
  EXPECT_EQ(exchange_init(options).header.outbound_streams, 3);
  options.header.inbound_streams = 2000;
  EXPECT_EQ(exchange_init(options).header.outbound_streams, Parameters().outbound_streams);
}

TEST_F(RulesInit, AbortGoesWhereTheInitCameFrom) {  // §5.1.2 B
  InitOptions options{.packet = {.source = kPeer2}, .addresses = {kPeer}};
  options.more = [](wire::ChunkWriter& chunk) {
    chunk.append(ParameterType::host_name_address, std::as_bytes(std::span("host", 5)));
  };
  receive(init(options));
  ASSERT_EQ(host.sent.size(), 1u);
  EXPECT_EQ(last_chunk()->type, ChunkType::abort);
  EXPECT_EQ(host.sent[0].departure.destination, kPeer2);
}

TEST_F(RulesInit, OnlyAddressesOfFamiliesThatWeHaveAreTaken) {  // §5.1.2
  const InitOptions both{.addresses = {kPeer2, ip("2001:db8::2")}};
  EXPECT_EQ(agreed(exchange_init(both)).peer_addresses, (assoc::AddressList{kPeer, kPeer2, ip("2001:db8::2")}));
  services.stack_addresses = std::span<const IpAddress>(&kLocal, 1);
  EXPECT_EQ(agreed(exchange_init(both)).peer_addresses, (assoc::AddressList{kPeer, kPeer2}));
}

TEST_F(RulesInit, WithATagInItsPacketIsDroppedInSilence) {  // §12.3
  EXPECT_EQ(receive(init({.packet = {.tag = VTag(5)}})).next, Verdict::Next::done);
  directory.reserve({kLocalPort, kPeerPort}, {&kPeer, 1}, VTag(99));
  EXPECT_EQ(receive(init({.packet = {.tag = VTag(99)}})).next, Verdict::Next::done);
  EXPECT_TRUE(host.sent.empty());
  EXPECT_EQ(counters.init_nonzero_packet_tag, 2u);
}

class RulesOwner : public WorkerFixture {
 protected:
  RulesOwner() {
    tcb.handshake = {.local_port = kLocalPort,
                     .peer_port = kPeerPort,
                     .local_tag = steering.new_tag(WorkerId(0), random),
                     .peer_tag = VTag(0x55667788),
                     .local_initial_tsn = Tsn(4000),
                     .peer_initial_tsn = Tsn(9),
                     .peer_window = 5000,
                     .outbound_streams = 10,
                     .inbound_streams = 4,
                     .local_addresses = {kLocal, kLocal6},
                     .peer_addresses = {kPeer, kPeer2},
                     .extensions = {}};
    tcb.tie_tags = {.local = 123, .peer = 456};
    tcb.confirmed = tcb.handshake.peer_addresses;
    tags.insert(tcb.handshake.local_tag, &tcb);
  }
  OwnerVerdict at_owner(const base::InboundPacket& packet) {
    return owner_role.receive(now, tcb, Parameters(), packet);
  }

  Tcb tcb;
};

TEST_F(RulesOwner, BadInitsAreRefusedInEveryState) {  // §3.3.2
  for (const State state : {State::cookie_wait, State::cookie_echoed, State::established, State::shutdown_pending,
                            State::shutdown_sent, State::shutdown_received, State::shutdown_ack_sent}) {
    for (int field = 0; field < 3; ++field) {
      InitOptions options;
      if (field == 0) options.header.outbound_streams = 0;
      if (field == 1) options.header.inbound_streams = 0;
      if (field == 2) options.header.window = 1499;
      tcb.state = state;
      now += std::chrono::seconds(1);  // for the rate limit
      EXPECT_EQ(at_owner(init(options)).next, OwnerVerdict::Next::done);
      expect_abort(kPeerTag, false, kBadValues);
      host.sent.clear();
      counters.aborts_sent = 0;
    }
  }
}

TEST_F(RulesOwner, InCookieWaitTheSourceIsPreferred) {  // §5.2.1 rule 3
  tcb.state = State::cookie_wait;
  tcb.handshake.peer_tag = VTag(0);
  for (const IpAddress& source : {kPeer, kPeer2}) {
    at_owner(init({.packet = {.source = source}, .addresses = {kPeer, kPeer2}}));
    ASSERT_EQ(host.sent.size(), 1u);
    EXPECT_EQ(host.sent[0].departure.destination, source);
    host.sent.clear();
  }
}

TEST_F(RulesOwner, OutboundStreamsAreNoMoreThanTheInitGrants) {  // §3.3.3
  InitOptions options;
  options.header.inbound_streams = 3;
  for (const State state : {State::cookie_wait, State::cookie_echoed, State::established}) {
    tcb.state = state;
    EXPECT_EQ(at_owner(init(options)).next, OwnerVerdict::Next::done);
    EXPECT_EQ(take_init_ack().header.outbound_streams, 3);
  }
}

class RulesSteering : public WorkerFixture {
 protected:
  RulesSteering() : WorkerFixture(8) {}
};

TEST_F(RulesSteering, PortZeroGoesNowhere) {  // §3.1
  const VTag tag = steering.new_tag(WorkerId(6), random);
  for (const ChunkType type : {ChunkType::init, ChunkType::data, ChunkType::cookie_echo, ChunkType::shutdown_ack}) {
    const VTag packet_tag = type == ChunkType::init ? VTag(0) : tag;
    EXPECT_NE(steering.classify(bare(type, {.tag = packet_tag}).buffer.bytes()).to, Route::To::nowhere);
    EXPECT_EQ(steering.classify(bare(type, {.tag = packet_tag, .source_port = 0}).buffer.bytes()).to,
              Route::To::nowhere);
    EXPECT_EQ(steering.classify(bare(type, {.tag = packet_tag, .destination_port = 0}).buffer.bytes()).to,
              Route::To::nowhere);
  }
}

TEST_F(RulesInit, PaddingOfTheLastParameterMayCountOrNot) {  // §3.2
  base::InboundPacket counted = init({.more = [](wire::ChunkWriter& chunk) {
    wire::append_supported_address_types(chunk, {.ipv4 = true, .ipv6 = false});
  }});
  std::byte* const length = counted.buffer.data() + wire::kCommonHeaderSize + 2;
  ASSERT_EQ(base::load_be<std::uint16_t>(length) % 4, 2) << "the padding is not counted";
  receive(counted);
  EXPECT_FALSE(take_init_ack().cookie.empty());
  base::store_be(length, static_cast<std::uint16_t>(base::load_be<std::uint16_t>(length) + 2));
  receive(counted);
  EXPECT_FALSE(take_init_ack().cookie.empty());
}

}  // namespace
}  // namespace sluice::endpoint::test
