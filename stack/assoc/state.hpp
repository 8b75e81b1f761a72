#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::assoc {

/// RFC 9260 §4.
enum class State : std::uint8_t {
  closed,
  cookie_wait,
  cookie_echoed,
  established,
  shutdown_pending,
  shutdown_sent,
  shutdown_received,
  shutdown_ack_sent,
};
inline constexpr std::size_t kStates = 8;

/// The states that sctpCurrEstab counts (RFC 3873).
constexpr bool counts_as_established(State state) {
  return state == State::established || state == State::shutdown_pending || state == State::shutdown_received;
}

/// The RFC's spelling: "COOKIE-WAIT".
constexpr const char* name(State state) {
  switch (state) {
    case State::closed:
      return "CLOSED";
    case State::cookie_wait:
      return "COOKIE-WAIT";
    case State::cookie_echoed:
      return "COOKIE-ECHOED";
    case State::established:
      return "ESTABLISHED";
    case State::shutdown_pending:
      return "SHUTDOWN-PENDING";
    case State::shutdown_sent:
      return "SHUTDOWN-SENT";
    case State::shutdown_received:
      return "SHUTDOWN-RECEIVED";
    case State::shutdown_ack_sent:
      return "SHUTDOWN-ACK-SENT";
  }
  return "?";
}

}  // namespace sluice::assoc
