#pragma once

namespace sluice::base {

/// Says what broke on standard error and ends the process. Never returns.
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace sluice::base

/// Guards an invariant of our own, in release builds too; never used on what a peer or a user can cause.
#define SLUICE_CHECK(condition) \
  (__builtin_expect(!!(condition), 1) ? void() : ::sluice::base::check_failed(#condition, __FILE__, __LINE__))

/// As SLUICE_CHECK, in debug builds alone: for what is too dear on the data path.
#ifdef NDEBUG
#define SLUICE_DCHECK(condition) void(sizeof(!!(condition)))
#else
#define SLUICE_DCHECK(condition) SLUICE_CHECK(condition)
#endif
