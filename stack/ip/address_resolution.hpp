#pragma once

#include <sluice/time.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

#include "stack/ip/arp.hpp"
#include "stack/ip/config.hpp"
#include "stack/ip/counters.hpp"
#include "stack/ip/datagram.hpp"
#include "stack/ip/ethernet.hpp"
#include "stack/ip/nd.hpp"
#include "stack/ip/neighbour_cache.hpp"
#include "stack/ip/route_table.hpp"
#include "stack/ip/transmitter.hpp"

namespace sluice::ip {

/// Speaks ARP (RFC 826) and neighbour discovery (RFC 4861): answers for our addresses, asks for neighbours, and tells
/// the cache what it hears.
class AddressResolution {
 public:
  /// The references outlive it.
  AddressResolution(const Config& config, const RouteTable& routes, Transmitter& transmitter, Counters& counters)
      : config_(config), routes_(routes), transmitter_(transmitter), counters_(counters) {}

  /// An ARP packet, what follows the Ethernet header in `bytes`.
  void handle_arp(std::uint16_t port, std::span<const std::byte> bytes, NeighbourCache& cache, Timestamp now);
  /// A neighbour solicitation or advertisement, `message`, that `datagram` carried from the station `from`.
  void handle_nd(std::uint16_t port, const base::MacAddress& from, const Datagram& datagram,
                 std::span<const std::byte> message, NeighbourCache& cache, Timestamp now);
  /// Asks for `neighbour`.
  void solicit(const Neighbour& neighbour, bool broadcast);
  /// Tells everybody on `port` our addresses there.
  void announce(std::uint16_t port);

 private:
  void answer_solicitation(std::uint16_t port, const base::MacAddress& from, const Datagram& datagram,
                           const IpAddress& target);
  void send_arp(std::uint16_t port, const base::MacAddress& to, const ArpPacket& packet);
  void send_nd(std::uint16_t port, const base::MacAddress& to, const NdMessage& message, const IpAddress& source,
               const IpAddress& destination);

  const Config& config_;
  const RouteTable& routes_;
  Transmitter& transmitter_;
  Counters& counters_;
};

}  // namespace sluice::ip
