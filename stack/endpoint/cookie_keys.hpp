#pragma once

#include <cstdint>

#include "stack/base/random.hpp"
#include "stack/base/siphash.hpp"

namespace sluice::endpoint {

/// The secrets that seal state cookies: process-wide, every worker has a copy. One is used to seal; the one before it
/// still opens, so that cookies under way survive a rotation. Part of the hand-over state.
struct CookieKeys {
  struct Key {
    std::uint8_t number = 0;
    base::SipKey secret;
  };
  Key current;
  Key previous;
  bool has_previous = false;

  /// The first key of a process.
  static CookieKeys first(base::Random& random) {
    CookieKeys keys;
    keys.current = {.number = 0, .secret = {random.u64(), random.u64()}};
    return keys;
  }
  /// What follows these keys: a fresh one to seal with, today's to open. Rotating more often than a cookie lives makes
  /// good cookies unreadable; RFC 9260 §5.1.3 suggests hourly.
  CookieKeys rotated(base::Random& random) const {
    CookieKeys keys;
    keys.current = {.number = static_cast<std::uint8_t>(current.number + 1), .secret = {random.u64(), random.u64()}};
    keys.previous = current;
    keys.has_previous = true;
    return keys;
  }
};

}  // namespace sluice::endpoint
