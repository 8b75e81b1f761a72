#pragma once

#include <sluice/parameters.hpp>

namespace sluice::assoc {

/// The window that we advertise (RFC 9260 §6.2), derived from the memory that received data pin.
///
/// The peer counts user bytes, memory is held in blocks. A block of a little over 2 KiB that holds a packet of 1 500
/// bytes carries 1 452 bytes of user data, two thirds of what it pins; so pinned memory is charged at two thirds: a
/// window of 1 MiB lets 1 MiB of such packets be in flight and unread, and then has pinned 1.5 MiB. Packets that carry
/// less close it sooner than their bytes say, since they cost as much. Parameters::pin_limit is the bound that holds
/// even when a peer overruns the window; if that is near or below 1.5 windows, memory is charged so that the window
/// closes a few packets short of it.
///
/// What was advertised once is taken back only for need: the right edge (bytes received + a_rwnd) moves back only as
/// memory runs out. While less than half the window is free it moves forward by a packet or half the window at a time
/// (silly window avoidance, RFC 1122 §4.2.3.3).
class ReceiveWindow {
 public:
  /// The first a_rwnd went out with our INIT or INIT ACK. What `parameters` change later does not concern it.
  explicit ReceiveWindow(const Parameters& parameters);

  /// Bytes of memory that may be pinned, even when the peer overruns the window.
  std::uint64_t pin_limit() const { return pin_limit_; }
  /// User bytes taken for the first time.
  void on_received(std::uint32_t bytes) { received_ += bytes; }
  /// User bytes given back after they were acknowledged in a gap ack block.
  void on_reneged(std::uint32_t bytes) { received_ -= bytes; }

  /// The a_rwnd to advertise while `pinned` bytes of memory are pinned.
  std::uint32_t to_advertise(std::uint64_t pinned) const;
  /// `window` was advertised.
  void on_advertised(std::uint32_t window) {
    edge_ = received_ + window;
    closed_ = window == 0;
  }
  /// The last window advertised was zero, and nothing can be offered now either.
  bool closed(std::uint64_t pinned) const { return closed_ && to_advertise(pinned) == 0; }
  /// The window opened by enough to tell the peer without being asked: by a quarter, or, when it could not send a
  /// packet, by a packet or half the window.
  bool update_due(std::uint64_t pinned) const;
  /// So much is pinned that waiting for the end of a message could close the window before it comes.
  bool memory_short(std::uint64_t pinned) const { return pinned >= half_; }

 private:
  std::uint32_t free(std::uint64_t pinned) const;
  /// What the peer may still send of what was advertised.
  std::uint32_t promised() const {
    const auto left = static_cast<std::int32_t>(edge_ - received_);
    return left > 0 ? static_cast<std::uint32_t>(left) : 0;
  }

  std::uint32_t size_;  // bytes of user data, as configured
  std::uint64_t pin_limit_;
  std::uint32_t step_;          // the least by which the edge moves forward
  std::uint32_t scale_;         // user bytes charged for 65 536 bytes pinned
  std::uint64_t half_;          // pinned bytes that close half the window
  std::uint32_t received_ = 0;  // user bytes, modulo 2^32
  std::uint32_t edge_;          // the highest `received_` that the last advertised window allows
  bool closed_ = false;
};

}  // namespace sluice::assoc
