#pragma once

#include <fmt/core.h>

#include <string_view>
#include <utility>

namespace sluice::base {

/// From what matters least to what matters most. The data path logs at `debug` at most.
enum class LogLevel { trace, debug, info, warning, error, off };

/// Lets what is below `level` be discarded. At start it is `info`. Any thread.
void set_log_level(LogLevel level);
/// Whether a line of `level` would be written now. Any thread.
bool log_enabled(LogLevel level);
/// Writes one line to standard error, with time and level. Any thread.
void log_line(LogLevel level, std::string_view line);
/// Reads "trace" to "off". False when `text` is none of them; `level` is then untouched.
bool parse_log_level(std::string_view text, LogLevel& level);

/// The format's arguments are not formatted when the level is off.
template <class... Args>
void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(level)) log_line(level, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::debug, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::info, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::warning, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::error, format, std::forward<Args>(args)...);
}

}  // namespace sluice::base
