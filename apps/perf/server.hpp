#pragma once

#include "apps/perf/options.hpp"

namespace sluice::apps {

/// Runs `sluice-perf server`; the exit status.
int run_server(const PerfOptions& options);

}  // namespace sluice::apps
