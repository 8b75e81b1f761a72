#pragma once

#include <sluice/time.hpp>

#include <cstdint>
#include <optional>

namespace sluice {

/// The protocol parameters of an association (RFC 9260 §16 where it has them), inherited stack → endpoint →
/// association. Every default is RFC 9260's, or says why it is what it is. All can be changed while an association
/// lives (Application::set_parameters()); those that only its beginning asks for (streams, receive_window, pin_limit,
/// max_init_retransmissions, valid_cookie_life) have no effect on it then, unless the peer restarts.
struct Parameters {
  Duration rto_initial = std::chrono::seconds(1);
  Duration rto_min = std::chrono::seconds(1);
  Duration rto_max = std::chrono::seconds(60);
  std::uint8_t rto_alpha_shift = 3;  ///< RTO.Alpha = 2^-n
  std::uint8_t rto_beta_shift = 2;   ///< RTO.Beta = 2^-n
  bool rto_linear_back_off = false;  ///< a timeout adds the RTO that was measured, instead of doubling (not RFC 9260)
  Duration heartbeat_interval = std::chrono::seconds(30);  ///< 0: no heartbeats
  Duration valid_cookie_life = std::chrono::seconds(60);
  std::uint16_t association_max_retransmissions = 10;
  std::uint16_t path_max_retransmissions = 5;
  /// PotentiallyFailed.Max.Retrans (RFC 7829 §3.2): unanswered transmissions after which a path is avoided while
  /// another one is active. Not below path_max_retransmissions: there is no such state, as in RFC 9260.
  std::uint16_t potentially_failed_threshold = UINT16_MAX;
  /// Primary.Switchover.Max.Retrans (RFC 7829 §5): unanswered transmissions on the primary path after which the path in
  /// use becomes the primary one for good. Not below the smaller of the two thresholds above; UINT16_MAX: never.
  std::uint16_t primary_switchover_threshold = UINT16_MAX;
  std::uint16_t max_init_retransmissions = 8;
  std::uint16_t max_burst =
      4;  ///< packets of new data that a SACK for up to two packets lets go at once (§6.1 D); 0: no limit
  Duration autoclose{};  ///< without user data either way for so long, it is shut down; to 30 days; 0: never
  Duration sack_delay = std::chrono::milliseconds(200);  ///< 0 to 500 ms (§6.2)
  std::uint16_t sack_frequency = 2;                      ///< packets with DATA per SACK; in long poll turns 16
  std::uint16_t outbound_streams = 10;                   ///< wished for in INIT; the peer may grant fewer
  std::uint16_t max_inbound_streams = 2048;  ///< at most granted to the peer; bounds memory an INIT can ask for
  std::uint32_t receive_window = 1 << 20;    ///< bytes offered; at least 1500 (§5.1.1, and see receive pinning)
  std::uint32_t pin_limit = 4 << 20;         ///< bytes of receive memory one association may hold, blocks counted whole
  std::uint32_t send_buffer = 4 << 20;       ///< bytes queued and not yet acknowledged, after which send() would block
  std::uint32_t partial_delivery_point =
      1 << 18;                        ///< bytes of a message told before all came; fewer when memory is short
  std::uint16_t path_mtu_max = 1500;  ///< IP packet bytes; what the port allows may be less
  std::uint8_t dscp = 0;              ///< 0 to 63

  friend bool operator==(const Parameters&, const Parameters&) = default;
};

/// What can be set for one path of an association alone (RFC 9260 §11.1); what is empty stays as it is.
struct PathOptions {
  std::optional<Duration> heartbeat_interval;        ///< 0: no heartbeats
  std::optional<std::uint16_t> max_retransmissions;  ///< unanswered transmissions after which the path has failed
};

}  // namespace sluice
