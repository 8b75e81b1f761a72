#include "drivers/dpdk_log.hpp"

#include <rte_log.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "drivers/setup_error.hpp"

namespace sluice::drivers {
namespace {

using base::LogLevel;

/// DPDK is talkative: its notices are of our debug level.
LogLevel level_of(int native) {
  if (native <= static_cast<int>(RTE_LOG_ERR)) return LogLevel::error;
  if (native == static_cast<int>(RTE_LOG_WARNING)) return LogLevel::warning;
  if (native <= static_cast<int>(RTE_LOG_INFO)) return LogLevel::debug;
  return LogLevel::trace;
}

}  // namespace

DpdkLog::DpdkLog(LogLevel level) : level_(level) {
  cookie_io_functions_t functions{};
  functions.write = &DpdkLog::write;
  stream_ = fopencookie(this, "w", functions);
  if (stream_ == nullptr) throw SetupError("DPDK's log cannot be taken over: out of memory; free some and start again");
  std::setvbuf(stream_, nullptr, _IOLBF, 1024);
  previous_ = rte_log_get_stream();
  rte_openlog_stream(stream_);
}

DpdkLog::~DpdkLog() {
  rte_openlog_stream(previous_);
  std::fclose(stream_);
}

unsigned DpdkLog::native_level() const {
  switch (level_) {
    case LogLevel::trace:
      return RTE_LOG_DEBUG;
    case LogLevel::debug:
      return RTE_LOG_INFO;
    case LogLevel::info:
    case LogLevel::warning:
      return RTE_LOG_WARNING;
    case LogLevel::error:
    case LogLevel::off:
      break;
  }
  return RTE_LOG_ERR;
}

std::string DpdkLog::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

void DpdkLog::forget_last_error() {
  const std::lock_guard lock(mutex_);
  last_error_.clear();
}

ssize_t DpdkLog::write(void* self, const char* text, std::size_t size) {
  auto& log = *static_cast<DpdkLog*>(self);
  const std::lock_guard lock(log.mutex_);
  std::string_view rest(text, size);
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    log.partial_ += rest.substr(0, end);
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
    log.take(log.partial_);
    log.partial_.clear();
  }
  return static_cast<ssize_t>(size);
}

void DpdkLog::take(std::string_view line) {
  if (line.find_first_not_of(' ') == std::string_view::npos) return;
  // That an old protocol, which nobody asked for, is not offered is no warning.
  const bool noise = line.find("No legacy callbacks") != std::string_view::npos;
  const LogLevel level = noise ? LogLevel::debug : level_of(rte_log_cur_msg_loglevel());
  if (level == LogLevel::error) last_error_ = line;
  if (level < level_) return;
  if (level < LogLevel::warning) return base::log(level, "DPDK: {}", line);  // who debugs wants every line
  const auto now = std::chrono::steady_clock::now();
  const std::size_t hash = std::hash<std::string_view>()(line);
  auto said = std::find_if(said_.begin(), said_.end(), [&](const Said& one) { return one.hash == hash; });
  if (said != said_.end() && now - said->time < kQuietTime) {
    ++said->repeats;
    return;
  }
  if (said == said_.end()) {
    said = std::min_element(said_.begin(), said_.end(), [](const Said& a, const Said& b) { return a.time < b.time; });
    *said = {hash, {}, 0};
  }
  said->time = now;
  const std::uint64_t repeats = std::exchange(said->repeats, 0);
  if (repeats == 0)
    base::log(level, "DPDK: {}", line);
  else
    base::log(level, "DPDK: {} (and {} times more before this)", line, repeats);
}

}  // namespace sluice::drivers
