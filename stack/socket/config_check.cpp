#include "stack/socket/config_check.hpp"

#include <sluice/error.hpp>

#include <algorithm>
#include <cctype>

#include "stack/worker/command_arguments.hpp"

namespace sluice::socket {

namespace {

/// It becomes part of file names, and the name of a directory.
bool is_name(const std::string& text) {
  constexpr std::size_t kLongest = 64;
  return !text.empty() && text.size() <= kLongest && text.front() != '.' &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.'; });
}

}  // namespace

void check_whole(const StackConfig& config, const std::string& where) {
  if (!is_name(config.instance))
    throw Error(where + ": instance is '" + config.instance +
                "'; it must be 1 to 64 letters, digits, '.', '_' or '-', and not begin with '.'");
  if (const char* const wrong = worker::find_error(config.parameters)) throw Error(where + ": parameters: " + wrong);
  if (!config.cpus.empty() && config.cpus.size() != config.workers)
    throw Error(where + ": cpus names " + std::to_string(config.cpus.size()) + " processors for " +
                std::to_string(config.workers) + " workers; name one for each, or none");
}

}  // namespace sluice::socket
