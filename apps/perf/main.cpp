#include <sluice/error.hpp>

#include <CLI/CLI.hpp>

#include "apps/common/not_negative.hpp"
#include "apps/perf/client.hpp"
#include "apps/perf/server.hpp"

namespace sluice::apps {
namespace {

/// `64`, or `1-1400` for sizes spread evenly over a range.
void parse_sizes(const std::string& text, Workload& workload) {
  const auto dash = text.find('-');
  const auto read = [&](const std::string& digits) {
    std::size_t used = 0;
    unsigned long value = 0;
    try {
      value = std::stoul(digits, &used);
    } catch (const std::exception&) {
      used = 0;
    }
    if (used == 0 || used != digits.size() || value < 1 || value > 1ul << 30)
      throw Error("--size " + text + ": give bytes from 1 to 1073741824, such as 64, or a range such as 1-1400");
    return static_cast<std::uint32_t>(value);
  };
  workload.min_size = read(text.substr(0, dash));
  workload.max_size = dash == std::string::npos ? workload.min_size : read(text.substr(dash + 1));
  if (workload.min_size > workload.max_size) throw Error("--size " + text + ": the range begins above its end");
}

void add_common(CLI::App& app, PerfOptions& options) {
  app.add_option("--port", options.port, "SCTP port of the server")->check(CLI::Range(1, 65535))->capture_default_str();
  app.add_option("--delivery", options.delivery,
                 "how events reach the program: over rings, or in the worker's own loop")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Delivery>{
          {"rings", Delivery::rings}, {"run-to-completion", Delivery::run_to_completion}}))
      ->default_str("rings");
  app.add_flag("--json", options.json, "print the result as one JSON object");
  app.add_flag("-q,--quiet", options.quiet, "no progress lines");
  options.stack.add_to(app);
}

void add_client(CLI::App& app, PerfOptions& options, std::string& sizes) {
  app.add_option("peer", options.peers, "address of the server; further ones are other addresses of the same host")
      ->required();
  app.add_option("--local-port", options.local_port, "SCTP port of ours; 0: one that is free")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--size", sizes, "bytes of a message, or a range such as 1-1400")->capture_default_str();
  app.add_option("--messages", options.messages, "messages to send over each association; 0: until --duration is over")
      ->check(not_negative());
  app.add_option("--duration", options.duration, "seconds to send; 0: 10, or until --messages are sent")
      ->check(not_negative());
  app.add_option("--associations", options.associations, "associations at once")
      ->check(CLI::Range(1, 1 << 24))
      ->capture_default_str();
  app.add_option("--streams", options.workload.streams, "streams, used in turn")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  app.add_flag("--unordered", options.workload.unordered, "send unordered");
  app.add_option("--rate", options.rate, "messages a second in all; 0: as many as go")->check(not_negative());
  CLI::Option* const latency = app.add_flag(
      "--latency", options.latency,
      "request and response: measure the time until each message comes back. Works with any peer that echoes");
  app.add_option("--window", options.window, "with --latency: requests under way at once, each association")
      ->needs(latency)
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_flag("--histogram", options.histogram, "with --latency: print the whole distribution")->needs(latency);
  app.add_option("--seed", options.workload.seed, "of the contents")->check(not_negative())->capture_default_str();
}

int perf_main(int argc, char** argv) {
  std::vector<char*> storage;
  PerfOptions options;
  options.stack.eal_arguments = split_eal_arguments(argc, argv, storage);
  std::string sizes = "64";
  CLI::App app(
      "Loads an SCTP link and checks every message. DPDK's own arguments may stand in front: sluice-perf EAL-ARGUMENTS "
      "-- "
      "client ...");
  require_one_subcommand(app);
  add_version(app, "sluice-perf");
  app.set_help_all_flag("--help-all", "Print this help, that of the subcommands included, and exit");
  CLI::App* const server = app.add_subcommand("server", "take loads and check them, echo everything else");
  CLI::App* const client = app.add_subcommand("client", "send a load to a server");
  add_common(*server, options);
  server->add_option("--duration", options.duration, "seconds after which to end; 0: when stopped")
      ->check(not_negative());
  server->add_option("--exit-after", options.exit_after, "end when this many associations came and went");
  add_common(*client, options);
  add_client(*client, options, sizes);
  CLI11_PARSE(app, argc, argv);
  if (server->parsed()) return run_server(options);
  parse_sizes(sizes, options.workload);
  if (options.messages == 0 && options.duration == 0) options.duration = 10;
  auto& streams = options.workload.streams;
  if (streams > 1) options.stack.defaults.push_back("parameters.outbound_streams=" + std::to_string(streams));
  if (options.latency && streams > Parameters{}.max_inbound_streams)  // the answers come on as many
    options.stack.defaults.push_back("parameters.max_inbound_streams=" + std::to_string(streams));
  return run_client(options);
}

}  // namespace
}  // namespace sluice::apps

int main(int argc, char** argv) {
  return sluice::apps::run_program("sluice-perf", sluice::apps::perf_main, argc, argv);
}
