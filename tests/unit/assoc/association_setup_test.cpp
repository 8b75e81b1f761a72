#include <gmock/gmock.h>

#include "tests/unit/assoc/association_setup.hpp"

namespace sluice::assoc {
namespace {

using ::testing::ElementsAre;

TEST_F(AssociationSetup, InitIsAloneAndBearsTagZero) {
  side_.open().connect(now_, ours());
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].header.tag, VTag(0));
  EXPECT_EQ(packets[0].header.source_port, kHerePort);
  EXPECT_EQ(packets[0].header.destination_port, kTherePort);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::init});
  EXPECT_EQ(packets[0].departure.source, kHere);
  EXPECT_EQ(packets[0].departure.destination, kThere);
  EXPECT_EQ(packets[0].departure.next_hop, 7u);
  const auto init = wire::InitChunk::parse(packets[0].chunks[0]);
  EXPECT_EQ(init->init_tag(), kOurTag);
  EXPECT_EQ(init->initial_tsn(), kOurTsn);
  EXPECT_EQ(init->outbound_streams(), 10);
  EXPECT_EQ(init->inbound_streams(), 20);
  EXPECT_EQ(init->window(), side_.parameters.receive_window);
  EXPECT_EQ(association().state(), State::cookie_wait);
}

TEST_F(AssociationSetup, InitListsAddressesIfThereAreSeveral) {
  Handshake two = ours();
  ASSERT_TRUE(two.local_addresses.push_back(kElsewhere));
  side_.open().connect(now_, two);
  const auto packets = flush();
  std::vector<IpAddress> listed;
  wire::ParameterWalker walker = wire::InitChunk::parse(packets.at(0).chunks.at(0))->parameters();
  while (const auto parameter = walker.next())
    if (const auto address = wire::read_address(*parameter)) listed.push_back(*address);
  EXPECT_THAT(listed, ElementsAre(kHere, kElsewhere));
}

TEST_F(AssociationSetup, InitWaitsForRoomAndStartsItsTimerThen) {
  host().packet_room = 0;
  side_.open().connect(now_, ours());
  EXPECT_FALSE(association().flush(now_));
  EXPECT_EQ(association().next_deadline(), kNever);
  host().packet_room = TestHost::kUnlimited;
  EXPECT_EQ(flush().size(), 1u);
  EXPECT_EQ(association().next_deadline(), now_ + 1s);
}

TEST_F(AssociationSetup, InitIsRepeatedWithDoubledTimeoutUpToItsLimit) {
  side_.parameters.max_init_retransmissions = 3;
  connect();
  Duration wait = 1s;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(association().next_deadline(), now_ + wait);
    expire();
    EXPECT_EQ(flush().at(0).types(), Types{ChunkType::init});
    wait *= 2;
  }
  expire();
  expect_silence();
  EXPECT_EQ(only(EventType::connect_failed).reason(), Reason::init_failed);
  EXPECT_TRUE(association().finished());
  EXPECT_EQ(counters().t1_expired, 4u);
  EXPECT_EQ(counters().control_chunks_sent, 1u) << "retransmissions do not count";
}

TEST_F(AssociationSetup, InitRetransmissionsGoAroundAllAddresses) {
  Handshake two = ours();
  ASSERT_TRUE(two.peer_addresses.push_back(kThere2));
  side_.open().connect(now_, two);
  EXPECT_EQ(flush().at(0).departure.destination, kThere);
  expire();
  EXPECT_EQ(flush().at(0).departure.destination, kThere2);
  expire();
  EXPECT_EQ(flush().at(0).departure.destination, kThere);
}

TEST_F(AssociationSetup, InitAckIsAnsweredWithItsCookie) {
  connect();
  inject_init_ack();
  EXPECT_EQ(association().state(), State::cookie_echoed);
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].header.tag, kPeerTag);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::cookie_echo});
  const auto cookie = wire::CookieEchoChunk::parse(packets[0].chunks[0])->cookie;
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(cookie.data()), cookie.size()), "cookie");
  EXPECT_EQ(association().handshake().outbound_streams, 4);  // the peer takes no more
  EXPECT_EQ(association().handshake().inbound_streams, 5);   // the peer has no more
}

TEST_F(AssociationSetup, CookieAckEstablishes) {
  go_cookie_echoed();
  inject_cookie_ack();
  EXPECT_EQ(association().state(), State::established);
  const Event up = only(EventType::association_up);
  EXPECT_TRUE(up.active);
  EXPECT_EQ(up.streams_out, 4);
  EXPECT_EQ(up.streams_in, 5);
  EXPECT_EQ(up.association, AssocId(11));
  EXPECT_EQ(up.endpoint, EndpointId(2));
  EXPECT_EQ(association().next_deadline(), kNever);
  EXPECT_EQ(counters().active_establishments, 1u);
  expect_silence();
}

TEST_F(AssociationSetup, QueuedDataRidesWithTheCookieAndNothingElseLeavesBeforeItsAck) {
  connect();
  EXPECT_EQ(send("early"), SendStatus::queued);
  inject_init_ack();
  EXPECT_EQ(flush().at(0).types(), (Types{ChunkType::cookie_echo, ChunkType::data}));
  EXPECT_EQ(send("later"), SendStatus::queued);
  expect_silence();
  inject_cookie_ack();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::data});
}

TEST_F(AssociationSetup, CookieEchoIsRepeatedWithItsDataUpToItsLimit) {
  side_.parameters.max_init_retransmissions = 2;
  connect();
  send("early");
  inject_init_ack();
  flush();
  for (int i = 0; i < 2; ++i) {
    expire();
    EXPECT_EQ(flush().at(0).types(), (Types{ChunkType::cookie_echo, ChunkType::data}));
  }
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::abort});
  EXPECT_EQ(only(EventType::connect_failed).reason(), Reason::init_failed);
  EXPECT_EQ(last_event().event.type, EventType::connect_failed);
  EXPECT_EQ(host().seen(EventType::send_failed).size(), 1u);
}

TEST_F(AssociationSetup, AcceptAnswersCookieAckFirstAndTellsOfTheAssociation) {
  base::Buffer packet = this->packet(kOurTag, [](wire::PacketWriter& writer) {
    wire::append_cookie_echo(writer, std::as_bytes(std::span("cookie", 6)));
    write_data(writer, kPeerTsn, "hello");
  });
  side_.open().accept(now_, agreed(),
                      {.arrival = {.source = kThere, .destination = kHere, .time = now_}, .buffer = std::move(packet)});
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), (Types{ChunkType::cookie_ack, ChunkType::sack}));
  EXPECT_EQ(packets[0].header.tag, kPeerTag);
  ASSERT_EQ(host().events.size(), 2u);
  EXPECT_EQ(host().events[0].event.type, EventType::association_up);
  EXPECT_FALSE(host().events[0].event.active);
  EXPECT_EQ(host().events[1].data, "hello");
  EXPECT_EQ(counters().passive_establishments, 1u);
}

TEST_F(AssociationSetup, CookieAckWaitsForRoomAndStillComesFirst) {
  host().packet_room = 0;
  base::Buffer packet = this->packet(kOurTag, [](wire::PacketWriter& writer) {
    wire::append_cookie_echo(writer, std::as_bytes(std::span("cookie", 6)));
    write_data(writer, kPeerTsn, "hello");
  });
  side_.open().accept(now_, agreed(),
                      {.arrival = {.source = kThere, .destination = kHere, .time = now_}, .buffer = std::move(packet)});
  EXPECT_FALSE(association().flush(now_));
  host().packet_room = TestHost::kUnlimited;
  EXPECT_EQ(flush().at(0).types(), (Types{ChunkType::cookie_ack, ChunkType::sack}));
}

TEST_F(AssociationSetup, InitAckWithoutTagEndsWithAReflectedAbort) {
  connect();
  wire::InitHeader header = init_header();
  header.init_tag = VTag(0);
  inject_init_ack_header(header);
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::abort});
  EXPECT_EQ(packets[0].header.tag, kOurTag);
  EXPECT_TRUE(wire::AbortChunk::parse(packets[0].chunks[0])->tag_reflected());
  EXPECT_EQ(only(EventType::connect_failed).reason(), Reason::protocol_violation);
}

TEST_F(AssociationSetup, InitAckWithoutStreamsIsAborted) {
  for (const bool outbound : {true, false}) {
    connect();
    wire::InitHeader header = init_header();
    (outbound ? header.outbound_streams : header.inbound_streams) = 0;
    inject_init_ack_header(header);
    const auto packets = flush();
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].header.tag, kPeerTag);
    EXPECT_FALSE(wire::AbortChunk::parse(packets[0].chunks[0])->tag_reflected());
    EXPECT_THAT(causes(packets[0]), ElementsAre(CauseCode::invalid_mandatory_parameter));
    EXPECT_EQ(association().state(), State::closed);
  }
}

TEST_F(AssociationSetup, InitAckWithATinyWindowIsAnsweredWithAbortAndChangesNothing) {
  connect();
  wire::InitHeader header = init_header();
  header.window = 1499;
  inject_init_ack_header(header);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::abort});
  EXPECT_EQ(association().state(), State::cookie_wait);
  header.window = 1500;
  inject_init_ack_header(header);
  EXPECT_EQ(association().state(), State::cookie_echoed);
}

TEST_F(AssociationSetup, InitAckWithoutCookieIsAborted) {
  connect();
  inject_init_ack_with([](wire::ChunkWriter&) {});
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_THAT(causes(packets[0]), ElementsAre(CauseCode::missing_mandatory_parameter));
  EXPECT_EQ(packets[0].header.tag, kPeerTag);
  EXPECT_EQ(only(EventType::connect_failed).reason(), Reason::protocol_violation);
}

// What is in a cookie concerns its sender alone: it is there, so it is echoed (§5.1.4).
TEST_F(AssociationSetup, EmptyCookieIsEchoed) {
  connect();
  inject_init_ack_with([](wire::ChunkWriter& chunk) { wire::append_state_cookie(chunk, 0); });
  for (int i = 0; i < 2; ++i) {
    const auto packets = flush();
    ASSERT_EQ(packets.size(), 1u);
    ASSERT_EQ(packets[0].types(), Types{ChunkType::cookie_echo});
    EXPECT_EQ(packets[0].chunks[0].bytes.size(), 4u);
    if (i == 0) expire();
  }
  inject_cookie_ack();
  EXPECT_EQ(association().state(), State::established);
}

TEST_F(AssociationSetup, CookieLargerThanThePathLeavesByIpFragmentation) {
  connect();
  association().on_icmp(
      now_, {.kind = IcmpReport::Kind::packet_too_big, .destination = kThere, .initiate_tag = kOurTag, .mtu = 600});
  inject_init_ack_with(
      [](wire::ChunkWriter& chunk) { std::memset(wire::append_state_cookie(chunk, 1400), 'c', 1400); });
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::cookie_echo});
  EXPECT_FALSE(packets[0].departure.dont_fragment);
  EXPECT_NE(association().next_deadline(), kNever);
}

TEST_F(AssociationSetup, CookieLargerThanAnyPacketEndsTheAttempt) {
  connect();
  inject_init_ack_with(
      [](wire::ChunkWriter& chunk) { std::memset(wire::append_state_cookie(chunk, 3000), 'c', 3000); });
  EXPECT_EQ(only(EventType::connect_failed).reason(), Reason::no_resources);
  EXPECT_THAT(causes(flush().at(0)), ElementsAre(CauseCode::out_of_resource));  // §5.1
  expect_silence();
}

TEST_F(AssociationSetup, InitAckWithAHostNameIsAborted) {
  connect();
  inject_init_ack_with([](wire::ChunkWriter& chunk) {
    chunk.append(wire::ParameterType::host_name_address, std::as_bytes(std::span("host", 5)));
    write_cookie(chunk);
  });
  EXPECT_THAT(causes(flush().at(0)), ElementsAre(CauseCode::unresolvable_address));
  EXPECT_EQ(association().state(), State::closed);
}

TEST_F(AssociationSetup, InitAckWithAParameterPartlyOutsideIsDropped) {
  connect();
  base::Buffer whole = packet(kOurTag, [this](wire::PacketWriter& writer) {
    wire::ChunkWriter chunk = wire::append_init_ack(writer, init_header());
    write_cookie(chunk);
    chunk.append(wire::ParameterType::ipv4_address, 4);
  });
  base::store_be(whole.data() + whole.size() - 6, std::uint16_t{12});  // longer than the chunk
  inject_bytes(whole.bytes());
  expect_silence();
  EXPECT_EQ(association().state(), State::cookie_wait);
  EXPECT_EQ(counters().malformed_chunks, 1u);
}

TEST_F(AssociationSetup, UnrecognizedParametersAreReportedByTheirUpperBits) {
  connect();
  const auto unknown = [](std::uint16_t type) { return static_cast<wire::ParameterType>(type); };
  inject_init_ack_with([&](wire::ChunkWriter& chunk) {
    write_cookie(chunk);
    wire::append_empty_parameter(chunk, unknown(0x8123));  // skipped
    wire::append_empty_parameter(chunk, unknown(0xc123));  // skipped and reported
    wire::append_empty_parameter(chunk, unknown(0x4123));  // reported, and the end
    wire::append_empty_parameter(chunk, unknown(0xc124));
    wire::append_address(chunk, kThere2);
  });
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), (Types{ChunkType::cookie_echo, ChunkType::error}));
  wire::CauseWalker walker = wire::ErrorChunk::parse(packets[0].chunks[1])->causes();
  auto reported = wire::read_unrecognized_parameters(*walker.next());
  EXPECT_EQ(reported->next()->type, unknown(0xc123));
  EXPECT_EQ(reported->next()->type, unknown(0x4123));
  EXPECT_FALSE(reported->next());
  EXPECT_EQ(association().paths().size(), 1u);
  const std::uint64_t before = counters().control_chunks_sent;
  expire();
  EXPECT_EQ(flush().at(0).types(), (Types{ChunkType::cookie_echo, ChunkType::error}));
  EXPECT_EQ(counters().control_chunks_sent, before) << "retransmissions do not count";
}

TEST_F(AssociationSetup, AddressesOfTheInitAckBecomePathsAndTheDirectoryHearsOfThem) {
  connect();
  EXPECT_FALSE(association().take_addresses_changed());
  inject_init_ack_with([](wire::ChunkWriter& chunk) {
    wire::append_address(chunk, kThere2);
    wire::append_address(chunk, kThere);
    wire::append_address(chunk, IpAddress::v4(0xe0000001));  // multicast
    wire::append_address(chunk, IpAddress::v4(0x7f000001));  // loopback
    wire::append_address(chunk, IpAddress::v4(0xa9fe0101));  // link-local, of a peer who is not
    wire::append_address(chunk, *IpAddress::parse("fe80::1"));
    wire::append_address(chunk, *IpAddress::parse("2001:db8::1"));  // a family that we do not have
    write_cookie(chunk);
  });
  ASSERT_EQ(association().paths().size(), 2u);
  EXPECT_EQ(association().paths()[0].route.destination, kThere);
  EXPECT_EQ(association().paths()[0].state, PathState::active);
  EXPECT_EQ(association().paths()[1].route.destination, kThere2);
  EXPECT_EQ(association().paths()[1].state, PathState::unconfirmed);
  EXPECT_TRUE(association().take_addresses_changed());
  EXPECT_FALSE(association().take_addresses_changed());
}

TEST_F(AssociationSetup, InitAckFromAnotherAddressIsAcceptedAndOthersAreNot) {
  connect();
  inject(
      kOurTag, [](wire::PacketWriter& packet) { wire::append_cookie_ack(packet); }, kThere2);
  EXPECT_EQ(counters().foreign_sources, 1u);
  inject_init_ack_with(
      [](wire::ChunkWriter& chunk) {
        wire::append_address(chunk, kThere);
        write_cookie(chunk);
      },
      kThere2);
  EXPECT_EQ(association().state(), State::cookie_echoed);
  ASSERT_EQ(association().paths().size(), 2u);
  // COOKIE ECHO goes to an address that is confirmed (§5.4).
  EXPECT_EQ(flush().at(0).departure.destination, kThere);
}

TEST_F(AssociationSetup, UnexpectedInitAckAndCookieAckAreDropped) {
  for (const State state : {State::cookie_echoed, State::established, State::shutdown_sent}) {
    go(state);
    inject_init_ack();
    expect_silence();
    EXPECT_EQ(association().state(), state);
  }
  for (const State state : {State::cookie_wait, State::established, State::shutdown_ack_sent}) {
    go(state);
    inject_cookie_ack();
    expect_silence();
    EXPECT_EQ(association().state(), state);
  }
}

TEST_F(AssociationSetup, AbortRefusesTheAttempt) {
  connect();
  inject([](wire::PacketWriter& packet) { wire::append_abort(packet, false); });
  expect_silence();
  EXPECT_EQ(only(EventType::connect_failed).reason(), Reason::refused);
}

TEST_F(AssociationSetup, ShutdownAckDuringTheHandshakeIsAnsweredAsOutOfTheBlue) {
  for (const State state : {State::cookie_wait, State::cookie_echoed}) {
    go(state);
    const Timestamp deadline = association().next_deadline();
    inject(VTag(0x33333333), [](wire::PacketWriter& packet) { wire::append_shutdown_ack(packet); });
    const auto packets = flush();
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].types(), Types{ChunkType::shutdown_complete});
    EXPECT_EQ(packets[0].header.tag, VTag(0x33333333));
    EXPECT_TRUE(wire::ShutdownCompleteChunk::parse(packets[0].chunks[0])->tag_reflected);
    EXPECT_EQ(association().state(), state);
    EXPECT_EQ(association().next_deadline(), deadline);
  }
}

TEST_F(AssociationSetup, ShutdownAskedForBeforeItIsUpFollowsWhenItIs) {
  go_cookie_echoed();
  EXPECT_TRUE(association().shutdown(now_));
  EXPECT_FALSE(association().shutdown(now_));
  EXPECT_EQ(send("too late"), SendStatus::not_connected);
  inject_cookie_ack();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::shutdown});
}

TEST_F(AssociationSetup, TieTagsAreRandomAndAbsentWhereTheRfcSaysSo) {
  go_established();
  const TieTags first = association().tie_tags();
  EXPECT_NE(first.local, 0u);
  EXPECT_NE(first.peer, 0u);
  EXPECT_NE(first.local, kOurTag.value);
  go_established();
  EXPECT_NE(association().tie_tags(), first);
  go_cookie_echoed();
  EXPECT_FALSE(association().tie_tags().none());
  go(State::cookie_wait);
  EXPECT_TRUE(association().tie_tags().none());
  // An INIT brings no cookie there, but one from before must be recognised (§5.2.4 A).
  go_established();
  const TieTags before = association().tie_tags();
  inject_shutdown(kOurTsn - 1);
  static_cast<void>(flush());
  ASSERT_EQ(association().state(), State::shutdown_ack_sent);
  EXPECT_EQ(association().tie_tags(), before);
}

TEST_F(AssociationSetup, ASecondInitAckLeavesCookieAndTimerAlone) {
  go_cookie_echoed();
  const Timestamp due = association().next_deadline();
  now_ += 100ms;
  inject_init_ack_with([](wire::ChunkWriter& chunk) { std::memset(wire::append_state_cookie(chunk, 6), 'x', 6); });
  expect_silence();
  EXPECT_EQ(association().next_deadline(), due);
  expire();
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  const auto echo = wire::CookieEchoChunk::parse(packets[0].chunks.at(0));
  ASSERT_TRUE(echo);
  EXPECT_EQ(std::memcmp(echo->cookie.data(), "cookie", 6), 0);
  inject_cookie_ack();
  EXPECT_EQ(association().state(), State::established);
}

TEST_F(AssociationSetup, NothingThatIsOutOfPlaceWhileOpeningTouchesTheTimer) {
  const Write strays[] = {
      [](wire::PacketWriter& packet) { wire::append_shutdown(packet, kOurTsn - 1); },
      [](wire::PacketWriter& packet) { wire::append_shutdown_complete(packet, false); },
      [](wire::PacketWriter& packet) { wire::append_shutdown_complete(packet, true); },
      [](wire::PacketWriter& packet) { wire::append_sack(packet, kOurTsn - 1, 100000, {}, {}); },
      [](wire::PacketWriter& packet) { write_data(packet, kPeerTsn, "early"); },
      [](wire::PacketWriter& packet) {  // the fixed fields are not all there
        std::memset(packet.append_chunk(ChunkType::init_ack, 0, 4), 1, 4);
      },
  };
  for (const State state : {State::cookie_wait, State::cookie_echoed}) {
    for (const Write& stray : strays) {
      go(state);
      const Timestamp due = association().next_deadline();
      now_ += 100ms;
      inject(stray);
      expect_silence();
      ASSERT_EQ(association().state(), state);
      EXPECT_EQ(association().next_deadline(), due);
      expire();
      EXPECT_EQ(flush().at(0).types(), Types{state == State::cookie_wait ? ChunkType::init : ChunkType::cookie_echo});
      if (state == State::cookie_wait) {
        inject_init_ack();
        EXPECT_EQ(flush().at(0).types(), Types{ChunkType::cookie_echo});
      }
      inject_cookie_ack();
      EXPECT_EQ(association().state(), State::established);
    }
  }
}

TEST_F(AssociationSetup, ShutdownAckUnderOurTagIsOutOfTheBlueToo) {
  for (const State state : {State::cookie_wait, State::cookie_echoed}) {
    go(state);
    const Timestamp due = association().next_deadline();
    now_ += 100ms;
    inject([](wire::PacketWriter& packet) { wire::append_shutdown_ack(packet); });
    const auto packets = flush();
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].types(), Types{ChunkType::shutdown_complete});
    EXPECT_EQ(packets[0].header.tag, kOurTag);
    EXPECT_TRUE(wire::ShutdownCompleteChunk::parse(packets[0].chunks[0])->tag_reflected);
    EXPECT_EQ(association().state(), state);
    EXPECT_EQ(association().next_deadline(), due);
  }
}

TEST_F(AssociationSetup, AbortForAMissingCookieNamesItAndCountsNoPadding) {
  connect();
  inject_init_ack_with([](wire::ChunkWriter&) {});
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::abort});
  EXPECT_EQ(packets[0].chunks[0].flags, 0);
  // One type of two bytes: the last padding is not in the chunk's length, but in the packet (§3.2).
  EXPECT_EQ(packets[0].chunks[0].bytes.size(), 14u);
  EXPECT_EQ(packets[0].buffer.size(), 12u + 16u);
  wire::CauseWalker causes = wire::AbortChunk::parse(packets[0].chunks[0])->causes();
  const auto missing = wire::MissingParameters::parse(*causes.next());
  ASSERT_TRUE(missing);
  ASSERT_EQ(missing->count(), 1u);
  EXPECT_EQ(missing->type(0), wire::ParameterType::state_cookie);
  EXPECT_FALSE(causes.next());
}

TEST_F(AssociationSetup, UnrecognizedParameterInFrontOfTheCookieIsQuotedWithItsValue) {
  connect();
  inject_init_ack_with([](wire::ChunkWriter& chunk) {
    std::memset(chunk.append(static_cast<wire::ParameterType>(0xc00c), 1), 7, 1);
    write_cookie(chunk);
  });
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), (Types{ChunkType::cookie_echo, ChunkType::error}));
  wire::CauseWalker causes = wire::ErrorChunk::parse(packets[0].chunks[1])->causes();
  auto reported = wire::read_unrecognized_parameters(*causes.next());
  ASSERT_TRUE(reported);
  const auto quoted = reported->next();
  ASSERT_TRUE(quoted);
  EXPECT_EQ(static_cast<std::uint16_t>(quoted->type), 0xc00c);
  EXPECT_THAT(quoted->value(), ElementsAre(std::byte{7}));
  EXPECT_FALSE(reported->next());
  inject_cookie_ack();
  EXPECT_EQ(association().state(), State::established);
}

TEST_F(AssociationSetup, AnErrorBesideTheCookieHindersNothing) {
  base::Buffer packet = this->packet(kOurTag, [](wire::PacketWriter& writer) {
    wire::append_cookie_echo(writer, std::as_bytes(std::span("cookie", 6)));
    wire::ChunkWriter error = wire::append_error(writer);
    const std::byte forward_tsn_supported[] = {std::byte{0xc0}, std::byte{0}, std::byte{0}, std::byte{4}};
    wire::ParameterWalker walker(forward_tsn_supported);
    const wire::Parameter parameter = *walker.next();
    wire::append_unrecognized_parameters(error, {&parameter, 1});
  });
  side_.open().accept(now_, agreed(),
                      {.arrival = {.source = kThere, .destination = kHere, .time = now_}, .buffer = std::move(packet)});
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::cookie_ack});
  ASSERT_EQ(host().events.size(), 2u);
  EXPECT_EQ(host().events[0].event.type, EventType::association_up);
  EXPECT_EQ(host().events[1].event.type, EventType::remote_error);
  EXPECT_EQ(association().state(), State::established);
}

TEST_F(AssociationSetup, EachInitIsTheSame) {
  side_.open().connect(now_, ours());
  const auto first = flush();
  expire();
  const auto again = flush();
  ASSERT_EQ(first.size(), 1u);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_TRUE(std::ranges::equal(again[0].chunks.at(0).bytes, first[0].chunks.at(0).bytes));
}

TEST_F(AssociationSetup, CookieAckMayComeFromAnotherAddressOfThePeer) {
  connect();
  inject_init_ack_with([](wire::ChunkWriter& chunk) {
    wire::append_address(chunk, kThere2);
    write_cookie(chunk);
  });
  flush();
  inject(
      kOurTag, [](wire::PacketWriter& packet) { wire::append_cookie_ack(packet); }, kThere2);
  EXPECT_EQ(association().state(), State::established);
  for (const SentPacket& packet : flush()) EXPECT_EQ(packet.find(ChunkType::cookie_echo), nullptr);
}

TEST_F(AssociationSetup, DataBehindTheCookieAckIsTaken) {
  go_cookie_echoed();
  inject([](wire::PacketWriter& packet) {
    wire::append_cookie_ack(packet);
    write_data(packet, kPeerTsn, "at once");
  });
  EXPECT_EQ(last_event().data, "at once");
  EXPECT_EQ(host().seen(EventType::association_up).size(), 1u);
}

TEST_F(AssociationSetup, SnapshotCountsTheExpiriesOfEachTimer) {  // RFC 3873: sctpAssocT1expireds and its neighbours
  connect();
  expire();
  flush();
  inject_init_ack();
  flush();
  expire();
  flush();
  inject_cookie_ack();
  send("one");
  send("two");
  flush();
  expire();
  flush();
  Snapshot snapshot;
  association().snapshot(snapshot);
  EXPECT_EQ(snapshot.t1_expired, 2u);
  EXPECT_EQ(snapshot.t2_expired, 0u);
  EXPECT_EQ(snapshot.data_chunks_timed_out, 2u);
  inject_sack(kOurTsn + 1);
  association().shutdown(now_);
  flush();
  expire();
  association().snapshot(snapshot);
  EXPECT_EQ(snapshot.t2_expired, 1u);
  EXPECT_EQ(snapshot.data_chunks_timed_out, 2u);
}

}  // namespace
}  // namespace sluice::assoc
