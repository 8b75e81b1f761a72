#include "stack/wire/error_causes.hpp"

#include <algorithm>
#include <limits>

namespace sluice::wire {
namespace {

constexpr std::size_t kMissingCountSize = 4;
constexpr std::size_t kTypeSize = 2;

std::optional<std::uint32_t> read_u32(const Cause& cause, CauseCode code) {
  if (cause.code != code || cause.value().size() < sizeof(std::uint32_t)) return std::nullopt;
  return base::load_be<std::uint32_t>(cause.value().data());
}

bool append_u32(ChunkWriter& chunk, CauseCode code, std::uint32_t value) {
  std::byte* const at = chunk.append(code, sizeof value);
  if (at == nullptr) return false;
  base::store_be(at, value);
  return true;
}

bool append_information(ChunkWriter& chunk, CauseCode code, std::string_view information) {
  const auto bytes = std::as_bytes(std::span(information));
  return chunk.append(code, bytes.first(std::min<std::size_t>(bytes.size(), chunk.value_room())));
}

std::optional<ParameterWalker> read_parameters(const Cause& cause, CauseCode code) {
  if (cause.code != code) return std::nullopt;
  return ParameterWalker(cause.value());
}

}  // namespace

std::optional<StreamId> read_invalid_stream(const Cause& cause) {
  const auto value = read_u32(cause, CauseCode::invalid_stream_identifier);
  if (!value) return std::nullopt;
  return StreamId(static_cast<std::uint16_t>(*value >> 16));
}

std::optional<MissingParameters> MissingParameters::parse(const Cause& cause) {
  const auto count = read_u32(cause, CauseCode::missing_mandatory_parameter);
  if (!count || (cause.value().size() - kMissingCountSize) / kTypeSize < *count) return std::nullopt;
  return MissingParameters(*count, cause.value().data() + kMissingCountSize);
}

ParameterType MissingParameters::type(std::uint32_t i) const {
  SLUICE_DCHECK(i < count_);
  return static_cast<ParameterType>(base::load_be<std::uint16_t>(types_ + i * kTypeSize));
}

std::optional<std::chrono::microseconds> read_stale_cookie(const Cause& cause) {
  const auto staleness = read_u32(cause, CauseCode::stale_cookie);
  if (!staleness) return std::nullopt;
  return std::chrono::microseconds(*staleness);
}

std::optional<Parameter> read_unresolvable_address(const Cause& cause) {
  if (cause.code != CauseCode::unresolvable_address) return std::nullopt;
  return ParameterWalker(cause.value()).next();
}

std::optional<std::span<const std::byte>> read_unrecognized_chunk(const Cause& cause) {
  if (cause.code != CauseCode::unrecognized_chunk_type || cause.value().size() < kChunkHeaderSize) return std::nullopt;
  return cause.value();
}

std::optional<ParameterWalker> read_unrecognized_parameters(const Cause& cause) {
  return read_parameters(cause, CauseCode::unrecognized_parameters);
}

std::optional<Tsn> read_no_user_data(const Cause& cause) {
  const auto tsn = read_u32(cause, CauseCode::no_user_data);
  if (!tsn) return std::nullopt;
  return Tsn(*tsn);
}

std::optional<ParameterWalker> read_restart_addresses(const Cause& cause) {
  return read_parameters(cause, CauseCode::restart_with_new_addresses);
}

std::optional<std::string_view> read_information(const Cause& cause) {
  if (cause.code != CauseCode::user_initiated_abort && cause.code != CauseCode::protocol_violation) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(cause.value().data()), cause.value().size());
}

bool append_invalid_stream(ChunkWriter& chunk, StreamId stream) {
  return append_u32(chunk, CauseCode::invalid_stream_identifier, std::uint32_t{stream.value} << 16);
}

bool append_missing_parameters(ChunkWriter& chunk, std::span<const ParameterType> missing) {
  const std::size_t length = kMissingCountSize + missing.size() * kTypeSize;
  if (length > chunk.value_room()) return false;
  std::byte* at = chunk.append(CauseCode::missing_mandatory_parameter, static_cast<std::uint32_t>(length));
  if (at == nullptr) return false;
  base::store_be(at, static_cast<std::uint32_t>(missing.size()));
  at += kMissingCountSize;
  for (const ParameterType type : missing) {
    base::store_be(at, static_cast<std::uint16_t>(type));
    at += kTypeSize;
  }
  return true;
}

bool append_stale_cookie(ChunkWriter& chunk, std::chrono::microseconds staleness) {
  constexpr std::int64_t kMax = std::numeric_limits<std::uint32_t>::max();
  return append_u32(chunk, CauseCode::stale_cookie,
                    static_cast<std::uint32_t>(std::clamp<std::int64_t>(staleness.count(), 0, kMax)));
}

bool append_out_of_resource(ChunkWriter& chunk) {
  return chunk.append(CauseCode::out_of_resource, 0) != nullptr;
}

bool append_unresolvable_address(ChunkWriter& chunk, const Parameter& address) {
  return chunk.append(CauseCode::unresolvable_address, address.bytes);
}

bool append_unrecognized_chunk(ChunkWriter& chunk, const Chunk& unrecognized) {
  return chunk.append(CauseCode::unrecognized_chunk_type, unrecognized.bytes);
}

bool append_invalid_mandatory_parameter(ChunkWriter& chunk) {
  return chunk.append(CauseCode::invalid_mandatory_parameter, 0) != nullptr;
}

bool append_unrecognized_parameters(ChunkWriter& chunk, std::span<const Parameter> unrecognized) {
  std::size_t length = 0;
  for (const Parameter& parameter : unrecognized) length = padded(length) + parameter.bytes.size();
  if (length > chunk.value_room()) return false;
  std::byte* const begin = chunk.append(CauseCode::unrecognized_parameters, static_cast<std::uint32_t>(length));
  if (begin == nullptr) return false;
  std::memset(begin, 0, length);
  std::size_t at = 0;
  for (const Parameter& parameter : unrecognized) {
    at = padded(at);
    std::memcpy(begin + at, parameter.bytes.data(), parameter.bytes.size());
    at += parameter.bytes.size();
  }
  return true;
}

bool append_no_user_data(ChunkWriter& chunk, Tsn tsn) {
  return append_u32(chunk, CauseCode::no_user_data, tsn.value());
}

bool append_cookie_while_shutting_down(ChunkWriter& chunk) {
  return chunk.append(CauseCode::cookie_received_while_shutting_down, 0) != nullptr;
}

bool append_restart_addresses(ChunkWriter& chunk, std::span<const IpAddress> added) {
  std::uint32_t length = 0;
  for (const IpAddress& address : added) length += address_parameter_size(address);
  std::byte* at = chunk.append(CauseCode::restart_with_new_addresses, length);
  if (at == nullptr) return false;
  for (const IpAddress& address : added) {
    write_address_parameter(at, address);
    at += address_parameter_size(address);
  }
  return true;
}

bool append_user_initiated_abort(ChunkWriter& chunk, std::string_view reason) {
  return append_information(chunk, CauseCode::user_initiated_abort, reason);
}

bool append_protocol_violation(ChunkWriter& chunk, std::string_view information) {
  return append_information(chunk, CauseCode::protocol_violation, information);
}

}  // namespace sluice::wire
