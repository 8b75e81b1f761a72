#include "drivers/eal_arguments.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>

namespace sluice::drivers {
namespace {

bool is_option(std::string_view argument, std::string_view option) {
  const bool one_letter = option.size() == 2;  // its value may follow without a gap
  return one_letter ? argument.starts_with(option) : argument.substr(0, argument.find('=')) == option;
}

std::string allowed_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  std::string list;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return "0";
  for (unsigned core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &allowed)) list += fmt::format("{}{}", list.empty() ? "" : ",", core);
  return list;
}

/// DPDK gets one thread of its own, the caller, on all the cores; workers are threads of ours that register.
std::string cores_argument(const std::vector<unsigned>& cores) {
  return fmt::format("--lcores=0@({})", cores.empty() ? allowed_cores() : fmt::format("{}", fmt::join(cores, ",")));
}

/// DPDK takes every device that is bound to it, unless it is told which.
void add_devices(const EalConfig& config, std::vector<std::string>& all) {
  if (gives_option(config.arguments, {"-a", "--allow", "-b", "--block", "--no-pci"})) return;
  if (config.pci_devices.empty()) all.emplace_back("--no-pci");
  for (const std::string& device : config.pci_devices) all.insert(all.end(), {"-a", device});
}

}  // namespace

bool gives_option(const std::vector<std::string>& arguments, const std::vector<std::string_view>& options) {
  return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
    return std::any_of(options.begin(), options.end(),
                       [&](std::string_view option) { return is_option(argument, option); });
  });
}

bool chooses_memory(const std::vector<std::string>& arguments) {
  return gives_option(arguments, {"--no-huge", "--in-memory", "--huge-dir", "-m", "--socket-mem", "--legacy-mem"});
}

std::vector<std::string> eal_arguments(const EalConfig& config, const EalMemory& memory, unsigned log_level) {
  const std::vector<std::string>& extra = config.arguments;
  std::vector<std::string> all{config.program};
  if (!gives_option(extra, {"-l", "-c", "--lcores", "-s"})) all.push_back(cores_argument(config.cores));
  if (!chooses_memory(extra)) {
    all.insert(all.end(), {"-m", std::to_string(memory.megabytes)});
    // vhost-user peers map our memory by file descriptor: as few of them as can be.
    if (memory.huge) all.insert(all.end(), {"--in-memory", "--single-file-segments"});
    // Secondary processes cannot work without huge pages: leave no files for them.
    if (!memory.huge) all.insert(all.end(), {"--no-huge", "--no-shconf"});
  }
  if (!gives_option(extra, {"--iova-mode"})) all.emplace_back("--iova-mode=va");
  add_devices(config, all);
  if (!config.telemetry) all.emplace_back("--no-telemetry");
  if (!gives_option(extra, {"--file-prefix"}))
    all.push_back("--file-prefix=" +
                  (config.file_prefix.empty() ? fmt::format("sluice-{}", getpid()) : config.file_prefix));
  all.push_back(fmt::format("--log-level=*:{}", log_level));
  all.insert(all.end(), extra.begin(), extra.end());
  return all;
}

}  // namespace sluice::drivers
