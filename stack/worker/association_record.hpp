#pragma once

#include <memory>
#include <vector>

#include "stack/assoc/association.hpp"
#include "stack/base/intrusive_list.hpp"
#include "stack/endpoint/directory.hpp"
#include "stack/worker/application.hpp"
#include "stack/worker/timer_wheel.hpp"

namespace sluice::worker {

/// The lists that an association can stand in.
struct Dirty;       ///< touched in this turn: to be flushed at its end
struct OfEndpoint;  ///< of its endpoint

/// Parameters that associations have in common, kept while any of them lives: those of their endpoint, and of any
/// single one, may be replaced.
struct SharedParameters {
  Parameters values;
  std::uint32_t users = 1;
};

/// One worker's replica of an endpoint, beside what the endpoint room keeps.
struct EndpointRecord {
  EndpointId id;
  ApplicationRecord* application = nullptr;
  SharedParameters* parameters = nullptr;
  endpoint::Backlog* backlog = nullptr;
  bool ephemeral = false;  ///< every association that it opens gets a port of its own
  bool closing = false;
  std::size_t to_end = 0;  ///< how many of the first associations are still to be ended, at most, because it closes or
                           ///< its application leaves
  base::IntrusiveList<AssociationRecord, OfEndpoint> associations;
};

/// A send that found its association's send buffer full, from an application that could not be told at once.
struct ParkedSend : base::ListHook<> {
  assoc::SendRequest request;
};

/// A connect whose addresses the directory has been asked for: what its association does not have yet.
struct OpeningAttempt {
  assoc::AddressList peers;
  endpoint::PortPair ports;  ///< local 0: to be leased
};

/// What a worker keeps of one association.
///
/// There may be a million of them: bytes count. The bases stand in the order that lets the flags use the padding of the
/// last one, and what the association knows itself is not repeated.
struct AssociationRecord : base::ListHook<Dirty>,
                           base::ListHook<WaitingForRoom>,
                           base::ListHook<OfEndpoint>,
                           TimerEntry {
  AssociationRecord(assoc::Services& services, EndpointRecord& of, SharedParameters& its, AssocId id)
      : endpoint(&of), application(of.application), parameters(&its), association(services, its.values, {id, of.id}) {}

  bool reserved = false;         ///< the directory has it: under ports() and the addresses of peers()
  bool opening = false;          ///< counted among the opening attempts
  bool leased = false;           ///< its local port came from a lease
  bool in_backlog = false;       ///< the application has not been told of it yet
  bool shutdown_wanted = false;  ///< once nothing is parked any more
  bool unpark = false;           ///< there is room in the send buffer again
  VTag tag;                      ///< under which the table of tags and the directory know it
  EndpointRecord* endpoint;
  ApplicationRecord* application;
  SharedParameters* parameters;
  std::uint64_t context = 0;  ///< of the connect
  OpeningAttempt* attempt = nullptr;
  base::IntrusiveList<ParkedSend> parked;
  assoc::Association association;

  endpoint::PortPair ports() const {
    if (attempt != nullptr) return attempt->ports;
    return {association.local_port(), association.peer_port()};
  }
  /// The peer's addresses; none when there was no memory for its paths.
  assoc::AddressList peers() const {
    if (attempt != nullptr) return attempt->peers;
    assoc::AddressList peers;
    for (const assoc::Path& path : association.paths()) SLUICE_CHECK(peers.push_back(path.route.destination));
    return peers;
  }
};

}  // namespace sluice::worker
