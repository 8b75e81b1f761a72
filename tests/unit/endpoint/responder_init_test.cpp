// INITs without an association, in the role of directory: RFC 9260 §5.1, §3.3.2, §8.4 rule 3.

#include "stack/endpoint/cookie.hpp"
#include "stack/endpoint/init_answer.hpp"
#include "tests/unit/endpoint/worker_fixture.hpp"

namespace sluice::endpoint::test {
namespace {

using wire::CauseCode;
using wire::ParameterType;

constexpr std::uint16_t cause(CauseCode code) {
  return static_cast<std::uint16_t>(code);
}

class ResponderInit : public WorkerFixture {
 protected:
  ResponderInit() : WorkerFixture(4) {}
  Cookie opened(const InitAck& ack) { return cookies.open(ack.cookie, now).cookie; }
  // A parameter without a value.
  static InitOptions with_parameter(std::uint16_t type, std::uint32_t length = 0) {
    InitOptions options;
    options.more = [=](wire::ChunkWriter& chunk) {
      const std::vector<std::byte> value(length);
      chunk.append(static_cast<ParameterType>(type), value);
    };
    return options;
  }
  void expect_dropped(const base::InboundPacket& packet, const std::uint64_t& counter) {
    EXPECT_EQ(receive(packet).next, Verdict::Next::done);
    EXPECT_TRUE(host.sent.empty());
    EXPECT_EQ(counter, 1u);
  }
};

TEST_F(ResponderInit, IsAnsweredWithInitAckAndNothingIsKept) {
  const InitAck ack = exchange_init();
  EXPECT_EQ(ack.packet.tag, kPeerTag);
  EXPECT_EQ(ack.packet.source_port, kLocalPort);
  EXPECT_EQ(ack.packet.destination_port, kPeerPort);
  EXPECT_NE(ack.header.init_tag.value, 0u);
  const Parameters defaults;
  EXPECT_EQ(ack.header.window, defaults.receive_window);
  EXPECT_EQ(ack.header.outbound_streams, 7);  // which the INIT grants
  EXPECT_EQ(ack.header.inbound_streams, defaults.max_inbound_streams);
  EXPECT_EQ(directory.size(), 0u);
  EXPECT_EQ(backlog.waiting(), 0u);
  EXPECT_EQ(counters.init_acks_sent, 1u);
}

TEST_F(ResponderInit, AnswersFromTheAddressItWasSentToToWhereItCameFrom) {
  receive(init({.packet = {.source = kPeer2, .udp_source_port = 9899}, .addresses = {kPeer}}));
  ASSERT_EQ(host.sent.size(), 1u);
  const base::Departure& departure = host.sent[0].departure;
  EXPECT_EQ(departure.source, kLocal);
  EXPECT_EQ(departure.destination, kPeer2);
  EXPECT_EQ(departure.udp_destination_port, 9899);
}

TEST_F(ResponderInit, TheTagNamesTheWorkerThatIsToOwnIt) {
  for (std::uint16_t worker = 0; worker < 4; ++worker) {
    receive(init(), WorkerId(worker));
    EXPECT_EQ(steering.owner_of(take_init_ack().header.init_tag), WorkerId(worker));
  }
}

TEST_F(ResponderInit, TagsAndTsnsAreFresh) {
  const InitAck one = exchange_init();
  const InitAck other = exchange_init();
  EXPECT_NE(one.header.init_tag, other.header.init_tag);
  EXPECT_NE(one.header.initial_tsn, other.header.initial_tsn);
}

TEST_F(ResponderInit, TheCookieHoldsWhatBothSidesSaid) {
  const InitAck ack = exchange_init({.packet = {.udp_source_port = 9899}, .addresses = {kPeer2}});
  const Cookie cookie = opened(ack);
  const assoc::Handshake& agreed = cookie.handshake;
  EXPECT_EQ(agreed.local_port, kLocalPort);
  EXPECT_EQ(agreed.peer_port, kPeerPort);
  EXPECT_EQ(agreed.local_tag, ack.header.init_tag);
  EXPECT_EQ(agreed.peer_tag, kPeerTag);
  EXPECT_EQ(agreed.local_initial_tsn, ack.header.initial_tsn);
  EXPECT_EQ(agreed.peer_initial_tsn, Tsn(1000));
  EXPECT_EQ(agreed.peer_window, 65536u);
  EXPECT_EQ(agreed.peer_addresses, (assoc::AddressList{kPeer, kPeer2}));
  EXPECT_EQ(agreed.local_addresses, (assoc::AddressList{kLocal, kLocal6}));
  EXPECT_TRUE(cookie.tie_tags.none());
  EXPECT_EQ(cookie.udp_port, 9899);
  EXPECT_EQ(cookie.created, now);
  EXPECT_EQ(cookie.lifetime, Parameters{}.valid_cookie_life);
}

TEST_F(ResponderInit, StreamsAreTheLesserOfWishAndGrant) {
  InitOptions options;
  options.header.outbound_streams = 5000;  // above what we grant, 2048
  options.header.inbound_streams = 7;      // below what we wish for, 10
  const assoc::Handshake agreed = opened(exchange_init(options)).handshake;
  EXPECT_EQ(agreed.outbound_streams, 7);
  EXPECT_EQ(agreed.inbound_streams, 2048);
}

TEST_F(ResponderInit, TellsAllItsAddressesOrNoneWhenThereIsOne) {
  EXPECT_EQ(exchange_init().addresses, (std::vector<IpAddress>{kLocal, kLocal6}));
  services.stack_addresses = std::span<const IpAddress>(&kLocal, 1);
  EXPECT_TRUE(exchange_init().addresses.empty());
}

TEST_F(ResponderInit, TellsNoAddressOfLesserScopeOrAnotherFamily) {
  const std::vector<IpAddress> all{ip("127.0.0.1"), ip("169.254.1.1"), kLocal6, ip("fe80::1"), ip("198.18.7.7")};
  services.stack_addresses = all;
  EXPECT_EQ(exchange_init().addresses, (std::vector<IpAddress>{kLocal, kLocal6, ip("198.18.7.7")}));
  InitOptions only_ipv4;
  only_ipv4.more = [](wire::ChunkWriter& chunk) { wire::append_supported_address_types(chunk, {.ipv4 = true}); };
  EXPECT_EQ(exchange_init(only_ipv4).addresses, (std::vector<IpAddress>{kLocal, ip("198.18.7.7")}));
  // A family that it uses it supports, whatever it says (§5.1.2).
  only_ipv4.addresses = {ip("2001:db8::2")};
  EXPECT_EQ(exchange_init(only_ipv4).addresses, (std::vector<IpAddress>{kLocal, kLocal6, ip("198.18.7.7")}));
  // Within a scope its own addresses are told.
  const std::vector<IpAddress> near = exchange_init({.packet = {.source = ip("169.254.1.2")}}).addresses;
  EXPECT_EQ(near, (std::vector<IpAddress>{kLocal, ip("169.254.1.1"), kLocal6, ip("fe80::1"), ip("198.18.7.7")}));
}

TEST_F(ResponderInit, PeerAddressesThatAreNoUseAreLeftOutAndCounted) {
  const InitAck ack =
      exchange_init({.addresses = {ip("127.0.0.1"), ip("224.0.0.1"), ip("255.255.255.255"), ip("0.0.0.0"),
                                   ip("169.254.0.9"), ip("ff02::1"), kLocal, kLocal6, kPeer2}});
  EXPECT_EQ(opened(ack).handshake.peer_addresses, (assoc::AddressList{kPeer, kPeer2}));
  EXPECT_EQ(counters.init_addresses_ignored, 8u);
}

TEST_F(ResponderInit, MorePeerAddressesThanTheLimitAreLeftOutAndCounted) {
  InitOptions options;
  for (std::uint32_t i = 0; i < 20; ++i) options.addresses.push_back(IpAddress::v4(0xc6121000 + i));
  EXPECT_EQ(opened(exchange_init(options)).handshake.peer_addresses.size(), assoc::kMaxAddresses);
  EXPECT_EQ(counters.init_addresses_ignored, 20 - (assoc::kMaxAddresses - 1));
}

TEST_F(ResponderInit, ItsSourceListedAgainCountsOnce) {
  EXPECT_EQ(opened(exchange_init({.addresses = {kPeer, kPeer}})).handshake.peer_addresses.size(), 1u);
}

TEST_F(ResponderInit, CookiePreservativeLengthensTheLifeUpToTwice) {
  InitOptions options;
  options.more = [](wire::ChunkWriter& chunk) {
    wire::append_cookie_preservative(chunk, std::chrono::milliseconds(1500));
  };
  EXPECT_EQ(opened(exchange_init(options)).lifetime, std::chrono::milliseconds(61500));
  options.more = [](wire::ChunkWriter& chunk) { wire::append_cookie_preservative(chunk, std::chrono::hours(1000)); };
  EXPECT_EQ(opened(exchange_init(options)).lifetime, std::chrono::seconds(120));
}

TEST_F(ResponderInit, UnrecognisedParametersAreTreatedByTheirUpperBits) {
  // 00: stop. What follows, here an address, is not looked at; nothing is reported.
  InitOptions options;
  const auto unknown_then_address = [](std::uint16_t type) {
    return [type](wire::ChunkWriter& chunk) {
      chunk.append(static_cast<ParameterType>(type), 0);
      wire::append_address(chunk, kPeer2);
    };
  };
  const auto expect = [&](std::uint16_t type, bool stop, bool report) {
    options.more = unknown_then_address(type);
    const InitAck ack = exchange_init(options);
    EXPECT_EQ(opened(ack).handshake.peer_addresses.size(), stop ? 1u : 2u) << type;
    EXPECT_EQ(ack.unrecognized, report ? std::vector<std::uint16_t>{type} : std::vector<std::uint16_t>{}) << type;
  };
  expect(0x3fff, true, false);
  expect(0x7fff, true, true);
  expect(0xbfff, false, false);
  expect(0xffff, false, true);
}

TEST_F(ResponderInit, ReportsStandInTheirOrderAndEndWhereReadingEnds) {
  const auto expect = [&](std::uint16_t middle, const std::vector<std::uint16_t>& reported) {
    InitOptions options;
    options.more = [middle](wire::ChunkWriter& chunk) {
      for (const std::uint16_t type : {std::uint16_t{0xc0c1}, middle, std::uint16_t{0xc0c3}})
        chunk.append(static_cast<ParameterType>(type), std::vector<std::byte>(1));  // padded by three
    };
    EXPECT_EQ(exchange_init(options).unrecognized, reported) << middle;
  };
  expect(0xc0c1, {0xc0c1, 0xc0c1, 0xc0c3});
  expect(0x00c2, {0xc0c1});
  expect(0x40c2, {0xc0c1, 0x40c2});
  expect(0x80c2, {0xc0c1, 0xc0c3});
}

TEST_F(ResponderInit, ReportsAreBoundedInNumberAndBySize) {
  InitOptions storm;
  storm.more = [](wire::ChunkWriter& chunk) {
    for (int i = 0; i < 200; ++i) chunk.append(static_cast<ParameterType>(0xfff0), 0);
  };
  EXPECT_EQ(exchange_init(storm).unrecognized.size(), kMaxReports);
  storm.more = [](wire::ChunkWriter& chunk) {
    for (int i = 0; i < 3; ++i) chunk.append(static_cast<ParameterType>(0xfff0), std::vector<std::byte>(900));
  };
  receive(init(storm));
  EXPECT_LE(last().size(), kMaxInitAckPacket);
  // What does not fit is left out, the rest of the INIT ACK stands.
  const InitAck ack = take_init_ack();
  EXPECT_EQ(ack.unrecognized.size(), 1u);
  EXPECT_EQ(cookies.open(ack.cookie, now).verdict, CookieVerdict::good);
}

TEST_F(ResponderInit, TheLargestInitAckFitsTheSmallestPathMtu) {
  std::vector<IpAddress> many;
  InitOptions options{.packet = {.source = ip("2001:db8:1::2"), .destination = kLocal6}};
  for (std::uint8_t i = 1; i < 12; ++i) {
    many.push_back(IpAddress::v6({0x20, 0x01, 0x0d, 0xb8, 0, 9, i}));
    options.addresses.push_back(IpAddress::v6({0x20, 0x01, 0x0d, 0xb8, 0, 8, i}));
  }
  services.stack_addresses = many;
  options.more = [](wire::ChunkWriter& chunk) {
    for (int i = 0; i < 10; ++i) chunk.append(static_cast<ParameterType>(0xfff0), std::vector<std::byte>(100));
  };
  receive(init(options));
  EXPECT_LE(last().size(), kMaxInitAckPacket);
  const InitAck ack = take_init_ack();
  EXPECT_EQ(ack.addresses.size(), assoc::kMaxAddresses);
  EXPECT_EQ(ack.cookie.size(), kMaxCookieSize);
  EXPECT_EQ(cookies.open(ack.cookie, now).verdict, CookieVerdict::good);
}

TEST_F(ResponderInit, WithAZeroTagIsDropped) {
  InitOptions options;
  options.header.init_tag = VTag(0);
  expect_dropped(init(options), counters.init_zero_tag);
}

TEST_F(ResponderInit, WithoutStreamsOrWindowIsAborted) {
  for (int field = 0; field < 3; ++field) {
    InitOptions options;
    if (field == 0) options.header.outbound_streams = 0;
    if (field == 1) options.header.inbound_streams = 0;
    if (field == 2) options.header.window = 1499;
    receive(init(options));
    expect_abort(kPeerTag, false, cause(CauseCode::invalid_mandatory_parameter));
    host.sent.clear();
    counters.aborts_sent = 0;
  }
  EXPECT_EQ(counters.init_bad_values, 3u);
  InitOptions smallest;
  smallest.header.window = 1500;
  exchange_init(smallest);
}

TEST_F(ResponderInit, WithAHostNameIsAbortedWithIt) {
  receive(init(with_parameter(11, 8)));
  expect_abort(kPeerTag, false, cause(CauseCode::unresolvable_address));
  EXPECT_EQ(counters.init_host_name, 1u);
}

TEST_F(ResponderInit, NotAloneInItsPacketIsDropped) {
  const auto packet = build({}, [](wire::PacketWriter& writer) {
    wire::append_init(writer, InitOptions{}.header);
    wire::append_cookie_ack(writer);
  });
  expect_dropped(packet, counters.init_not_alone);
}

TEST_F(ResponderInit, TooShortForItsFixedFieldsIsDropped) {
  for (std::uint32_t body = 0; body < 16; ++body)
    receive(build({}, [&](wire::PacketWriter& writer) {
      std::byte* const at = writer.append_chunk(wire::ChunkType::init, 0, body);
      std::fill_n(at, body, std::byte{1});
    }));
  EXPECT_TRUE(host.sent.empty());
  EXPECT_EQ(counters.init_malformed, 16u);
}

TEST_F(ResponderInit, WithAParameterPartlyOutsideIsAborted) {
  base::InboundPacket packet = init(with_parameter(0x8000, 4));
  packet.buffer.data()[12 + 20 + 3] = std::byte{9};  // one byte more than there is
  receive(packet);
  expect_abort(kPeerTag, false, cause(CauseCode::protocol_violation));
}

TEST_F(ResponderInit, ForNobodyIsAbortedWithItsInitiateTag) {
  receive(init({.packet = {.destination_port = 2906}}));
  expect_abort(kPeerTag, false, 0);
  EXPECT_EQ(counters.init_no_endpoint, 1u);
}

TEST_F(ResponderInit, ForAnEndpointThatDoesNotListenIsAborted) {
  endpoints.find(EndpointId(1))->listening = false;
  receive(init());
  expect_abort(kPeerTag, false, 0);
}

TEST_F(ResponderInit, WithAFullBacklogIsAborted) {
  ASSERT_TRUE(backlog.enter() && backlog.enter());
  receive(init());
  expect_abort(kPeerTag, false, cause(CauseCode::out_of_resource));
  EXPECT_EQ(counters.init_backlog_full, 1u);
}

TEST_F(ResponderInit, ToOrFromANonUnicastAddressIsDropped) {
  receive(init({.packet = {.source = ip("224.0.0.5")}}));
  receive(init({.packet = {.source = ip("255.255.255.255")}}));
  receive(init({.packet = {.source = ip("0.0.0.0")}}));
  receive(init({.packet = {.destination = ip("ff02::1")}}));
  EXPECT_TRUE(host.sent.empty());
  EXPECT_EQ(counters.not_unicast, 4u);
}

TEST_F(ResponderInit, OfAKnownAssociationGoesToItsOwnerByAnyOfItsAddresses) {
  const Owner owner{.worker = WorkerId(3), .tag = steering.new_tag(WorkerId(3), random)};
  directory.reserve({kLocalPort, kPeerPort}, {&kPeer2, 1}, owner.tag);
  const Verdict by_source = receive(init({.packet = {.source = kPeer2}}));
  EXPECT_EQ(by_source.next, Verdict::Next::to_owner);
  EXPECT_EQ(by_source.owner, owner);
  const Verdict by_parameter = receive(init({.addresses = {kPeer2}}));
  EXPECT_EQ(by_parameter.next, Verdict::Next::to_owner);
  EXPECT_EQ(by_parameter.owner, owner);
  EXPECT_TRUE(host.sent.empty());
  EXPECT_EQ(counters.forwarded_to_owner, 2u);
}

TEST_F(ResponderInit, WithBadValuesChangesNothingOfAKnownAssociation) {
  directory.reserve({kLocalPort, kPeerPort}, {&kPeer, 1}, VTag(77));
  InitOptions options;
  options.header.outbound_streams = 0;
  EXPECT_EQ(receive(init(options)).next, Verdict::Next::done);
  expect_abort(kPeerTag, false, cause(CauseCode::invalid_mandatory_parameter));
}

TEST_F(ResponderInit, OverOneFamilyThatListsTheOtherAloneIsAnswered) {
  InitOptions options;
  options.addresses = {ip("fe80::250:56ff:fe24:9e6")};  // of lesser scope than its source: left out
  options.more = [](wire::ChunkWriter& chunk) {
    wire::append_supported_address_types(chunk, {.ipv4 = false, .ipv6 = true});
    wire::append_cookie_preservative(chunk, std::chrono::milliseconds(12345));
  };
  const InitAck ack = exchange_init(options);
  const Cookie cookie = opened(ack);
  ASSERT_EQ(cookie.handshake.peer_addresses.size(), 1u);
  EXPECT_EQ(cookie.handshake.peer_addresses[0], kPeer);
}

TEST_F(ResponderInit, WithoutABufferIsDroppedAndCounted) {
  const base::InboundPacket packet = init();
  host.buffers.set_limit(host.buffers.out());
  receive(packet);
  EXPECT_EQ(counters.answers_no_buffer, 1u);
  EXPECT_EQ(counters.init_acks_sent, 0u);
}

TEST_F(ResponderInit, NoAbortIsLargerThanTheInit) {
  receive(init(with_parameter(11, 200)));
  EXPECT_LE(last().size(), init(with_parameter(11, 200)).buffer.size());
}

TEST_F(ResponderInit, MoreThanTheLimitAreDroppedUnread) {
  inits = RateLimit(1000, 10);
  answers = RateLimit(1000, 1000);
  for (int i = 0; i < 30; ++i) receive(init());
  EXPECT_EQ(host.sent.size(), 10u);
  EXPECT_EQ(counters.inits_received, 10u);
  EXPECT_EQ(counters.init_rate_limited, 20u);
  // Also those that would be refused, or are an association's.
  receive(init({.packet = {.destination_port = 9}}));
  const std::array<IpAddress, 1> peers{kPeer};
  ASSERT_EQ(directory.reserve({kLocalPort, kPeerPort}, peers, kPeerTag).status, ReserveStatus::reserved);
  EXPECT_EQ(receive(init()).next, Verdict::Next::done);
  EXPECT_EQ(host.sent.size(), 10u);
  EXPECT_EQ(counters.init_rate_limited, 22u);
  // The limit comes back with time, and is not that of cookies.
  now += std::chrono::milliseconds(1);
  EXPECT_EQ(receive(init()).next, Verdict::Next::to_owner);
  EXPECT_EQ(receive(init()).next, Verdict::Next::done);
}

TEST_F(ResponderInit, AbortsHaveALimitThatInitAcksDoNotShare) {
  for (int i = 0; i < 30; ++i) receive(init({.packet = {.destination_port = 9}}));
  EXPECT_EQ(host.sent.size(), 10u);
  EXPECT_EQ(counters.answers_rate_limited, 20u);
  host.sent.clear();
  for (int i = 0; i < 30; ++i) receive(init());
  EXPECT_EQ(host.sent.size(), 30u);
}

}  // namespace
}  // namespace sluice::endpoint::test
