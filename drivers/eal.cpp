#include "drivers/eal.hpp"

#include <fmt/format.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "drivers/dpdk_log.hpp"

namespace sluice::drivers {
namespace {

constexpr std::uint32_t kDefaultMegabytes = 512;

bool given(const std::vector<std::string>& arguments, std::initializer_list<std::string_view> options) {
  return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
    const std::string_view name = std::string_view(argument).substr(0, argument.find('='));
    return std::find(options.begin(), options.end(), name) != options.end();
  });
}

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

struct Memory {
  bool huge = false;
  std::string why;
};

Memory choose_memory(HugePages wish, std::uint32_t megabytes) {
  const std::uint64_t free = free_huge_megabytes();
  const bool enough = free >= megabytes;
  if (wish == HugePages::yes && !enough)
    throw SetupError(
        fmt::format("huge pages: {} MB are needed and {} MB are free; add some (sysctl vm.nr_hugepages={}), ask for "
                    "less memory, or let huge_pages be 'auto' or 'no'",
                    megabytes, free, (megabytes + 1) / 2));
  if (wish == HugePages::no) return {false, "as configured"};
  if (wish == HugePages::yes) return {true, "as configured"};
  if (enough) return {true, fmt::format("{} MB are free", free)};
  return {false, fmt::format("{} MB of huge pages are free, {} MB are needed", free, megabytes)};
}

std::vector<std::string> arguments_of(const EalConfig& config, const Memory& memory, std::uint32_t megabytes,
                                      unsigned log_level) {
  const std::vector<std::string>& extra = config.arguments;
  std::vector<std::string> all{config.program};
  if (!given(extra, {"-l", "-c", "--lcores", "-s"})) all.push_back(cores_argument(config.cores));
  if (!given(extra, {"--no-huge", "--in-memory", "--huge-dir", "-m", "--socket-mem", "--legacy-mem"})) {
    all.push_back("-m");
    all.push_back(std::to_string(megabytes));
    // vhost-user peers map our memory by file descriptor: as few of them as can be.
    if (memory.huge) all.insert(all.end(), {"--in-memory", "--single-file-segments"});
    // Secondary processes cannot work without huge pages: leave no files for them.
    if (!memory.huge) all.insert(all.end(), {"--no-huge", "--no-shconf"});
  }
  if (!given(extra, {"--iova-mode"})) all.emplace_back("--iova-mode=va");
  if (!config.pci && !given(extra, {"-a", "--allow"})) all.emplace_back("--no-pci");
  if (!config.telemetry) all.emplace_back("--no-telemetry");
  if (!given(extra, {"--file-prefix"}))
    all.push_back("--file-prefix=" +
                  (config.file_prefix.empty() ? fmt::format("sluice-{}", getpid()) : config.file_prefix));
  all.push_back(fmt::format("--log-level=*:{}", log_level));
  all.insert(all.end(), extra.begin(), extra.end());
  return all;
}

void start(std::vector<std::string>& arguments, const DpdkLog& log) {
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
  const std::uint32_t megabytes = config.memory_megabytes == 0 ? kDefaultMegabytes : config.memory_megabytes;
  const Memory memory = choose_memory(config.huge_pages, megabytes);
  std::vector<std::string> arguments = arguments_of(config, memory, megabytes, log_->native_level());
  start(arguments, *log_);
  huge_pages_ = rte_eal_has_hugepages() != 0;
  own_directory_ = config.file_prefix.empty() && !given(config.arguments, {"--file-prefix"});
  base::log_info("DPDK started with {} MB {} ({})", megabytes, huge_pages_ ? "of huge pages" : "without huge pages",
                 memory.why);
}

Eal::~Eal() {
  const std::filesystem::path runtime = rte_eal_get_runtime_dir();
  rte_eal_cleanup();
  // DPDK takes its telemetry socket away only when the process ends, and the directory never. One that others may share
  // goes only when it is empty.
  std::error_code error;
  if (own_directory_)
    std::filesystem::remove_all(runtime, error);
  else
    std::filesystem::remove(runtime, error);
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
