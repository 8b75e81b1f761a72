#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "stack/worker/worker_group.hpp"

namespace sluice::socket {

/// Who runs the loop of each worker: a thread of the stack, an application's own, or nobody.
class LoopRunners {
 public:
  explicit LoopRunners(worker::WorkerGroup& group)
      : group_(group), runners_(std::make_unique<std::atomic<std::thread::id>[]>(group.workers())) {}

  /// The calling thread runs worker `index` from now on. Waits for whoever gives it a single turn.
  void enter(std::uint16_t index) {
    while (!claim(index)) std::this_thread::yield();
  }
  /// Nobody does any more.
  void leave(std::uint16_t index) { runners_[index].store({}, std::memory_order_release); }

  /// Lets time pass while the caller awaits the workers' answers: a turn of each loop that is the caller's own or that
  /// nobody runs, a moment's wait for the others.
  void advance_all() {
    for (std::uint16_t i = 0; i < group_.workers(); ++i) advance(i);
  }

 private:
  void advance(std::uint16_t index) {
    if (runners_[index].load(std::memory_order_relaxed) == std::this_thread::get_id()) {
      group_.worker(index).poll_once();
    } else if (claim(index)) {
      group_.worker(index).poll_once();
      leave(index);
    } else {
      std::this_thread::yield();
    }
  }
  bool claim(std::uint16_t index) {
    std::thread::id nobody;
    return runners_[index].compare_exchange_strong(nobody, std::this_thread::get_id(), std::memory_order_acquire);
  }

  worker::WorkerGroup& group_;
  std::unique_ptr<std::atomic<std::thread::id>[]> runners_;
};

}  // namespace sluice::socket
