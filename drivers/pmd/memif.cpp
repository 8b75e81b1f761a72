#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "drivers/packet_pool.hpp"
#include "drivers/pmd/device.hpp"

namespace sluice::drivers::pmd {

// Shared memory between two processes, one of which makes the socket. The receiver's queue is the sender's queue.
Device describe_memif(const PortConfig& config) {
  if (config.path.empty()) refuse(config, "memif needs a socket; set path, the same on both sides");
  const bool server = config.role.value_or(PortRole::server) == PortRole::server;
  // The PMD takes the ring's size as a power of two, at most 2^14.
  const std::uint32_t descriptors = std::max(config.receive_descriptors, config.transmit_descriptors);
  const int log2_ring = std::min(14, static_cast<int>(std::bit_width(std::bit_ceil(descriptors))) - 1);
  if (!server) need_server_socket(config);
  Device device;
  device.name = "net_memif_" + config.name;
  device.arguments = fmt::format("role={},socket={},socket-abstract=no,bsize={},rsize={}", server ? "server" : "client",
                                 config.path, frame_slot_bytes(config.mtu), log2_ring);
  if (config.mac) device.arguments += ",mac=" + base::to_string(*config.mac);
  if (server) device.socket = config.path;
  device.knows_mtu = false;  // it claims 1518 bytes at most, and passes what fits its buffers
  return device;
}

}  // namespace sluice::drivers::pmd
