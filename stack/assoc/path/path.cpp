#include "stack/assoc/path/path.hpp"

#include <algorithm>

#include "stack/assoc/pools.hpp"
#include "stack/wire/common_header.hpp"

namespace sluice::assoc {
namespace {

constexpr std::uint32_t kIpv4HeaderSize = 20;
constexpr std::uint32_t kIpv6HeaderSize = 40;
constexpr std::uint32_t kUdpHeaderSize = 8;

}  // namespace

std::uint32_t Path::max_packet_size() const {
  return room_in(pmtu);
}

std::uint32_t Path::max_fragmented_size() const {
  return room_in(std::max(link_mtu, pmtu));
}

std::uint32_t Path::room_in(std::uint32_t mtu) const {
  const std::uint32_t ip = route.destination.is_v4() ? kIpv4HeaderSize : kIpv6HeaderSize;
  const std::uint32_t udp = route.udp_destination_port != 0 ? kUdpHeaderSize : 0;
  SLUICE_CHECK(mtu > ip + udp + wire::kCommonHeaderSize);
  return (mtu - ip - udp) & ~3u;
}

std::uint32_t Path::max_data_chunk() const {
  return max_packet_size() - static_cast<std::uint32_t>(wire::kCommonHeaderSize);
}

bool open_path(Path& path, const Parameters& parameters, Pools& pools) {
  path.rto = Rto(parameters);
  path.max_retransmissions = parameters.path_max_retransmissions;
  path.heartbeat_interval = parameters.heartbeat_interval;
  path.congestion = pools.congestion_controllers.make(path.max_data_chunk(), path.route.destination.is_v4());
  return path.congestion != nullptr;
}

void close_path(Path& path, Pools& pools) {
  if (path.congestion == nullptr) return;
  pools.congestion_controllers.destroy(static_cast<Rfc9260Controller*>(path.congestion));
  path.congestion = nullptr;
}

}  // namespace sluice::assoc
