#pragma once

#include <sluice/ids.hpp>

#include <type_traits>

#include "stack/assoc/handshake.hpp"
#include "stack/endpoint/directory.hpp"

// What workers tell each other about associations, as plain records for rings: the roles of directory and owner are
// functions of one worker's state, and whoever plays both calls them directly.

namespace sluice::endpoint {

/// Directory → owner, with the packet that holds the COOKIE ECHO: create an association from this. Its addresses are
/// reserved and it is counted in the endpoint's backlog; an owner that can not create it says so with a
/// DirectoryRelease and leaves the backlog.
struct CreateOrder {
  EndpointId endpoint;
  WorkerId directory;  ///< who reserved
  std::uint16_t udp_port = 0;
  assoc::Handshake handshake;
};

/// Owner → directory: reserve these addresses for an opening attempt, or for an association that learned of more
/// addresses. Answered by a DirectoryReply.
struct DirectoryRequest {
  WorkerId directory;  ///< to whom
  PortPair ports;      ///< local port 0: lease an ephemeral one
  assoc::AddressList peers;
  Owner owner;
};

/// Directory → owner.
struct DirectoryReply {
  PortPair ports;
  Owner owner;  ///< who asked
  Reservation reservation;
};

/// Owner → directory: an association or attempt ended, or has no more to do with these addresses.
struct DirectoryRelease {
  WorkerId directory;
  PortPair ports;
  assoc::AddressList peers;
  VTag tag;
  bool leased = false;  ///< the local port came from a lease, and goes back with this
};

/// Owner → directory: an association restarted with another tag of ours (§5.2.4 action A).
struct DirectoryRetag {
  WorkerId directory;
  PortPair ports;
  assoc::AddressList peers;  ///< all that it has, which its addresses before contain
  VTag old_tag;
  VTag new_tag;
};

static_assert(std::is_trivially_copyable_v<CreateOrder> && std::is_trivially_copyable_v<DirectoryRequest> &&
              std::is_trivially_copyable_v<DirectoryReply> && std::is_trivially_copyable_v<DirectoryRelease> &&
              std::is_trivially_copyable_v<DirectoryRetag>);

}  // namespace sluice::endpoint
