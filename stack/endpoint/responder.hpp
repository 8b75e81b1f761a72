#pragma once

#include <sluice/time.hpp>

#include "stack/base/arrival.hpp"
#include "stack/endpoint/directory.hpp"
#include "stack/endpoint/messages.hpp"
#include "stack/endpoint/reply.hpp"
#include "stack/endpoint/services.hpp"

namespace sluice::endpoint {

/// What is to become of a packet that the directory looked at.
struct Verdict {
  enum class Next : std::uint8_t {
    done,      ///< answered or dropped, and counted: let go of the packet
    to_owner,  ///< to `owner`, who finds the association by `owner.tag` and takes the packet by OwnerRole::receive()
    create,    ///< to `owner` with the CreateOrder: create an association, and accept() it with the packet
  };
  Next next = Next::done;
  Owner owner;
};

/// A worker in the role of directory: takes the packets that bear no tag of ours (RFC 9260 §5.1, §8.4). Those of an
/// association or opening attempt go to its owner; INITs without one are answered from here and nothing is kept; a
/// valid COOKIE ECHO reserves its addresses. One worker's own.
class Responder {
 public:
  Responder(const Services& services, Directory& directory) : services_(services), directory_(directory) {}

  /// `packet` was steered here as Route::To::directory, or missed at the owner its tag names; its checksum is good.
  /// `owner` is the worker that is to have a new association. `order` is filled for Next::create.
  Verdict receive(Timestamp now, const base::InboundPacket& packet, WorkerId owner, CreateOrder& order);

  /// The directory's answers to owners.
  DirectoryReply apply(const DirectoryRequest& request);
  void apply(const DirectoryRelease& release);
  void apply(const DirectoryRetag& retag);

 private:
  Verdict to_owner(VTag tag);
  Verdict on_known(const Received& received, wire::ChunkType first, VTag known);
  Verdict on_init(Timestamp now, const Received& received, WorkerId owner);
  Verdict on_cookie_echo(Timestamp now, const Received& received, CreateOrder& order);
  Verdict create(Timestamp now, const Received& received, const assoc::Handshake& agreed, CreateOrder& order);
  Reservation reserve(PortPair ports, std::span<const IpAddress> peers, VTag tag);
  const Reservation& counted(const Reservation& reservation);

  const Services& services_;
  Directory& directory_;
};

}  // namespace sluice::endpoint
