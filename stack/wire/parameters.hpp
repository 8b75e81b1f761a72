#pragma once

#include <sluice/ip_address.hpp>

#include <chrono>

#include "stack/wire/chunk_writer.hpp"

namespace sluice::wire {

/// A received parameter (RFC 9260 §3.2.1): its length is sound, nothing else is known of it. Valid as long as the
/// packet is.
struct Parameter {
  ParameterType type{};
  std::span<const std::byte> bytes;  ///< the whole parameter from its type on, without padding

  Parameter() = default;
  explicit Parameter(const Tlv& unit) : type(static_cast<ParameterType>(unit.type)), bytes(unit.bytes) {}

  std::span<const std::byte> value() const { return bytes.subspan(kTlvHeaderSize); }
};

/// The parameters of a chunk, or of an error cause that quotes some.
using ParameterWalker = ItemWalker<Parameter>;

/// The address of an IPv4 Address or IPv6 Address parameter (§3.3.2.1.1, §3.3.2.1.2). Nothing if it is neither, if its
/// length is not that of its kind, or if it is an IPv4-mapped IPv6 address, which no sender may use.
std::optional<IpAddress> read_address(const Parameter& parameter);

/// How much longer than the default the peer wishes its cookie to live (§3.3.2.1.3); nothing if it is none.
std::optional<std::chrono::milliseconds> read_cookie_preservative(const Parameter& parameter);

/// The address types that the sender of an INIT supports (§3.3.2.1.5); all of them if it does not say.
struct SupportedAddressTypes {
  bool ipv4 = false;
  bool ipv6 = false;
};
/// Unknown types and the host name type are passed over. Nothing if it is no such parameter or its length is odd.
std::optional<SupportedAddressTypes> read_supported_address_types(const Parameter& parameter);

/// The parameter that an Unrecognized Parameter quotes (§3.3.3.1.2); nothing if it is none or quotes no whole one.
std::optional<Parameter> read_unrecognized_parameter(const Parameter& parameter);

/// The error detection method of a Zero Checksum Acceptable parameter (RFC 9653 §4); nothing if it is none.
std::optional<std::uint32_t> read_zero_checksum_acceptable(const Parameter& parameter);

/// Each adds one parameter to `chunk`. False if it does not fit; nothing was added then.
bool append_address(ChunkWriter& chunk, const IpAddress& address);
/// `increment` is 0 to 2^32 - 1 ms; what is above is cut.
bool append_cookie_preservative(ChunkWriter& chunk, std::chrono::milliseconds increment);
bool append_supported_address_types(ChunkWriter& chunk, SupportedAddressTypes types);
/// Quotes `parameter` whole.
bool append_unrecognized_parameter(ChunkWriter& chunk, const Parameter& parameter);
bool append_zero_checksum_acceptable(ChunkWriter& chunk, std::uint32_t error_detection_method);
/// One without a value: ECN Capable, Forward-TSN-Supported.
bool append_empty_parameter(ChunkWriter& chunk, ParameterType type);
/// Returns where the `length` bytes of the cookie go, which the caller writes; null if they do not fit (§3.3.3.1.1).
std::byte* append_state_cookie(ChunkWriter& chunk, std::uint32_t length);

/// Bytes that the parameter for `address` takes in a chunk or a cause, its header counted.
constexpr std::uint32_t address_parameter_size(const IpAddress& address) {
  return kTlvHeaderSize + (address.is_v4() ? 4 : 16);
}
/// Writes the parameter for `address` at `to`, address_parameter_size() bytes.
void write_address_parameter(std::byte* to, const IpAddress& address);

}  // namespace sluice::wire
