#include "apps/common/stack_options.hpp"

#include <sluice/error.hpp>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>

namespace sluice::apps {
namespace {

bool is_profile(const std::string& setting) {
  return setting.starts_with("parameters.profile=");
}

}  // namespace

void StackOptions::add_to(CLI::App& app) {
  const char* const group = "The stack";
  app.add_option("-c,--config", file_, "TOML file with the stack's configuration")->group(group);
  app.add_option("--driver", driver_, "driver of the first port; af_packet when --device is given without it")
      ->check(CLI::IsMember({"af_packet", "af_xdp", "tap", "memif", "virtio_user", "vhost", "ring", "pcap", "pci"}))
      ->group(group);
  app.add_option("--device", device_,
                 "kernel interface, socket path, capture file or PCI address; makes or replaces the first port")
      ->group(group);
  app.add_flag("--socket-server", server_,
               "memif, vhost: create the socket of the first port instead of connecting to it")
      ->group(group);
  app.add_option("--address", addresses_,
                 "our address with prefix length on that port, such as 198.18.0.1/24; repeatable")
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("--gateway", gateways_, "gateway of the default route; repeatable, one a family")
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("--workers", workers_, "worker threads")->check(CLI::Range(1, 64))->group(group);
  app.add_option("--instance", instance_, "name of this stack, for DPDK's files and sluice-ctl")->group(group);
  app.add_option("--set", settings_,
                 "any setting by its key, such as parameters.rto_min=100ms or port.0.mtu=9000; repeatable. "
                 "config/example.toml explains every key. parameters.profile=NAME comes before all other settings, and "
                 "replaces the file's [parameters]")
      ->allow_extra_args(false)
      ->group(group);
}

StackConfig StackOptions::config() const {
  StackConfig config = file_.empty() ? StackConfig{} : load_config(file_);
  // A profile sets every parameter: it must not undo what stands beside it.
  for (const auto& setting : settings_)
    if (is_profile(setting)) override_config(config, setting);
  for (const auto& setting : defaults) override_config(config, setting);
  const std::string driver = driver_.empty() && !device_.empty() ? "af_packet" : driver_;
  if (!driver.empty()) override_config(config, "port.0.driver=\"" + driver + '"');
  if (!device_.empty()) override_config(config, "port.0.device=\"" + device_ + '"');
  if (server_) override_config(config, "port.0.server=true");
  if (!addresses_.empty()) {
    std::string list;
    for (const auto& address : addresses_) list += (list.empty() ? "\"" : ",\"") + address + '"';
    override_config(config, "port.0.addresses=[" + list + "]");
  }
  for (const auto& gateway : gateways_) {
    const std::string index = std::to_string(config.routes.size());
    const bool six = gateway.find(':') != std::string::npos;
    override_config(config, "route." + index + ".to=" + (six ? "\"::/0\"" : "\"0.0.0.0/0\""));
    override_config(config, std::string("route.").append(index).append(".via=\"").append(gateway).append("\""));
  }
  if (workers_ > 0) override_config(config, "workers=" + std::to_string(workers_));
  if (!instance_.empty()) override_config(config, "instance=\"" + instance_ + '"');
  for (const auto& setting : settings_)
    if (!is_profile(setting)) override_config(config, setting);
  config.eal_arguments.insert(config.eal_arguments.end(), eal_arguments.begin(), eal_arguments.end());
  if (config.ports.empty())
    throw Error("no port: give --device INTERFACE and --address A.B.C.D/N, or --config FILE with a [[port]]");
  return config;
}

std::vector<std::string> split_eal_arguments(int& argc, char**& argv, std::vector<char*>& storage) {
  std::vector<std::string> eal;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--") != 0) continue;
    eal.assign(argv + 1, argv + i);
    storage.assign(1, argv[0]);
    storage.insert(storage.end(), argv + i + 1, argv + argc);
    argc = static_cast<int>(storage.size());
    storage.push_back(nullptr);
    argv = storage.data();
    break;
  }
  return eal;
}

void add_version(CLI::App& app, const char* name) {
  app.set_version_flag("--version", std::string(name) + ' ' + SLUICE_VERSION);
}

void require_one_subcommand(CLI::App& app) {
  app.require_subcommand(0, 1);
  app.final_callback([&app] {
    if (app.get_subcommands().empty()) throw CLI::RequiredError("A subcommand");
  });
}

int run_program(const char* name, int (*body)(int, char**), int argc, char** argv) {
  try {
    return body(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return 1;
  }
}

}  // namespace sluice::apps
