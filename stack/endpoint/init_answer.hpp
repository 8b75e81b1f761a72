#pragma once

#include <sluice/parameters.hpp>
#include <sluice/time.hpp>

#include "stack/endpoint/init_request.hpp"
#include "stack/endpoint/reply.hpp"
#include "stack/endpoint/services.hpp"

namespace sluice::endpoint {

/// The largest packet that carries an INIT ACK: an IPv6 packet of 1 280 bytes with UDP encapsulation, the smallest path
/// MTU there is.
inline constexpr std::uint32_t kMaxInitAckPacket = 1280 - 40 - 8;

/// Our side of an INIT ACK.
struct InitAnswer {
  VTag local_tag;
  Tsn local_initial_tsn;
  std::uint32_t window = 0;
  std::uint16_t outbound_streams = 0;  ///< what we wish for
  std::uint16_t inbound_streams = 0;   ///< what we grant at most
  assoc::AddressList local_addresses;
  assoc::TieTags tie_tags;
  Duration cookie_life{};
};

/// Drops or aborts an INIT that has a problem, and counts it. Shared by both roles. False if there is none.
bool refuse_init(const Services& services, Timestamp now, const Received& received, InitProblem problem,
                 const InitRequest& request);

/// Sends INIT ACK with a cookie that joins `ours` with `request` (RFC 9260 §5.1 B, §5.1.3). To `destination` if it is
/// not null, else to where the INIT came from; from `source` if it is not null, else from where the INIT went to.
void send_init_ack(const Services& services, Timestamp now, const Received& received, const InitRequest& request,
                   const InitAnswer& ours, const IpAddress* destination = nullptr, const IpAddress* source = nullptr);

}  // namespace sluice::endpoint
