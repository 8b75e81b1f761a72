#pragma once

#include <sluice/event.hpp>
#include <sluice/stack.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "apps/common/histogram.hpp"
#include "apps/perf/checker.hpp"
#include "apps/perf/meter.hpp"
#include "apps/perf/options.hpp"

namespace sluice::apps {

/// What a run came to. Client and server tell the same of themselves.
struct Result {
  const char* role = "";
  const char* mode = "throughput";  ///< or "latency": messages go there and back
  std::uint64_t messages = 0;       ///< client: sent, or answered; server: received
  std::uint64_t bytes = 0;          ///< of those messages
  /// Client: from the first association up to the last report or answer; server: from the first to the last message.
  double seconds = 0;
  std::uint64_t lost = 0;          ///< client: not answered, or not in the server's report
  Findings findings;               ///< the server's, or about the answers
  Histogram latency;               ///< nanoseconds; the client's, and empty without answers
  std::uint32_t associations = 0;  ///< that came up
  std::uint16_t workers = 0;
  std::uint64_t retransmissions = 0;   ///< DATA chunks sent again
  std::uint64_t packets_received = 0;  ///< frames, of all ports
  std::uint64_t packets_sent = 0;
  double cpu_seconds = 0;  ///< of all threads, from the first thread's begin to the end, idle time included
  double cycles = 0;       ///< that this comes to
  std::vector<std::string> problems;

  /// Takes what the stack and the meter have counted.
  void take(const Stack& stack, const Meter& meter);
  /// Everything arrived once, in order and as it was sent.
  bool all_right() const { return lost == 0 && findings.corrupted + findings.misordered + findings.duplicated == 0; }
};

/// Prints the result to standard output, as a table or, as the options say, as one line of JSON.
void print(const Result& result, const PerfOptions& options);

/// `value` with so many digits behind the point.
std::string number(double value, int digits = 0);

}  // namespace sluice::apps
