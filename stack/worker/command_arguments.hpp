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
  std::uint32_t backlog = 0;  ///< associations it may have at once that peers opened; 0: only the stack's limit
  bool has_parameters = false;
  Parameters parameters;  ///< if has_parameters; otherwise the stack's
};

/// RFC 9260 §11.1.2.
struct ConnectArguments {
  assoc::AddressList peers;  ///< addresses of one host, the first of which is tried first; at least one
  std::uint16_t port = 0;
};

static_assert(std::is_trivially_copyable_v<OpenEndpointArguments> && std::is_trivially_copyable_v<ConnectArguments>);

/// Every value is in the range that its comment in parameters.hpp gives.
bool in_range(const Parameters& parameters);

}  // namespace sluice::worker
