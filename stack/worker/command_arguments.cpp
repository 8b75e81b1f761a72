#include "stack/worker/command_arguments.hpp"

namespace sluice::worker {

bool in_range(const Parameters& p) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  const bool rto = p.rto_min > Duration::zero() && p.rto_min <= p.rto_max && p.rto_initial > Duration::zero() &&
                   p.rto_initial <= p.rto_max && p.rto_max <= hours(24) && p.rto_alpha_shift < 16 &&
                   p.rto_beta_shift < 16;
  const bool times = p.heartbeat_interval >= Duration::zero() && p.heartbeat_interval <= hours(24 * 30) &&
                     p.valid_cookie_life > Duration::zero() && p.valid_cookie_life <= hours(24) &&
                     p.sack_delay >= Duration::zero() && p.sack_delay <= milliseconds(500);
  const bool counts = p.sack_frequency >= 1 && p.outbound_streams >= 1 && p.max_inbound_streams >= 1;
  const bool memory = p.receive_window >= 1500 && p.pin_limit >= p.receive_window && p.send_buffer >= 1500 &&
                      p.partial_delivery_point >= 1 && p.path_mtu_max >= 576 && p.dscp < 64;
  return rto && times && counts && memory;
}

}  // namespace sluice::worker
