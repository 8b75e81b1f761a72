// What a million associations cost: memory of each, how evenly their HEARTBEATs leave, and what a busy association
// still carries beside them. Both stacks are in this process, joined by the in-memory wire.
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>

#include "apps/common/json.hpp"
#include "bench/million/pair.hpp"

namespace sluice::bench {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr std::uint64_t kMostMemory = 12 * kGiB;
constexpr double kFirstPathBudget = 1536;
constexpr double kFurtherPathBudget = 256;

struct Options {
  std::uint32_t associations = 1'000'000;
  std::uint16_t paths = 1;
  double opened_over = 31;
  std::uint32_t idle_seconds = 95;
  double busy_seconds = 5;
  std::uint32_t message = 1400;
  bool json = false;
};

struct Result {
  std::uint64_t before = 0;  // bytes of resident memory
  std::uint64_t opened = 0;
  std::uint64_t after_idle = 0;
  HeartbeatSpread heartbeats;
  BusyResult alone;
  BusyResult beside;

  double per_end(const Options& options) const {
    return (static_cast<double>(after_idle) - static_cast<double>(before)) / 2 / options.associations;
  }
};

std::uint64_t resident_bytes() {
  malloc_trim(0);  // what was freed is no memory of associations
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  if (!(file >> size >> resident)) throw std::runtime_error("cannot read /proc/self/statm");
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

double budget(const Options& options) {
  return kFirstPathBudget + (options.paths - 1) * kFurtherPathBudget;
}

Duration seconds(double value) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

Result measure(const Options& options) {
  Pair pair({options.associations, options.paths, seconds(options.opened_over), options.message});
  Result result;
  result.alone = pair.busy(seconds(options.busy_seconds));
  result.before = resident_bytes();
  pair.open_all([&](std::uint32_t opened) {
    std::fprintf(stderr, "%u of %u associations have exchanged a message\n", opened, options.associations);
  });
  result.opened = resident_bytes();
  result.heartbeats = pair.idle(std::chrono::seconds(options.idle_seconds), [&](std::uint32_t passed) {
    std::fprintf(stderr, "idle for %u of %u virtual seconds\n", passed, options.idle_seconds);
  });
  result.after_idle = resident_bytes();
  result.beside = pair.busy(seconds(options.busy_seconds));
  return result;
}

void print_table(const Options& options, const Result& result) {
  const auto gib = [](std::uint64_t bytes) { return static_cast<double>(bytes) / static_cast<double>(kGiB); };
  const HeartbeatSpread& heartbeats = result.heartbeats;
  std::printf("%u associations between two stacks, %u path%s each\n", options.associations, options.paths,
              options.paths == 1 ? "" : "s");
  std::printf("resident memory before, opened, after idling:  %.3f, %.3f, %.3f GiB (at most 12)\n", gib(result.before),
              gib(result.opened), gib(result.after_idle));
  std::printf("memory of one end of an association:           %.0f bytes (at most %.0f)\n", result.per_end(options),
              budget(options));
  std::printf("HEARTBEATs in %.0f virtual seconds:              %llu, %llu not answered in time\n", heartbeats.seconds,
              static_cast<unsigned long long>(heartbeats.sent), static_cast<unsigned long long>(heartbeats.timeouts));
  std::printf("  a second, mean and most:                     %.0f, %llu\n", heartbeats.mean_per_second(),
              static_cast<unsigned long long>(heartbeats.most_in_second));
  std::printf("  most in 10 ms:                               %llu\n",
              static_cast<unsigned long long>(heartbeats.most_in_10ms));
  std::printf("messages of %u bytes/s of a busy association:  alone %.0f, beside the others %.0f, ratio %.2f\n",
              options.message, result.alone.messages_per_second, result.beside.messages_per_second,
              result.beside.messages_per_second / result.alone.messages_per_second);
  std::printf("  HEARTBEATs of the others meanwhile:          %.0f a second\n", result.beside.heartbeats_per_second);
}

void print_json(const Options& options, const Result& result) {
  apps::Json json;
  json.begin_object()
      .add("associations", options.associations)
      .add("paths", options.paths)
      .add("bytes_before", result.before)
      .add("bytes_opened", result.opened)
      .add("bytes_after_idle", result.after_idle)
      .add("bytes_per_end", result.per_end(options))
      .add("bytes_per_end_budget", budget(options))
      .add("heartbeats", result.heartbeats.sent)
      .add("heartbeat_timeouts", result.heartbeats.timeouts)
      .add("heartbeats_per_second", result.heartbeats.mean_per_second())
      .add("most_heartbeats_in_second", result.heartbeats.most_in_second)
      .add("most_heartbeats_in_10ms", result.heartbeats.most_in_10ms)
      .add("message_bytes", options.message)
      .add("messages_per_second_alone", result.alone.messages_per_second)
      .add("messages_per_second_beside", result.beside.messages_per_second)
      .add("heartbeats_per_second_beside", result.beside.heartbeats_per_second)
      .end_object();
  std::puts(json.text().c_str());
}

/// The exit status: 1 when more memory was used than may be.
int judge(const Options& options, const Result& result) {
  int status = 0;
  if (result.after_idle > kMostMemory) {
    std::fprintf(stderr, "sluice-bench-associations: more than 12 GiB of memory\n");
    status = 1;
  }
  // A few associations do not fill the slabs and pages that their memory comes in.
  constexpr std::uint32_t kEnoughToTell = 100'000;
  if (options.associations >= kEnoughToTell && result.per_end(options) > budget(options)) {
    std::fprintf(stderr, "sluice-bench-associations: an idle association takes more memory than it may\n");
    status = 1;
  }
  return status;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Measures what many associations between two stacks in one process cost.");
  app.add_option("--associations", options.associations, "how many, besides a busy one")
      ->check(CLI::Range(1, 4'000'000))
      ->capture_default_str();
  app.add_option("--paths", options.paths, "of each association")->check(CLI::Range(1, 2))->capture_default_str();
  app.add_option("--opened-over", options.opened_over, "virtual seconds in which they are opened; 0: all at once")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  app.add_option("--idle", options.idle_seconds, "virtual seconds for which HEARTBEATs alone flow")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  app.add_option("--seconds", options.busy_seconds, "seconds of processor time for each measurement of throughput")
      ->check(CLI::Range(0.01, 600.0))
      ->capture_default_str();
  app.add_option("--size", options.message, "bytes of a message of the busy association")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  app.add_flag("--json", options.json, "print one line of JSON");
  CLI11_PARSE(app, argc, argv);
  const Result result = measure(options);
  options.json ? print_json(options, result) : print_table(options, result);
  return judge(options, result);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  try {
    return sluice::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sluice-bench-associations: %s\n", error.what());
    return 2;
  }
}
