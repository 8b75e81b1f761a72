#include "tests/unit/wire/read_packet.hpp"

#include "stack/wire/chunk_abort.hpp"
#include "stack/wire/chunk_cookie.hpp"
#include "stack/wire/chunk_data.hpp"
#include "stack/wire/chunk_error.hpp"
#include "stack/wire/chunk_heartbeat.hpp"
#include "stack/wire/chunk_init.hpp"
#include "stack/wire/chunk_sack.hpp"
#include "stack/wire/chunk_shutdown.hpp"

namespace sluice::wire::test {
namespace {

class Reader {
 public:
  explicit Reader(Reading& reading) : reading_(reading) {}

  void packet(std::span<const std::byte> bytes) {
    if (const auto header = CommonHeader::parse(bytes))
      add(header->source_port, header->destination_port, header->tag.value, header->checksum);
    if (const auto type = first_chunk_type(bytes)) add(static_cast<std::uint8_t>(*type));
    ChunkWalker chunks = chunks_of(bytes);
    while (const auto next = chunks.next()) {
      ++reading_.chunks;
      touch(next->body());
      if (!chunk(*next)) ++reading_.refused;
    }
    reading_.malformed = chunks.malformed();
  }

 private:
  template <class... Values>
  void add(Values... values) {
    reading_.sum += (std::uint64_t{0} + ... + static_cast<std::uint64_t>(values));
  }
  void touch(std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) add(std::to_integer<unsigned>(byte));
  }

  bool chunk(const Chunk& chunk) {
    switch (chunk.type) {
      case ChunkType::data:
        return data(DataChunk::parse(chunk));
      case ChunkType::init:
      case ChunkType::init_ack:
        return init(InitChunk::parse(chunk));
      case ChunkType::sack:
        return sack(SackChunk::parse(chunk));
      case ChunkType::heartbeat:
      case ChunkType::heartbeat_ack:
        return heartbeat(HeartbeatChunk::parse(chunk));
      case ChunkType::abort:
        return abort(AbortChunk::parse(chunk));
      case ChunkType::error:
        return error(ErrorChunk::parse(chunk));
      case ChunkType::cookie_echo:
        return CookieEchoChunk::parse(chunk).has_value();
      case ChunkType::cookie_ack:
        return CookieAckChunk::parse(chunk).has_value();
      case ChunkType::shutdown:
        return ShutdownChunk::parse(chunk).has_value();
      case ChunkType::shutdown_ack:
        return ShutdownAckChunk::parse(chunk).has_value();
      case ChunkType::shutdown_complete:
        return ShutdownCompleteChunk::parse(chunk).has_value();
      default:
        ++reading_.unknown;
        return true;
    }
  }

  bool data(const std::optional<DataChunk>& data) {
    if (!data) return false;
    add(data->tsn().value(), data->stream().value, data->ssn().value(), data->ppid().value);
    add(data->unordered(), data->begin(), data->end(), data->immediate());
    touch(data->payload());
    return true;
  }
  bool init(const std::optional<InitChunk>& init) {
    if (!init) return false;
    add(init->init_tag().value, init->window(), init->outbound_streams(), init->inbound_streams(),
        init->initial_tsn().value());
    parameters(init->parameters());
    return true;
  }
  bool sack(const std::optional<SackChunk>& sack) {
    if (!sack) return false;
    add(sack->cumulative_tsn().value(), sack->window());
    for (std::uint32_t i = 0; i < sack->gap_count(); ++i) add(sack->gap(i).start, sack->gap(i).end);
    for (std::uint32_t i = 0; i < sack->duplicate_count(); ++i) add(sack->duplicate(i).value());
    return true;
  }
  bool heartbeat(const std::optional<HeartbeatChunk>& heartbeat) {
    if (!heartbeat) return false;
    touch(heartbeat->info());
    return true;
  }
  bool abort(const std::optional<AbortChunk>& abort) {
    if (!abort) return false;
    causes(abort->causes());
    return true;
  }
  bool error(const std::optional<ErrorChunk>& error) {
    if (!error) return false;
    causes(error->causes());
    return true;
  }

  void parameters(ParameterWalker walker) {
    while (const auto next = walker.next()) parameter(*next);
    if (walker.malformed()) ++reading_.malformed_parameters;
  }
  void parameter(const Parameter& parameter) {
    ++reading_.parameters;
    touch(parameter.value());
    if (const auto address = read_address(parameter)) add(address->is_v4());
    if (const auto increment = read_cookie_preservative(parameter)) add(increment->count());
    if (const auto types = read_supported_address_types(parameter)) add(types->ipv4, types->ipv6);
    if (const auto method = read_zero_checksum_acceptable(parameter)) add(*method);
    if (const auto quoted = read_unrecognized_parameter(parameter)) touch(quoted->value());
  }

  void causes(CauseWalker walker) {
    while (const auto next = walker.next()) cause(*next);
    if (walker.malformed()) ++reading_.malformed_parameters;
  }
  void cause(const Cause& cause) {
    ++reading_.parameters;
    touch(cause.value());
    if (const auto stream = read_invalid_stream(cause)) add(stream->value);
    if (const auto missing = MissingParameters::parse(cause))
      for (std::uint32_t i = 0; i < missing->count(); ++i) add(static_cast<std::uint16_t>(missing->type(i)));
    if (const auto staleness = read_stale_cookie(cause)) add(staleness->count());
    if (const auto address = read_unresolvable_address(cause)) parameter(*address);
    if (const auto chunk = read_unrecognized_chunk(cause)) touch(*chunk);
    if (const auto unrecognized = read_unrecognized_parameters(cause)) parameters(*unrecognized);
    if (const auto tsn = read_no_user_data(cause)) add(tsn->value());
    if (const auto addresses = read_restart_addresses(cause)) parameters(*addresses);
    if (const auto information = read_information(cause)) touch(std::as_bytes(std::span(*information)));
  }

  Reading& reading_;
};

}  // namespace

Reading read_packet(std::span<const std::byte> packet) {
  Reading reading;
  Reader(reading).packet(packet);
  return reading;
}

}  // namespace sluice::wire::test
