#include "stack/socket/profiles.hpp"

#include <sluice/config.hpp>
#include <sluice/error.hpp>

#include <array>
#include <utility>

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Why each value is what it is: config/telecom.toml.
Parameters telecom() {
  Parameters parameters;
  parameters.rto_initial = milliseconds(200);
  parameters.rto_min = milliseconds(100);
  parameters.rto_max = milliseconds(400);
  parameters.sack_delay = milliseconds(40);
  parameters.heartbeat_interval = seconds(1);
  parameters.path_max_retransmissions = 2;
  parameters.potentially_failed_threshold = 0;
  parameters.association_max_retransmissions = 4;
  parameters.max_init_retransmissions = 5;
  return parameters;
}

constexpr std::array<std::pair<const char*, Parameters (*)()>, 2> kProfiles{{
    {"rfc9260", [] { return Parameters(); }},
    {"telecom", telecom},
}};

}  // namespace

Parameters profile(std::string_view name) {
  std::string known;
  for (const auto& [profile, make] : kProfiles) {
    if (name == profile) return make();
    known += (known.empty() ? "" : ", ") + std::string(profile);
  }
  throw Error("there is no profile '" + std::string(name) + "'; there are " + known);
}

namespace socket {

std::vector<std::string> profile_names() {
  std::vector<std::string> names;
  names.reserve(kProfiles.size());
  for (const auto& profile : kProfiles) names.emplace_back(profile.first);
  return names;
}

}  // namespace socket
}  // namespace sluice
