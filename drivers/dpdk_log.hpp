#pragma once

#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

#include "stack/base/log.hpp"

namespace sluice::drivers {

/// Takes what DPDK logs: passes lines on to our log, and remembers the last error for messages to the user. DPDK logs
/// from threads of its own, too.
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
  static ssize_t write(void* self, const char* text, std::size_t size);
  void take(std::string_view line);

  const base::LogLevel level_;
  std::FILE* stream_ = nullptr;
  std::FILE* previous_ = nullptr;
  mutable std::mutex mutex_;
  std::string partial_;  // a line whose end has not come yet
  std::string last_error_;
};

}  // namespace sluice::drivers
