#include "stack/worker/command_arguments.hpp"

#include <algorithm>

namespace sluice::worker {

namespace {

constexpr Duration kLongestPeriod = std::chrono::hours(24 * 30);

bool heartbeat_in_range(Duration interval) {
  return interval >= Duration::zero() && interval <= kLongestPeriod;
}

bool retransmissions_in_range(std::uint16_t most) {
  return most < UINT16_MAX;  // one more is what marks a path as failed
}

/// Whoever reads a bool that is neither 0 nor 1 may do anything.
void make_bool(bool& field) {
  auto& byte = reinterpret_cast<unsigned char&>(field);
  byte = static_cast<unsigned char>(byte != 0);
}

}  // namespace

SetPathArguments as_arguments(PathId path, const PathOptions& options) {
  SetPathArguments out;
  out.path = path.value;
  if (options.heartbeat_interval) {
    out.fields |= SetPathArguments::kHeartbeatInterval;
    out.heartbeat_interval = *options.heartbeat_interval;
  }
  if (options.max_retransmissions) {
    out.fields |= SetPathArguments::kMaxRetransmissions;
    out.max_retransmissions = *options.max_retransmissions;
  }
  return out;
}

PathOptions options_of(const SetPathArguments& arguments) {
  PathOptions out;
  if ((arguments.fields & SetPathArguments::kHeartbeatInterval) != 0)
    out.heartbeat_interval = arguments.heartbeat_interval;
  if ((arguments.fields & SetPathArguments::kMaxRetransmissions) != 0)
    out.max_retransmissions = arguments.max_retransmissions;
  return out;
}

void make_safe(Parameters& parameters) {
  make_bool(parameters.rto_linear_back_off);
}

void make_safe(OpenEndpointArguments& arguments) {
  make_bool(arguments.listen);
  make_bool(arguments.has_parameters);
  make_safe(arguments.parameters);
}

void make_safe(ConnectArguments& arguments) {
  make_bool(arguments.has_parameters);
  make_safe(arguments.parameters);
}

const char* find_error(const PathOptions& options) {
  if (!heartbeat_in_range(options.heartbeat_interval.value_or(Duration::zero())))
    return "heartbeat_interval must be 0 to 30 days";
  if (!retransmissions_in_range(options.max_retransmissions.value_or(0)))
    return "max_retransmissions must be at most 65534";
  return nullptr;
}

const char* find_error(const Parameters& p) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  struct Rule {
    bool holds;
    const char* what;
  };
  const std::uint16_t failing = std::min(p.path_max_retransmissions, p.potentially_failed_threshold);
  const Rule rules[] = {
      {p.rto_min > Duration::zero() && p.rto_min <= p.rto_max, "rto_min must be above 0 and at most rto_max"},
      {p.rto_initial > Duration::zero() && p.rto_initial <= p.rto_max, "rto_initial must be above 0, at most rto_max"},
      {p.rto_max <= hours(24), "rto_max must be at most 24 hours"},
      {p.rto_alpha_shift < 16 && p.rto_beta_shift < 16, "rto_alpha_shift and rto_beta_shift must be below 16"},
      {heartbeat_in_range(p.heartbeat_interval), "heartbeat_interval must be 0 to 30 days"},
      {p.valid_cookie_life > Duration::zero() && p.valid_cookie_life <= hours(24),
       "valid_cookie_life must be above 0 and at most 24 hours"},
      {p.autoclose >= Duration::zero() && p.autoclose <= kLongestPeriod, "autoclose must be 0 to 30 days"},
      {p.sack_delay >= Duration::zero() && p.sack_delay <= milliseconds(500), "sack_delay must be 0 to 500 ms"},
      {p.sack_frequency >= 1, "sack_frequency must be at least 1"},
      {retransmissions_in_range(p.path_max_retransmissions), "path_max_retransmissions must be at most 65534"},
      {p.primary_switchover_threshold >= failing,
       "primary_switchover_threshold must be at least path_max_retransmissions, or potentially_failed_threshold if "
       "that "
       "is smaller"},
      {p.outbound_streams >= 1 && p.max_inbound_streams >= 1, "there must be at least one stream each way"},
      {p.receive_window >= 1500, "receive_window must be at least 1500 bytes"},
      {p.pin_limit >= p.receive_window, "pin_limit must be at least receive_window"},
      {p.send_buffer >= 1500, "send_buffer must be at least 1500 bytes"},
      {p.partial_delivery_point >= 1, "partial_delivery_point must be at least 1"},
      {p.path_mtu_max >= 576, "path_mtu_max must be at least 576 bytes"},
      {p.dscp < 64, "dscp must be at most 63"},
  };
  for (const Rule& rule : rules)
    if (!rule.holds) return rule.what;
  return nullptr;
}

}  // namespace sluice::worker
