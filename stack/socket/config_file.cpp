#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "stack/socket/config_check.hpp"
#include "stack/socket/config_keys.hpp"
#include "stack/socket/profiles.hpp"

namespace sluice {
namespace {

using namespace std::chrono_literals;
using socket::Key;
using socket::Place;

const std::vector<Key<Parameters>>& parameter_keys() {
  using P = Parameters;
  static const std::vector<Key<P>> keys = {
      {"profile",
       [](P& parameters, const toml::node& node, const Place& place) {
         const std::vector<std::string> names = socket::profile_names();
         parameters = profile(names[socket::read_choice(node, names, place)]);
       },
       true},
      socket::duration<P>("rto_initial", &P::rto_initial, 1ms, 10min),
      socket::duration<P>("rto_min", &P::rto_min, 1ms, 10min),
      socket::duration<P>("rto_max", &P::rto_max, 1ms, 10min),
      socket::integer("rto_alpha_shift", &P::rto_alpha_shift, 1, 8),
      socket::integer("rto_beta_shift", &P::rto_beta_shift, 1, 8),
      socket::boolean("rto_linear_back_off", &P::rto_linear_back_off),
      socket::duration<P>("heartbeat_interval", &P::heartbeat_interval, 0ms, 24h),
      socket::duration<P>("valid_cookie_life", &P::valid_cookie_life, 1s, 1h),
      socket::integer("association_max_retransmissions", &P::association_max_retransmissions, 1, 1000),
      socket::integer("path_max_retransmissions", &P::path_max_retransmissions, 0, 1000),
      socket::integer("potentially_failed_threshold", &P::potentially_failed_threshold, 0, UINT16_MAX),
      socket::integer("primary_switchover_threshold", &P::primary_switchover_threshold, 0, UINT16_MAX),
      socket::integer("max_init_retransmissions", &P::max_init_retransmissions, 0, 100),
      socket::integer("max_burst", &P::max_burst, 0, 1000),
      socket::duration<P>("autoclose", &P::autoclose, 0ms, 24h * 30),
      socket::duration<P>("sack_delay", &P::sack_delay, 0ms, 500ms),
      socket::integer("sack_frequency", &P::sack_frequency, 1, 100),
      socket::integer("outbound_streams", &P::outbound_streams, 1, 65535),
      socket::integer("max_inbound_streams", &P::max_inbound_streams, 1, 65535),
      socket::integer("receive_window", &P::receive_window, 1500, 1 << 30),
      socket::integer("pin_limit", &P::pin_limit, 4096, 1 << 30),
      socket::integer("send_buffer", &P::send_buffer, 1500, 1 << 30),
      socket::integer("partial_delivery_point", &P::partial_delivery_point, 1500, 1 << 30),
      socket::integer("path_mtu_max", &P::path_mtu_max, 1280, 9000),
      socket::integer("dscp", &P::dscp, 0, 63),
  };
  return keys;
}

const std::vector<Key<LimitsConfig>>& limit_keys() {
  using L = LimitsConfig;
  static const std::vector<Key<L>> keys = {
      socket::integer("associations", &L::associations, 1, 1 << 24),
      socket::integer("opening_attempts", &L::opening_attempts, 1, 1 << 20),
      socket::integer("endpoints", &L::endpoints, 1, 65534),
      socket::integer("inits_per_second", &L::inits_per_second, 1, 10000000),
      socket::integer("receive_buffers", &L::receive_buffers, 256, 1 << 24),
      socket::integer("transmit_buffers", &L::transmit_buffers, 256, 1 << 24),
      socket::integer("send_arena", &L::send_arena, 1 << 16, 1LL << 34),
      socket::integer("events", &L::events, 64, 1 << 20),
  };
  return keys;
}

const std::vector<Key<PortConfig>>& port_keys() {
  using P = PortConfig;
  static const std::vector<Key<P>> keys = {
      socket::text("name", &P::name),
      socket::choice("driver", &P::driver,
                     {"af_packet", "af_xdp", "tap", "memif", "virtio_user", "vhost", "ring", "pcap", "pci"}),
      socket::text("device", &P::device),
      socket::text("transmit_device", &P::transmit_device),
      socket::text("arguments", &P::arguments),
      socket::boolean("server", &P::server),
      socket::integer("queues", &P::queues, 0, 64),
      socket::integer("mtu", &P::mtu, 1280, 9000),
      socket::integer("vlan", &P::vlan, 0, 4094),
      socket::integer_or_zero("rx_descriptors", &P::rx_descriptors, 64, 8192),
      socket::integer_or_zero("tx_descriptors", &P::tx_descriptors, 64, 8192),
      {"mac",
       [](P& port, const toml::node& node, const Place& place) { port.mac = socket::read_mac_address(node, place); }},
      socket::boolean("promiscuous", &P::promiscuous),
      socket::text("capture", &P::capture),
      {"addresses",
       [](P& port, const toml::node& node, const Place& place) {
         port.addresses.clear();
         socket::for_each_element(node, place, [&](const toml::node& element) {
           port.addresses.push_back(socket::read_interface_address(element, place));
         });
       }},
  };
  return keys;
}

const std::vector<Key<RouteConfig>>& route_keys() {
  static const std::vector<Key<RouteConfig>> keys = {
      {"to", [](RouteConfig& route, const toml::node& node,
                const Place& place) { route.to = socket::read_interface_address(node, place); }},
      {"via", [](RouteConfig& route, const toml::node& node,
                 const Place& place) { route.via = socket::read_address(node, place); }},
  };
  return keys;
}

/// A table, or an array of tables, each of which fills in one element more.
template <class Element>
Key<StackConfig> elements(std::string name, std::vector<Element> StackConfig::*field,
                          const std::vector<Key<Element>>& keys) {
  return {std::move(name), [field, &keys](StackConfig& config, const toml::node& node, const Place& place) {
            if (node.is_table())
              place.fail(node, "stands in single brackets; write [[" + place.key + "]], since there may be several");
            socket::for_each_element(node, place, [&](const toml::node& element) {
              socket::apply_table((config.*field).emplace_back(), element, keys, place);
            });
          }};
}

template <class Section>
Key<StackConfig> section(std::string name, Section StackConfig::*field, const std::vector<Key<Section>>& keys) {
  return {std::move(name), [field, &keys](StackConfig& config, const toml::node& node, const Place& place) {
            socket::apply_table(config.*field, node, keys, place);
          }};
}

const std::vector<Key<StackConfig>>& stack_keys() {
  using S = StackConfig;
  static const std::vector<Key<S>> keys = {
      socket::integer("workers", &S::workers, 1, 64),
      {"cpus",
       [](S& config, const toml::node& node, const Place& place) {
         config.cpus.clear();
         socket::for_each_element(node, place, [&](const toml::node& element) {
           config.cpus.push_back(static_cast<std::uint16_t>(socket::read_integer(element, 0, 1023, place)));
         });
       }},
      socket::choice("idle", &S::idle, {"busy", "yield", "sleep"}),
      socket::duration<S>("idle_sleep", &S::idle_sleep, 1us, 10ms),
      socket::choice("huge_pages", &S::huge_pages, {"automatic", "always", "never"}),
      socket::integer("memory_mb", &S::memory_mb, 0, 1 << 20),
      socket::text("instance", &S::instance),
      {"log_level",
       [](S& config, const toml::node& node, const Place& place) {
         socket::read_choice(node, {"trace", "debug", "info", "warning", "error", "off"}, place);
         config.log_level = socket::read_text(node, place);
       }},
      {"eal_arguments",
       [](S& config, const toml::node& node, const Place& place) {
         config.eal_arguments.clear();
         socket::for_each_element(node, place, [&](const toml::node& element) {
           config.eal_arguments.push_back(socket::read_text(element, place));
         });
       }},
      section("limits", &S::limits, limit_keys()),
      section("parameters", &S::parameters, parameter_keys()),
      elements("port", &S::ports, port_keys()),
      elements("route", &S::routes, route_keys()),
  };
  return keys;
}

/// A value as typed on a command line: TOML where it is TOML, else a string.
toml::table read_value(std::string_view text) {
  try {
    return toml::parse("value = " + std::string(text));
  } catch (const toml::parse_error&) {
    toml::table table;
    table.insert("value", std::string(text));
    return table;
  }
}

/// Element `index` of `list`, one behind the last included, which is made.
template <class Element>
Element& element_at(std::vector<Element>& list, const std::string& index, const std::string& key) {
  std::size_t i = 0;
  const auto [end, error] = std::from_chars(index.data(), index.data() + index.size(), i);
  if (error != std::errc{} || end != index.data() + index.size() || i > list.size())
    throw Error("command line: " + key + ": there are " + std::to_string(list.size()) + " of these, counted from 0");
  if (i == list.size()) list.emplace_back();
  return list[i];
}

template <class Target>
void set_one(Target& target, const std::vector<Key<Target>>& keys, std::string_view name, toml::table& value,
             const Place& place) {
  toml::table table;
  table.insert(name, *value.get("value"));
  socket::apply_table(target, table, keys, place);
}

}  // namespace

void socket::check_ranges(const StackConfig& config, const std::string& where) {
  socket::check_fields(config, stack_keys(), where + ": ");
  socket::check_fields(config.limits, limit_keys(), where + ": limits.");
  for (const PortConfig& port : config.ports)
    socket::check_fields(port, port_keys(), where + ": port " + port.name + ": ");
}

StackConfig parse_config(std::string_view text, const std::string& name) {
  StackConfig config;
  try {
    socket::apply_table(config, toml::parse(text, name), stack_keys(), Place{name, ""});
  } catch (const toml::parse_error& error) {
    throw Error(name + ':' + std::to_string(error.source().begin.line) +
                ": not TOML: " + std::string(error.description()));
  }
  socket::name_ports(config);
  socket::check_whole(config, name);
  return config;
}

StackConfig load_config(const std::string& path) {
  std::ifstream file(path);
  std::error_code error;
  if (!file || std::filesystem::is_directory(path, error))
    throw Error("cannot read the configuration file " + path +
                "; check the name, that it is a file, and that it may be read");
  std::ostringstream text;
  text << file.rdbuf();
  return parse_config(text.str(), path);
}

void override_config(StackConfig& config, std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos)
    throw Error("command line: '" + std::string(assignment) +
                "' is not KEY=VALUE, such as workers=2 or port.0.mtu=9000");
  const std::string key(assignment.substr(0, equals));
  toml::table value = read_value(assignment.substr(equals + 1));
  const auto dot = key.find('.');
  const std::string first = key.substr(0, dot);
  const std::string rest = dot == std::string::npos ? "" : key.substr(dot + 1);
  const auto second_dot = rest.find('.');
  const bool listed = second_dot != std::string::npos && (first == "port" || first == "route");
  const Place place{"command line", listed ? first + '.' + rest.substr(0, second_dot) : rest.empty() ? "" : first};
  if (listed && first == "port")
    set_one(element_at(config.ports, rest.substr(0, second_dot), key), port_keys(), rest.substr(second_dot + 1), value,
            place);
  else if (listed)
    set_one(element_at(config.routes, rest.substr(0, second_dot), key), route_keys(), rest.substr(second_dot + 1),
            value, place);
  else if (first == "parameters" && !rest.empty())
    set_one(config.parameters, parameter_keys(), rest, value, place);
  else if (first == "limits" && !rest.empty())
    set_one(config.limits, limit_keys(), rest, value, place);
  else
    set_one(config, stack_keys(), key, value, place);
  socket::name_ports(config);  // what several settings must agree on is seen when the stack starts
}

}  // namespace sluice
