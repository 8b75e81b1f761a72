#pragma once

#include <sluice/time.hpp>

#include <cstdint>

namespace sluice::assoc {

/// How much may be in flight on one path. All sizes are bytes of user data in DATA chunks plus chunk headers as the
/// sender counts them; the sender tells what happens, the controller answers with cwnd().
class CongestionController {
 public:
  virtual ~CongestionController() = default;
  /// Bytes that may be outstanding on the path now.
  virtual std::uint32_t cwnd() const = 0;
  virtual std::uint32_t ssthresh() const = 0;

  /// A SACK acknowledged `bytes` sent on this path for the first time, `outstanding` was the flight before it.
  struct Acked {
    std::uint32_t bytes = 0;
    std::uint32_t outstanding = 0;
    bool cumulative_advanced = false;
    bool fully_used = false;  ///< the cwnd had been full when the acknowledged data were sent (§7.2.1)
    bool in_fast_recovery = false;
  };
  virtual void on_acked(Timestamp now, const Acked& acked) = 0;
  /// Three miss indications opened a fast recovery (§7.2.4).
  virtual void on_fast_retransmit(Timestamp now) = 0;
  /// T3-rtx expired on the path (§7.2.3).
  virtual void on_timeout(Timestamp now) = 0;
  /// Nothing was sent on the path for one RTO (§7.2.1, last rule).
  virtual void on_idle(Timestamp now) = 0;
  /// The path MTU changed.
  virtual void set_mtu(std::uint32_t max_payload) = 0;
};

}  // namespace sluice::assoc
