#pragma once

#include <string>

#include "drivers/memory_wire.hpp"

namespace sluice::sim {

/// Seconds of virtual time, to the nanosecond.
std::string format(Timestamp time);
/// One line that says what happened to a frame: when, where, what became of it, and the chunks in it.
std::string describe(const drivers::WireEvent& event);

}  // namespace sluice::sim
