#include "stack/worker/endpoint_coordinator.hpp"

#include <utility>

namespace sluice::worker {

void EndpointCoordinator::open(const OpenEndpointRequest& request, std::uint16_t port, const Parameters& defaults) {
  const OpenEndpointArguments& arguments = request.arguments;
  if (entries_.size() >= limit_) return refuse(request.requester, CommandStatus::limit_reached, {});
  Entry entry;
  entry.endpoint.id = EndpointId(++last_id_);
  entry.endpoint.port = port;
  entry.endpoint.addresses = arguments.addresses;
  entry.endpoint.parameters = arguments.has_parameters ? arguments.parameters : defaults;
  entry.application = request.requester.application;
  entry.ephemeral = arguments.port == 0 && !arguments.listen;
  entry.listen = arguments.listen;
  if (arguments.backlog != 0) {
    entry.backlog = std::make_unique<endpoint::Backlog>(arguments.backlog);
    entry.endpoint.backlog = entry.backlog.get();
  }
  Entry& placed = entries_.emplace(last_id_, std::move(entry)).first->second;
  // Peers may open associations only when every worker could own one: two rounds.
  placed.operations.push_back({Operation::Kind::open, request.requester, arguments.listen, {}});
  if (arguments.listen) placed.operations.push_back({Operation::Kind::listen, request.requester, false, {}});
  start(placed);
}

void EndpointCoordinator::close(const CloseEndpointRequest& request) {
  const auto found = entries_.find(request.endpoint.value);
  if (found == entries_.end() || found->second.closing || found->second.application != request.requester.application)
    return refuse(request.requester, CommandStatus::no_endpoint, request.endpoint);
  found->second.closing = true;
  enqueue(found->second, {Operation::Kind::close, request.requester, false, {}});
}

void EndpointCoordinator::set_parameters(const SetParametersRequest& request) {
  const auto found = entries_.find(request.endpoint.value);
  if (found == entries_.end() || found->second.closing || found->second.application != request.requester.application)
    return refuse(request.requester, CommandStatus::no_endpoint, request.endpoint);
  enqueue(found->second, {Operation::Kind::parameters, request.requester, false, request.parameters});
}

void EndpointCoordinator::close_all(ApplicationId application) {
  for (auto next = entries_.begin(); next != entries_.end();) {
    Entry& entry = (next++)->second;  // it may be gone after enqueue()
    if (entry.application != application || entry.closing) continue;
    entry.closing = true;
    enqueue(entry, {Operation::Kind::close, {}, true, {}});
  }
}

void EndpointCoordinator::enqueue(Entry& entry, const Operation& operation) {
  entry.operations.push_back(operation);
  if (entry.operations.size() == 1) start(entry);
}

void EndpointCoordinator::start(Entry& entry) {
  entry.awaited = workers_;
  const Operation& operation = entry.operations.front();
  switch (operation.kind) {
    case Operation::Kind::open:
      return outlet_.send_to_all(EndpointOpen{entry.endpoint, entry.application, entry.ephemeral});
    case Operation::Kind::listen:
      return outlet_.send_to_all(EndpointListen{entry.endpoint.id});
    case Operation::Kind::close:
      return outlet_.send_to_all(EndpointClose{entry.endpoint.id});
    case Operation::Kind::parameters:
      return outlet_.send_to_all(EndpointParameters{entry.endpoint.id, operation.parameters});
  }
}

void EndpointCoordinator::done(EndpointId endpoint) {
  const auto found = entries_.find(endpoint.value);
  if (found == entries_.end() || found->second.awaited == 0) return;
  if (--found->second.awaited == 0) finish(found->second);
}

void EndpointCoordinator::finish(Entry& entry) {
  const Operation operation = entry.operations.front();
  entry.operations.pop_front();
  if (!operation.silent)
    outlet_.answer({operation.requester, CommandStatus::done, entry.endpoint.id, entry.endpoint.port});
  if (operation.kind == Operation::Kind::close) {
    entries_.erase(entry.endpoint.id.value);
    return;
  }
  if (!entry.operations.empty()) start(entry);
}

void EndpointCoordinator::refuse(const Requester& requester, CommandStatus status, EndpointId endpoint) {
  outlet_.answer({requester, status, endpoint, 0});
}

}  // namespace sluice::worker
