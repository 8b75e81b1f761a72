#include "stack/socket/config_keys.hpp"

#include <array>
#include <sstream>

#include "stack/base/mac_address.hpp"

namespace sluice::socket {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::array<Unit, 5> kTimeUnits{
    {{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}, {"min", 60'000'000'000}}};
constexpr std::array<Unit, 4> kSizeUnits{{{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}};

/// `12ms` by `units` as a number; false when it is not one.
template <std::size_t N>
bool read_with_unit(std::string_view text, const std::array<Unit, N>& units, std::int64_t& result) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end == text.data()) return false;
  std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (name.starts_with(' ')) name.remove_prefix(1);
  for (const Unit& unit : units)
    if (unit.name == name) return !__builtin_mul_overflow(number, unit.factor, &result);
  return false;
}

std::string shown(const toml::node& node) {
  std::ostringstream out;
  node.visit([&out](const auto& value) { out << value; });
  return out.str();
}

}  // namespace

std::string duration_text(Duration duration) {
  if (duration == Duration::zero()) return "0";
  for (auto unit = kTimeUnits.rbegin(); unit != kTimeUnits.rend(); ++unit)
    if (duration.count() % unit->factor == 0)
      return std::to_string(duration.count() / unit->factor) + std::string(unit->name);
  return {};
}

void Place::fail(const toml::node& node, const std::string& what) const {
  const auto line = node.source().begin.line;
  const std::string where = line > 0 ? file + ':' + std::to_string(line) : file;
  throw Error(where + ": " + key + ' ' + what);
}

std::int64_t read_integer(const toml::node& value, std::int64_t low, std::int64_t high, const Place& place,
                          const char* besides) {
  std::int64_t number = 0;
  const auto whole = value.value_exact<std::int64_t>();
  const auto words = value.value_exact<std::string>();
  const bool understood = whole || (words && read_with_unit(*words, kSizeUnits, number));
  if (whole) number = *whole;
  if (!understood || number < low || number > high)
    place.fail(value, "is " + shown(value) + "; it must be a whole number from " + std::to_string(low) + " to " +
                          std::to_string(high) + (high >= 1 << 20 ? ", or a size such as \"4MiB\"" : "") + besides);
  return number;
}

Duration read_duration(const toml::node& value, Duration low, Duration high, const Place& place) {
  std::int64_t count = 0;
  const auto words = value.value_exact<std::string>();
  const bool understood = words && (*words == "0" || read_with_unit(*words, kTimeUnits, count));
  if (!understood || Duration(count) < low || Duration(count) > high)
    place.fail(value, "is " + shown(value) + "; it must be a time such as \"100ms\" (ns, us, ms, s, min) from " +
                          duration_text(low) + " to " + duration_text(high));
  return Duration(count);
}

std::string read_text(const toml::node& value, const Place& place) {
  if (const auto words = value.value_exact<std::string>()) return *words;
  place.fail(value, "is " + shown(value) + "; it must be a string in quotes");
}

bool read_boolean(const toml::node& value, const Place& place) {
  if (const auto truth = value.value_exact<bool>()) return *truth;
  place.fail(value, "is " + shown(value) + "; it must be true or false");
}

InterfaceAddress read_interface_address(const toml::node& value, const Place& place) {
  const std::string words = read_text(value, place);
  const auto slash = words.find('/');
  const auto address = IpAddress::parse(std::string_view(words).substr(0, slash));
  unsigned prefix = 0;
  bool whole = false;
  if (slash != std::string::npos) {
    const char* const end = words.data() + words.size();
    const auto [at, error] = std::from_chars(words.data() + slash + 1, end, prefix);
    whole = error == std::errc{} && at == end;
  }
  if (!address || !whole || prefix > (address->is_v4() ? 32u : 128u))
    place.fail(value,
               "is " + shown(value) +
                   "; it must be an address with its prefix length, such as \"198.18.0.1/24\" or \"2001:db8::1/64\"");
  return {*address, static_cast<std::uint8_t>(prefix)};
}

IpAddress read_address(const toml::node& value, const Place& place) {
  const auto address = IpAddress::parse(read_text(value, place));
  if (!address) place.fail(value, "is " + shown(value) + "; it must be an IPv4 or IPv6 address");
  return *address;
}

bool is_station(const std::string& text) {
  base::MacAddress mac;
  return base::parse_mac_address(text, mac) && !mac.is_zero() && !mac.is_multicast();
}

std::string read_mac_address(const toml::node& value, const Place& place) {
  std::string words = read_text(value, place);
  if (!words.empty() && !is_station(words))
    place.fail(value, "is " + shown(value) + "; it must be the Ethernet address of one station, such as " +
                          "\"02:00:00:00:00:01\", or \"\" for the device's own");
  return words;
}

std::size_t read_choice(const toml::node& value, const std::vector<std::string>& names, const Place& place) {
  const auto words = value.value_exact<std::string>();
  const auto found = words ? std::find(names.begin(), names.end(), *words) : names.end();
  if (found == names.end()) {
    std::string allowed;
    for (const auto& name : names) allowed += (allowed.empty() ? "" : ", ") + name;
    place.fail(value, "is " + shown(value) + "; it must be one of " + allowed);
  }
  return static_cast<std::size_t>(found - names.begin());
}

void for_each_element(const toml::node& value, const Place& place,
                      const std::function<void(const toml::node&)>& visit) {
  const toml::array* const array = value.as_array();
  if (array == nullptr)
    place.fail(value,
               "is " + shown(value) + "; it must be a list in brackets, its words in quotes, such as [\"a\", \"b\"]");
  for (const toml::node& element : *array) visit(element);
}

}  // namespace sluice::socket
