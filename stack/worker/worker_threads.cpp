#include "stack/worker/worker_threads.hpp"

#include <pthread.h>
#include <sched.h>
#include <sluice/error.hpp>

#include <string>
#include <system_error>

namespace sluice::worker {

void pin(std::uint16_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0)
    throw Error("cannot run a worker on CPU " + std::to_string(cpu) +
                ": name CPUs that this process may use (see `nproc` and taskset)");
}

WorkerThreads::WorkerThreads(WorkerGroup& group, const Options& options) : group_(group) {
  try {
    for (std::uint16_t i = 0; i < group.workers(); ++i) {
      std::promise<void> started;
      std::future<void> begins = started.get_future();
      threads_.emplace_back([this, i, options, started = std::move(started)]() mutable { start(i, options, started); });
      begins.get();
    }
  } catch (const std::system_error& error) {
    stop();
    throw Error(std::string("no thread can be made for a worker: ") + error.what() + "; raise the limit (`ulimit -u`)");
  } catch (...) {
    stop();
    throw;
  }
}

void WorkerThreads::start(std::uint16_t index, const Options& options, std::promise<void>& started) {
  const auto loop = [&]() noexcept {
    started.set_value();
    run(index);
  };
  try {
    if (index < options.cpus.size()) pin(options.cpus[index]);
    options.around ? options.around(index, loop) : loop();
  } catch (...) {
    started.set_exception(std::current_exception());  // there is no other place for it to be thrown
  }
}

void WorkerThreads::stop() {
  stopping_.store(true, std::memory_order_release);
  for (std::uint16_t i = 0; i < group_.workers(); ++i) group_.wake_up(i).wake_if_sleeping();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

void WorkerThreads::run(std::uint16_t index) {
  Worker& worker = group_.worker(index);
  const IdlePolicy& policy = group_.config().idle;
  std::uint32_t idle = 0;
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (worker.poll_once()) {
      idle = 0;
      continue;
    }
    if (idle < UINT32_MAX) ++idle;
    worker.back_off(idle, policy);
  }
}

}  // namespace sluice::worker
