#pragma once

#include <sluice/ids.hpp>
#include <sluice/parameters.hpp>

#include <cstdint>

#include "stack/assoc/handshake.hpp"
#include "stack/endpoint/backlog.hpp"

namespace sluice::endpoint {

/// A port and the addresses it is open on (RFC 9260 §1.3 "SCTP endpoint"); one worker's replica.
struct Endpoint {
  EndpointId id;
  std::uint16_t port = 0;        ///< 1 to 65535
  assoc::AddressList addresses;  ///< empty: all that the stack has
  Parameters parameters;         ///< what its associations start with
  bool listening = false;        ///< peers may open associations with it
  Backlog* backlog = nullptr;    ///< shared by the replicas; null: as many may wait as like

  bool has(const IpAddress& local) const { return addresses.empty() || addresses.contains(local); }
};

}  // namespace sluice::endpoint
