#pragma once

#include <cstdint>

namespace sluice::endpoint {

/// The ports that nobody registers, for whoever does not ask for one: 49152 to 65535 (RFC 6335 §6).
inline constexpr std::uint16_t kFirstEphemeralPort = 49152;
inline constexpr std::uint32_t kEphemeralPorts = 65536 - kFirstEphemeralPort;

/// The `i`-th of them, around and around.
constexpr std::uint16_t ephemeral_port(std::uint32_t i) {
  return static_cast<std::uint16_t>(kFirstEphemeralPort + i % kEphemeralPorts);
}

}  // namespace sluice::endpoint
