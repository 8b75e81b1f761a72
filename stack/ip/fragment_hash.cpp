#include "stack/ip/fragment_hash.hpp"

#include "stack/ip/ethernet.hpp"
#include "stack/ip/hash.hpp"
#include "stack/ip/ipv4.hpp"
#include "stack/ip/ipv6.hpp"

namespace sluice::ip {

std::optional<std::uint32_t> fragment_hash(std::span<const std::byte> frame) {
  const auto ethernet = parse_ethernet(frame);
  if (!ethernet) return std::nullopt;
  const auto packet = frame.subspan(ethernet->length);
  Datagram header;
  HeaderFault fault = HeaderFault::malformed;
  // The checksum is left to the worker that joins the fragments.
  if (ethernet->ether_type == kEtherTypeIpv4) fault = parse_ipv4(packet, true, header);
  if (ethernet->ether_type == kEtherTypeIpv6) fault = parse_ipv6(packet, header);
  if (fault != HeaderFault::none || !header.fragment) return std::nullopt;
  constexpr std::uint64_t kSeed = 0x51f15eed0badf00d;  // the same for all workers: it spreads work, it guards nothing
  const std::uint64_t source = hash_address(header.source, header.fragment->id, kSeed);
  return static_cast<std::uint32_t>(hash_address(header.destination, source, kSeed) >> 16);
}

}  // namespace sluice::ip
