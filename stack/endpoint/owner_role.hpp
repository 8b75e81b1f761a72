#pragma once

#include <sluice/time.hpp>

#include "stack/assoc/association.hpp"
#include "stack/base/arrival.hpp"
#include "stack/endpoint/association_table.hpp"
#include "stack/endpoint/init_answer.hpp"
#include "stack/endpoint/messages.hpp"
#include "stack/endpoint/services.hpp"

namespace sluice::endpoint {

/// What of an association decides how setup chunks for it are answered.
struct Tcb {
  assoc::Handshake handshake;
  assoc::State state = assoc::State::closed;
  assoc::TieTags tie_tags;
  assoc::AddressList confirmed;  ///< those of handshake.peer_addresses that are not unconfirmed
};

/// What the owner of an association is to do with a packet for it that begins with a setup chunk, or that bears
/// another tag than ours.
struct OwnerVerdict {
  enum class Next : std::uint8_t {
    done,                 ///< answered or dropped, and counted
    receive,              ///< Association::receive()
    receive_cookie,       ///< Association::receive_cookie() with `action` and `agreed`
    repeat_shutdown_ack,  ///< Association::repeat_shutdown_ack()
  };
  Next next = Next::done;
  assoc::CookieAction action = assoc::CookieAction::duplicate;
  assoc::Handshake agreed{};
};

/// What creating an association from a CreateOrder came to.
enum class Admission : std::uint8_t {
  admitted,
  replayed,    ///< its tag is in quarantine: the cookie's association ended a while ago; dropped without a word
  tag_in_use,  ///< another association has its tag: Stale Cookie, upon which the peer begins again and gets another
  full,        ///< the table, or what the caller says is exhausted; ABORT with Out of Resource
};

/// A worker in the role of owner: setup chunks and packets without our tag for associations and opening attempts that
/// it has (RFC 9260 §5.2, §8.5.1). It decides and answers; the association is changed by the caller, who after a
/// restart lets its table and the directory follow the new tag. One worker's own.
class OwnerRole {
 public:
  OwnerRole(const Services& services, const TagTable& tags) : services_(services), tags_(tags) {}

  /// `packet` is for the association of `tcb`: the directory forwarded it, or it begins with a COOKIE ECHO, bears the
  /// association's tag and belongs() to it. `parameters` are the association's.
  OwnerVerdict receive(Timestamp now, const Tcb& tcb, const Parameters& parameters, const base::InboundPacket& packet);

  /// Whether an association may be created from `order`; the caller then inserts it into the table. If not, it was
  /// counted and answered, and the caller sends release_of() and leaves the endpoint's backlog. `room` is false if the
  /// caller has no memory for one more.
  Admission admit(Timestamp now, const CreateOrder& order, const base::InboundPacket& packet, bool room);

 private:
  OwnerVerdict on_init(Timestamp now, const Tcb& tcb, const Parameters& parameters, const Received& received);
  void answer_in_cookie_wait(Timestamp now, const Tcb& tcb, const Received& received, const InitRequest& request,
                             InitAnswer& ours);
  OwnerVerdict on_cookie_echo(Timestamp now, const Tcb& tcb, const Received& received);
  bool may_restart(const Tcb& tcb, const assoc::Handshake& agreed) const;
  OwnerVerdict on_shutdown_ack(Timestamp now, const Tcb& tcb, const Received& received);

  const Services& services_;
  const TagTable& tags_;
};

/// Undoes what the directory did for `order`.
DirectoryRelease release_of(const CreateOrder& order);

/// The Tcb of an Association.
template <class Association>
Tcb tcb_of(const Association& association) {
  Tcb tcb{association.handshake(), association.state(), association.tie_tags(), {}};
  for (const assoc::Path& path : association.paths())
    if (path.state != PathState::unconfirmed) static_cast<void>(tcb.confirmed.push_back(path.route.destination));
  return tcb;
}

}  // namespace sluice::endpoint
