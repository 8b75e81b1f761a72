#include "drivers/eal.hpp"

#include <fmt/format.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_memory.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "drivers/dpdk_log.hpp"
#include "drivers/eal_arguments.hpp"
#include "drivers/interrupt_pause.hpp"
#include "stack/base/affinity_guard.hpp"

namespace sluice::drivers {
namespace {

constexpr std::uint32_t kDefaultMegabytes = 512;

/// Free huge pages of all sizes, in megabytes.
std::uint64_t free_huge_megabytes() {
  std::uint64_t kilobytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", error)) {
    constexpr std::string_view kPrefix = "hugepages-";
    const std::string name = entry.path().filename();
    std::uint64_t pages = 0;
    if (name.starts_with(kPrefix) && std::ifstream(entry.path() / "free_hugepages") >> pages)
      kilobytes += pages * std::strtoull(name.c_str() + kPrefix.size(), nullptr, 10);
  }
  return kilobytes / 1024;
}

struct Choice {
  EalMemory memory;
  std::string why;
};

Choice choose_memory(const EalConfig& config) {
  const std::uint32_t megabytes = config.memory_megabytes == 0 ? kDefaultMegabytes : config.memory_megabytes;
  if (chooses_memory(config.arguments)) return {{megabytes, false}, "as DPDK's own arguments say"};
  const std::uint64_t free = free_huge_megabytes();
  const bool enough = free >= megabytes;
  switch (config.huge_pages) {
    case HugePages::no:
      return {{megabytes, false}, "as configured"};
    case HugePages::yes:
      if (enough) return {{megabytes, true}, "as configured"};
      throw SetupError(
          fmt::format("huge pages: {} MB are needed and {} MB are free; add some (sysctl vm.nr_hugepages={}), ask for "
                      "less memory, or let huge_pages be 'automatic' or 'never'",
                      megabytes, free, (megabytes + 1) / 2));
    case HugePages::automatic:
      break;
  }
  return {{megabytes, enough}, fmt::format("{} MB of huge pages are free, {} MB are needed", free, megabytes)};
}

/// DPDK takes its telemetry socket away when the process ends, and the directory that it was in never.
void remove_directory_at_exit() {
  // Registered before DPDK registers its own function, so called after it. An empty directory alone goes.
  static const int failed = std::atexit([] {
    std::error_code error;
    std::filesystem::remove(rte_eal_get_runtime_dir(), error);
  });
  if (failed != 0) base::log_warning("{} will be left behind", rte_eal_get_runtime_dir());
}

void start(std::vector<std::string>& arguments, const DpdkLog& log) {
  // DPDK confines this thread to the workers' processors, and with it every thread that it makes later.
  const base::AffinityGuard affinity;
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  if (rte_eal_init(static_cast<int>(arguments.size()), argv.data()) >= 0) return;
  const int error = rte_errno;
  const std::string detail = log.last_error();
  throw SetupError(fmt::format("DPDK did not start: {}{}{}; its arguments were: {}", std::strerror(error),
                               detail.empty() ? "" : ": ", detail, fmt::join(arguments, " ")));
}

}  // namespace

Eal::Eal(const EalConfig& config) : log_(std::make_unique<DpdkLog>(config.log_level)) {
  if (!config.file_prefix.empty() && !gives_option(config.arguments, {"--file-prefix"}))
    name_.emplace(config.file_prefix);
  const Choice choice = choose_memory(config);
  std::vector<std::string> arguments = eal_arguments(config, choice.memory, log_->native_level());
  remove_directory_at_exit();
  start(arguments, *log_);
  huge_pages_ = rte_eal_has_hugepages() != 0;
  constexpr unsigned kMegabyteShift = 20;
  base::log_info("DPDK started with {} MB {} ({})", rte_eal_get_physmem_size() >> kMegabyteShift,
                 huge_pages_ ? "of huge pages" : "without huge pages", choice.why);
  base::log_debug("DPDK's arguments were: {}", fmt::join(arguments, " "));
}

Eal::~Eal() {
  // What it frees, the interrupt thread would still look through when a descriptor wakes it: that thread rests from now
  // on, for good, and whatever it refers to stays.
  static_cast<void>(new InterruptPause);  // NOLINT(bugprone-unhandled-exception-at-new): the process ends anyhow
  rte_eal_cleanup();
}

std::string Eal::last_error() const {
  return log_->last_error();
}

void Eal::forget_last_error() const {
  log_->forget_last_error();
}

ThreadRegistration::ThreadRegistration() {
  if (rte_lcore_id() != LCORE_ID_ANY) return;
  if (rte_thread_register() != 0)
    throw SetupError(
        fmt::format("DPDK has no place for another thread: {}; use at most {} workers and application "
                    "threads that drive the stack themselves",
                    rte_strerror(rte_errno), RTE_MAX_LCORE - 1));
  registered_ = true;
}

ThreadRegistration::~ThreadRegistration() {
  if (registered_) rte_thread_unregister();
}

}  // namespace sluice::drivers
