// The floods of bench/floods on the in-memory wire: an established association beside INITs, forged cookies and, of the
// same length and at the same rate, UDP datagrams that nobody wants; and the cycles that refusing each takes.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "bench/flood/flood_pair.hpp"

namespace sluice::bench {
namespace {

struct Options {
  int rounds = 9;
  double window = 0.3;
  std::uint32_t message_bytes = 1400;
};

struct Case {
  const char* name;
  FloodKind kind;
  std::uint32_t frame_bytes = 0;
  double ceiling = 0;  // UDP frames of that length a second, with nothing else to do
  std::vector<double> beside_flood{};
  std::vector<double> beside_udp{};
  std::vector<double> ratios{};
  std::vector<double> reached{};  // of the flood's rate
  std::vector<double> cycles{};
  std::vector<double> udp_cycles{};
};

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 != 0 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Duration seconds(double value) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

double cycles_a_frame(FloodPair& pair, const Case& of, FloodKind kind, const Options& options) {
  pair.set_flood(kind, std::nullopt, of.frame_bytes);
  pair.run(seconds(options.window / 4));  // until what limits let through at once is through
  const FloodPair::Window window = pair.run(seconds(options.window / 4));
  return window.cycles / static_cast<double>(window.received);
}

/// Frames a second that one core makes, carries and drops.
double ceiling(FloodPair& pair, const Case& of, const Options& options) {
  std::vector<double> rates;
  for (int i = 0; i < options.rounds; ++i) {
    pair.set_flood(FloodKind::udp, std::nullopt, of.frame_bytes);
    const FloodPair::Window window = pair.run(seconds(options.window / 4));
    rates.push_back(static_cast<double>(window.received) / window.seconds);
  }
  return median(rates);
}

/// Messages a second beside a flood at half the ceiling.
double beside(FloodPair& pair, Case& of, FloodKind kind, const Options& options) {
  const double rate = of.ceiling / 2;
  pair.set_flood(kind, rate, of.frame_bytes);
  pair.set_load(options.message_bytes);
  pair.run(seconds(options.window / 4));  // until the association has found its pace
  const FloodPair::Window window = pair.run(seconds(options.window));
  of.reached.push_back(static_cast<double>(window.offered) / window.seconds / rate);
  pair.set_load(0);
  return static_cast<double>(window.messages) / window.seconds;
}

void measure(FloodPair& pair, Case& of, const Options& options) {
  of.ceiling = ceiling(pair, of, options);
  for (int round = 0; round < options.rounds; ++round) {
    // In turn first and second, so that neither always finds the association as the other left it.
    for (const bool udp : {round % 2 == 0, round % 2 != 0})
      (udp ? of.beside_udp : of.beside_flood).push_back(beside(pair, of, udp ? FloodKind::udp : of.kind, options));
    of.ratios.push_back(of.beside_flood.back() / of.beside_udp.back());
    pair.settle();
    of.udp_cycles.push_back(cycles_a_frame(pair, of, FloodKind::udp, options));
    of.cycles.push_back(cycles_a_frame(pair, of, of.kind, options));
  }
  pair.settle();
}

void print(const Case& of) {
  std::printf("%-15s %4u  %11.0f  %11.0f  %11.0f  %5.2f (%.2f - %.2f)  %6.0f  %6.0f  %5.2f\n", of.name, of.frame_bytes,
              of.ceiling, median(of.beside_udp), median(of.beside_flood), median(of.ratios),
              *std::min_element(of.ratios.begin(), of.ratios.end()),
              *std::max_element(of.ratios.begin(), of.ratios.end()), median(of.udp_cycles), median(of.cycles),
              *std::min_element(of.reached.begin(), of.reached.end()));
}

void print_json(const std::vector<Case>& cases, bool same) {
  std::printf("{");
  for (const Case& of : cases)
    std::printf(
        "\"%s\": {\"frame_bytes\": %u, \"ceiling\": %.0f, \"beside_udp\": %.0f, \"beside_flood\": %.0f, "
        "\"ratio\": %.3f, \"udp_cycles\": %.0f, \"cycles\": %.0f}, ",
        of.name, of.frame_bytes, of.ceiling, median(of.beside_udp), median(of.beside_flood), median(of.ratios),
        median(of.udp_cycles), median(of.cycles));
  std::printf("\"pools_as_before\": %s}\n", same ? "true" : "false");
}

/// What the flooded stack holds with one idle association is the same before and after.
bool flood(FloodPair& pair, std::vector<Case>& cases, const Options& options) {
  pair.connect();
  pair.set_flood(FloodKind::udp, 0, 0);
  pair.set_load(options.message_bytes);  // what the association first needs comes now
  pair.run(seconds(options.window / 4));
  pair.settle();
  const Held before = pair.held();
  for (Case& of : cases) {
    pair.set_flood(of.kind, 0, 0);
    of.frame_bytes = static_cast<std::uint32_t>(pair.frame_bytes());
    measure(pair, of, options);
  }
  const Held after = pair.held();
  std::printf(
      "held before and after the floods: associations %u, %u; buffers %u, %u; directory %u, %u; objects %u, %u\n",
      before.associations, after.associations, before.buffers, after.buffers, before.directory, after.directory,
      before.objects, after.objects);
  return before == after;
}

int flood_memory_main(int argc, char** argv) {
  Options options;
  CLI::App app("An established association beside floods, on the in-memory wire.");
  app.add_option("--rounds", options.rounds, "interleaved pairs")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--window", options.window, "seconds of processor time of each")->capture_default_str();
  app.add_option("--size", options.message_bytes, "bytes of a message")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  std::vector<Case> cases{{"init", FloodKind::init}, {"cookie", FloodKind::cookie}};
  FloodPair pair(std::nullopt);
  const bool same = flood(pair, cases, options);
  std::printf("%-15s %4s  %11s  %11s  %11s  %5s (min - max)    cycles a frame: udp, flood; least share of the rate\n",
              "flood", "B", "ceiling/s", "beside UDP", "beside it", "ratio");
  for (const Case& of : cases) print(of);
  print_json(cases, same);
  return same ? 0 : 1;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  try {
    return sluice::bench::flood_memory_main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench-flood-memory: %s\n", error.what());
    return 1;
  }
}
