#pragma once

#include <sluice/ids.hpp>

#include <chrono>
#include <string_view>

#include "stack/base/serial.hpp"
#include "stack/wire/parameters.hpp"

namespace sluice::wire {

/// RFC 9260 §3.3.10, Table 11.
enum class CauseCode : std::uint16_t {
  invalid_stream_identifier = 1,
  missing_mandatory_parameter = 2,
  stale_cookie = 3,
  out_of_resource = 4,
  unresolvable_address = 5,
  unrecognized_chunk_type = 6,
  invalid_mandatory_parameter = 7,
  unrecognized_parameters = 8,
  no_user_data = 9,
  cookie_received_while_shutting_down = 10,
  restart_with_new_addresses = 11,
  user_initiated_abort = 12,
  protocol_violation = 13,
};

/// A received error cause (RFC 9260 §3.3.10): its length is sound, nothing else is known of it. Valid as long as the
/// packet is.
struct Cause {
  CauseCode code{};
  std::span<const std::byte> bytes;  ///< the whole cause from its code on, without padding

  Cause() = default;
  explicit Cause(const Tlv& unit) : code(static_cast<CauseCode>(unit.type)), bytes(unit.bytes) {}

  std::span<const std::byte> value() const { return bytes.subspan(kTlvHeaderSize); }
};

/// The causes of an ERROR or ABORT.
using CauseWalker = ItemWalker<Cause>;

// Readers: each gives nothing if the cause is another one, or too short for what it must hold.

/// The stream that does not exist (§3.3.10.1).
std::optional<StreamId> read_invalid_stream(const Cause& cause);
/// The parameters that were missing (§3.3.10.2).
class MissingParameters {
 public:
  static std::optional<MissingParameters> parse(const Cause& cause);
  std::uint32_t count() const { return count_; }
  /// `i` is below count().
  ParameterType type(std::uint32_t i) const;

 private:
  MissingParameters(std::uint32_t count, const std::byte* types) : count_(count), types_(types) {}

  std::uint32_t count_;
  const std::byte* types_;
};
/// How long ago the cookie expired; 0: the peer does not say (§3.3.10.3).
std::optional<std::chrono::microseconds> read_stale_cookie(const Cause& cause);
/// The address parameter that the peer can not use (§3.3.10.5).
std::optional<Parameter> read_unresolvable_address(const Cause& cause);
/// The chunk that the peer did not recognise, as far as it quoted it: at least a chunk header, of which the length may
/// count more than is there (§3.3.10.6).
std::optional<std::span<const std::byte>> read_unrecognized_chunk(const Cause& cause);
/// The parameters that the peer did not recognise (§3.3.10.8).
std::optional<ParameterWalker> read_unrecognized_parameters(const Cause& cause);
/// The TSN of the chunk without user data (§3.3.10.9).
std::optional<Tsn> read_no_user_data(const Cause& cause);
/// The address parameters that were new (§3.3.10.11).
std::optional<ParameterWalker> read_restart_addresses(const Cause& cause);
/// The reason or information of a User-Initiated Abort or a Protocol Violation (§3.3.10.12, §3.3.10.13): any bytes,
/// none of them promised to be text.
std::optional<std::string_view> read_information(const Cause& cause);

// Writers: each adds one cause to an ERROR or ABORT. False if it does not fit; nothing was added then.

bool append_invalid_stream(ChunkWriter& chunk, StreamId stream);
bool append_missing_parameters(ChunkWriter& chunk, std::span<const ParameterType> missing);
/// `staleness` 0: not said; what is above 2^32 - 1 µs is cut.
bool append_stale_cookie(ChunkWriter& chunk, std::chrono::microseconds staleness);
bool append_out_of_resource(ChunkWriter& chunk);
/// Quotes `address` whole: an address or host name parameter.
bool append_unresolvable_address(ChunkWriter& chunk, const Parameter& address);
/// Quotes `unrecognized` whole.
bool append_unrecognized_chunk(ChunkWriter& chunk, const Chunk& unrecognized);
bool append_invalid_mandatory_parameter(ChunkWriter& chunk);
/// Quotes every one of `unrecognized` whole, in one cause.
bool append_unrecognized_parameters(ChunkWriter& chunk, std::span<const Parameter> unrecognized);
bool append_no_user_data(ChunkWriter& chunk, Tsn tsn);
bool append_cookie_while_shutting_down(ChunkWriter& chunk);
/// Lists every one of `added` as an address parameter.
bool append_restart_addresses(ChunkWriter& chunk, std::span<const IpAddress> added);
/// As much of `reason` as fits; what a user gave, at times long.
bool append_user_initiated_abort(ChunkWriter& chunk, std::string_view reason);
/// As much of `information` as fits.
bool append_protocol_violation(ChunkWriter& chunk, std::string_view information);

}  // namespace sluice::wire
