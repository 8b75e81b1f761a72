#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <future>
#include <thread>
#include <vector>

#include "stack/worker/worker_group.hpp"

namespace sluice::worker {

/// Lets the calling thread run on `cpu` alone. Throws Error when it may not.
void pin(std::uint16_t cpu);

/// Runs each worker of a group in a thread of its own, from construction until stop().
class WorkerThreads {
 public:
  struct Options {
    std::vector<std::uint16_t> cpus;  ///< one a worker; empty: not pinned
    /// Called in each thread around its loop, for what a driver wants of a thread: `loop` runs until stop(), and throws
    /// nothing.
    std::function<void(std::uint16_t worker, const std::function<void()>& loop)> around;
  };

  /// Throws Error when a thread cannot be made or pinned, and what `around` throws before its loop.
  WorkerThreads(WorkerGroup& group, const Options& options);
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;
  ~WorkerThreads() { stop(); }

  /// Ends the loops and waits for the threads. The workers can then be stepped by the caller.
  void stop();

 private:
  void start(std::uint16_t worker, const Options& options, std::promise<void>& started);
  void run(std::uint16_t worker);

  WorkerGroup& group_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace sluice::worker
