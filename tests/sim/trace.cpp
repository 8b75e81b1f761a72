#include "tests/sim/trace.hpp"

#include <cinttypes>
#include <cstdio>

#include "stack/base/endian.hpp"
#include "stack/wire/chunk.hpp"
#include "stack/wire/chunk_data.hpp"
#include "stack/wire/chunk_sack.hpp"
#include "tests/sim/sctp_frame.hpp"

namespace sluice::sim {
namespace {

const char* name(wire::ChunkType type) {
  static constexpr const char* kNames[] = {
      "DATA",          "INIT",       "INIT-ACK", "SACK",         "HEARTBEAT",
      "HEARTBEAT-ACK", "ABORT",      "SHUTDOWN", "SHUTDOWN-ACK", "ERROR",
      "COOKIE-ECHO",   "COOKIE-ACK", "ECNE",     "CWR",          "SHUTDOWN-COMPLETE"};
  const auto number = static_cast<std::size_t>(type);
  return number < std::size(kNames) ? kNames[number] : "?";
}

const char* name(drivers::WireFate fate) {
  static constexpr const char* kNames[] = {"sent", "lost", "duplicated", "corrupted", "delivered", "missed"};
  return kNames[static_cast<std::size_t>(fate)];
}

std::string describe(const wire::Chunk& chunk) {
  char text[96];
  if (const auto data = chunk.type == wire::ChunkType::data ? wire::DataChunk::parse(chunk) : std::nullopt) {
    std::snprintf(text, sizeof text, " DATA(tsn=%" PRIu32 " stream=%u ssn=%u %s%s%s%zu)", data->tsn().value(),
                  data->stream().value, data->ssn().value(), data->begin() ? "B" : "", data->end() ? "E" : "",
                  data->unordered() ? "U " : " ", data->payload().size());
    return text;
  }
  if (const auto sack = chunk.type == wire::ChunkType::sack ? wire::SackChunk::parse(chunk) : std::nullopt) {
    std::snprintf(text, sizeof text, " SACK(cum=%" PRIu32 " a_rwnd=%" PRIu32 " %zu bytes)",
                  sack->cumulative_tsn().value(), base::load_be<std::uint32_t>(chunk.bytes.data() + 8),
                  chunk.bytes.size());
    return text;
  }
  std::snprintf(text, sizeof text, " %s(flags=%u %zu bytes)", name(chunk.type), chunk.flags, chunk.bytes.size());
  return text;
}

}  // namespace

std::string format(Timestamp time) {
  const std::int64_t nanoseconds = time.time_since_epoch().count();
  char text[40];
  std::snprintf(text, sizeof text, "%6" PRId64 ".%09" PRId64, nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000);
  return text;
}

std::string describe(const drivers::WireEvent& event) {
  char text[96];
  std::snprintf(text, sizeof text, "%s %u > %u %-10s %4zu", format(event.time).c_str(), event.from, event.to,
                name(event.fate), event.frame.size());
  std::string line = text;
  const std::optional<SctpFrame> sctp = sctp_in(event.frame);
  const auto header = sctp ? wire::CommonHeader::parse(sctp->packet) : std::nullopt;
  if (!header) return line + " not SCTP";
  line += ' ' + sctp->source.to_string() + " > " + sctp->destination.to_string();
  std::snprintf(text, sizeof text, " %u > %u tag=%08" PRIx32, header->source_port, header->destination_port,
                header->tag.value);
  line += text;
  wire::ChunkWalker walker = wire::chunks_of(sctp->packet);
  while (const auto chunk = walker.next()) line += describe(*chunk);
  return line;
}

}  // namespace sluice::sim
