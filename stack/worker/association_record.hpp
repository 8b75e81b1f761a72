#pragma once

#include <memory>
#include <vector>

#include "stack/assoc/association.hpp"
#include "stack/base/intrusive_list.hpp"
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
  base::IntrusiveList<AssociationRecord, OfEndpoint> associations;
};

/// A send that found its association's send buffer full, from an application that could not be told at once.
struct ParkedSend : base::ListHook<> {
  assoc::SendRequest request;
};

/// A connect whose addresses the directory has been asked for.
struct OpeningAttempt {
  assoc::AddressList peers;
  std::uint16_t peer_port = 0;
};

/// What a worker keeps of one association.
struct AssociationRecord : TimerEntry,
                           base::ListHook<Dirty>,
                           base::ListHook<WaitingForRoom>,
                           base::ListHook<OfEndpoint> {
  AssociationRecord(assoc::Services& services, EndpointRecord& of, AssocId id)
      : endpoint(&of),
        application(of.application),
        parameters(of.parameters),
        association(services, of.parameters->values, {id, of.id}) {}

  EndpointRecord* endpoint;
  ApplicationRecord* application;
  SharedParameters* parameters;
  VTag tag;                      ///< under which the table of tags and the directory know it
  std::uint16_t local_port = 0;  ///< as the directory knows it; 0: not reserved yet
  std::uint16_t peer_port = 0;
  bool active = false;           ///< we opened it
  bool opening = false;          ///< counted among the opening attempts
  bool leased = false;           ///< its local port came from a lease
  bool in_backlog = false;       ///< the application has not been told of it yet
  bool closing = false;          ///< its endpoint was closed before it could begin
  bool shutdown_wanted = false;  ///< once nothing is parked any more
  bool unpark = false;           ///< there is room in the send buffer again
  std::uint64_t context = 0;     ///< of the connect
  OpeningAttempt* attempt = nullptr;
  base::IntrusiveList<ParkedSend> parked;
  assoc::AddressList reserved;  ///< the peer's addresses, as the directory knows them
  assoc::Association association;
};

}  // namespace sluice::worker
