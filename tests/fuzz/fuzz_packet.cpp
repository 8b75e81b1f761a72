// A received packet, from the common header on: everything is read by every view, written again, and answered into
// packets of little room. libFuzzer hands each input over in memory of exactly its size.
#include <algorithm>
#include <memory>
#include <vector>

#include "stack/wire/chunk_abort.hpp"
#include "stack/wire/chunk_cookie.hpp"
#include "stack/wire/chunk_data.hpp"
#include "stack/wire/chunk_error.hpp"
#include "stack/wire/chunk_heartbeat.hpp"
#include "stack/wire/chunk_init.hpp"
#include "stack/wire/chunk_sack.hpp"
#include "stack/wire/chunk_shutdown.hpp"
#include "stack/wire/crc32c.hpp"
#include "tests/unit/wire/read_packet.hpp"

namespace {

using namespace sluice;        // NOLINT
using namespace sluice::wire;  // NOLINT
using Bytes = std::span<const std::byte>;

constexpr std::size_t kMaxIpPayload = 65515;

bool equal(Bytes a, Bytes b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

/// A packet under construction in memory of exactly its limit.
struct Scratch {
  explicit Scratch(std::size_t room)
      : size(kCommonHeaderSize + room),
        memory(std::make_unique<std::byte[]>(size)),
        packet({memory.get(), size}, CommonHeader{}) {}
  std::size_t size;
  std::unique_ptr<std::byte[]> memory;
  PacketWriter packet;
};

/// Copies chunk by chunk; what is then read must be what was.
void write_again(Bytes bytes) {
  Scratch copy(bytes.size() + 4);
  ChunkWalker chunks = chunks_of(bytes);
  while (const auto chunk = chunks.next()) {
    std::byte* const body =
        copy.packet.append_chunk(chunk->type, chunk->flags, static_cast<std::uint32_t>(chunk->body().size()));
    SLUICE_CHECK(body != nullptr);
    std::copy(chunk->body().begin(), chunk->body().end(), body);
  }
  ChunkWalker originals = chunks_of(bytes);
  ChunkWalker copies = chunks_of(copy.packet.bytes());
  while (const auto original = originals.next()) {
    const auto written = copies.next();
    SLUICE_CHECK(written && written->type == original->type && written->flags == original->flags);
    SLUICE_CHECK(equal(written->bytes, original->bytes));
  }
  SLUICE_CHECK(!copies.next() && !copies.malformed());
}

/// What was written into `scratch` must be well formed, whatever fitted.
void check_whole(const Scratch& scratch) {
  const test::Reading reading = test::read_packet(scratch.packet.bytes());
  SLUICE_CHECK(!reading.malformed && reading.refused == 0);
}

/// Writes a SACK like the received one, and reads what fitted.
void echo_sack(const SackChunk& sack, std::size_t room) {
  std::vector<GapAckBlock> gaps;
  std::vector<Tsn> duplicates;
  for (std::uint32_t i = 0; i < sack.gap_count(); ++i) gaps.push_back(sack.gap(i));
  for (std::uint32_t i = 0; i < sack.duplicate_count(); ++i) duplicates.push_back(sack.duplicate(i));
  Scratch scratch(room);
  const auto fitted = append_sack(scratch.packet, sack.cumulative_tsn(), sack.window(), gaps, duplicates);
  if (!fitted) return;
  const auto written = SackChunk::parse(*chunks_of(scratch.packet.bytes()).next());
  SLUICE_CHECK(written && written->gap_count() == fitted->gaps && written->duplicate_count() == fitted->duplicates);
  SLUICE_CHECK(written->cumulative_tsn() == sack.cumulative_tsn() && written->window() == sack.window());
  for (std::uint32_t i = 0; i < fitted->gaps; ++i) SLUICE_CHECK(written->gap(i) == gaps[i]);
  for (std::uint32_t i = 0; i < fitted->duplicates; ++i) SLUICE_CHECK(written->duplicate(i) == duplicates[i]);
}

/// Answers an INIT or INIT ACK with all that can be said about its parameters.
void answer_init(const InitChunk& init, std::size_t room) {
  std::vector<Parameter> unrecognized;
  std::vector<IpAddress> addresses;
  Scratch scratch(room);
  ChunkWriter ack = append_init_ack(scratch.packet, init.header());
  ParameterWalker parameters = init.parameters();
  while (const auto parameter = parameters.next()) {
    if (const auto address = read_address(*parameter)) {
      addresses.push_back(*address);
      append_address(ack, *address);
    } else if (unrecognized_rule(parameter->type).report) {
      unrecognized.push_back(*parameter);
      append_unrecognized_parameter(ack, *parameter);
    }
  }
  check_whole(scratch);

  Scratch error_scratch(room);
  ChunkWriter error = append_error(error_scratch.packet);
  const bool any_cause = append_out_of_resource(error);
  append_unrecognized_parameters(error, unrecognized);
  append_restart_addresses(error, addresses);
  if (!unrecognized.empty()) append_unresolvable_address(error, unrecognized.front());
  if (any_cause) check_whole(error_scratch);
}

void answer(const Chunk& chunk, std::size_t room) {
  if (const auto sack = SackChunk::parse(chunk)) echo_sack(*sack, room);
  if (const auto init = InitChunk::parse(chunk)) answer_init(*init, room);
  if (const auto heartbeat = HeartbeatChunk::parse(chunk)) {
    Scratch scratch(room);
    append_heartbeat_ack(scratch.packet, heartbeat->info());
    check_whole(scratch);
  }
  if (const auto echo = CookieEchoChunk::parse(chunk)) {
    Scratch scratch(room);
    append_cookie_echo(scratch.packet, echo->cookie);
    check_whole(scratch);
  }
  if (const auto data = DataChunk::parse(chunk)) {
    Scratch scratch(room);
    const auto size = static_cast<std::uint16_t>(data->payload().size());
    std::byte* const at =
        append_data(scratch.packet, {data->tsn(), data->stream(), data->ssn(), data->ppid(), chunk.flags}, size);
    if (at != nullptr) {
      std::copy(data->payload().begin(), data->payload().end(), at);
      SLUICE_CHECK(equal(chunks_of(scratch.packet.bytes()).next()->bytes, chunk.bytes));
    }
  }
  Scratch scratch(room);
  ChunkWriter abort = append_abort(scratch.packet, true);
  append_unrecognized_chunk(abort, chunk);
  append_protocol_violation(abort, {reinterpret_cast<const char*>(chunk.bytes.data()), chunk.bytes.size()});
  check_whole(scratch);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes packet = std::as_bytes(std::span(data, size));
  test::read_packet(packet);
  crc32c_verify(packet);
  if (size < kCommonHeaderSize || size > kMaxIpPayload) return 0;
  write_again(packet);
  // The checksum says how much room the answers have: no other field of the header matters less.
  const std::size_t room = CommonHeader::parse(packet)->checksum % 1500;
  ChunkWalker chunks = chunks_of(packet);
  for (int answered = 0; answered < 64; ++answered) {
    const auto chunk = chunks.next();
    if (!chunk) break;
    answer(*chunk, room);
  }
  return 0;
}
