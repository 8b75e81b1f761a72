#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

#include "stack/base/log.hpp"

namespace sluice::drivers {

/// Takes what DPDK logs: passes lines on to our log, and remembers the last error for messages to the user. DPDK logs
/// from threads of its own, too. A line that comes again and again, as some drivers have one for each look at a link,
/// is passed on once in a while, with the number of times.
class DpdkLog {
 public:
  /// Lines below `level` are not passed on; errors are remembered all the same.
  explicit DpdkLog(base::LogLevel level);
  DpdkLog(const DpdkLog&) = delete;
  DpdkLog& operator=(const DpdkLog&) = delete;
  /// DPDK logs to where it did before.
  ~DpdkLog();

  std::string last_error() const;
  void forget_last_error();
  /// DPDK's number for the level down to which it must log for us.
  unsigned native_level() const;

 private:
  /// A line that was passed on.
  struct Said {
    std::size_t hash = 0;
    std::chrono::steady_clock::time_point time;
    std::uint64_t repeats = 0;  ///< since then
  };
  static constexpr auto kQuietTime = std::chrono::seconds(10);

  static ssize_t write(void* self, const char* text, std::size_t size);
  void take(std::string_view line);

  const base::LogLevel level_;
  std::FILE* stream_ = nullptr;
  std::FILE* previous_ = nullptr;
  mutable std::mutex mutex_;
  std::string partial_;  // a line whose end has not come yet
  std::string last_error_;
  std::array<Said, 8> said_{};
};

}  // namespace sluice::drivers
