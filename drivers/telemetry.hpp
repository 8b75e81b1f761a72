#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sluice::drivers {

/// What a telemetry command answers: names with values, and named groups of them. Names are [A-Za-z0-9_/]. DPDK's
/// replies hold 16 KiB of JSON and 256 entries a level: whoever has more to say answers in pages. An answer that DPDK
/// does not take whole is not given at all: the asker gets null, and the log says why.
struct TelemetryAnswer {
  using Value = std::variant<std::uint64_t, std::string>;
  struct Group {
    std::string name;
    std::vector<std::pair<std::string, Value>> values;
  };
  std::vector<std::pair<std::string, Value>> values;
  std::vector<Group> groups;
};

/// Answers commands on DPDK's telemetry socket for as long as it lives. One at a time in a process, since DPDK hands
/// its callbacks nothing to tell several apart.
class Telemetry {
 public:
  struct Command {
    const char* name;  ///< "/sluice/counters"
    const char* help;
  };
  /// Runs in DPDK's own thread. `parameters` is what stood behind the command's comma.
  using Handler = std::function<TelemetryAnswer(std::string_view command, std::string_view parameters)>;

  /// Throws SetupError when DPDK does not take a command.
  Telemetry(std::span<const Command> commands, Handler answers);
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;
  /// Waits for an answer under way.
  ~Telemetry();
};

}  // namespace sluice::drivers
