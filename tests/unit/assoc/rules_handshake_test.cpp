// Rules of RFC 9260 about the handshake that no other test watches; see tests/RFC9260.md.
#include <gmock/gmock.h>

#include <set>

#include "stack/assoc/congestion/congestion_controller.hpp"
#include "tests/unit/assoc/scripted_peer.hpp"

namespace sluice::assoc {
namespace {

using ::testing::ElementsAre;
using wire::ParameterType;

class RulesHandshake : public ScriptedPeer {
 protected:
  void inject_init_ack_with(const wire::InitHeader& header, const std::function<void(wire::ChunkWriter&)>& parameters,
                            const IpAddress& source = kThere) {
    inject(
        kOurTag,
        [&](wire::PacketWriter& packet) {
          wire::ChunkWriter chunk = wire::append_init_ack(packet, header);
          parameters(chunk);
        },
        source);
  }
  Handshake to_two_addresses() const {
    Handshake two = ours();
    EXPECT_TRUE(two.peer_addresses.push_back(kThere2));
    return two;
  }
  /// No type twice, but for addresses, of which none comes twice.
  static void expect_each_once(const SentPacket& packet) {
    std::set<ParameterType> types;
    std::vector<IpAddress> addresses;
    wire::ParameterWalker walker = wire::InitChunk::parse(packet.chunks.at(0))->parameters();
    while (const auto parameter = walker.next()) {
      EXPECT_NE(parameter->type, ParameterType::host_name_address);
      if (const auto address = wire::read_address(*parameter)) {
        EXPECT_EQ(std::count(addresses.begin(), addresses.end(), *address), 0);
        addresses.push_back(*address);
      } else {
        EXPECT_TRUE(types.insert(parameter->type).second) << static_cast<int>(parameter->type);
      }
    }
    EXPECT_FALSE(walker.malformed());
    EXPECT_FALSE(types.empty());
    EXPECT_EQ(addresses.size(), 2u);
  }
};

TEST_F(RulesHandshake, InitHasEachParameterOnceAndNoHostName) {  // §3.3.2
  Handshake two = ours();
  ASSERT_TRUE(two.local_addresses.push_back(kElsewhere));
  side_.open().connect(now_, two);
  expect_each_once(flush().at(0));
  inject_init_ack();
  flush();
  inject([](wire::PacketWriter& packet) {
    wire::ChunkWriter error = wire::append_error(packet);
    wire::append_stale_cookie(error, 0us);
  });
  expect_each_once(flush().at(0));  // with Cookie Preservative
}

TEST_F(RulesHandshake, ReservedFlagsOfAnInitAckAreIgnored) {  // §3.3.3
  connect();
  base::Buffer whole = packet(kOurTag, [this](wire::PacketWriter& writer) {
    wire::ChunkWriter chunk = wire::append_init_ack(writer, init_header());
    write_cookie(chunk);
  });
  whole.data()[wire::kCommonHeaderSize + 1] = std::byte{0xff};
  inject_bytes(whole.bytes());
  EXPECT_EQ(association().state(), State::cookie_echoed);
}

TEST_F(RulesHandshake, BadInitAcksLaterAreDropped) {  // §3.3.3
  for (const State state : {State::cookie_echoed, State::established, State::shutdown_sent}) {
    for (int field = 0; field < 3; ++field) {
      go(state);
      wire::InitHeader header = init_header();
      if (field == 0) header.init_tag = VTag(0);
      if (field == 1) header.outbound_streams = 0;
      if (field == 2) header.inbound_streams = 0;
      inject_init_ack_with(header, write_cookie);
      expect_silence();
      EXPECT_EQ(association().state(), state);
    }
  }
}

TEST_F(RulesHandshake, AbortForATinyWindowBearsTheInitiateTag) {  // §3.3.3
  connect();
  wire::InitHeader header = init_header();
  header.window = 1499;
  inject_init_ack_with(header, write_cookie);
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].header.tag, kPeerTag);
  EXPECT_FALSE(wire::AbortChunk::parse(packets[0].chunks.at(0))->tag_reflected());
}

TEST_F(RulesHandshake, LargeInitAckIsTaken) {  // §3.3.3
  connect();
  inject_init_ack_with(init_header(), [](wire::ChunkWriter& chunk) {
    for (std::uint32_t i = 0; i < 300; ++i) wire::append_address(chunk, IpAddress::v4(0xc6120300 + i));
    std::memset(wire::append_state_cookie(chunk, 400), 'c', 400);
  });
  EXPECT_EQ(association().state(), State::cookie_echoed);
  EXPECT_EQ(wire::CookieEchoChunk::parse(flush().at(0).chunks.at(0))->cookie.size(), 400u);
  EXPECT_EQ(association().paths().size(), kMaxAddresses);
}

TEST_F(RulesHandshake, WithoutAddressesTheSourceOfTheInitAckIsTheOnlyDestination) {  // §3.3.3, §5.1.2 A
  side_.open().connect(now_, to_two_addresses());
  flush();
  inject_init_ack_with(init_header(), write_cookie, kThere2);
  ASSERT_EQ(association().paths().size(), 1u);
  EXPECT_EQ(association().paths()[0].route.destination, kThere2);
}

TEST_F(RulesHandshake, EachAddressHasItsOwnInitTimeout) {  // §5.1
  side_.open().connect(now_, to_two_addresses());
  for (const Duration timeout : {1s, 1s, 2s, 2s, 4s}) {
    EXPECT_EQ(flush().at(0).types(), Types{ChunkType::init});
    EXPECT_EQ(association().next_deadline(), now_ + timeout);
    expire();
  }
}

TEST_F(RulesHandshake, CookieEchoGoesRoundAllAddresses) {  // §5.1
  side_.open().connect(now_, to_two_addresses());
  flush();
  inject_init_ack_with(init_header(), [](wire::ChunkWriter& chunk) {
    wire::append_address(chunk, kThere2);
    write_cookie(chunk);
  });
  for (const IpAddress& to : {kThere, kThere2, kThere}) {
    const auto packets = flush();
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].types(), Types{ChunkType::cookie_echo});
    EXPECT_EQ(packets[0].departure.destination, to);
    expire();
  }
}

class RulesCookie : public ScriptedPeer {
 protected:
  void receive_cookie(CookieAction action, const Handshake& agreed) {
    base::Buffer packet = this->packet(agreed.local_tag, [&](wire::PacketWriter& writer) {
      wire::append_cookie_echo(writer, std::as_bytes(std::span("cookie", 6)));
    });
    association().receive_cookie(
        now_, action, agreed,
        {.arrival = {.source = kThere, .destination = kHere, .time = now_}, .buffer = std::move(packet)});
  }
  const CongestionController& congestion() { return *association().paths()[0].congestion; }
};

TEST_F(RulesCookie, RestartBeginsCongestionControlAnew) {  // §5.2.4 A
  go_established();
  const std::uint32_t cwnd = congestion().cwnd();
  const std::uint32_t ssthresh = congestion().ssthresh();
  send(std::string(1000, 'x'));
  flush();
  expire();
  ASSERT_NE(congestion().cwnd(), cwnd);
  ASSERT_NE(congestion().ssthresh(), ssthresh);
  Handshake anew = agreed();
  anew.local_tag = VTag(0x55555555);
  anew.peer_tag = VTag(0x66666666);
  receive_cookie(CookieAction::restart, anew);
  EXPECT_EQ(congestion().cwnd(), cwnd);
  EXPECT_EQ(congestion().ssthresh(), ssthresh);
  EXPECT_EQ(association().paths()[0].rto.value(), side_.parameters.rto_initial);
}

TEST_F(RulesCookie, DuplicateStopsTheCookieTimer) {  // §5.2.4 D
  go_cookie_echoed();
  ASSERT_NE(association().next_deadline(), kNever);
  receive_cookie(CookieAction::duplicate, agreed());
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::cookie_ack});
  EXPECT_EQ(association().state(), State::established);
  EXPECT_EQ(association().next_deadline(), kNever);
}

class RulesStates : public ScriptedPeer {};

TEST_F(RulesStates, NoDataLeavesWhereNoneMay) {  // §5, §6
  for (const State state : {State::cookie_wait, State::cookie_echoed, State::shutdown_sent, State::shutdown_ack_sent}) {
    SCOPED_TRACE(name(state));
    go(state);
    flush();
    const bool opening = state == State::cookie_wait || state == State::cookie_echoed;
    EXPECT_EQ(send("not now"), opening ? SendStatus::queued : SendStatus::not_connected);
    expect_silence();
    if (state == State::cookie_echoed) continue;  // COOKIE ECHO, sent again, takes it along
    expire();
    for (const SentPacket& packet : flush()) EXPECT_EQ(packet.find(ChunkType::data), nullptr);
  }
}

TEST_F(RulesHandshake, AParameterThatStopsTheChunkDoesNotHideTheCookie) {  // §3.2.1: in all four cases COOKIE ECHO
  for (const std::uint16_t type : {0x0123, 0x4123}) {
    connect();
    inject([&](wire::PacketWriter& packet) {
      wire::ChunkWriter chunk = wire::append_init_ack(packet, init_header());
      chunk.append(static_cast<wire::ParameterType>(type), 0);
      wire::append_address(chunk, kThere2);
      write_cookie(chunk);
    });
    const auto packets = flush();
    ASSERT_EQ(packets.size(), 1u);
    const bool reported = type == 0x4123;
    EXPECT_EQ(packets[0].types(),
              reported ? (Types{ChunkType::cookie_echo, ChunkType::error}) : Types{ChunkType::cookie_echo});
    EXPECT_EQ(association().paths().size(), 1u) << "nothing else behind it counts";
  }
}

TEST_F(RulesHandshake, AbortForAHostNameGoesWhereTheInitAckCameFrom) {  // §5.1.2 B
  connect();
  inject(
      kOurTag,
      [&](wire::PacketWriter& packet) {
        wire::ChunkWriter chunk = wire::append_init_ack(packet, init_header());
        wire::append_address(chunk, kThere);
        chunk.append(wire::ParameterType::host_name_address, std::as_bytes(std::span("host", 5)));
        write_cookie(chunk);
      },
      kThere2);
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].departure.destination, kThere2);
  EXPECT_EQ(causes(packets[0]), std::vector{CauseCode::unresolvable_address});
}

}  // namespace
}  // namespace sluice::assoc
