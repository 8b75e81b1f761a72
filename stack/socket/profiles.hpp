#pragma once

#include <string>
#include <vector>

namespace sluice::socket {

/// What profile() knows, the default first.
std::vector<std::string> profile_names();

}  // namespace sluice::socket
