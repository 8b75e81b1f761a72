#pragma once

#include <sluice/stack.hpp>

#include <array>
#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "apps/perf/options.hpp"

namespace sluice::apps {

/// Runs `body` once for each application that the delivery asks for: one joined by rings, or one in each worker's own
/// loop, each in a thread of its own. `body(application, index, count)` returns when it is done; what it throws is
/// thrown here, after all have ended.
inline void run_applications(Stack& stack, Delivery delivery,
                             const std::function<void(Application&, std::size_t, std::size_t)>& body) {
  const std::size_t count = delivery == Delivery::rings ? 1 : stack.workers();
  std::atomic<std::size_t> finished{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto run = [&](std::size_t index) {
    try {
      const auto application =
          delivery == Delivery::rings ? stack.attach() : stack.run_inline(static_cast<std::uint16_t>(index));
      body(*application, index, count);
      // The others may need this worker still: its loop goes on until all are done.
      ++finished;
      std::array<Event, 64> events;
      while (finished < count) application->release(std::span(events.data(), application->poll(events)));
    } catch (...) {
      ++finished;
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < count; ++i) others.emplace_back(run, i);
  run(0);
  for (std::thread& other : others) other.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace sluice::apps
