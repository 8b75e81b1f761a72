#pragma once

#include <sluice/config.hpp>

#include "drivers/eal_config.hpp"
#include "drivers/port.hpp"
#include "drivers/port_config.hpp"
#include "stack/worker/config.hpp"

#include <vector>

// What the rooms below are told, derived from the configuration of the whole.
namespace sluice::socket {

drivers::EalConfig eal_config(const StackConfig& config);
drivers::PortConfig driver_port_config(const StackConfig& config, const PortConfig& port);
worker::IdlePolicy idle_policy(const StackConfig& config);
/// Throws Error when addresses or routes contradict each other.
worker::Config worker_config(const StackConfig& config, const std::vector<drivers::Port*>& ports);
/// Bytes of a block that holds a frame of any of the ports.
std::uint32_t frame_block_bytes(const StackConfig& config);

}  // namespace sluice::socket
