#pragma once

#include <sluice/time.hpp>

#include <cstdint>

namespace sluice {

/// The protocol parameters of an association (RFC 9260 §16 where it has them), inherited stack → endpoint →
/// association. Every default is RFC 9260's, or says why it is what it is.
struct Parameters {
  Duration rto_initial = std::chrono::seconds(1);
  Duration rto_min = std::chrono::seconds(1);
  Duration rto_max = std::chrono::seconds(60);
  std::uint8_t rto_alpha_shift = 3;                        ///< RTO.Alpha = 2^-n
  std::uint8_t rto_beta_shift = 2;                         ///< RTO.Beta = 2^-n
  Duration heartbeat_interval = std::chrono::seconds(30);  ///< 0: no heartbeats
  Duration valid_cookie_life = std::chrono::seconds(60);
  std::uint16_t association_max_retransmissions = 10;
  std::uint16_t path_max_retransmissions = 5;
  std::uint16_t max_init_retransmissions = 8;
  std::uint16_t max_burst =
      4;  ///< packets of new data that a SACK for up to two packets lets go at once (§6.1 D); 0: no limit
  Duration sack_delay = std::chrono::milliseconds(200);  ///< 0 to 500 ms (§6.2)
  std::uint16_t sack_frequency = 2;                      ///< packets with DATA per SACK; 1: acknowledge each
  std::uint16_t outbound_streams = 10;                   ///< wished for in INIT; the peer may grant fewer
  std::uint16_t max_inbound_streams = 2048;  ///< at most granted to the peer; bounds memory an INIT can ask for
  std::uint32_t receive_window = 1 << 20;    ///< bytes offered; at least 1500 (§5.1.1, and see receive pinning)
  std::uint32_t pin_limit = 4 << 20;         ///< bytes of receive memory one association may hold, blocks counted whole
  std::uint32_t send_buffer = 4 << 20;       ///< bytes queued and not yet acknowledged, after which send() would block
  std::uint32_t partial_delivery_point = 1 << 18;  ///< bytes of one message after which it is delivered in parts
  std::uint16_t path_mtu_max = 1500;               ///< IP packet bytes; what the port allows may be less
  std::uint8_t dscp = 0;                           ///< 0 to 63
};

}  // namespace sluice
