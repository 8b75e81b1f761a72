#pragma once

#include <pthread.h>
#include <sched.h>

namespace sluice::base {

/// Gives the thread that made it the processors back that it could run on then; nothing to another that destroys it.
class AffinityGuard {
 public:
  AffinityGuard() : thread_(pthread_self()), known_(pthread_getaffinity_np(thread_, sizeof set_, &set_) == 0) {}
  AffinityGuard(const AffinityGuard&) = delete;
  AffinityGuard& operator=(const AffinityGuard&) = delete;
  ~AffinityGuard() {
    if (known_ && pthread_equal(thread_, pthread_self()) != 0) pthread_setaffinity_np(thread_, sizeof set_, &set_);
  }

 private:
  cpu_set_t set_{};
  const pthread_t thread_;
  const bool known_;
};

}  // namespace sluice::base
