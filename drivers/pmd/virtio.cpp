#include <fmt/format.h>

#include <bit>

#include "drivers/pmd/device.hpp"

namespace sluice::drivers::pmd {
namespace {

void need_path(const PortConfig& config) {
  if (config.path.empty()) refuse(config, "it needs a vhost-user socket; set path, the same on both sides");
}

}  // namespace

// The driver's side of a vhost-user link: what a virtual machine would be. The receiver's queue is the sender's queue.
Device describe_virtio_user(const PortConfig& config) {
  need_path(config);
  // As server the PMD (22.11) waits for whoever connects, in the middle of a look at the link, and closes sockets that
  // DPDK's interrupt thread still watches, on which the process dies.
  if (config.role.value_or(PortRole::client) == PortRole::server)
    refuse(config, "virtio_user cannot make the socket; let the other side, which has vhost, be the server");
  need_server_socket(config);
  Device device;
  device.name = "net_virtio_user_" + config.name;
  device.arguments = fmt::format("path={},queues={},queue_size={}", config.path, config.queues,
                                 std::bit_ceil(config.receive_descriptors));
  if (config.mac) device.arguments += ",mac=" + base::to_string(*config.mac);
  // No receive interrupts: with them, the PMD (22.11) also watches the socket from DPDK's interrupt thread, and
  // stopping the device while that thread looks at it leaves it a closed descriptor, on which the process dies.
  return device;
}

// The host's side of a vhost-user link.
Device describe_vhost(const PortConfig& config) {
  need_path(config);
  const bool server = config.role.value_or(PortRole::server) == PortRole::server;
  Device device;
  device.name = "net_vhost_" + config.name;
  device.arguments = fmt::format("iface={},queues={},client={}", config.path, config.queues, server ? 0 : 1);
  if (server) device.socket = config.path;
  device.may_interrupt = true;
  return device;
}

}  // namespace sluice::drivers::pmd
