#pragma once

#include <cstdint>

/// Makes `struct Name` of 64-bit counters from a list macro: LIST(X) with X(name, "what it counts") for each. One
/// writer each, no atomics: readers get a copy through a command to the owner. `for_each` calls
/// visit(name, help, value&), which is how printing, summing and telemetry know them all.
// clang-format off
#define SLUICE_DEFINE_COUNTERS(Name, LIST) \
  struct Name {                            \
    LIST(SLUICE_COUNTER_FIELD_)            \
    template <class Visit>                 \
    void for_each(Visit&& visit) {         \
      LIST(SLUICE_COUNTER_VISIT_)          \
    }                                      \
    template <class Visit>                 \
    void for_each(Visit&& visit) const {   \
      LIST(SLUICE_COUNTER_VISIT_)          \
    }                                      \
    Name& operator+=(const Name& other) {  /* NOLINT(bugprone-macro-parentheses): a type */ \
      LIST(SLUICE_COUNTER_ADD_)            \
      return *this;                        \
    }                                      \
  }
// clang-format on
#define SLUICE_COUNTER_FIELD_(name, help) std::uint64_t name = 0;
#define SLUICE_COUNTER_VISIT_(name, help) visit(#name, help, name);
#define SLUICE_COUNTER_ADD_(name, help) name += other.name;
