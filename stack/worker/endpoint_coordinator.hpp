#pragma once

#include <deque>
#include <map>
#include <memory>

#include "stack/endpoint/backlog.hpp"
#include "stack/endpoint/endpoint_table.hpp"
#include "stack/worker/mailbox.hpp"

namespace sluice::worker {

/// Carries out what the workers of a stack must agree on about endpoints: one change of an endpoint at a time goes to
/// every worker, and its requester is answered when all have done it. The control worker's.
class EndpointCoordinator {
 public:
  /// How changes reach the workers, and answers the requester; the control worker's own share included.
  class Outlet {
   public:
    virtual void send_to_all(const ControlMessage& change) = 0;
    virtual void answer(const EndpointReply& reply) = 0;

   protected:
    ~Outlet() = default;
  };

  EndpointCoordinator(Outlet& outlet, std::uint16_t workers, std::uint16_t limit)
      : outlet_(outlet), workers_(workers), limit_(limit) {}

  /// `port` is free; `defaults` are for those that bring no parameters.
  void open(const OpenEndpointRequest& request, std::uint16_t port, const Parameters& defaults);
  void close(const CloseEndpointRequest& request);
  void set_parameters(const SetParametersRequest& request);
  /// One worker has done the change under way of this endpoint.
  void done(EndpointId endpoint);
  /// An application left: its endpoints are closed, and nobody is answered.
  void close_all(ApplicationId application);

  std::size_t endpoints() const { return entries_.size(); }

 private:
  struct Operation {
    enum class Kind : std::uint8_t { open, listen, close, parameters };
    Kind kind = Kind::open;
    Requester requester;
    bool silent = false;  ///< nobody wants an answer
    Parameters parameters;
  };
  struct Entry {
    endpoint::Endpoint endpoint;
    ApplicationId application;
    bool ephemeral = false;
    bool listen = false;
    bool closing = false;
    std::unique_ptr<endpoint::Backlog> backlog;
    std::deque<Operation> operations;  ///< the first is under way
    std::uint32_t awaited = 0;
  };

  void enqueue(Entry& entry, const Operation& operation);
  void start(Entry& entry);
  void finish(Entry& entry);
  void refuse(const Requester& requester, CommandStatus status, EndpointId endpoint);

  Outlet& outlet_;
  const std::uint16_t workers_;
  const std::uint16_t limit_;
  std::uint32_t last_id_ = 0;
  std::map<std::uint32_t, Entry> entries_;
};

}  // namespace sluice::worker
