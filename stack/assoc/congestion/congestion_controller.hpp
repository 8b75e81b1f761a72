#pragma once

#include <sluice/time.hpp>

#include <cstdint>

namespace sluice::assoc {

/// How much may be in flight on one path. All sizes are bytes of DATA chunks, headers and padding counted (RFC 9260
/// §7.2). The sender tells what happens, the controller answers with cwnd().
class CongestionController {
 public:
  virtual ~CongestionController() = default;
  /// Bytes that may be outstanding on the path now.
  virtual std::uint32_t cwnd() const = 0;
  virtual std::uint32_t ssthresh() const = 0;

  /// What one SACK did on the path.
  struct Acked {
    std::uint32_t bytes = 0;        ///< acknowledged for the first time, sent last on this path
    std::uint32_t outstanding = 0;  ///< in flight before the SACK
    bool cumulative_advanced = false;
    bool fully_used = false;  ///< when sending last stopped, the flight had filled the cwnd (§7.2.1, §7.2.2)
    bool in_fast_recovery = false;
  };
  virtual void on_acked(Timestamp now, const Acked& acked) = 0;
  /// Nothing is in flight any more, on this path or another (§7.2.2, last rule).
  virtual void on_all_acknowledged() = 0;
  /// Three miss indications opened a fast recovery (§7.2.4).
  virtual void on_fast_retransmit(Timestamp now) = 0;
  /// T3-rtx expired on the path (§7.2.3).
  virtual void on_timeout(Timestamp now) = 0;
  /// Nothing was sent on the path for one RTO (§7.2.1, last rule); called once for each.
  virtual void on_idle(Timestamp now) = 0;
  /// The path MTU changed: `max_data_chunk` is the PMDCS, in bytes.
  virtual void set_mtu(std::uint32_t max_data_chunk) = 0;
  /// The path leads another way now, of which nothing is known (§7.2.5): everything begins anew.
  virtual void restart() = 0;
};

}  // namespace sluice::assoc
