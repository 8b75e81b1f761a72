// RFC 9260 §10: what ICMP says of packets of ours.
#include "stack/assoc/association.hpp"

namespace sluice::assoc {
namespace {

/// How long a router's word on the path MTU is believed (RFC 1191 §6.3, RFC 8201 §4).
constexpr Duration kLearnedMtuLife = std::chrono::minutes(10);
/// No IPv6 link takes less (RFC 8200 §5), so that who says otherwise is not believed (RFC 8201 §4).
constexpr std::uint32_t kIpv6LeastMtu = 1280;

/// Strictly: what is repeated changes nothing, so that no flood of such messages makes us send again and again.
bool lowers_mtu(const Path& path, std::uint32_t mtu) {
  if (!path.route.destination.is_v4() && mtu < kIpv6LeastMtu) return false;
  return mtu < path.pmtu && (path.learned_mtu == 0 || mtu < path.learned_mtu);
}

}  // namespace

/// ICMP6: only a quote with the tag that we put into packets shows that a packet of ours provoked it.
bool Association::quotes_our_tag(const IcmpReport& report) const {
  if (report.tag.value != 0) return report.tag == peer_tag_;
  return report.initiate_tag == local_tag_;
}

void Association::on_icmp(Timestamp now, const IcmpReport& report) {
  if (state_ == State::closed) return;
  if (!quotes_our_tag(report)) {
    ++services_.counters.icmp_wrong_tags;
    return;
  }
  Path* const path = paths_.find(report.destination);
  const bool of_init = report.tag.value == 0;
  if (report.kind == IcmpReport::Kind::packet_too_big && path != nullptr && lowers_mtu(*path, report.mtu)) {
    learn_path_mtu(now, *path, static_cast<std::uint16_t>(report.mtu));
  } else if (report.kind == IcmpReport::Kind::protocol_unreachable && (!of_init || state_ == State::cookie_wait)) {
    drop_packet();
    fail(was_up_ ? Reason::peer_abort : Reason::refused);  // ICMP8: as an ABORT
  } else {
    ++services_.counters.icmp_ignored;
  }
}

/// ICMP7, §7.3. What was in flight may have been dropped for its size: it goes again at once. As that was no
/// congestion, the cwnd stays.
void Association::learn_path_mtu(Timestamp now, Path& path, std::uint16_t mtu) {
  ++services_.counters.path_mtus_lowered;
  path.learned_mtu = mtu;
  path.learned_mtu_deadline = now + kLearnedMtuLife;
  resolve(path, paths_.local_addresses());
  if (!sender_started_) return;
  sender_.send_again(path);
  if (state_ == State::cookie_echoed && path.id == control_path_) pending_ |= kCookieEcho;
}

void Association::forget_learned_mtu(Path& path) {
  path.learned_mtu = 0;
  path.learned_mtu_deadline = kNever;
  resolve(path, paths_.local_addresses());
}

}  // namespace sluice::assoc
