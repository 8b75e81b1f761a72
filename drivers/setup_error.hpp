#pragma once

#include <stdexcept>

namespace sluice::drivers {

/// Why the EAL, a pool or a port could not be set up, in one sentence: what, where, how to mend it. Thrown at start-up
/// alone, never by a function that moves packets.
class SetupError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace sluice::drivers
