#pragma once

#include <string>

namespace sluice::drivers {

/// Removes the UNIX socket at `path` if nobody listens on it any more, as far as this network namespace shows: a
/// process that was killed leaves it behind. False when something is in the way: a listener, or no socket at all. Does
/// not connect to find out, which would disturb a PMD at the other end.
bool remove_stale_socket(const std::string& path);

}  // namespace sluice::drivers
