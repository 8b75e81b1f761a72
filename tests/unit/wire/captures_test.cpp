// What other implementations send, read by our views and compared with what tshark reads (tests/data/pcaps/expect).
#include <gtest/gtest.h>

#include <fstream>

#include "stack/wire/chunk_abort.hpp"
#include "stack/wire/chunk_cookie.hpp"
#include "stack/wire/chunk_data.hpp"
#include "stack/wire/chunk_error.hpp"
#include "stack/wire/chunk_heartbeat.hpp"
#include "stack/wire/chunk_init.hpp"
#include "stack/wire/chunk_sack.hpp"
#include "stack/wire/chunk_shutdown.hpp"
#include "stack/wire/crc32c.hpp"
#include "tests/unit/wire/pcap_reader.hpp"
#include "tests/unit/wire/read_packet.hpp"
#include "tests/unit/wire/test_data.hpp"

namespace sluice::wire::test {
namespace {

constexpr const char* kCaptures[] = {
    "i04-usrsctp-multihomed-client_to_linux-multihomed-server-head",
    "k01-basic-default",
    "k02-init-all-features",
    "k04-multihome-failover",
    "k06-reconf",
    "k07-idata",
    "k14-abort-linger0",
    "k15-ipv6",
    "k18-multihome-heartbeat",
    "k19-closed-port-abort",
    "k21-stale-cookie",
    "k22-peer-restart",
};

/// The fields of one line, in the order of tests/data/pcaps/expect.
enum Field : std::size_t {
  kSourcePort,
  kDestinationPort,
  kTag,
  kChecksum,
  kChecksumGood,
  kChunkType,
  kChunkFlags,
  kChunkLength,
  kDataTsn,
  kDataStream,
  kDataSsn,
  kDataPpid,
  kInitTag,
  kInitWindow,
  kInitOutbound,
  kInitInbound,
  kInitTsn,
  kInitAckTag,
  kInitAckWindow,
  kInitAckOutbound,
  kInitAckInbound,
  kInitAckTsn,
  kSackTsn,
  kSackWindow,
  kSackGaps,
  kSackDuplicates,
  kSackGapStart,
  kSackGapEnd,
  kSackDuplicate,
  kParameterType,
  kParameterLength,
  kIpv4,
  kIpv6,
  kPreservative,
  kAddressType,
  kHeartbeatInfo,
  kStateCookie,
  kCookie,
  kShutdownTsn,
  kCauseCode,
  kCauseLength,
  kStaleness,
  kFields,
};

/// One packet in the words of tshark: per field its values, in the order in which they stand in the packet.
class Line {
 public:
  explicit Line(std::span<const std::byte> packet) {
    const auto header = CommonHeader::parse(packet);
    put(kSourcePort, header->source_port);
    put(kDestinationPort, header->destination_port);
    put_hex(kTag, header->tag.value, 8);
    put_hex(kChecksum, __builtin_bswap32(header->checksum), 8);
    put(kChecksumGood, crc32c_verify(packet) == base::Checksum::good ? 1 : 0);
    ChunkWalker chunks = chunks_of(packet);
    while (const auto next = chunks.next()) chunk(*next);
  }

  std::string text() const {
    std::string line = fields_[0];
    for (std::size_t i = 1; i < kFields; ++i) line += '|' + fields_[i];
    return line;
  }

 private:
  void put_text(Field field, const std::string& value) {
    if (!fields_[field].empty()) fields_[field] += ',';
    fields_[field] += value;
  }
  void put(Field field, std::uint64_t value) { put_text(field, std::to_string(value)); }
  void put_hex(Field field, std::uint32_t value, int digits) {
    char text[11];
    std::snprintf(text, sizeof text, "0x%0*x", digits, value);
    put_text(field, text);
  }

  void chunk(const Chunk& chunk) {
    put(kChunkType, static_cast<std::uint8_t>(chunk.type));
    put_hex(kChunkFlags, chunk.flags, 2);
    put(kChunkLength, chunk.bytes.size());
    if (const auto data = DataChunk::parse(chunk)) this->data(*data);
    if (const auto init = InitChunk::parse(chunk)) this->init(*init);
    if (const auto sack = SackChunk::parse(chunk)) this->sack(*sack);
    if (const auto heartbeat = HeartbeatChunk::parse(chunk)) {
      parameters(ParameterWalker(chunk.body()));
      put_text(kHeartbeatInfo, to_hex(heartbeat->info()));
    }
    if (const auto abort = AbortChunk::parse(chunk)) causes(abort->causes());
    if (const auto error = ErrorChunk::parse(chunk)) causes(error->causes());
    if (const auto echo = CookieEchoChunk::parse(chunk)) put_text(kCookie, to_hex(echo->cookie));
    if (const auto shutdown = ShutdownChunk::parse(chunk)) put(kShutdownTsn, shutdown->cumulative_tsn.value());
  }

  void data(const DataChunk& data) {
    put(kDataTsn, data.tsn().value());
    put_hex(kDataStream, data.stream().value, 4);
    put(kDataSsn, data.ssn().value());
    put(kDataPpid, data.ppid().value);
  }
  void init(const InitChunk& init) {
    put_hex(init.ack() ? kInitAckTag : kInitTag, init.init_tag().value, 8);
    put(init.ack() ? kInitAckWindow : kInitWindow, init.window());
    put(init.ack() ? kInitAckOutbound : kInitOutbound, init.outbound_streams());
    put(init.ack() ? kInitAckInbound : kInitInbound, init.inbound_streams());
    put(init.ack() ? kInitAckTsn : kInitTsn, init.initial_tsn().value());
    parameters(init.parameters());
  }
  void sack(const SackChunk& sack) {
    put(kSackTsn, sack.cumulative_tsn().value());
    put(kSackWindow, sack.window());
    put(kSackGaps, sack.gap_count());
    put(kSackDuplicates, sack.duplicate_count());
    for (std::uint32_t i = 0; i < sack.gap_count(); ++i) {
      put(kSackGapStart, sack.gap(i).start);
      put(kSackGapEnd, sack.gap(i).end);
    }
    for (std::uint32_t i = 0; i < sack.duplicate_count(); ++i) put(kSackDuplicate, sack.duplicate(i).value());
  }
  void parameters(ParameterWalker walker) {
    while (const auto next = walker.next()) {
      put_hex(kParameterType, static_cast<std::uint16_t>(next->type), 4);
      put(kParameterLength, next->bytes.size());
      if (const auto address = read_address(*next)) put_text(address->is_v4() ? kIpv4 : kIpv6, address->to_string());
      if (const auto increment = read_cookie_preservative(*next))
        put(kPreservative, static_cast<std::uint64_t>(increment->count()));
      if (next->type == ParameterType::supported_address_types) address_types(next->value());
      if (next->type == ParameterType::state_cookie) put_text(kStateCookie, to_hex(next->value()));
    }
  }
  /// In their order, which our reader does not keep.
  void address_types(std::span<const std::byte> value) {
    for (std::size_t i = 0; i + 2 <= value.size(); i += 2)
      put(kAddressType, base::load_be<std::uint16_t>(value.data() + i));
  }
  void causes(CauseWalker walker) {
    while (const auto next = walker.next()) {
      put_hex(kCauseCode, static_cast<std::uint16_t>(next->code), 4);
      put(kCauseLength, next->bytes.size());
      if (const auto staleness = read_stale_cookie(*next))
        put(kStaleness, static_cast<std::uint64_t>(staleness->count()));
    }
  }

  std::string fields_[kFields];
};

bool holds_only_rfc9260(std::span<const std::byte> packet) {
  ChunkWalker chunks = chunks_of(packet);
  while (const auto next = chunks.next())
    if (next->type > ChunkType::shutdown_complete) return false;
  return true;
}

std::vector<Octets> packets_of(const std::string& capture) {
  auto packets = read_sctp_packets(std::string(kTestCaptures) + '/' + capture + ".pcap");
  if (!packets) ADD_FAILURE() << "cannot read " << capture;
  return packets ? std::move(*packets) : std::vector<Octets>();
}

class Capture : public testing::TestWithParam<const char*> {};

TEST_P(Capture, IsReadWithoutComplaint) {
  const std::vector<Octets> packets = packets_of(GetParam());
  ASSERT_FALSE(packets.empty());
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const Reading reading = read_packet(packets[i]);
    EXPECT_GT(reading.chunks, 0u) << "packet " << i;
    EXPECT_EQ(reading.refused, 0u) << "packet " << i;
    EXPECT_EQ(reading.malformed_parameters, 0u) << "packet " << i;
    EXPECT_FALSE(reading.malformed) << "packet " << i;
  }
}

TEST_P(Capture, IsReadAsTsharkReadsIt) {
  std::ifstream expected(std::string(kTestCaptures) + '/' + GetParam() + ".expected");
  std::string line;
  std::size_t compared = 0;
  for (const Octets& packet : packets_of(GetParam())) {
    if (!holds_only_rfc9260(packet)) continue;
    ++compared;
    ASSERT_TRUE(std::getline(expected, line)) << "fewer lines than packets";
    EXPECT_EQ(Line(packet).text(), line) << "line " << compared;
  }
  EXPECT_FALSE(std::getline(expected, line)) << "more lines than packets";
}

std::string short_name(const testing::TestParamInfo<const char*>& capture) {
  return std::string(capture.param).substr(0, 3);
}
INSTANTIATE_TEST_SUITE_P(Captures, Capture, testing::ValuesIn(kCaptures), short_name);

}  // namespace
}  // namespace sluice::wire::test
