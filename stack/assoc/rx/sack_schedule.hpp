#pragma once

#include <sluice/time.hpp>

#include <array>
#include <cstdint>
#include <span>

#include "stack/base/serial.hpp"

namespace sluice::assoc {

/// When the next SACK is due (RFC 9260 §6.2), and the duplicates that it lists.
class SackSchedule {
 public:
  void reset() { *this = {}; }

  /// A packet with DATA is done with. Every `frequency`-th one is acknowledged at once, others after `delay`.
  void on_packet(Timestamp now, std::uint16_t frequency, Duration delay) {
    pending_ = true;
    if (++packets_ >= frequency || delay <= Duration::zero()) due_ = true;
    if (deadline_ == kNever) deadline_ = now + delay;
  }
  /// The SACK must not be delayed.
  void at_once() { due_ = pending_ = true; }
  /// Lists a duplicate, while there is room, and hastens the SACK.
  void on_duplicate(Tsn tsn) {
    if (duplicates_ < duplicate_.size()) duplicate_[duplicates_++] = tsn;
    at_once();
  }
  void on_sent() { reset(); }

  bool due(Timestamp now) const { return due_ || deadline_ <= now; }
  bool pending() const { return pending_; }
  /// Packets with DATA that no SACK reports yet.
  std::uint16_t packets() const { return packets_; }
  Timestamp deadline() const { return deadline_; }
  std::span<const Tsn> duplicates() const { return {duplicate_.data(), duplicates_}; }

 private:
  Timestamp deadline_ = kNever;
  std::uint16_t packets_ = 0;  // with DATA, since the last SACK
  bool due_ = false;
  bool pending_ = false;
  std::uint8_t duplicates_ = 0;
  std::array<Tsn, 8> duplicate_{};
};

}  // namespace sluice::assoc
