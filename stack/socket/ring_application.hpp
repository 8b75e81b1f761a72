#pragma once

#include <sluice/application.hpp>
#include <sluice/config.hpp>

#include <deque>
#include <optional>
#include <vector>

#include "stack/socket/send_ledger.hpp"
#include "stack/worker/application_rings.hpp"

namespace sluice::socket {

/// The application of a thread apart from the workers: a channel with each of them, one send arena for all.
class RingApplication final : public Application {
 public:
  RingApplication(const StackConfig& config, worker::WorkerGroup& group);
  ~RingApplication() override;

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
  int wait_descriptor() override;
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
  /// A connect that was not answered yet.
  struct Attempt {
    std::uint64_t request = 0;
    EndpointId endpoint;
    std::uint64_t context = 0;
  };

  /// The block holds a copy of `bytes`; nothing if there is no memory.
  std::optional<worker::SendArena::Piece> allocate(std::size_t bytes);
  std::optional<std::uint32_t> block_with(std::span<const std::byte> bytes);
  /// Waits for room if need be. Throws Error if there is none for long.
  void push(worker::Channel& channel, const worker::CommandRecord& command);
  /// Takes what the workers tell, for poll() to give out, so that they can go on. False: nothing, and it is later than
  /// `give_up`.
  bool await_events(std::chrono::steady_clock::time_point give_up);
  /// Sends `wanted` to a worker and waits for the reply; events that come meanwhile are kept.
  worker::EventRecord ask(std::uint16_t worker, const worker::CommandRecord& wanted);
  /// As ask(), of the association's owner, with `arguments` in a block. False: refused, or there is no memory.
  bool ask_owner(const worker::CommandRecord& wanted, std::span<const std::byte> arguments = {});
  /// Has the owner fill in an Answer.
  template <class Answer>
  std::optional<Answer> ask_for(worker::CommandType type, AssocId association);
  void reclaim_all();
  /// Takes send memory back, and notes which associations may send again because of that.
  void look_for_writable();
  /// One look at everything that events come from.
  std::size_t look(std::span<Event> events);
  std::size_t take_waiting(std::span<Event> events);
  /// Takes what waits in the channel with `worker`, at most `limit` records, and puts the events to `out`.
  std::size_t take(std::uint16_t worker, std::size_t limit, Event* out);
  void on_reply(const worker::EventRecord& record);
  /// Keeps the books about an event from `worker` that is no message.
  void note(std::uint16_t worker, Event& event);

  worker::ApplicationRings rings_;
  SendLedger ledger_;
  std::vector<Endpoint> endpoints_;
  std::deque<Event> waiting_;  // made here, or taken while a reply was awaited
  std::vector<Attempt> attempts_;
  std::optional<worker::EventRecord> answer_;  // to the request that ask() waits for
  std::uint64_t awaited_ = 0;
  std::uint64_t next_request_ = 1;
  std::uint16_t next_channel_ = 0;  // where the next poll begins, so that no worker starves
  std::uint16_t next_connect_ = 0;  // the worker of the next association opened
  bool descriptor_used_ = false;    // somebody waits outside: see wait_descriptor()
};

}  // namespace sluice::socket
