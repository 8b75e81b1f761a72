#include "stack/wire/parameters.hpp"

#include <algorithm>
#include <limits>

namespace sluice::wire {
namespace {

constexpr std::size_t kIpv4Size = 4;
constexpr std::size_t kIpv6Size = 16;

bool append_u32(ChunkWriter& chunk, ParameterType type, std::uint32_t value) {
  std::byte* const at = chunk.append(type, sizeof value);
  if (at == nullptr) return false;
  base::store_be(at, value);
  return true;
}

std::optional<std::uint32_t> read_u32(const Parameter& parameter, ParameterType type) {
  if (parameter.type != type || parameter.value().size() != sizeof(std::uint32_t)) return std::nullopt;
  return base::load_be<std::uint32_t>(parameter.value().data());
}

ParameterType address_type(const IpAddress& address) {
  return address.is_v4() ? ParameterType::ipv4_address : ParameterType::ipv6_address;
}

void write_address(std::byte* to, const IpAddress& address) {
  if (address.is_v4())
    base::store_be(to, address.v4_value());
  else
    std::memcpy(to, address.bytes().data(), kIpv6Size);
}

}  // namespace

std::optional<IpAddress> read_address(const Parameter& parameter) {
  const std::span<const std::byte> value = parameter.value();
  if (parameter.type == ParameterType::ipv4_address && value.size() == kIpv4Size)
    return IpAddress::v4(base::load_be<std::uint32_t>(value.data()));
  if (parameter.type != ParameterType::ipv6_address || value.size() != kIpv6Size) return std::nullopt;
  IpAddress::Bytes bytes;
  std::memcpy(bytes.data(), value.data(), kIpv6Size);
  const IpAddress address = IpAddress::v6(bytes);
  if (address.is_v4()) return std::nullopt;
  return address;
}

std::optional<std::chrono::milliseconds> read_cookie_preservative(const Parameter& parameter) {
  const auto increment = read_u32(parameter, ParameterType::cookie_preservative);
  if (!increment) return std::nullopt;
  return std::chrono::milliseconds(*increment);
}

std::optional<SupportedAddressTypes> read_supported_address_types(const Parameter& parameter) {
  const std::span<const std::byte> value = parameter.value();
  if (parameter.type != ParameterType::supported_address_types || value.size() % 2 != 0) return std::nullopt;
  SupportedAddressTypes types;
  for (std::size_t i = 0; i < value.size(); i += 2) {
    const auto type = static_cast<ParameterType>(base::load_be<std::uint16_t>(value.data() + i));
    types.ipv4 |= type == ParameterType::ipv4_address;
    types.ipv6 |= type == ParameterType::ipv6_address;
  }
  return types;
}

std::optional<Parameter> read_unrecognized_parameter(const Parameter& parameter) {
  if (parameter.type != ParameterType::unrecognized_parameter) return std::nullopt;
  return ParameterWalker(parameter.value()).next();
}

std::optional<std::uint32_t> read_zero_checksum_acceptable(const Parameter& parameter) {
  return read_u32(parameter, ParameterType::zero_checksum_acceptable);
}

bool append_address(ChunkWriter& chunk, const IpAddress& address) {
  std::byte* const at = chunk.append(address_type(address), address_parameter_size(address) - kTlvHeaderSize);
  if (at == nullptr) return false;
  write_address(at, address);
  return true;
}

bool append_cookie_preservative(ChunkWriter& chunk, std::chrono::milliseconds increment) {
  constexpr std::int64_t kMax = std::numeric_limits<std::uint32_t>::max();
  return append_u32(chunk, ParameterType::cookie_preservative,
                    static_cast<std::uint32_t>(std::clamp<std::int64_t>(increment.count(), 0, kMax)));
}

bool append_supported_address_types(ChunkWriter& chunk, SupportedAddressTypes types) {
  std::byte* at = chunk.append(ParameterType::supported_address_types, (types.ipv4 ? 2u : 0u) + (types.ipv6 ? 2u : 0u));
  if (at == nullptr) return false;
  if (types.ipv4) {
    base::store_be(at, static_cast<std::uint16_t>(ParameterType::ipv4_address));
    at += 2;
  }
  if (types.ipv6) base::store_be(at, static_cast<std::uint16_t>(ParameterType::ipv6_address));
  return true;
}

bool append_unrecognized_parameter(ChunkWriter& chunk, const Parameter& parameter) {
  return chunk.append(ParameterType::unrecognized_parameter, parameter.bytes);
}

bool append_zero_checksum_acceptable(ChunkWriter& chunk, std::uint32_t error_detection_method) {
  return append_u32(chunk, ParameterType::zero_checksum_acceptable, error_detection_method);
}

bool append_empty_parameter(ChunkWriter& chunk, ParameterType type) {
  return chunk.append(type, 0) != nullptr;
}

std::byte* append_state_cookie(ChunkWriter& chunk, std::uint32_t length) {
  return chunk.append(ParameterType::state_cookie, length);
}

void write_address_parameter(std::byte* to, const IpAddress& address) {
  base::store_be(to, static_cast<std::uint16_t>(address_type(address)));
  base::store_be(to + 2, static_cast<std::uint16_t>(address_parameter_size(address)));
  write_address(to + kTlvHeaderSize, address);
}

}  // namespace sluice::wire
