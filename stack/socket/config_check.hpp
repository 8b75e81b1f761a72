#pragma once

#include <sluice/config.hpp>

#include <string>

namespace sluice::socket {

/// Gives each port without a name one by its place: port0, port1.
void name_ports(StackConfig& config);

/// Throws Error, which begins with `where`, when a field has a value that the file would not be allowed: a program may
/// have filled it in.
void check_ranges(const StackConfig& config, const std::string& where);

/// What no single key can see. Throws Error, which begins with `where`, when settings contradict each other.
void check_whole(const StackConfig& config, const std::string& where);

}  // namespace sluice::socket
