#pragma once

#include <sluice/event.hpp>

namespace sluice {

/// As sluice-ctl and the logs of programs spell it.
constexpr const char* name(PathState state) {
  switch (state) {
    case PathState::unconfirmed:
      return "unconfirmed";
    case PathState::active:
      return "active";
    case PathState::potentially_failed:
      return "potentially-failed";
    case PathState::inactive:
      return "inactive";
  }
  return "?";
}

}  // namespace sluice
