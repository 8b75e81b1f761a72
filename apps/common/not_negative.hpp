#pragma once

#include <CLI/CLI.hpp>
#include <cmath>
#include <string>

namespace sluice::apps {

/// For an option that takes a number from 0 on. CLI11's own says, in 300 digits, up to where.
inline CLI::Validator not_negative() {
  return {[](std::string& text) {
            double value = 0;
            if (CLI::detail::lexical_cast(text, value) && std::isfinite(value) && value >= 0) return std::string();
            return "'" + text + "' is not allowed; give a number from 0 on";
          },
          "NUMBER"};
}

}  // namespace sluice::apps
