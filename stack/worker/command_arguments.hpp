#pragma once

#include <sluice/parameters.hpp>

#include <cstdint>
#include <type_traits>

#include "stack/assoc/handshake.hpp"

// What stands in an arena block that a command names; copied out before it is looked at.
namespace sluice::worker {

/// RFC 9260 §11.1.1.
struct OpenEndpointArguments {
  assoc::AddressList addresses;  ///< empty: all of the stack's
  std::uint16_t port = 0;        ///< 0: each association that it opens gets an ephemeral one; it cannot listen
  bool listen = false;
  std::uint32_t backlog = 0;  ///< as EndpointOptions::backlog
  bool has_parameters = false;
  Parameters parameters;  ///< if has_parameters; otherwise the stack's
};

/// RFC 9260 §11.1.2.
struct ConnectArguments {
  assoc::AddressList peers;  ///< addresses of one host, the first of which is tried first; at least one
  std::uint16_t port = 0;
  bool has_parameters = false;
  Parameters parameters{};  ///< if has_parameters, in range; otherwise the endpoint's
};

/// RFC 9260 §11.1.9, §11.1.12: PathOptions, as it crosses.
struct SetPathArguments {
  static constexpr std::uint8_t kHeartbeatInterval = 1;
  static constexpr std::uint8_t kMaxRetransmissions = 2;

  std::uint8_t path = 0;
  std::uint8_t fields = 0;  ///< which of the following are set
  std::uint16_t max_retransmissions = 0;
  Duration heartbeat_interval{};
};
SetPathArguments as_arguments(PathId path, const PathOptions& options);
PathOptions options_of(const SetPathArguments& arguments);

static_assert(std::is_trivially_copyable_v<OpenEndpointArguments> && std::is_trivially_copyable_v<SetPathArguments> &&
              std::is_trivially_copyable_v<ConnectArguments>);

/// Makes a copy of what another process can write safe to look at: a bool that is neither 0 nor 1 becomes true.
void make_safe(Parameters& parameters);
void make_safe(OpenEndpointArguments& arguments);
void make_safe(ConnectArguments& arguments);
inline void make_safe(SetPathArguments&) {}

/// What is wrong with a value, or with two together; null when all are in the ranges that parameters.hpp gives.
const char* find_error(const Parameters& parameters);
const char* find_error(const PathOptions& options);
inline bool in_range(const Parameters& parameters) {
  return find_error(parameters) == nullptr;
}
inline bool in_range(const PathOptions& options) {
  return find_error(options) == nullptr;
}

}  // namespace sluice::worker
