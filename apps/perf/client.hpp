#pragma once

#include "apps/perf/options.hpp"

namespace sluice::apps {

/// Runs `sluice-perf client`; the exit status: 0 when all arrived and was right.
int run_client(const PerfOptions& options);

}  // namespace sluice::apps
