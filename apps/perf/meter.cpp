#include "apps/perf/meter.hpp"

#include <sys/resource.h>
#include <time.h>
#include <x86intrin.h>

namespace sluice::apps {
namespace {

double cpu_now() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

std::uint64_t now_nanoseconds() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

double now_seconds() {
  return 1e-9 * static_cast<double>(now_nanoseconds());
}

Meter::Meter() : tsc_(__rdtsc()), wall_(now_seconds()), cpu_(cpu_now()) {}

double Meter::seconds() const {
  return now_seconds() - wall_;
}

double Meter::cpu_seconds() const {
  return cpu_now() - cpu_;
}

double Meter::cycles() const {
  const double wall = seconds();
  return wall > 0 ? static_cast<double>(__rdtsc() - tsc_) * cpu_seconds() / wall : 0;
}

}  // namespace sluice::apps
