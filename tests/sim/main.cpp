// Runs whole stacks against each other in virtual time, each run from one seed.
#include <malloc.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/sim/churn.hpp"
#include "tests/sim/report.hpp"
#include "tests/sim/simulation.hpp"
#include "tests/sim/slow_readers.hpp"

namespace {

using sluice::sim::RunOptions;
using sluice::sim::Simulation;
using sluice::sim::Totals;

constexpr std::uint64_t kProgress = 10000;  // seeds from one line that says how far it is to the next

struct Arguments {
  std::uint64_t first = 1;
  std::uint64_t last = 100;
  bool trace = false;
  bool keep_going = false;
  std::uint32_t churn = 0;
  std::uint32_t slow_readers = 0;
  const char* pcap = nullptr;
};

[[noreturn]] void usage(const char* program) {
  std::fprintf(
      stderr,
      "usage: %s [--seeds A..B | --seed N] [--trace] [--pcap FILE] [--keep-going] [--churn N] [--slow-readers N]\n"
      "  --seeds A..B  runs every seed from A to B (default 1..100)\n"
      "  --seed N      runs one\n"
      "  --trace       a line on standard output for every frame and every fault\n"
      "  --pcap FILE   writes every frame that is sent to FILE\n"
      "  --churn N     instead: N associations set up, used and torn down, with 1 %% loss, half over IPv6\n"
      "  --slow-readers N  instead: what N receivers that stop reading cost a busy neighbour, at most 10 %%\n"
      "  --keep-going  does not stop at the first seed that fails\n"
      "Runs of 1000 seeds and more fail if some fault or state transition never happened.\n",
      program);
  std::exit(2);
}

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto value = [&] { return ++i < argc ? argv[i] : (usage(argv[0]), nullptr); };
    if (option == "--seed") {
      arguments.first = arguments.last = std::strtoull(value(), nullptr, 10);
    } else if (option == "--seeds") {
      if (std::sscanf(value(), "%" SCNu64 "..%" SCNu64, &arguments.first, &arguments.last) != 2) usage(argv[0]);
    } else if (option == "--trace") {
      arguments.trace = true;
    } else if (option == "--keep-going") {
      arguments.keep_going = true;
    } else if (option == "--churn") {
      arguments.churn = static_cast<std::uint32_t>(std::strtoul(value(), nullptr, 10));
      arguments.last = arguments.first;
    } else if (option == "--slow-readers") {
      arguments.slow_readers = static_cast<std::uint32_t>(std::strtoul(value(), nullptr, 10));
      arguments.last = arguments.first;
    } else if (option == "--pcap") {
      arguments.pcap = value();
    } else {
      usage(argv[0]);
    }
  }
  return arguments;
}

void print(const Totals& totals) {
  for (const auto& [name, count] : totals.counts) std::printf("%-64s %12" PRIu64 "\n", name.c_str(), count);
  const double hours = static_cast<double>(totals.virtual_time.count()) / 3.6e12;
  std::printf("%" PRIu64 " runs, %" PRIu64 " packets, %.2f virtual hours, digest %016" PRIx64 "\n", totals.runs,
              totals.frames, hours, totals.digest);
}

/// So many runs must have met every fault and every transition, or else they do not show what they are to show.
bool covers_everything(const Totals& totals) {
  constexpr std::uint64_t kEnough = 1000;
  if (totals.runs < kEnough) return true;
  const std::vector<std::string> missing = sluice::sim::never_happened(totals.counts);
  for (const std::string& name : missing) std::printf("never happened: %s\n", name.c_str());
  return missing.empty();
}

void check_slow_readers(std::uint64_t seed, std::uint32_t readers) {
  const sluice::sim::SlowReaderResult result = sluice::sim::slow_readers(seed, readers);
  std::printf("busy association: %" PRIu64 " bytes beside idle ones, %" PRIu64 " beside %u that stopped reading\n",
              result.alone, result.beside_slow, readers);
  if (result.alone == 0 || result.beside_slow * 10 < result.alone * 9)
    throw std::runtime_error("receivers that stop reading cost a busy neighbour more than a tenth");
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = parse(argc, argv);
  // The tables of one run serve the next; the kernel would clear their pages each time.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  Totals totals;
  const bool seeds = arguments.churn == 0 && arguments.slow_readers == 0;
  if (seeds) sluice::sim::register_names(totals.counts);
  RunOptions options;
  std::unique_ptr<sluice::drivers::PcapWriter> pcap;
  std::setvbuf(stdout, nullptr, _IOLBF, 1 << 16);
  if (arguments.trace) options.trace = stdout;
  std::uint64_t failures = 0;
  for (std::uint64_t seed = arguments.first; seed <= arguments.last; ++seed) {
    try {
      if (arguments.pcap != nullptr && pcap == nullptr)
        pcap = std::make_unique<sluice::drivers::PcapWriter>(arguments.pcap);
      options.pcap = pcap.get();
      // What a failed run leaves behind is left alone: its stacks still hold buffers of each other's.
      if (arguments.slow_readers != 0) {
        check_slow_readers(seed, arguments.slow_readers);
        continue;
      }
      if (arguments.churn != 0) {
        sluice::sim::churn(seed, arguments.churn, options, totals);
        continue;
      }
      auto* const running = new Simulation(seed, options, totals);
      running->run();
      delete running;
      if (seed % kProgress == 0)
        std::fprintf(stderr, "seed %" PRIu64 " of %" PRIu64 " is good\n", seed, arguments.last);
    } catch (const std::exception& error) {
      ++failures;
      std::string mode = "--trace";
      if (arguments.churn != 0) mode += " --churn " + std::to_string(arguments.churn);
      if (arguments.slow_readers != 0) mode = "--slow-readers " + std::to_string(arguments.slow_readers);
      std::printf("seed %" PRIu64 " failed: %s\n  replay: %s --seed %" PRIu64 " %s\n", seed, error.what(), argv[0],
                  seed, mode.c_str());
      std::fflush(stdout);
      if (!arguments.keep_going) std::_Exit(1);
    }
  }
  print(totals);
  return failures == 0 && (!seeds || covers_everything(totals)) ? 0 : 1;
}
