#include "tests/sim/report.hpp"

#include <sluice/names.hpp>

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "drivers/wire_counters.hpp"

namespace sluice::sim {
namespace {

using assoc::State;

struct Transition {
  State from;
  State to;
};

/// As seen from one step of the simulation to the next, in which several of the RFC's may happen.
constexpr Transition kTransitions[] = {
    {State::closed, State::cookie_wait},
    {State::closed, State::established},
    {State::cookie_wait, State::closed},
    {State::cookie_wait, State::cookie_echoed},
    {State::cookie_wait, State::established},  // both open at once
    {State::cookie_echoed, State::closed},
    {State::cookie_echoed, State::cookie_wait},  // the cookie was stale
    {State::cookie_echoed, State::established},
    {State::established, State::closed},
    {State::established, State::shutdown_pending},
    {State::established, State::shutdown_sent},
    {State::established, State::shutdown_received},
    {State::established, State::shutdown_ack_sent},
    {State::shutdown_pending, State::closed},
    {State::shutdown_pending, State::shutdown_sent},
    {State::shutdown_pending, State::shutdown_received},
    {State::shutdown_pending, State::shutdown_ack_sent},
    {State::shutdown_sent, State::closed},
    {State::shutdown_sent, State::shutdown_ack_sent},
    {State::shutdown_received, State::closed},
    {State::shutdown_received, State::shutdown_ack_sent},
    {State::shutdown_ack_sent, State::closed},
};

/// Possible, but too rare to be awaited: COOKIE ACK and SHUTDOWN come at once, or the peer restarts while the
/// association ends.
constexpr Transition kRareTransitions[] = {
    {State::cookie_echoed, State::shutdown_received}, {State::cookie_echoed, State::shutdown_ack_sent},
    {State::shutdown_pending, State::established},    {State::shutdown_sent, State::established},
    {State::shutdown_received, State::established},
};

struct PathTransition {
  PathState from;
  PathState to;
};

constexpr PathTransition kPathTransitions[] = {
    {PathState::unconfirmed, PathState::active},
    {PathState::active, PathState::inactive},
    {PathState::inactive, PathState::active},
    {PathState::active, PathState::potentially_failed},  // RFC 7829 §3.2
    {PathState::potentially_failed, PathState::active},
    {PathState::potentially_failed, PathState::inactive},
};

/// Possible, but too rare to be awaited: an answer comes at once with a timeout, when the clock jumps, or with the loss
/// of the link.
constexpr PathTransition kRarePathTransitions[] = {
    {PathState::unconfirmed, PathState::potentially_failed},
    {PathState::unconfirmed, PathState::inactive},
    {PathState::inactive, PathState::potentially_failed},
};

/// What several paths are for, and what a run with them must have seen.
constexpr const char* kOfSeveralPaths[] = {
    "application moves the primary path",
    "chunks sent again on another path",
    "counter association.failovers",
    "counter association.paths_without_link",
    "counter association.primary_switchovers",
    "fault black hole, lasting",
    "fault link down, lasting",
    "fault one-way path, lasting",
    "fault port flaps, lasting",
    "new data moves to another path",
    "new data returns to the primary path",
    "runs with several paths",
};

constexpr const char* kEvents[] = {
    "event association_up, active",
    "event association_up, passive",
    "event closed",
    "event connect_failed",
    "event delivery_aborted",
    "event path_changed",
    "event restarted",
    "event send_failed",
    "event shutdown_received",
    "event writable",
};

std::string spelled(PathState from, PathState to) {
  return std::string("path ") + name(from) + " -> " + name(to);
}

std::string spelled(State from, State to) {
  return std::string("state ") + assoc::name(from) + " -> " + assoc::name(to);
}

template <class Visit>
void visit_names(Visit&& visit) {
  for (int fault = 0; fault < static_cast<int>(Fault::fault_count); ++fault)
    visit(std::string("fault ") + name(static_cast<Fault>(fault)));
  for (const Transition& transition : kTransitions) visit(spelled(transition.from, transition.to));
  for (const PathTransition& transition : kPathTransitions) visit(spelled(transition.from, transition.to));
  for (const char* const event : kEvents) visit(event);
  for (const char* const what : kOfSeveralPaths) visit(what);
  drivers::WireCounters().for_each(
      [&](const char* counter, const char*, std::uint64_t) { visit(std::string("wire ") + counter); });
  visit("wire told the path MTU");
}

}  // namespace

const char* name(Fault fault) {
  static constexpr const char* kNames[] = {
      "conditions change",
      "one-way path",
      "black hole",
      "link down",
      "port flaps",
      "all paths out",
      "path MTU falls, told",
      "path MTU falls silently",
      "transmit ring full",
      "receive pool small",
      "receive pool empty",
      "worker held up",
      "peer silent",
      "clock jumps forward",
      "application stops reading",
      "application keeps buffers",
      "stack restarts",
  };
  static_assert(std::size(kNames) == static_cast<std::size_t>(Fault::fault_count));
  return kNames[static_cast<std::size_t>(fault)];
}

std::string transition_name(State from, State to) {
  const auto matches = [&](const Transition& known) { return known.from == from && known.to == to; };
  if (std::any_of(std::begin(kTransitions), std::end(kTransitions), matches)) return spelled(from, to);
  if (std::any_of(std::begin(kRareTransitions), std::end(kRareTransitions), matches)) return spelled(from, to);
  throw std::runtime_error("no such transition: " + spelled(from, to));
}

std::string transition_name(PathState from, PathState to) {
  const auto matches = [&](const PathTransition& known) { return known.from == from && known.to == to; };
  if (std::any_of(std::begin(kPathTransitions), std::end(kPathTransitions), matches)) return spelled(from, to);
  if (std::any_of(std::begin(kRarePathTransitions), std::end(kRarePathTransitions), matches)) return spelled(from, to);
  throw std::runtime_error("no such transition: " + spelled(from, to));
}

void register_names(Tally& tally) {
  visit_names([&](const std::string& name) { tally[name]; });
}

std::vector<std::string> never_happened(const Tally& tally) {
  std::vector<std::string> names;
  visit_names([&](const std::string& name) {
    const auto found = tally.find(name);
    if (found == tally.end() || found->second == 0) names.push_back(name);
  });
  return names;
}

}  // namespace sluice::sim
