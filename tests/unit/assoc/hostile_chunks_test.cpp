// Chunks under the right tag that are broken, too many, or of extensions that nobody agreed on.
#include "tests/unit/assoc/hostile_peer.hpp"
#include "tests/unit/wire/octets.hpp"

namespace sluice::assoc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class HostileChunks : public HostilePeer {};

struct Broken {
  const char* what;
  const char* chunks;  ///< hexadecimal
  const char* counter;
};

// TSNs: 0x03e8 is the first of ours, 0x1388 the first of the peer's.
constexpr Broken kBroken[] = {
    {"a length of 0", "00030000 00001388", "malformed_packets"},
    {"a length of 3", "00030003 00001388", "malformed_packets"},
    {"a length past the end by one", "00030012 00001388 00000000 00000000 78", "malformed_packets"},
    {"a length past the end by far", "0003ffff 00001388 00000000 00000000 78", "malformed_packets"},
    {"half a chunk header", "0003", "malformed_packets"},
    {"a stray byte behind a chunk", "03000010 000003e7 00010000 00000000 00", "malformed_packets"},
    {"a chunk that swallows the next", "3e000018 00030011 00001388 00000000 00000000 78000000", "unrecognized_chunks"},
    {"DATA as short as its first field", "00030008 00001388", "malformed_chunks"},
    {"DATA one byte too short for its header", "0003000f 00001388 00000000 000000 00", "malformed_chunks"},
    {"SACK without a header", "03000004", "malformed_chunks"},
    {"SACK without its counts", "0300000c 000003e7 00010000", "malformed_chunks"},
    {"SACK with a gap too many", "03000010 000003e7 00010000 00010000", "malformed_chunks"},
    {"SACK with a duplicate too many", "03000010 000003e7 00010000 00000001", "malformed_chunks"},
    {"SACK whose counts overflow 16 bits", "03000010 000003e7 00010000 ffffffff", "malformed_chunks"},
    {"SACK whose counts add up to 0 in 16 bits", "03000010 000003e7 00010000 80008000", "malformed_chunks"},
    {"HEARTBEAT without a parameter", "04000004", "malformed_chunks"},
    {"HEARTBEAT with another parameter", "0400000c 00070008 00000000", "malformed_chunks"},
    {"HEARTBEAT whose info is partly outside", "0400000c 00010009 00000000", "malformed_chunks"},
    {"HEARTBEAT whose info is shorter than its header", "0400000c 00010003 00000000", "malformed_chunks"},
    {"HEARTBEAT whose info has no length", "0400000c 00010000 00000000", "malformed_chunks"},
    {"HEARTBEAT ACK without a parameter", "05000004", "malformed_chunks"},
    {"HEARTBEAT ACK whose info is partly outside", "0500000c 00010010 00000000", "malformed_chunks"},
    {"HEARTBEAT ACK of something else", "0500000c 00010008 00000000", "unexpected_chunks"},
    {"ABORT whose cause is partly outside", "0600000c 000c0009 00000000", "malformed_chunks"},
    {"ABORT whose cause has no length", "06000008 000c0000", "malformed_chunks"},
    {"ABORT with half a cause", "06000006 000c0000", "malformed_chunks"},
    {"SHUTDOWN without a TSN", "07000004", "malformed_chunks"},
    {"SHUTDOWN that is too long", "0700000c 000003e7 00000000", "malformed_chunks"},
    {"SHUTDOWN ACK that is too long", "08000008 00000000", "malformed_chunks"},
    {"ERROR without a cause", "09000004", "malformed_chunks"},
    {"ERROR whose cause is partly outside", "0900000c 00010009 00000000", "malformed_chunks"},
    {"ERROR whose cause has no length", "09000008 00010000", "malformed_chunks"},
    {"ERROR with a second cause partly outside", "09000010 00040004 00010009 00000000", "malformed_chunks"},
    {"ERROR of a stale cookie, late", "0900000c 00030008 00000000", "unexpected_chunks"},
    {"INIT behind the common header", "01000014 22222222 00010000 00050004 00001388", "unexpected_chunks"},
    {"INIT ACK when it is up", "02000014 22222222 00010000 00050004 00001388", "unexpected_chunks"},
    {"INIT ACK without fields", "02000004", "unexpected_chunks"},
    {"COOKIE ECHO that nobody opened", "0a000008 00000000", "unexpected_chunks"},
    {"COOKIE ACK when it is up", "0b000004", "unexpected_chunks"},
    {"COOKIE ACK that is too long", "0b000008 00000000", "unexpected_chunks"},
    {"SHUTDOWN COMPLETE when it is up", "0e000004", "unexpected_chunks"},
    {"SHUTDOWN COMPLETE that is too long", "0e000008 00000000", "unexpected_chunks"},
    {"ECNE", "0c000008 00000000", "unrecognized_chunks"},
    {"CWR", "0d000008 00000000", "unrecognized_chunks"},
};

TEST_F(HostileChunks, BrokenOnesAreDroppedInSilenceAndCountedOnce) {
  for (const Broken& broken : kBroken) {
    SCOPED_TRACE(broken.what);
    begin(State::established);
    inject_chunks(wire::test::hex(broken.chunks));
    expect_silence();
    EXPECT_THAT(reasons(), ElementsAre(Pair(broken.counter, 1u)));
    EXPECT_THAT(host().events, IsEmpty());
    expect_nothing_held();
    expect_works();
  }
}

TEST_F(HostileChunks, WhatStandsInFrontOfABrokenOneCounts) {
  begin(State::established);
  inject_chunks(wire::test::hex("00030011 00001388 00000000 00000000 78000000 00030000"));
  EXPECT_EQ(host().seen(EventType::message).size(), 1u);
  EXPECT_THAT(reasons(), ElementsAre(Pair("malformed_packets", 1u)));
  flush();
  expect_works(kPeerTsn + 1);
}

TEST_F(HostileChunks, PacketsOfNothingToFifteenBytesAreDroppedInEveryState) {
  for (const State state : kOpenStates) {
    const base::Buffer whole = packet(kOurTag, [](wire::PacketWriter& packet) { wire::append_abort(packet, false); });
    for (std::uint32_t length = 0; length < whole.size(); ++length) {
      SCOPED_TRACE(testing::Message() << name(state) << ", " << length << " bytes");
      begin(state);
      inject_bytes(whole.bytes().first(length));
      expect_silence();
      EXPECT_THAT(reasons(), ElementsAre(Pair("malformed_packets", 1u)));
      expect_goes_on(state);
    }
  }
}

struct Extension {
  const char* what;
  ChunkType type;
  std::size_t body;
  bool stop;
  bool report;
};

constexpr Extension kExtensions[] = {
    {"AUTH (RFC 4895)", ChunkType::auth, 24, true, false},
    {"NR-SACK", ChunkType::nr_sack, 16, true, false},
    {"I-DATA (RFC 8260)", ChunkType::i_data, 20, true, true},
    {"ASCONF ACK (RFC 5061)", ChunkType::asconf_ack, 4, false, false},
    {"RE-CONFIG (RFC 6525)", ChunkType::re_config, 16, false, false},
    {"PAD (RFC 4820)", ChunkType::pad, 32, false, false},
    {"FORWARD TSN (RFC 3758)", ChunkType::forward_tsn, 8, false, true},
    {"ASCONF (RFC 5061)", ChunkType::asconf, 20, false, true},
    {"I-FORWARD TSN (RFC 8260)", ChunkType::i_forward_tsn, 12, false, true},
};

TEST_F(HostileChunks, ExtensionsThatNobodyAgreedOnAreNotRecognized) {
  for (const Extension& extension : kExtensions) {
    SCOPED_TRACE(extension.what);
    begin(State::established);
    inject([&](wire::PacketWriter& packet) {
      std::byte* const at = packet.append_chunk(extension.type, wire::kDataBegin | wire::kDataEnd,
                                                static_cast<std::uint32_t>(extension.body));
      std::memset(at, 0, extension.body);
      base::store_be(at, (kPeerTsn + 5).value());  // a TSN, where it has one
      write_data(packet, kPeerTsn, "behind");
    });
    EXPECT_THAT(reasons(), ElementsAre(Pair("unrecognized_chunks", 1u)));
    EXPECT_EQ(host().seen(EventType::message).size(), extension.stop ? 0u : 1u);
    const auto packets = flush();
    Types answer;
    if (extension.report) answer.push_back(ChunkType::error);
    if (!extension.stop) answer.push_back(ChunkType::sack);
    EXPECT_EQ(packets.empty() ? Types{} : packets.at(0).types(), answer);
    expect_works(extension.stop ? kPeerTsn : kPeerTsn + 1);
    expect_nothing_held();
  }
}

TEST_F(HostileChunks, ExtensionsChangeNothingInAnyState) {
  for (const State state : kOpenStates) {
    for (const Extension& extension : kExtensions) {
      SCOPED_TRACE(testing::Message() << extension.what << " in " << name(state));
      begin(state);
      inject([&](wire::PacketWriter& packet) { write_chunk(packet, extension.type, extension.body); });
      flush();
      EXPECT_EQ(reasons()["unrecognized_chunks"], 1u);
      EXPECT_THAT(host().events, IsEmpty());
      expect_goes_on(state);
    }
  }
}

struct Crowd {
  const char* what;
  const char* chunk;    ///< hexadecimal
  const char* counter;  ///< counts each of them; null: nothing is wrong with them
};

constexpr Crowd kCrowds[] = {
    {"unrecognised ones to report", "fe000004", "unrecognized_chunks"},
    {"unrecognised ones to pass over", "be000004", "unrecognized_chunks"},
    {"DATA without a header", "00030004", "malformed_chunks"},
    {"SACKs without a header", "03000004", "malformed_chunks"},
    {"SACKs", "03000010 000003e7 00010000 00000000", nullptr},
    {"HEARTBEATs", "04000008 00010004", nullptr},
    {"HEARTBEAT ACKs", "05000008 00010004", "unexpected_chunks"},
    {"COOKIE ACKs", "0b000004", "unexpected_chunks"},
    {"SHUTDOWN ACKs", "08000004", "unexpected_chunks"},
    {"ERRORs", "09000008 00040004", nullptr},
    {"stale cookie ERRORs", "0900000c 00030008 00000000", "unexpected_chunks"},
};

TEST_F(HostileChunks, ThousandsInOnePacketAreEachLookedAtAndAnsweredWithNoMoreThanTheySay) {
  for (const Crowd& crowd : kCrowds) {
    SCOPED_TRACE(crowd.what);
    begin(State::established);
    const auto chunk = wire::test::hex(crowd.chunk);
    std::uint32_t count = 0;
    base::Buffer packet = filled(
        [&](wire::PacketWriter& writer) {
          std::byte* const at = writer.append(static_cast<std::uint32_t>(chunk.span().size()));
          if (at != nullptr) std::copy(chunk.span().begin(), chunk.span().end(), at);
        },
        &count);
    const std::size_t provoked_by = packet.size();
    ASSERT_GE(count, 4000u);
    inject(std::move(packet));
    if (crowd.counter != nullptr) {
      EXPECT_EQ(reasons()[crowd.counter], count);
    }
    const auto packets = flush();
    std::size_t answered = 0;
    std::size_t errors = 0;
    for (const SentPacket& sent : packets)
      for (const wire::Chunk& each : sent.chunks) {
        answered += wire::padded(each.bytes.size());
        errors += each.type == ChunkType::error ? 1 : 0;
      }
    EXPECT_LE(answered, provoked_by);
    EXPECT_LE(errors, 8u);
    host().events.clear();
    expect_nothing_held();
    expect_works();
  }
}

TEST_F(HostileChunks, SixteenThousandInOnePacketAreSurvivedInEveryState) {
  for (const State state : kOpenStates) {
    SCOPED_TRACE(name(state));
    begin(state);
    std::uint32_t count = 0;
    base::Buffer packet =
        filled([](wire::PacketWriter& writer) { write_chunk(writer, static_cast<ChunkType>(0xfe), 0); }, &count);
    ASSERT_GT(count, 16000u);
    inject(std::move(packet));
    EXPECT_EQ(reasons()["unrecognized_chunks"], count);
    EXPECT_LE(bytes_of(flush()), 200u);
    expect_goes_on(state);
    expect_nothing_held();
  }
}

TEST_F(HostileChunks, AnInitAckOfThousandsOfParametersIsReportedWithinThePath) {
  connect();
  mark();
  std::uint32_t count = 0;
  inject(filled([&](wire::PacketWriter& packet) {
    if (count++ > 0) return;
    wire::ChunkWriter chunk = wire::append_init_ack(packet, init_header());
    write_cookie(chunk);
    while (chunk.append(static_cast<wire::ParameterType>(0xfff0), 0) != nullptr) {
    }
  }));
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), (Types{ChunkType::cookie_echo, ChunkType::error}));
  EXPECT_LE(packets[0].buffer.size(), 80u);
  inject([](wire::PacketWriter& packet) { wire::append_cookie_ack(packet); });
  EXPECT_EQ(inbound_.out(), 0u);
  expect_works();
}

TEST_F(HostileChunks, AnInitAckThatListsOurOwnAddressDoesNotMakeUsTalkToOurselves) {
  const IpAddress other_of_ours = IpAddress::v4(0xc6120063);  // not of this association
  const IpAddress stack_addresses[] = {kHere, other_of_ours};
  side_.services.stack_addresses = stack_addresses;
  connect();
  inject([&](wire::PacketWriter& packet) {
    wire::ChunkWriter chunk = wire::append_init_ack(packet, init_header());
    write_cookie(chunk);
    wire::append_address(chunk, kHere);
    wire::append_address(chunk, other_of_ours);
    wire::append_address(chunk, kThere2);
  });
  flush();
  ASSERT_EQ(association().paths().size(), 2u);
  EXPECT_FALSE(association().has_peer_address(kHere));
  EXPECT_FALSE(association().has_peer_address(other_of_ours));
  EXPECT_TRUE(association().has_peer_address(kThere2));
  EXPECT_EQ(counters().addresses_ignored, 2u);
  side_.services.stack_addresses = {};
}

TEST_F(HostileChunks, AnInitAckOfThousandsOfAddressesTakesEight) {
  connect();
  inject(filled([&, begun = false](wire::PacketWriter& packet) mutable {
    if (std::exchange(begun, true)) return;
    wire::ChunkWriter chunk = wire::append_init_ack(packet, init_header());
    write_cookie(chunk);
    for (std::uint32_t i = 0; wire::append_address(chunk, IpAddress::v4(0xc6130000 + i)); ++i) {
    }
  }));
  association().flush(now_);
  sent();
  EXPECT_EQ(association().paths().size(), kMaxAddresses);
  EXPECT_EQ(counters().addresses_left_out, 1u);
  inject([](wire::PacketWriter& packet) { wire::append_cookie_ack(packet); });
  // Probes of addresses that are perhaps somebody else's: one in an RTO (§5.4).
  std::size_t probes = 0;
  for (const SentPacket& packet : flush()) probes += packet.find(ChunkType::heartbeat) != nullptr ? 1 : 0;
  EXPECT_EQ(probes, 1u);
  expect_works();
}

TEST_F(HostileChunks, HeartbeatAcksOfEveryLengthAndForEveryPathAreNotBelieved) {
  side_.parameters.heartbeat_interval = 30s;
  begin(State::established);
  expire();
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  const auto info = wire::HeartbeatChunk::parse(packets[0].chunks.at(0))->info();
  std::vector<std::byte> good(info.begin(), info.end());
  const auto answer = [&](std::span<const std::byte> with) {
    mark();
    inject([&](wire::PacketWriter& packet) { wire::append_heartbeat_ack(packet, with); });
    EXPECT_THAT(reasons(), ElementsAre(Pair("unexpected_chunks", 1u)));
    expect_silence();
  };
  for (std::size_t length = 0; length < 1400; ++length) {
    std::vector<std::byte> other(good);
    other.resize(length);
    if (length != good.size()) answer(other);
  }
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::vector<std::byte> other(good);
    other[bit / 8] ^= std::byte{1} << bit % 8;
    answer(other);
  }
  EXPECT_FALSE(association().paths()[0].rto.measured());
  inject([&](wire::PacketWriter& packet) { wire::append_heartbeat_ack(packet, good); });
  EXPECT_TRUE(association().paths()[0].rto.measured());
  answer(good);  // a second time
  expect_works();
}

TEST_F(HostileChunks, EchoesLargerThanAnyPacketAreNotMade) {
  begin(State::established);
  for (const std::uint32_t size : {1500u, 9000u, 65000u}) {
    SCOPED_TRACE(size);
    mark();
    inject(filled([&, begun = false](wire::PacketWriter& packet) mutable {
      if (!std::exchange(begun, true)) wire::append_heartbeat(packet, std::vector<std::byte>(size));
    }));
    expect_silence();
    EXPECT_THAT(reasons(), ElementsAre(Pair("replies_dropped", 1u)));
  }
  mark();
  inject(filled([&, begun = false](wire::PacketWriter& packet) mutable {
    if (!std::exchange(begun, true)) write_chunk(packet, static_cast<ChunkType>(0xfe), 65000);
  }));
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_LE(packets[0].buffer.size(), association().paths()[0].max_packet_size());
  EXPECT_THAT(reasons(), ElementsAre(Pair("unrecognized_chunks", 1u)));
  expect_nothing_held();
  expect_works();
}

}  // namespace
}  // namespace sluice::assoc
