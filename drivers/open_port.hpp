#pragma once

#include <memory>
#include <span>

#include "drivers/eal.hpp"
#include "drivers/packet_pool.hpp"
#include "drivers/port.hpp"
#include "drivers/port_config.hpp"

namespace sluice::drivers {

/// Sets up and starts a DPDK port. `receive_pools[q]` feeds receive queue q and receives its linearised frames; there
/// are at least config.queues of them, they outlive the port, and one pool may feed several ports' queues if one thread
/// polls them. Fewer queues than asked for is no error: see PortInfo. Throws SetupError.
std::unique_ptr<Port> open_port(const Eal& eal, const PortConfig& config, std::span<PacketPool* const> receive_pools);

}  // namespace sluice::drivers
