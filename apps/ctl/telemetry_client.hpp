#pragma once

#include <string>

#include "apps/ctl/json_reader.hpp"

namespace sluice::apps {

/// A connection to the telemetry socket of a running stack.
class TelemetryClient {
 public:
  /// Throws Error, which says what to do, when no stack of that name runs on this host.
  explicit TelemetryClient(const std::string& instance);
  TelemetryClient(const TelemetryClient&) = delete;
  TelemetryClient& operator=(const TelemetryClient&) = delete;
  ~TelemetryClient();

  /// What the stack answers to `command` with `parameter`. Throws Error.
  JsonValue ask(const std::string& command, std::uint64_t parameter);

 private:
  std::string receive();

  int socket_;
};

}  // namespace sluice::apps
