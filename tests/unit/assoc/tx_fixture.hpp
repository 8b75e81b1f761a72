#pragma once

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "stack/assoc/congestion/congestion_controller.hpp"
#include "stack/assoc/pools.hpp"
#include "stack/assoc/tx/sender.hpp"
#include "stack/base/heap_buffers.hpp"
#include "stack/base/seeded_random.hpp"
#include "stack/wire/chunk_data.hpp"

namespace sluice::assoc {

using namespace std::chrono_literals;

inline std::string to_string(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A DATA chunk as it left.
struct SentData {
  Tsn tsn;
  StreamId stream;
  Ssn ssn;
  Ppid ppid;
  bool begin = false;
  bool end = false;
  bool unordered = false;
  bool immediate = false;
  std::string text;
};
using SentPacket = std::vector<SentData>;

inline SentPacket read_data(std::span<const std::byte> packet) {
  SentPacket chunks;
  auto walker = wire::chunks_of(packet);
  while (const auto chunk = walker.next()) {
    const auto data = wire::DataChunk::parse(*chunk);
    if (!data) continue;
    chunks.push_back({data->tsn(), data->stream(), data->ssn(), data->ppid(), data->begin(), data->end(),
                      data->unordered(), data->immediate(), to_string(data->payload())});
  }
  EXPECT_FALSE(walker.malformed());
  return chunks;
}

/// Collects events, or refuses them.
class EventLog final : public Host {
 public:
  base::Buffer allocate_packet(std::uint32_t /*bytes*/, std::uint16_t /*port*/) noexcept override { return {}; }
  void transmit(base::OutboundPacket&& /*packet*/) noexcept override {}
  bool deliver(const Event& event, base::Buffer& buffer) noexcept override {
    if (room == 0) return false;
    --room;
    events.push_back(event);
    texts.push_back(to_string(event.bytes()));
    buffer.reset();
    return true;
  }
  std::size_t count(EventType type) const {
    std::size_t n = 0;
    for (const Event& event : events) n += event.type == type ? 1 : 0;
    return n;
  }

  void wants_flush(AssocId association) noexcept override { flushes_wanted.push_back(association); }

  std::vector<Event> events;
  std::vector<std::string> texts;  // of each event
  std::vector<AssocId> flushes_wanted;
  std::size_t room = SIZE_MAX;
};

/// A sender with two paths of MTU 1500, virtual time and a script for a peer. A test changes `parameters`, `limits` or
/// `handshake` before it calls start().
class SenderTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kPmdcs = 1500 - 20 - 12;
  static constexpr std::uint32_t kFragment = kPmdcs - 16;

  SenderTest() {
    handshake.local_initial_tsn = Tsn(1000);
    handshake.outbound_streams = 10;
    handshake.peer_window = 1 << 20;
  }
  ~SenderTest() override {
    sender.reset();
    for (Path& path : paths) close_path(path, *pools);
    EXPECT_EQ(buffers.out(), 0u);
    EXPECT_EQ(pools->message_parts.out(), 0u);
    EXPECT_EQ(pools->sent_segments.out(), 0u);
    EXPECT_EQ(pools->outbound_streams.out(), 0u);
    EXPECT_EQ(pools->stream_pages.out(), 0u);
  }

  /// Makes the sender without starting it.
  void make() {
    pools = std::make_unique<Pools>(limits);
    services = std::make_unique<Services>(Services{.host = host,
                                                   .random = random,
                                                   .copies = buffers,
                                                   .receive_pool = buffers,
                                                   .pools = *pools,
                                                   .counters = counters});
    sender = std::make_unique<Sender>(*services, parameters, AssocId(7), EndpointId(3));
    for (std::size_t i = 0; i < paths.size(); ++i) {
      paths[i].id = PathId(static_cast<std::uint8_t>(i));
      paths[i].pmtu = 1500;
      paths[i].route.destination = IpAddress::v4(0xc6120001 + static_cast<std::uint32_t>(i));
      ASSERT_TRUE(open_path(paths[i], parameters, *pools));
    }
  }
  void start() {
    if (!sender) make();
    sender->start(handshake, paths);
  }
  /// So that cwnd stands in no test's way.
  void open_cwnd(Path& path, std::uint32_t packets = 1000) {
    for (std::uint32_t i = 0; i < packets; ++i)
      path.congestion->on_acked(
          now, {.bytes = kPmdcs, .outstanding = kPmdcs, .cumulative_advanced = true, .fully_used = true});
  }

  SendRequest request(std::string_view text, std::uint16_t stream = 0) {
    SendRequest r;
    r.payload = buffers.copy_of(std::as_bytes(std::span<const char>(text)));
    r.stream = StreamId(stream);
    r.ppid = Ppid(51);
    return r;
  }
  SendStatus send(std::string_view text, std::uint16_t stream = 0) { return sender->send(request(text, stream)); }
  SendStatus send_bytes(std::size_t bytes, std::uint16_t stream = 0) { return send(std::string(bytes, 'x'), stream); }
  SendStatus send_part(std::string_view text, bool end, std::uint16_t stream = 0, std::uint64_t context = 0) {
    SendRequest r = request(text, stream);
    r.end = end;
    r.context = context;
    return sender->send(std::move(r));
  }
  SendStatus send_with_context(std::string_view text, std::uint64_t context, std::uint16_t stream = 0) {
    SendRequest r = request(text, stream);
    r.context = context;
    return sender->send(std::move(r));
  }

  /// One packet for `path`, which may come out empty.
  SentPacket fill(Path& path, std::uint32_t limit = 0) {
    std::array<std::byte, 9216> memory;
    wire::PacketWriter packet(std::span<std::byte>(memory).first(limit == 0 ? path.max_packet_size() : limit), {});
    const std::uint32_t chunks = sender->fill(now, paths, path, packet);
    SentPacket sent = read_data(packet.bytes());
    EXPECT_EQ(sent.size(), chunks);
    return sent;
  }
  /// All that may leave on `path` now.
  std::vector<SentPacket> flush(Path& path) {
    std::vector<SentPacket> packets;
    while (sender->has_data_for(path)) {
      packets.push_back(fill(path));
      if (packets.back().empty()) {
        ADD_FAILURE() << "has_data_for() promised what fill() did not keep";
        break;
      }
    }
    sender->end_flush(paths);
    return packets;
  }
  std::vector<SentPacket> flush() { return flush(paths[0]); }
  static SentPacket flat(const std::vector<SentPacket>& packets) {
    SentPacket all;
    for (const SentPacket& packet : packets) all.insert(all.end(), packet.begin(), packet.end());
    return all;
  }

  struct Sack {
    std::uint32_t cumulative;
    std::vector<wire::GapAckBlock> gaps = {};
    std::uint32_t window = 1 << 20;
  };
  SackResult sack(const Sack& sack) {
    std::array<std::byte, 9216> memory;
    wire::PacketWriter packet(memory, {});
    const auto entries = wire::append_sack(packet, Tsn(sack.cumulative), sack.window, sack.gaps, {});
    EXPECT_TRUE(entries && entries->gaps == sack.gaps.size());
    auto walker = wire::chunks_of(packet.bytes());
    const SackResult result = sender->on_sack(now, *wire::SackChunk::parse(*walker.next()), paths);
    check_scoreboard();
    return result;
  }

  /// What every counter must say at any time.
  void check_scoreboard() {
    std::array<std::uint32_t, 2> outstanding{};
    std::uint32_t bytes = 0, flying = 0, marked = 0, gap_acked = 0;
    Tsn expected = sender->cumulative_tsn();
    sender->for_each_chunk([&](const SentChunk& chunk) {
      ++expected;
      EXPECT_EQ(chunk.tsn, expected);
      switch (chunk.state) {
        case ChunkState::in_flight: {
          Path& path = paths[chunk.path.value];
          if (outstanding[chunk.path.value] == 0) {
            EXPECT_EQ(path.lowest_outstanding, chunk.tsn);
          }
          outstanding[chunk.path.value] += 16 + ((chunk.length + 3) & ~3u);
          bytes += chunk.length;
          ++flying;
          break;
        }
        case ChunkState::marked:
          ++marked;
          break;
        case ChunkState::gap_acked:
          ++gap_acked;
          break;
      }
    });
    EXPECT_EQ(sender->next_tsn(), expected + 1);
    EXPECT_EQ(sender->outstanding_bytes(), bytes);
    EXPECT_EQ(sender->outstanding_chunks(), flying);
    EXPECT_EQ(sender->marked_chunks(), marked);
    EXPECT_EQ(sender->gap_acked_chunks(), gap_acked);
    for (std::size_t i = 0; i < paths.size(); ++i) {
      EXPECT_EQ(paths[i].outstanding, outstanding[i]);
      EXPECT_EQ(paths[i].t3_deadline != kNever, outstanding[i] > 0);
    }
  }

  base::HeapBuffers buffers;
  base::SeededRandom random{1};
  EventLog host;
  PoolLimits limits;
  std::unique_ptr<Pools> pools;
  Counters counters;
  Parameters parameters;
  Handshake handshake;
  std::unique_ptr<Services> services;
  std::array<Path, 2> paths;
  std::unique_ptr<Sender> sender;
  Timestamp now{10s};
};

}  // namespace sluice::assoc
