#pragma once

#include "stack/assoc/congestion/congestion_controller.hpp"

namespace sluice::assoc {

/// Slow start and congestion avoidance as RFC 9260 §7.2 has them.
class Rfc9260Controller final : public CongestionController {
 public:
  /// `max_data_chunk`: the PMDCS of the path, in bytes. `ipv4`: the family of the peer's address, which the initial
  /// cwnd depends on (§7.2.1).
  Rfc9260Controller(std::uint32_t max_data_chunk, bool ipv4);

  std::uint32_t cwnd() const override { return cwnd_; }
  std::uint32_t ssthresh() const override { return ssthresh_; }
  void on_acked(Timestamp now, const Acked& acked) override;
  void on_all_acknowledged() override;
  void on_fast_retransmit(Timestamp now) override;
  void on_timeout(Timestamp now) override;
  void on_idle(Timestamp now) override;
  void set_mtu(std::uint32_t max_data_chunk) override;
  void restart() override;

 private:
  std::uint32_t reduced() const;
  void slow_start(const Acked& acked);
  void avoid_congestion(const Acked& acked);

  std::uint32_t cwnd_;
  std::uint32_t ssthresh_;
  std::uint32_t partial_bytes_acked_ = 0;
  std::uint16_t pmdcs_;
  bool ipv4_;
  bool idle_ = false;  ///< adjusted for idleness since the last acknowledgement
};

}  // namespace sluice::assoc
