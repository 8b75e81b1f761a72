#pragma once

#include <sluice/export.hpp>
#include <stdexcept>

namespace sluice {

/// What start-up, configuration and control calls throw. what() is one sentence: what went wrong, where, how to mend
/// it. Never thrown on the data path.
class SLUICE_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace sluice
