#include "stack/socket/config_check.hpp"

#include <sluice/error.hpp>

#include <algorithm>
#include <cctype>
#include <utility>

#include "stack/socket/config_keys.hpp"
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

/// The values that `wrong` is about: they may be the profile's, or the defaults, and stand nowhere in the file.
std::string values_of(const Parameters& parameters, std::string_view wrong) {
  const std::pair<std::string_view, std::string> values[] = {
      {"rto_initial", duration_text(parameters.rto_initial)},
      {"rto_min", duration_text(parameters.rto_min)},
      {"rto_max", duration_text(parameters.rto_max)},
      {"path_max_retransmissions", std::to_string(parameters.path_max_retransmissions)},
      {"potentially_failed_threshold", std::to_string(parameters.potentially_failed_threshold)},
      {"primary_switchover_threshold", std::to_string(parameters.primary_switchover_threshold)},
      {"pin_limit", std::to_string(parameters.pin_limit)},
      {"receive_window", std::to_string(parameters.receive_window)},
  };
  std::string text;
  for (const auto& [name, value] : values)
    if (wrong.find(name) != std::string_view::npos)
      text += (text.empty() ? " (" : ", ") + std::string(name) + " is " + value;
  return text.empty() ? text : text + ')';
}

/// Ports that open a kernel interface, or a card: one of them has it alone.
bool opens_one_alone(const PortConfig& port) {
  return port.driver == PortDriver::af_packet || port.driver == PortDriver::af_xdp || port.driver == PortDriver::pci;
}

/// What `own` is if not the address of a host (RFC 1122 §3.2.1.3; RFC 3021: with 31 bits both are); null: it is one.
const char* not_a_host(const InterfaceAddress& own) {
  if (own.address.is_v6() || own.prefix_length >= 31) return nullptr;
  const std::uint32_t hosts = UINT32_MAX >> own.prefix_length;
  const std::uint32_t host = own.address.v4_value() & hosts;
  return host == 0 ? "a network" : host == hosts ? "the broadcast address of its network" : nullptr;
}

void check_ports(const StackConfig& config, const std::string& where) {
  for (const PortConfig& port : config.ports) {
    for (const PortConfig& other : config.ports) {
      if (&other != &port && other.name == port.name)
        throw Error(where + ": two ports have the name " + port.name +
                    "; give each a name of its own (without one it is port0, port1 and so on, by its place)");
      if (&other != &port && opens_one_alone(port) && port.driver == other.driver && !port.device.empty() &&
          port.device == other.device)
        throw Error(where + ": ports " + port.name + " and " + other.name + " both open " + port.device +
                    "; give each a device of its own, or one port all the addresses");
    }
    if (!port.mac.empty() && !is_station(port.mac))
      throw Error(where + ": port " + port.name + ": mac is '" + port.mac +
                  "'; it must be the Ethernet address of one station, such as 02:00:00:00:00:01");
    for (const InterfaceAddress& own : port.addresses) {
      const bool twice = std::count_if(port.addresses.begin(), port.addresses.end(),
                                       [&](const InterfaceAddress& other) { return other.address == own.address; }) > 1;
      if (twice) throw Error(where + ": port " + port.name + ": address " + own.address.to_string() + " stands twice");
      if (const char* const other = not_a_host(own))
        throw Error(where + ": port " + port.name + ": " + own.address.to_string() + '/' +
                    std::to_string(own.prefix_length) + " is " + other + ", not the address of a host in it");
    }
  }
}

}  // namespace

void name_ports(StackConfig& config) {
  for (std::size_t i = 0; i < config.ports.size(); ++i)
    if (config.ports[i].name.empty()) config.ports[i].name = "port" + std::to_string(i);
}

void check_whole(const StackConfig& config, const std::string& where) {
  if (!is_name(config.instance))
    throw Error(where + ": instance is '" + config.instance +
                "'; it must be 1 to 64 letters, digits, '.', '_' or '-', and not begin with '.'");
  if (const char* const wrong = worker::find_error(config.parameters))
    throw Error(where + ": parameters: " + wrong + values_of(config.parameters, wrong));
  check_ports(config, where);
  if (!config.cpus.empty() && config.cpus.size() != config.workers)
    throw Error(where + ": cpus names " + std::to_string(config.cpus.size()) + " processors for " +
                std::to_string(config.workers) + " workers; name one for each, or none");
}

}  // namespace sluice::socket
