#pragma once

#include <sluice/application.hpp>
#include <sluice/config.hpp>

#include <deque>
#include <optional>
#include <vector>

#include "drivers/eal.hpp"
#include "stack/base/affinity_guard.hpp"
#include "stack/socket/inline_send_memory.hpp"
#include "stack/socket/loop_runners.hpp"
#include "stack/worker/inline_events.hpp"

namespace sluice::socket {

/// What a worker needs for an application in its own loop; outlives both.
struct InlineSeat {
  explicit InlineSeat(const StackConfig& config);

  InlineSendMemory memory;  ///< messages to send
  worker::InlineEvents events;
};

/// The application that runs a worker's loop itself: calls go straight to the worker, poll() is a turn of the loop.
class InlineApplication final : public Application {
 public:
  InlineApplication(const StackConfig& config, worker::WorkerGroup& group, LoopRunners& runners, std::uint16_t worker,
                    InlineSeat& seat);
  ~InlineApplication() override;

  EndpointId open(const EndpointOptions& options) override;
  void close(EndpointId endpoint) override;
  std::uint16_t local_port(EndpointId endpoint) const override;
  bool connect(EndpointId endpoint, std::span<const IpAddress> peers, std::uint16_t port, std::uint64_t context,
               const std::optional<Parameters>& parameters) override;
  SendResult send(AssocId association, StreamId stream, Ppid ppid, std::span<const std::byte> message,
                  const SendOptions& options) override;
  void shutdown(AssocId association) override;
  void abort(AssocId association, std::string_view reason) override;
  std::size_t poll(std::span<Event> events) override;
  void release(std::span<const Event> events) override;
  void wait(Duration timeout) override;
  int wait_descriptor() override { return -1; }
  bool set_primary(AssocId association, PathId path) override;
  bool request_heartbeat(AssocId association, PathId path) override;
  bool set_path(AssocId association, PathId path, const PathOptions& options) override;
  bool set_parameters(AssocId association, const Parameters& parameters) override;
  void set_parameters(EndpointId endpoint, const Parameters& parameters) override;
  std::optional<Parameters> parameters(AssocId association) override;
  std::optional<AssociationStatus> status(AssocId association) override;

 private:
  struct Endpoint {
    EndpointId id;
    std::uint16_t port = 0;
  };

  void turn();
  std::size_t take(std::span<Event> events);
  std::size_t take_waiting(std::span<Event> events);
  void keep_events();
  std::size_t take_writable(std::span<Event> events);
  worker::Reply await_reply(std::uint64_t request);

  const worker::IdlePolicy idle_;
  LoopRunners& runners_;
  worker::Worker& worker_;
  const worker::ApplicationId id_;
  drivers::ThreadRegistration registration_;
  std::optional<base::AffinityGuard> affinity_;  // of the thread that runs the worker, where that is pinned
  InlineSeat& seat_;
  std::vector<Endpoint> endpoints_;
  std::deque<Event> waiting_;  // taken while a call waited for its answer
  bool leaving_ = false;
  std::uint64_t next_request_ = 1;
  std::uint32_t idle_turns_ = 0;
};

}  // namespace sluice::socket
