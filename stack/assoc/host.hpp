#pragma once

#include <sluice/event.hpp>

#include "stack/assoc/handshake.hpp"
#include "stack/base/arrival.hpp"

namespace sluice::assoc {

/// All that an association asks of the world around it: the one interface through which packets, messages and
/// notifications leave. Implemented by the worker and by tests. No call blocks or allocates from the heap.
class Host {
 public:
  /// An empty buffer for one packet that leaves by `port` (NIC), with kLowerHeadroom in front and room for `bytes`.
  /// Empty means back-pressure: that port's transmit ring or the pool is full. What was to leave there waits without a
  /// TSN, and the association is flushed again when there is room.
  virtual base::Buffer allocate_packet(std::uint32_t bytes, std::uint16_t port) noexcept = 0;
  /// Sends a packet made from allocate_packet(). Its checksum field is zero; the host fills it in or lets the port.
  virtual void transmit(base::OutboundPacket&& packet) noexcept = 0;
  /// Hands an event to the application. `event.data` points into `buffer`, of which the host takes the reference; other
  /// events come with an empty one. False: no room; nothing was taken, the association keeps the event and offers it
  /// again when the host calls Association::resume_delivery().
  virtual bool deliver(const Event& event, base::Buffer& buffer) noexcept = 0;
  /// Finds the way to `route.destination`: fills in the next hop, the source address where that is unspecified or not
  /// of the way's port, that port (NIC) and its MTU in bytes of IP packet. Asked when a path is made and whenever it is
  /// to send without a next hop. False: there is no way now; what is sent all the same is dropped below and counted
  /// there as unreachable.
  virtual bool resolve(base::Departure& route, std::uint16_t& mtu, std::uint16_t& port) noexcept {
    static_cast<void>(route), static_cast<void>(mtu), static_cast<void>(port);
    return false;
  }

  /// The paths of `association` are made anew, and these addresses of the peer are not among them any more. Called
  /// before they are gone; Association::take_addresses_changed() then tells of those that came.
  virtual void addresses_gone(AssocId association, const AddressList& addresses) noexcept {
    static_cast<void>(association), static_cast<void>(addresses);
  }

  /// The association has something to say although no call of this turn touched it: the application gave memory back
  /// and the peer should learn that the window opened. Asks for a flush() in this or the next poll turn; may come from
  /// within any call that releases a received buffer, also several times.
  virtual void wants_flush(AssocId association) noexcept { static_cast<void>(association); }

 protected:
  ~Host() = default;
};

}  // namespace sluice::assoc
