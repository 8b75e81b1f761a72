#pragma once

#include <cstdint>

namespace sluice::wire {

/// Chunk types (RFC 9260 §3.2, Table 1), and those of extensions by their numbers.
enum class ChunkType : std::uint8_t {
  data = 0,
  init = 1,
  init_ack = 2,
  sack = 3,
  heartbeat = 4,
  heartbeat_ack = 5,
  abort = 6,
  shutdown = 7,
  shutdown_ack = 8,
  error = 9,
  cookie_echo = 10,
  cookie_ack = 11,
  ecne = 12,  ///< reserved for ECN; not recognised
  cwr = 13,   ///< reserved for ECN; not recognised
  shutdown_complete = 14,
  auth = 15,            ///< RFC 4895
  nr_sack = 16,         ///< draft-tuexen-tsvwg-sctp-multipath
  i_data = 64,          ///< RFC 8260
  asconf_ack = 128,     ///< RFC 5061
  re_config = 130,      ///< RFC 6525
  pad = 132,            ///< RFC 4820
  forward_tsn = 192,    ///< RFC 3758
  asconf = 193,         ///< RFC 5061
  i_forward_tsn = 194,  ///< RFC 8260
};

/// Parameter types: RFC 9260 §3.3.2 (Table 6), §3.3.3 (Table 8), §3.3.5, and those of extensions by their numbers.
enum class ParameterType : std::uint16_t {
  heartbeat_info = 1,
  ipv4_address = 5,
  ipv6_address = 6,
  state_cookie = 7,
  unrecognized_parameter = 8,
  cookie_preservative = 9,
  host_name_address = 11,  ///< deprecated: known only to be refused (§3.3.2.1.4)
  supported_address_types = 12,
  outgoing_ssn_reset = 13,  ///< RFC 6525, as are the next five
  incoming_ssn_reset = 14,
  ssn_tsn_reset = 15,
  re_config_response = 16,
  add_outgoing_streams = 17,
  add_incoming_streams = 18,
  ecn_capable = 0x8000,
  zero_checksum_acceptable = 0x8001,  ///< RFC 9653
  random = 0x8002,                    ///< RFC 4895, as are the next two
  chunk_list = 0x8003,
  requested_hmac = 0x8004,
  padding = 0x8005,                ///< RFC 4820
  supported_extensions = 0x8008,   ///< RFC 5061
  forward_tsn_supported = 0xc000,  ///< RFC 3758
  add_ip_address = 0xc001,         ///< RFC 5061, as are those that follow
  delete_ip_address = 0xc002,
  error_cause_indication = 0xc003,
  set_primary_address = 0xc004,
  success_indication = 0xc005,
  adaptation_layer_indication = 0xc006,
};

/// What the two upper bits of a type ask of a receiver that does not recognise it (RFC 9260 §3.2 Table 2, §3.2.1
/// Table 3).
struct UnrecognizedRule {
  bool stop = false;    ///< process nothing more: of the packet for a chunk, of the chunk for a parameter
  bool report = false;  ///< tell the sender

  friend constexpr bool operator==(const UnrecognizedRule&, const UnrecognizedRule&) = default;
};

constexpr UnrecognizedRule unrecognized_rule(ChunkType type) {
  const auto bits = static_cast<std::uint8_t>(type);
  return {.stop = (bits & 0x80) == 0, .report = (bits & 0x40) != 0};
}

constexpr UnrecognizedRule unrecognized_rule(ParameterType type) {
  const auto bits = static_cast<std::uint16_t>(type);
  return {.stop = (bits & 0x8000) == 0, .report = (bits & 0x4000) != 0};
}

}  // namespace sluice::wire
