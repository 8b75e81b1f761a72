#include "stack/endpoint/init_request.hpp"

#include <algorithm>
#include <utility>

#include "stack/endpoint/address_scope.hpp"

namespace sluice::endpoint {
namespace {

using wire::ParameterType;

constexpr std::uint32_t kMinWindow = 1500;

void take_address(const wire::Parameter& parameter, const base::Arrival& arrival, std::span<const IpAddress> ours,
                  InitRequest& request) {
  const auto address = wire::read_address(parameter);
  if (address && request.peers.contains(*address)) return;
  // An address of our own would make us talk to ourselves.
  const bool usable = address && is_unicast(*address) && scope_of(*address) >= scope_of(arrival.source) &&
                      *address != arrival.destination && std::find(ours.begin(), ours.end(), *address) == ours.end();
  if (!usable || !request.peers.push_back(*address)) ++request.ignored_addresses;
}

// A family that the sender uses is supported, whatever it says (§5.1.2).
void take_supported(const wire::Parameter& parameter, InitRequest& request) {
  const auto types = wire::read_supported_address_types(parameter);
  if (types) request.supported = *types;
}

// False: nothing behind this parameter is to be looked at.
bool take_unrecognized(const wire::Parameter& parameter, InitRequest& request) {
  const wire::UnrecognizedRule rule = wire::unrecognized_rule(parameter.type);
  if (rule.report && !request.unrecognized.full()) static_cast<void>(request.unrecognized.push_back(parameter));
  return !rule.stop;
}

InitProblem read_parameters(wire::ParameterWalker walker, const base::Arrival& arrival, std::span<const IpAddress> ours,
                            InitRequest& request) {
  while (const auto parameter = walker.next()) {
    switch (parameter->type) {
      case ParameterType::ipv4_address:
      case ParameterType::ipv6_address:
        take_address(*parameter, arrival, ours, request);
        break;
      case ParameterType::cookie_preservative:
        if (const auto increment = wire::read_cookie_preservative(*parameter)) request.cookie_preservative = *increment;
        break;
      case ParameterType::supported_address_types:
        take_supported(*parameter, request);
        break;
      case ParameterType::host_name_address:
        request.host_name = *parameter;
        return InitProblem::host_name;
      default:
        if (!take_unrecognized(*parameter, request)) return InitProblem::none;
    }
  }
  return walker.malformed() ? InitProblem::malformed_parameters : InitProblem::none;
}

}  // namespace

InitProblem read_init(std::span<const std::byte> packet, const base::Arrival& arrival, std::span<const IpAddress> ours,
                      InitRequest& request) {
  wire::ChunkWalker chunks = wire::chunks_of(packet);
  const auto chunk = chunks.next();
  const auto init = chunk ? wire::InitChunk::parse(*chunk) : std::nullopt;
  if (!init || init->ack()) return InitProblem::too_short;
  if (!chunks.rest().empty()) return InitProblem::not_alone;
  request.header = init->header();
  if (request.header.init_tag.value == 0) return InitProblem::zero_tag;
  if (request.header.outbound_streams == 0 || request.header.inbound_streams == 0 || request.header.window < kMinWindow)
    return InitProblem::bad_values;
  request.peers = {arrival.source};
  const InitProblem problem = read_parameters(init->parameters(), arrival, ours, request);
  for (const IpAddress& peer : request.peers) (peer.is_v4() ? request.supported.ipv4 : request.supported.ipv6) = true;
  return problem;
}

void keep_families_of(const assoc::AddressList& ours, InitRequest& request) {
  const assoc::AddressList listed = std::exchange(request.peers, {});
  for (const IpAddress& peer : listed) {
    const auto same = [&](const IpAddress& address) { return address.is_v4() == peer.is_v4(); };
    if (!std::any_of(ours.begin(), ours.end(), same) || !request.peers.push_back(peer)) ++request.ignored_addresses;
  }
}

}  // namespace sluice::endpoint
