#include "stack/assoc/congestion/rfc9260_controller.hpp"

#include <algorithm>

#include "stack/base/check.hpp"

namespace sluice::assoc {

Rfc9260Controller::Rfc9260Controller(std::uint32_t max_data_chunk, bool ipv4)
    : cwnd_(std::min(4 * max_data_chunk, std::max(2 * max_data_chunk, ipv4 ? 4404u : 4344u))),
      ssthresh_(UINT32_MAX),
      pmdcs_(static_cast<std::uint16_t>(max_data_chunk)),
      ipv4_(ipv4) {
  SLUICE_CHECK(max_data_chunk <= UINT16_MAX);
}

void Rfc9260Controller::on_acked(Timestamp /*now*/, const Acked& acked) {
  idle_ = false;
  if (cwnd_ <= ssthresh_)
    slow_start(acked);
  else
    avoid_congestion(acked);
}

void Rfc9260Controller::on_all_acknowledged() {
  partial_bytes_acked_ = 0;
}

void Rfc9260Controller::slow_start(const Acked& acked) {
  if (!acked.fully_used || acked.in_fast_recovery) return;
  const std::uint32_t more = std::min<std::uint32_t>(acked.bytes, pmdcs_);
  cwnd_ = cwnd_ > UINT32_MAX - more ? UINT32_MAX : cwnd_ + more;
}

void Rfc9260Controller::avoid_congestion(const Acked& acked) {
  const std::uint64_t sum = std::uint64_t{partial_bytes_acked_} + acked.bytes;
  partial_bytes_acked_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(sum, UINT32_MAX));
  if (partial_bytes_acked_ < cwnd_) return;
  if (!acked.fully_used) {
    partial_bytes_acked_ = cwnd_;
    return;
  }
  partial_bytes_acked_ -= cwnd_;
  // §7.2.4: cwnd does not change while in Fast Recovery.
  if (!acked.in_fast_recovery && cwnd_ <= UINT32_MAX - pmdcs_) cwnd_ += pmdcs_;
}

void Rfc9260Controller::on_fast_retransmit(Timestamp /*now*/) {
  ssthresh_ = reduced();
  cwnd_ = ssthresh_;
  partial_bytes_acked_ = 0;
}

void Rfc9260Controller::on_timeout(Timestamp /*now*/) {
  ssthresh_ = reduced();
  cwnd_ = pmdcs_;
  partial_bytes_acked_ = 0;
}

void Rfc9260Controller::on_idle(Timestamp /*now*/) {
  // The rule is meant to lower the window: one that a timeout made smaller stays so, and so does its ssthresh.
  if (reduced() >= cwnd_) return;
  if (!idle_) ssthresh_ = cwnd_;
  idle_ = true;
  cwnd_ = reduced();
}

void Rfc9260Controller::set_mtu(std::uint32_t max_data_chunk) {
  pmdcs_ = max_data_chunk;
  cwnd_ = std::max<std::uint32_t>(cwnd_, pmdcs_);
}

void Rfc9260Controller::restart() {
  *this = Rfc9260Controller(pmdcs_, ipv4_);
}

std::uint32_t Rfc9260Controller::reduced() const {
  return std::max<std::uint32_t>(cwnd_ / 2, 4 * pmdcs_);
}

}  // namespace sluice::assoc
