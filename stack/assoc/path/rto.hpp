#pragma once

#include <sluice/parameters.hpp>
#include <sluice/time.hpp>

namespace sluice::assoc {

/// The retransmission timeout of one path (RFC 9260 §6.3.1).
class Rto {
 public:
  /// The granularity G of the clock that RTTs are measured with (§6.3.1 G1): what a late poll turn may add.
  static constexpr Duration kGranularity = std::chrono::milliseconds(1);

  /// RTO.Initial until the first sample (C1).
  explicit Rto(const Parameters& parameters = {}) : value_(parameters.rto_initial) {}

  /// A round trip took `rtt` (C2, C3). Undoes back-off.
  void sample(Duration rtt, const Parameters& parameters);
  /// T3-rtx expired: doubles up to RTO.Max (§6.3.3 E2), or grows by what was measured.
  void back_off(const Parameters& parameters);
  /// The parameters are others now.
  void adapt(const Parameters& parameters);

  Duration value() const { return value_; }
  /// Smoothed round-trip time; 0 before the first sample.
  Duration srtt() const { return srtt_; }
  /// Round-trip time variation; 0 before the first sample.
  Duration rttvar() const { return rttvar_; }
  bool measured() const { return rttvar_ > Duration::zero(); }

 private:
  Duration measured_value(const Parameters& parameters) const;

  Duration value_;
  Duration srtt_{};
  Duration rttvar_{};
};

}  // namespace sluice::assoc
