#pragma once

#include <sluice/stack.hpp>

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "drivers/address_claim.hpp"
#include "drivers/eal.hpp"
#include "drivers/packet_pool.hpp"
#include "drivers/port.hpp"
#include "stack/base/csprng.hpp"
#include "stack/base/slab_buffers.hpp"
#include "stack/base/tsc_clock.hpp"
#include "stack/socket/inline_application.hpp"
#include "stack/socket/loop_runners.hpp"
#include "stack/socket/observer.hpp"
#include "stack/socket/ring_application.hpp"
#include "stack/socket/stack_telemetry.hpp"
#include "stack/worker/worker_group.hpp"
#include "stack/worker/worker_threads.hpp"

namespace sluice::socket {

/// A stack on DPDK's ports: everything that a Stack owns, made in the order in which it stands here and let go in the
/// reverse. Its workers' loops run in threads of its own from the first attach(), or in applications' threads.
class DpdkStack {
 public:
  explicit DpdkStack(const StackConfig& config);
  DpdkStack(const DpdkStack&) = delete;
  DpdkStack& operator=(const DpdkStack&) = delete;
  ~DpdkStack();

  std::unique_ptr<Application> attach_rings();
  std::unique_ptr<Application> run_inline(std::uint16_t worker);
  std::uint16_t workers() const { return config_.workers; }
  std::vector<CounterStatus> counters();
  std::vector<AssociationStatus> associations(AssocId after, std::size_t limit);

 private:
  /// What one worker has to itself.
  struct Seat {
    Seat(const StackConfig& config, std::uint16_t index);

    base::Csprng random;
    drivers::PacketPool transmit;
    drivers::PacketPool receive;
    base::SlabBuffers copies;
    base::SlabBuffers reassembly;
    std::unique_ptr<InlineSeat> inline_seat;
  };

  void open_ports();
  void check_transmit_buffers() const;
  void check_receive_buffers() const;
  void warn_of_few_receive_buffers() const;
  std::unique_ptr<drivers::Port> captured(std::unique_ptr<drivers::Port> port, const std::string& path);
  void make_workers();
  void start_threads();
  void abort_associations();

  const StackConfig config_;
  drivers::Eal eal_;
  base::TscClock clock_;
  base::Csprng random_;
  std::deque<drivers::AddressClaim> claims_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::vector<std::unique_ptr<drivers::Port>> ports_;
  std::unique_ptr<worker::WorkerGroup> group_;
  std::unique_ptr<LoopRunners> runners_;
  std::unique_ptr<Observer> observer_;
  std::mutex mutex_;                  // of attaching
  std::mutex device_counters_mutex_;  // whose caller may be any thread
  std::unique_ptr<worker::WorkerThreads> threads_;
  std::unique_ptr<StackTelemetry> telemetry_;
};

}  // namespace sluice::socket
