#pragma once

#include <string>

namespace sluice::drivers {

/// A name that one process of a user has at a time on this host, whatever network namespace it is in: DPDK's files and
/// sockets are called by it. Held as long as this lives, and let go when the process ends, however it does.
class InstanceLock {
 public:
  /// Throws SetupError, which says how to mend it, when another process has the name.
  explicit InstanceLock(const std::string& name);
  InstanceLock(const InstanceLock&) = delete;
  InstanceLock& operator=(const InstanceLock&) = delete;
  ~InstanceLock();

 private:
  std::string path_;
  int file_ = -1;
};

}  // namespace sluice::drivers
