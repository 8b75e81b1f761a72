#pragma once

#include <sluice/config.hpp>

#include <string>

namespace sluice::socket {

/// What no single key can see. Throws Error, which begins with `where`, when settings contradict each other.
void check_whole(const StackConfig& config, const std::string& where);

}  // namespace sluice::socket
