#pragma once

#include <sluice/event.hpp>

#include <span>

#include "stack/assoc/state.hpp"
#include "tests/sim/application.hpp"

namespace sluice::sim {

/// The faults that a plan may hold.
enum class Fault : std::uint8_t {
  conditions,          ///< others of WireConditions; so do all the following
  one_way_path,        ///< what goes one way vanishes
  black_hole,          ///< both ways
  link_down,           ///< and the port says so
  port_flap,           ///< its link goes down and comes up again, many times
  all_paths_out,       ///< black holes everywhere
  path_mtu_told,       ///< less fits than on the link, and a router tells
  path_mtu_silent,     ///< the same, and nobody does
  transmit_ring_full,  ///< it takes nothing for a while
  receive_pool_small,  ///< few blocks
  receive_pool_empty,  ///< none
  worker_held_up,      ///< its thread does not run
  peer_silent,         ///< none of one side's threads does
  clock_jump,          ///< forward
  slow_reader,         ///< an application takes no events
  buffers_kept,        ///< an application gives received buffers back late
  restart,             ///< a stack dies without a word, and another stands in its place
  fault_count
};
const char* name(Fault fault);

/// "state FROM -> TO". Throws std::runtime_error if no association may be seen in `to` after `from` (RFC 9260 §4).
std::string transition_name(assoc::State from, assoc::State to);

/// "path FROM -> TO". Throws std::runtime_error if no path of an association may go from one to the other.
std::string transition_name(PathState from, PathState to);

/// Puts a zero under every name that must not be zero at the end of many runs: each fault, each transition of an
/// association and of a path, each event, each counter of the wire, and what only several paths can bring about.
void register_names(Tally& tally);
/// Those of them that are.
std::vector<std::string> never_happened(const Tally& tally);

}  // namespace sluice::sim
