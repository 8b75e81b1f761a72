#pragma once

#include <cstdint>

#include "tests/sim/simulation.hpp"

namespace sluice::sim {

/// Sets up, uses and tears down `associations` between two stacks over a wire that loses one frame in a hundred, some
/// hundreds at a time, and checks that every pool returns to its starting level. Throws std::runtime_error.
void churn(std::uint64_t seed, std::uint32_t associations, const RunOptions& options, Totals& totals);

}  // namespace sluice::sim
