#include "stack/assoc/path/rto.hpp"

#include <algorithm>

namespace sluice::assoc {

void Rto::sample(Duration rtt, const Parameters& parameters) {
  rtt = std::max(rtt, Duration::zero());
  if (!measured()) {
    srtt_ = rtt;
    rttvar_ = rtt / 2;
  } else {
    // Differences are shifted, not values, so that small ones are not lost to rounding. rttvar first: it uses the old
    // srtt (C3).
    const Duration error = rtt - srtt_;
    rttvar_ += (std::max(error, -error) - rttvar_) / (1 << parameters.rto_beta_shift);
    srtt_ += error / (1 << parameters.rto_alpha_shift);
  }
  if (rttvar_ == Duration::zero()) rttvar_ = kGranularity;
  value_ = measured_value(parameters);
}

/// Without what timeouts added.
Duration Rto::measured_value(const Parameters& parameters) const {
  return measured() ? std::max(parameters.rto_min, std::min(parameters.rto_max, srtt_ + 4 * rttvar_))
                    : parameters.rto_initial;
}

void Rto::back_off(const Parameters& parameters) {
  const Duration more = parameters.rto_linear_back_off ? measured_value(parameters) : value_;
  value_ = std::max(value_, std::min(parameters.rto_max, value_ + more));
}

void Rto::adapt(const Parameters& parameters) {
  value_ = measured() ? std::clamp(value_, parameters.rto_min, parameters.rto_max) : parameters.rto_initial;
}

}  // namespace sluice::assoc
