#pragma once

#include <sluice/config.hpp>
#include <sluice/error.hpp>

#include <algorithm>
#include <charconv>
#include <concepts>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

namespace sluice::socket {

/// Where a value stands, for the beginning of an error: `gateway.toml:12: port.mtu`.
struct Place {
  std::string file;
  std::string key;

  [[noreturn]] void fail(const toml::node& node, const std::string& what) const;
};

/// One key of a table that fills in a `Target`.
template <class Target>
struct Key {
  std::string name;
  std::function<void(Target&, const toml::node&, const Place&)> set;
  bool first = false;  ///< set before the others, whatever the order in the table
  /// What is wrong with the value in `Target`, which a program may have filled in; empty: nothing, or nobody looks.
  std::function<std::string(const Target&)> wrong{};
};

/// `value` as an integer within [low, high], or an error that says so, and `besides` what else is allowed. Reads sizes
/// like `"4MiB"` too.
std::int64_t read_integer(const toml::node& value, std::int64_t low, std::int64_t high, const Place& place,
                          const char* besides = "");
/// `value`, a string such as `"100ms"`, `"30s"` or `"50us"`, within [low, high].
Duration read_duration(const toml::node& value, Duration low, Duration high, const Place& place);
/// As read_duration() reads it: `100ms`.
std::string duration_text(Duration duration);
std::string read_text(const toml::node& value, const Place& place);
bool read_boolean(const toml::node& value, const Place& place);
/// `198.18.0.1/24`, `2001:db8::1/64`.
InterfaceAddress read_interface_address(const toml::node& value, const Place& place);
IpAddress read_address(const toml::node& value, const Place& place);
/// `text` is the Ethernet address of one station.
bool is_station(const std::string& text);
/// The Ethernet address of one station, as text, or nothing.
std::string read_mac_address(const toml::node& value, const Place& place);
/// The position of `value` in `names`.
std::size_t read_choice(const toml::node& value, const std::vector<std::string>& names, const Place& place);
/// The elements of an array.
void for_each_element(const toml::node& value, const Place& place, const std::function<void(const toml::node&)>& visit);

/// Empty if `value` is within [low, high].
inline std::string out_of_range(std::uint64_t value, std::int64_t low, std::int64_t high, const char* besides = "") {
  if (std::cmp_less_equal(low, value) && std::cmp_less_equal(value, high)) return {};
  return "is " + std::to_string(value) + "; it must be from " + std::to_string(low) + " to " + std::to_string(high) +
         besides;
}

template <class Target, std::integral Field>
Key<Target> integer(std::string name, Field Target::*field, std::int64_t low, std::int64_t high) {
  return {std::move(name),
          [=](Target& target, const toml::node& node, const Place& place) {
            target.*field = static_cast<Field>(read_integer(node, low, high, place));
          },
          false, [=](const Target& target) { return out_of_range(target.*field, low, high); }};
}

/// 0, by which the field leaves the choice to others, or what integer() takes.
template <class Target, std::integral Field>
Key<Target> integer_or_zero(std::string name, Field Target::*field, std::int64_t low, std::int64_t high) {
  return {std::move(name),
          [=](Target& target, const toml::node& node, const Place& place) {
            const bool zero = node.value<std::int64_t>() == 0;
            target.*field = zero ? Field{0} : static_cast<Field>(read_integer(node, low, high, place, ", or 0"));
          },
          false,
          [=](const Target& target) {
            return target.*field == 0 ? std::string() : out_of_range(target.*field, low, high, ", or 0");
          }};
}

template <class Target>
Key<Target> duration(std::string name, Duration Target::*field, Duration low, Duration high) {
  return {std::move(name),
          [=](Target& target, const toml::node& node, const Place& place) {
            target.*field = read_duration(node, low, high, place);
          },
          false,
          [=](const Target& target) -> std::string {
            if (target.*field >= low && target.*field <= high) return {};
            return "is " + duration_text(target.*field) + "; it must be from " + duration_text(low) + " to " +
                   duration_text(high);
          }};
}

template <class Target>
Key<Target> text(std::string name, std::string Target::*field) {
  return {std::move(name),
          [=](Target& target, const toml::node& node, const Place& place) { target.*field = read_text(node, place); }};
}

template <class Target>
Key<Target> boolean(std::string name, bool Target::*field) {
  return {std::move(name), [=](Target& target, const toml::node& node, const Place& place) {
            target.*field = read_boolean(node, place);
          }};
}

/// An enumeration whose enumerators are counted from 0, in the order of `names`.
template <class Target, class Enum>
Key<Target> choice(std::string name, Enum Target::*field, const std::vector<std::string>& names) {
  return {std::move(name), [=](Target& target, const toml::node& node, const Place& place) {
            target.*field = static_cast<Enum>(read_choice(node, names, place));
          }};
}

/// Fills in `target` from `table`; a key that is not among `keys` is an error that lists them.
template <class Target>
void apply_table(Target& target, const toml::node& node, const std::vector<Key<Target>>& keys, const Place& place) {
  const toml::table* const table = node.as_table();
  if (table == nullptr) place.fail(node, "must be a table");
  for (const bool first : {true, false}) {
    for (const auto& [key, value] : *table) {
      const std::string name(key.str());
      const Place at{place.file, place.key.empty() ? name : place.key + '.' + name};
      const auto found = std::find_if(keys.begin(), keys.end(), [&](const auto& k) { return k.name == name; });
      if (found == keys.end()) {
        std::string known;
        for (const auto& k : keys) known += (known.empty() ? "" : ", ") + k.name;
        at.fail(value, "is not a known key; known here are " + known);
      }
      if (found->first == first) found->set(target, value, at);
    }
  }
}

/// Throws Error when a field of `target` has a value that its key would have refused. `place`: what the keys' names
/// follow in the error.
template <class Target>
void check_fields(const Target& target, const std::vector<Key<Target>>& keys, const std::string& place) {
  for (const Key<Target>& key : keys) {
    const std::string wrong = key.wrong ? key.wrong(target) : "";
    if (!wrong.empty()) throw Error(std::string(place).append(key.name).append(1, ' ').append(wrong));
  }
}

}  // namespace sluice::socket
