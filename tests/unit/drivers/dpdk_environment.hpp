#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "drivers/eal.hpp"
#include "drivers/open_port.hpp"
#include "tests/unit/drivers/test_frames.hpp"

namespace sluice::drivers::test {

/// DPDK without huge pages, started once for the whole test program.
const Eal& eal();

/// A test's own pool, named after it.
std::unique_ptr<PacketPool> make_pool(std::uint32_t blocks = 2048, std::uint32_t block_bytes = 0,
                                      std::uint32_t reserve = 0);

/// A port of one queue fed by `pool`.
std::unique_ptr<Port> open_one(const PortConfig& config, PacketPool& pool);

/// A frame built in `pool` with the stack's usual headroom.
base::Buffer frame_in(base::BufferSource& pool, const std::vector<std::byte>& bytes);

/// Polls until `count` frames are there; fewer after five seconds.
std::vector<base::Buffer> receive_all(Port& port, std::size_t count, std::uint16_t queue = 0);

/// Waits until the port's link is as asked for; false after five seconds.
bool wait_for_link(Port& port, bool up);

/// What the SetupError says that opening `config` throws; empty when it throws none.
std::string error_of(const PortConfig& config);

}  // namespace sluice::drivers::test
