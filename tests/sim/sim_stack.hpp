#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "drivers/memory_wire.hpp"
#include "stack/base/heap_buffers.hpp"
#include "stack/base/seeded_random.hpp"
#include "stack/base/sim_clock.hpp"
#include "stack/worker/application_rings.hpp"
#include "stack/worker/worker_group.hpp"

namespace sluice::sim {

struct SimStackOptions {
  std::string name = "a";
  std::uint16_t workers = 1;
  std::uint16_t ports = 1;   ///< each on a segment of the wire: port N on segment N
  std::uint16_t queues = 0;  ///< of each port; 0: one for each worker
  drivers::Steering steering = drivers::Steering::flow_hash;
  std::uint8_t host = 1;    ///< addresses 198.18.N.host/24 and 2001:db8:N::host/64 on port N
  bool link_local = false;  ///< and 169.254.N.host/16 and fe80::N:host/64
  std::uint16_t mtu = 1500;
  std::uint16_t receive_ring = 1024;         ///< frames a receive queue of the port holds
  std::uint16_t receive_burst = UINT16_MAX;  ///< and that one look at it brings at most
  std::optional<std::uint16_t> port{};       ///< the wire's first port of a stack that is gone; nothing: new ones
  std::uint32_t events = 1024;               ///< entries of each worker's event queue
  std::uint32_t lent = 4096;
  std::uint16_t attached = UINT16_MAX;  ///< workers whose events are taken from the start
  worker::Config config;                ///< its ip part is filled in
};

inline constexpr worker::ApplicationId kInline = worker::kInlineApplications;

/// One whole stack on ports of an in-memory wire, its applications run to completion. Everything comes from exact
/// heap blocks, which are counted.
class SimStack {
 public:
  SimStack(drivers::MemoryWire& wire, base::SimClock& clock, std::uint64_t seed, const SimStackOptions& options);
  SimStack(const SimStack&) = delete;
  SimStack& operator=(const SimStack&) = delete;

  const std::string& name() const { return name_; }
  std::uint16_t workers() const { return group_->workers(); }
  worker::WorkerGroup& group() { return *group_; }
  worker::Worker& worker(std::uint16_t index = 0) { return group_->worker(index); }
  worker::InlineEvents& events(std::uint16_t index = 0) { return *events_[index]; }
  std::uint16_t ports() const { return static_cast<std::uint16_t>(ports_.size()); }
  /// Of the wire.
  std::uint16_t port_number(std::uint16_t port = 0) const { return static_cast<std::uint16_t>(first_port_ + port); }
  IpAddress v4(std::uint16_t port = 0) const { return address_on(port, true); }
  IpAddress v6(std::uint16_t port = 0) const { return address_on(port, false); }
  IpAddress address_on(std::uint16_t port, bool is_v4) const;
  IpAddress link_local(std::uint16_t port, bool is_v4) const;

  /// Opens an endpoint and steps the workers until it is there.
  EndpointId open(const worker::OpenEndpointArguments& arguments, std::uint16_t* port = nullptr);
  /// Sends a copy of `bytes`.
  assoc::SendStatus send(AssocId association, std::span<const std::byte> bytes, StreamId stream = StreamId(0),
                         Ppid ppid = Ppid(0), bool unordered = false, std::uint64_t context = 0);
  base::HeapBuffers& messages() { return messages_; }
  /// The sum of one counter over all workers: `room.name`.
  std::uint64_t counter(const std::string& name) const;

  /// Buffers that the stack has out, those lent to applications included.
  std::uint32_t buffers_out() const { return transmit_.out() + copies_.out() + reassembly_.out() + messages_.out(); }
  /// Throws std::runtime_error if anything is out of the pools, or in the directory, of a stack without associations.
  void check_pools() const;
  std::string buffers_by_pool() const {
    return std::to_string(transmit_.out()) + " to transmit, " + std::to_string(copies_.out()) + " copies, " +
           std::to_string(reassembly_.out()) + " for reassembly, " + std::to_string(messages_.out()) + " of messages";
  }
  std::uint32_t associations() const;
  /// One turn of a worker's loop; false if there was nothing to do, which is seen without a turn.
  bool step(std::uint16_t index);

 private:
  bool frames_wait_for(std::uint16_t index) const;

  drivers::MemoryWire& wire_;
  base::SimClock& clock_;
  std::string name_;
  base::SeededRandom random_;
  std::uint8_t host_;
  base::HeapBuffers transmit_;
  base::HeapBuffers copies_;
  base::HeapBuffers reassembly_;
  base::HeapBuffers messages_;
  std::uint16_t first_port_;
  std::vector<drivers::Port*> ports_;
  std::vector<std::unique_ptr<worker::InlineEvents>> events_;
  std::unique_ptr<worker::WorkerGroup> group_;
  std::uint64_t requests_ = 0;
};

}  // namespace sluice::sim
