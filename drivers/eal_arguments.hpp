#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/eal_config.hpp"

namespace sluice::drivers {

/// The memory that DPDK is to take.
struct EalMemory {
  std::uint32_t megabytes = 0;
  bool huge = false;  ///< of huge pages
};

/// `arguments` give one of `options`, in whichever way DPDK takes it: "-m 64", "-m64", "--allow X", "--allow=X".
bool gives_option(const std::vector<std::string>& arguments, const std::vector<std::string_view>& options);
/// The user's own arguments say what memory DPDK takes; then Sluice says nothing about it.
bool chooses_memory(const std::vector<std::string>& arguments);
/// rte_eal_init()'s argv for `config`. `log_level` is DPDK's own number.
std::vector<std::string> eal_arguments(const EalConfig& config, const EalMemory& memory, unsigned log_level);

}  // namespace sluice::drivers
