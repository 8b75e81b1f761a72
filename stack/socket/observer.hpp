#pragma once

#include <sluice/status.hpp>

#include <mutex>
#include <span>
#include <vector>

#include "stack/assoc/snapshot.hpp"
#include "stack/socket/loop_runners.hpp"
#include "stack/worker/application_rings.hpp"

namespace sluice::socket {

/// Asks the workers for their counters and for the state of associations, on behalf of any thread: an application like
/// others, without endpoints.
class Observer {
 public:
  /// `patience`: how long a worker may take to answer.
  Observer(worker::WorkerGroup& group, LoopRunners& runners, Duration patience = std::chrono::seconds(10));
  /// The workers' loops have ended, or go on.
  ~Observer();

  /// Every counter, summed over the workers. Throws Error when a worker does not answer.
  std::vector<CounterStatus> counters();
  /// Up to `limit` associations whose ids follow `after`, in order.
  std::vector<AssociationStatus> associations(AssocId after, std::size_t limit);

 private:
  std::unique_lock<std::mutex> take_turn();
  /// Lets worker `index` carry out `command`, which fills a block of send memory; the bytes that it filled.
  std::span<const std::byte> ask(std::uint16_t index, const worker::CommandRecord& wanted);
  std::size_t snapshots(std::uint16_t index, AssocId after, std::vector<AssociationStatus>& out, std::size_t limit);

  worker::WorkerGroup& group_;
  LoopRunners& runners_;
  const Duration patience_;
  worker::ApplicationRings rings_;
  std::uint64_t requests_ = 0;
  std::mutex mutex_;
};

}  // namespace sluice::socket
