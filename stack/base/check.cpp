#include "stack/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace sluice::base {

void check_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "sluice: broken invariant: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace sluice::base
