#pragma once

#include <sluice/time.hpp>

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "stack/worker/stack_state.hpp"
#include "stack/worker/worker.hpp"

namespace sluice::worker {

/// All workers of one stack. Run by as many threads (WorkerThreads, or applications in their own loops), or stepped in
/// one thread in whatever order a simulation likes: nothing here or below knows which thread it is in.
class WorkerGroup {
 public:
  /// One worker for each of `resources`. `ports[i]` is the port of config.ip.interfaces[i]. `random` gives the keys
  /// that the workers share. Everything given outlives the group.
  WorkerGroup(const Config& config, std::vector<drivers::Port*> ports, std::span<const WorkerResources> resources,
              base::Random& random);
  WorkerGroup(const WorkerGroup&) = delete;
  WorkerGroup& operator=(const WorkerGroup&) = delete;
  ~WorkerGroup();

  std::uint16_t workers() const { return static_cast<std::uint16_t>(workers_.size()); }
  Worker& worker(std::uint16_t index) { return *workers_[index]; }
  const Worker& worker(std::uint16_t index) const { return *workers_[index]; }
  const Config& config() const { return stack_.config; }
  /// What wakes worker `index`, for the channels to it.
  WakeUp& wake_up(std::uint16_t index) { return *stack_.wake_ups[index]; }

  /// One turn of every worker, in order; false if none had anything to do. For one thread.
  bool poll_all();
  /// The earliest of the workers' deadlines.
  Timestamp next_deadline() const;

  /// Joins an application with all workers: `channels[i]` is the one to worker i. From any thread; each worker takes
  /// its channel at the beginning of a turn, before any command that was given later.
  ApplicationId attach(std::span<Channel* const> channels);
  /// The application's channels are detached(): its id may be used again. From any thread.
  void forget(ApplicationId application);

 private:
  StackState stack_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::mutex attaching_;
  std::vector<bool> attached_{true};  // by ApplicationId; kInlineApplications is never given
};

}  // namespace sluice::worker
