#include "stack/base/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <array>

namespace sluice::base {
namespace {

struct LevelName {
  LogLevel level;
  spdlog::level::level_enum native;
  std::string_view name;
};

constexpr std::array kLevels{
    LevelName{LogLevel::trace, spdlog::level::trace, "trace"},
    LevelName{LogLevel::debug, spdlog::level::debug, "debug"},
    LevelName{LogLevel::info, spdlog::level::info, "info"},
    LevelName{LogLevel::warning, spdlog::level::warn, "warning"},
    LevelName{LogLevel::error, spdlog::level::err, "error"},
    LevelName{LogLevel::off, spdlog::level::off, "off"},
};

spdlog::level::level_enum native(LogLevel level) {
  return kLevels[static_cast<std::size_t>(level)].native;
}

/// Standard output belongs to what programs print (--json, say), so lines go to standard error. The first caller makes
/// the logger; C++ sees to it that no second thread does.
spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("sluice", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%H:%M:%S.%e %^%l%$ %v");
    made->set_level(spdlog::level::info);
    return made;
  }();
  return *instance;
}

}  // namespace

void set_log_level(LogLevel level) {
  logger().set_level(native(level));
}

bool log_enabled(LogLevel level) {
  return level != LogLevel::off && logger().should_log(native(level));
}

void log_line(LogLevel level, std::string_view line) {
  if (level != LogLevel::off) logger().log(native(level), "{}", line);
}

bool parse_log_level(std::string_view text, LogLevel& level) {
  for (const LevelName& known : kLevels) {
    if (known.name != text) continue;
    level = known.level;
    return true;
  }
  return false;
}

}  // namespace sluice::base
