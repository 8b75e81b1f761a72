#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/common/stack_options.hpp"
#include "apps/perf/content.hpp"

namespace sluice::apps {

enum class Delivery { rings, run_to_completion };

/// What sluice-perf was asked for.
struct PerfOptions {
  StackOptions stack;
  Delivery delivery = Delivery::rings;
  std::uint16_t port = 5001;
  bool json = false;
  bool quiet = false;
  double duration = 0;  ///< seconds; client: 0 is until `messages` were sent; server: 0 is until stopped
  // Client.
  std::vector<std::string> peers;
  std::uint16_t local_port = 0;  ///< 0: an ephemeral one
  Workload workload;
  std::uint64_t messages = 0;  ///< per association; 0: until `duration` is over
  std::uint32_t associations = 1;
  bool latency = false;      ///< request and response instead of one way
  std::uint32_t window = 1;  ///< requests under way, per association
  double rate = 0;           ///< messages a second, all associations together; 0: as many as go
  bool histogram = false;
  // Server.
  std::uint32_t exit_after = 0;  ///< associations after which the server ends; 0: never
};

}  // namespace sluice::apps
