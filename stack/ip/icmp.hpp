#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "stack/ip/datagram.hpp"
#include "stack/ip/frame_sink.hpp"

namespace sluice::ip {

inline constexpr std::uint32_t kIcmpHeaderLength = 8;

/// What an ICMP or ICMPv6 message is to us.
enum class IcmpClass : std::uint8_t {
  malformed,     ///< too short, or a wrong checksum
  echo_request,  ///< to be answered
  error,         ///< quotes a packet, perhaps one of ours
  discovery,     ///< neighbour solicitation or advertisement
  ignored,
};

/// Checks and sorts `message`, the whole ICMP (protocol 1) or ICMPv6 message that `datagram` carries.
IcmpClass classify_icmp(const Datagram& datagram, std::span<const std::byte> message);

/// Turns the echo request in `message` into its reply (RFC 792, RFC 4443 §4.2), to go from `source` to `destination`.
void make_echo_reply(std::span<std::byte> message, const IpAddress& source, const IpAddress& destination);

/// Reads an error message whose class is IcmpClass::error. Nothing when it is of a kind that SCTP ignores (RFC 9260
/// §10, ICMP1 to ICMP4) or quotes too little or no SCTP packet. `udp_port` is ours for encapsulated SCTP (RFC 6951), or
/// 0. Whether the quoted source is ours remains to be seen.
std::optional<IcmpNotice> read_icmp_error(const Datagram& datagram, std::span<const std::byte> message,
                                          std::uint16_t udp_port);

/// Why a packet cannot be taken.
enum class Unreachable : std::uint8_t { protocol, port };

/// How many bytes write_unreachable() writes about a packet of `offending_length` bytes.
std::uint32_t unreachable_length(bool is_v4, std::uint32_t offending_length);
/// Writes the message to `to`, of unreachable_length() bytes: ICMP Destination Unreachable for IPv4 (RFC 792); for IPv6
/// Destination Unreachable or Parameter Problem (RFC 4443 §3.1, §3.4), which leaves from `source` to `destination`.
/// `offending` begins at the IP header; `next_header_offset` is where its refused protocol stands (IPv6).
void write_unreachable(std::span<std::byte> to, Unreachable why, std::span<const std::byte> offending,
                       std::uint32_t next_header_offset, const IpAddress& source, const IpAddress& destination);

}  // namespace sluice::ip
