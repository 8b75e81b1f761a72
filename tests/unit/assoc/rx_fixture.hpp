#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "stack/assoc/pools.hpp"
#include "stack/assoc/rx/receiver.hpp"
#include "stack/base/heap_buffers.hpp"
#include "stack/base/seeded_random.hpp"

namespace sluice::assoc {

/// A DATA chunk to be received.
struct Data {
  std::uint32_t tsn;
  std::string payload;
  const char* flags = "BE";  ///< of B, E, U, I
  std::uint16_t stream = 0;
  std::uint16_t ssn = 0;
  std::uint32_t ppid = 0;
};

/// What the application was given.
struct Piece {
  Event event;
  std::string data;
};

/// An application that keeps what it is given until a test says otherwise.
class RxHost final : public Host {
 public:
  base::Buffer allocate_packet(std::uint32_t, std::uint16_t) noexcept override { return {}; }
  void transmit(base::OutboundPacket&&) noexcept override {}
  bool deliver(const Event& event, base::Buffer& buffer) noexcept override {
    if (room == 0) return false;
    --room;
    Piece piece{event, {}};
    if (event.data != nullptr) {
      EXPECT_GE(event.data, buffer.block().memory);
      EXPECT_LE(event.data + event.length, buffer.block().memory + buffer.block().capacity);
      piece.data.assign(reinterpret_cast<const char*>(event.data), event.length);
    }
    pieces.push_back(std::move(piece));
    if (keep)
      kept.push_back(std::move(buffer));
    else
      buffer.reset();
    return true;
  }
  void wants_flush(AssocId) noexcept override { ++flushes_wanted; }

  std::uint32_t room = UINT32_MAX;
  bool keep = false;
  std::vector<Piece> pieces;
  std::vector<base::Buffer> kept;
  int flushes_wanted = 0;
};

/// A receiver with all it needs; when it goes, everything must be back where it came from.
class RxTest : public testing::Test {
 protected:
  static constexpr std::uint32_t kFirstTsn = 1000;

  explicit RxTest(const PoolLimits& limits = {}) : pools(limits) {}
  ~RxTest() override { finish(); }

  Receiver& receiver() {
    if (!receiver_) restart(kFirstTsn);
    return *receiver_;
  }
  void restart(std::uint32_t first_tsn, std::uint16_t streams = 10) {
    if (!receiver_) receiver_.emplace(services, parameters, AssocId(5), EndpointId(6));
    Handshake handshake;
    handshake.peer_initial_tsn = Tsn(first_tsn);
    handshake.inbound_streams = streams;
    receiver_->start(handshake);
  }
  void end_association() { receiver_.reset(); }
  /// The association goes, then the application gives back what it holds: nothing may be left.
  void finish() {
    end_association();
    host.kept.clear();
    EXPECT_EQ(received.out(), 0U);
    EXPECT_EQ(copies.out(), 0U);
    EXPECT_EQ(pools.pin_ledgers.out(), 0U);
    EXPECT_EQ(pools.held_chunks.out(), 0U);
    EXPECT_EQ(pools.held_pages.out(), 0U);
    EXPECT_EQ(pools.tsn_maps.out(), 0U);
    EXPECT_EQ(pools.inbound_stream_leaves.out(), 0U);
    EXPECT_EQ(pools.inbound_stream_branches.out(), 0U);
    EXPECT_EQ(pools.inbound_stream_roots.out(), 0U);
  }

  /// One packet with these chunks, in a block of `capacity` bytes, or of exactly its size if 0.
  std::vector<DataVerdict> packet(const std::vector<Data>& chunks) {
    std::uint32_t size = wire::kCommonHeaderSize;
    for (const Data& chunk : chunks)
      size += static_cast<std::uint32_t>(wire::padded(wire::kDataHeaderSize + chunk.payload.size()));
    base::Buffer buffer = received.allocate(0, std::max(size, block_capacity));
    write(buffer, size, chunks);
    std::vector<DataVerdict> verdicts;
    bool immediately = false;
    auto walker = wire::chunks_of(buffer.bytes());
    while (const auto chunk = walker.next()) {
      const auto data = wire::DataChunk::parse(*chunk);
      immediately |= data->immediate();
      verdicts.push_back(receiver().on_data(now, *data, buffer));
    }
    receiver().on_packet_end(now, immediately);
    return verdicts;
  }
  DataVerdict data(const Data& chunk) { return packet({chunk}).front(); }

  struct Sack {
    std::uint32_t cumulative;
    std::uint32_t window;
    std::vector<std::pair<int, int>> gaps;
    std::vector<std::uint32_t> duplicates;
  };
  std::optional<Sack> sack(std::uint32_t limit = 1452) {
    std::vector<std::byte> memory(limit);
    wire::PacketWriter writer(memory, {});
    if (!receiver().write_sack(now, writer)) return std::nullopt;
    const auto chunk = wire::SackChunk::parse(*wire::chunks_of(writer.bytes()).next());
    Sack result{chunk->cumulative_tsn().value(), chunk->window(), {}, {}};
    for (std::uint32_t i = 0; i < chunk->gap_count(); ++i)
      result.gaps.emplace_back(chunk->gap(i).start, chunk->gap(i).end);
    for (std::uint32_t i = 0; i < chunk->duplicate_count(); ++i)
      result.duplicates.push_back(chunk->duplicate(i).value());
    return result;
  }

  /// The data delivered so far, pieces of one message joined by '+', messages by ' '.
  std::string delivered() const {
    std::string text;
    for (const Piece& piece : host.pieces) {
      if (piece.event.type != EventType::message) continue;
      if (!text.empty()) text += piece.event.begin ? ' ' : '+';
      text += piece.data;
    }
    return text;
  }

  RxHost host;
  base::SeededRandom random{1};
  base::HeapBuffers received{1 << 16};
  base::HeapBuffers copies{1 << 16};
  Pools pools;
  Counters counters;
  Services services{host, random, copies, received, pools, counters};
  Parameters parameters;
  Timestamp now{std::chrono::seconds(1)};
  std::uint32_t block_capacity = 0;

 private:
  static void write(base::Buffer& buffer, std::uint32_t size, const std::vector<Data>& chunks) {
    wire::PacketWriter writer(buffer, size, {});
    for (const Data& chunk : chunks) {
      wire::DataHeader header;
      header.tsn = Tsn(chunk.tsn);
      header.stream = StreamId(chunk.stream);
      header.ssn = Ssn(chunk.ssn);
      header.ppid = Ppid(chunk.ppid);
      for (const char flag : std::string(chunk.flags))
        header.flags |= flag == 'B'   ? wire::kDataBegin
                        : flag == 'E' ? wire::kDataEnd
                        : flag == 'U' ? wire::kDataUnordered
                                      : wire::kDataImmediate;
      std::byte* const at = wire::append_data(writer, header, static_cast<std::uint16_t>(chunk.payload.size()));
      ASSERT_NE(at, nullptr);
      if (!chunk.payload.empty()) std::memcpy(at, chunk.payload.data(), chunk.payload.size());
    }
  }

  std::optional<Receiver> receiver_;
};

}  // namespace sluice::assoc
