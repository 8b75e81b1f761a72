#pragma once

#include <memory>
#include <optional>
#include <string>

#include "drivers/eal_config.hpp"
#include "drivers/instance_lock.hpp"
#include "drivers/setup_error.hpp"

namespace sluice::drivers {

class DpdkLog;

/// DPDK's environment, from construction to destruction. DPDK allows one a process, once. Make it before pools and
/// ports, and let it outlive them.
class Eal {
 public:
  /// Starts the environment, choosing huge pages or not, and says in one log line what it chose. Throws SetupError,
  /// also when another process of this host goes by the same file prefix.
  explicit Eal(const EalConfig& config);
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;
  ~Eal();

  bool huge_pages() const { return huge_pages_; }
  /// The last error that DPDK logged since forget_last_error(), for messages to the user; empty when none.
  std::string last_error() const;
  void forget_last_error() const;

 private:
  std::unique_ptr<DpdkLog> log_;
  std::optional<InstanceLock> name_;
  bool huge_pages_ = false;
};

/// Makes the calling thread known to DPDK for as long as this lives, which gives it a cache of its own in each pool.
/// A thread that polls a port, or allocates or releases blocks of a PacketPool, holds one. Nothing happens on threads
/// that DPDK already knows.
class ThreadRegistration {
 public:
  /// Throws SetupError when DPDK has no place for another thread (it has 128).
  ThreadRegistration();
  ThreadRegistration(const ThreadRegistration&) = delete;
  ThreadRegistration& operator=(const ThreadRegistration&) = delete;
  ~ThreadRegistration();

 private:
  bool registered_ = false;
};

}  // namespace sluice::drivers
