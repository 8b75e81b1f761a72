#pragma once

#include <algorithm>
#include <cstdint>

#include "stack/ip/datagram.hpp"
#include "stack/ip/ipv4.hpp"
#include "stack/ip/ipv6.hpp"

namespace sluice::ip {

inline constexpr std::uint32_t kMostIpPayload = 65535 - kIpv4HeaderLength;

constexpr std::uint32_t ip_header_length(bool is_v4) {
  return is_v4 ? kIpv4HeaderLength : kIpv6HeaderLength;
}

/// The largest IP packet that may leave in one piece. Who allows fragments says that the path takes less than the link:
/// IPv4 routers cut again, IPv6 routers do not, so IPv6 is cut at the source by what every path takes (RFC 8200 §5).
constexpr std::uint32_t largest_whole(bool is_v4, bool dont_fragment, std::uint32_t mtu) {
  return is_v4 || dont_fragment ? mtu : std::min<std::uint32_t>(mtu, kIpv6LeastMtu);
}

/// Cuts `payload_length` bytes so that no IP packet exceeds `largest`: calls emit(offset, length, more) for each
/// fragment, in order, until it says false. True: all were emitted.
template <class Emit>
bool for_each_fragment(bool is_v4, std::uint32_t payload_length, std::uint32_t largest, Emit&& emit) {
  const std::uint32_t headers = ip_header_length(is_v4) + (is_v4 ? 0 : kIpv6FragmentHeaderLength);
  const std::uint32_t piece = (largest - headers) & ~7U;  // offsets count in 8 bytes
  for (std::uint32_t offset = 0; offset < payload_length; offset += piece) {
    const std::uint32_t length = std::min(piece, payload_length - offset);
    if (!emit(offset, length, offset + length < payload_length)) return false;
  }
  return true;
}

}  // namespace sluice::ip
