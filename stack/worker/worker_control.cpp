#include <algorithm>

#include "stack/worker/worker.hpp"

namespace sluice::worker {

void Worker::post(endpoint::WorkerId to, const ControlMessage& message) {
  if (to == self_) {
    std::visit([this](const auto& contents) { handle(contents); }, message);
    return;
  }
  ++counters_.control_sent;
  std::deque<ControlMessage>& waiting = overflow_[to.value];
  if (waiting.empty() && stack_.mailbox(self_, to).control.push(message)) return;
  ++counters_.control_overflows;
  waiting.push_back(message);
}

// As post(), for what may be lost, and counted, when the ring is full: anybody can have us send any number of them.
void Worker::offer(endpoint::WorkerId to, const ControlMessage& message, std::uint64_t& dropped) {
  if (to == self_) return post(to, message);
  const bool taken = overflow_[to.value].empty() && stack_.mailbox(self_, to).control.push(message);
  ++(taken ? counters_.control_sent : dropped);
}

void Worker::push_overflow(endpoint::WorkerId to) {
  std::deque<ControlMessage>& waiting = overflow_[to.value];
  while (!waiting.empty() && stack_.mailbox(self_, to).control.push(waiting.front())) waiting.pop_front();
}

bool Worker::take_control() {
  bool any = false;
  for (std::uint16_t from = 0; from < stack_.workers(); ++from)
    if (from != self_.value) any |= take_control(stack_.mailbox(endpoint::WorkerId(from), self_).control);
  return any;
}

bool Worker::take_control(base::SpscRing<ControlMessage>& from) {
  if (from.empty()) return false;
  std::array<ControlMessage, 4> messages;
  for (std::uint32_t taken = 0; taken < stack_.config.turn.messages;) {
    const std::size_t n = from.pop(messages);
    if (n == 0) break;
    // An application attaches to every worker before it asks one of them for an endpoint: both may have happened
    // since this turn began.
    take_attachments();
    for (std::size_t i = 0; i < n; ++i) std::visit([this](const auto& contents) { handle(contents); }, messages[i]);
    taken += static_cast<std::uint32_t>(n);
  }
  return true;
}

// The directory

void Worker::handle(const endpoint::DirectoryRequest& request) {
  post(request.owner.worker, responder_.apply(request));
}

void Worker::handle(const endpoint::DirectoryRelease& release) {
  responder_.apply(release);
}

void Worker::handle(const endpoint::DirectoryRetag& retag) {
  responder_.apply(retag);
}

void Worker::handle(const endpoint::DirectoryReply& reply) {
  AssociationRecord* const record = store_.find(reply.owner.association);
  if (record == nullptr) return;  // it ended meanwhile, and its release is behind the request
  const bool reserved = reply.reservation.status == endpoint::ReserveStatus::reserved;
  if (record->attempt == nullptr) {
    // More addresses of an association that is up: they may not belong to another one (RFC 9260 §1.3).
    if (!reserved) {
      record->association.abort(now_, "address in use by another association");
      touch(*record);
    }
    return;
  }
  if (reserved) {
    if (record->endpoint->closing) return;  // end_some_associations() comes to it
    record->attempt->ports.local = reply.reservation.local_port;
    record->reserved = true;
    return begin_connect(*record);
  }
  ++counters_.refused_reservation;
  refuse_connect(*record->application, record->endpoint->id, record->context, Reason::no_resources);
  dispose(*record);
}

void Worker::handle(const CreateMessage& message) {
  base::InboundPacket packet{message.arrival, base::Buffer::adopt(*message.block)};
  const endpoint::CreateOrder& order = message.order;
  const auto found = endpoints_.find(order.endpoint.value);
  EndpointRecord* const endpoint = found != endpoints_.end() && !found->second->closing ? found->second.get() : nullptr;
  const bool room = endpoint != nullptr && stack_.associations.take();
  if (endpoint != nullptr && !room) ++counters_.refused_association_limit;
  const endpoint::Admission admission = owner_role_.admit(now_, order, packet, room);
  AssociationRecord* record = nullptr;
  if (admission == endpoint::Admission::admitted) record = make_association(*endpoint, *endpoint->parameters);
  if (record == nullptr) {
    if (room) stack_.associations.give_back();
    if (endpoint != nullptr && endpoint->backlog != nullptr) endpoint->backlog->leave();
    return post(order.directory, endpoint::release_of(order));
  }
  record->tag = order.handshake.local_tag;
  record->in_backlog = endpoint->backlog != nullptr;
  SLUICE_CHECK(tags_.insert(record->tag, *record) == endpoint::TagTable::InsertStatus::inserted);
  record->association.accept(now_, order.handshake, std::move(packet));
  record->reserved = !record->association.paths().empty();
  if (!record->reserved) post(order.directory, endpoint::release_of(order));
  touch(*record);
}

// Endpoints

void Worker::send_to_all(const ControlMessage& change) {
  for (std::uint16_t to = 0; to < stack_.workers(); ++to)
    if (to != self_.value) post(endpoint::WorkerId(to), change);
  post(self_, change);
}

void Worker::answer(const EndpointReply& reply) {
  post(reply.requester.worker, reply);
}

bool Worker::addresses_are_ours(const assoc::AddressList& addresses) const {
  return std::all_of(addresses.begin(), addresses.end(),
                     [&](const IpAddress& address) { return ip_.is_local(address); });
}

bool Worker::port_is_free(std::uint16_t port, const assoc::AddressList& addresses) const {
  if (addresses.empty()) return !endpoint_table_.has_port(port);
  return std::none_of(addresses.begin(), addresses.end(),
                      [&](const IpAddress& address) { return endpoint_table_.find(port, address) != nullptr; });
}

void Worker::handle(const OpenEndpointRequest& request) {
  const OpenEndpointArguments& arguments = request.arguments;
  // One that left meanwhile would have nobody to close it.
  const ApplicationRecord* const requester = application(request.requester.application);
  if (requester == nullptr || requester->leaving) return;
  if (!addresses_are_ours(arguments.addresses)) return answer({request.requester, CommandStatus::bad_arguments, {}, 0});
  std::uint16_t port = arguments.port;
  if (port == 0) port = endpoint_table_.free_port(resources_.random).value_or(0);
  if (port == 0) return answer({request.requester, CommandStatus::limit_reached, {}, 0});
  if (!port_is_free(port, arguments.addresses)) return answer({request.requester, CommandStatus::port_in_use, {}, 0});
  if (coordinator_->endpoints() >= stack_.config.limits.endpoints) ++counters_.refused_endpoint_limit;
  coordinator_->open(request, port, stack_.config.parameters);
}

void Worker::handle(const CloseEndpointRequest& request) {
  coordinator_->close(request);
}

void Worker::handle(const SetParametersRequest& request) {
  coordinator_->set_parameters(request);
}

void Worker::handle(const EndpointReply& reply) {
  if (ApplicationRecord* const asked = application(reply.requester.application))
    asked->reply({reply.requester.request, reply.status, {}, reply.endpoint, 0, reply.port});
}

void Worker::handle(const EndpointOpen& open) {
  const endpoint::EndpointTable::AddStatus added = endpoint_table_.add(open.endpoint);
  SLUICE_CHECK(added == endpoint::EndpointTable::AddStatus::added);  // the control worker looked
  auto record = std::make_unique<EndpointRecord>();
  record->id = open.endpoint.id;
  ApplicationRecord* const owner = application(open.application);
  record->application = owner != nullptr ? owner : &nobody_;
  record->parameters = parameters_.make();
  record->parameters->values = open.endpoint.parameters;
  record->backlog = open.endpoint.backlog;
  record->ephemeral = open.ephemeral;
  endpoints_[open.endpoint.id.value] = std::move(record);
  post(kControlWorker, EndpointDone{open.endpoint.id});
}

void Worker::handle(const EndpointListen& listen) {
  if (endpoint::Endpoint* const endpoint = endpoint_table_.find(listen.endpoint)) endpoint->listening = true;
  post(kControlWorker, EndpointDone{listen.endpoint});
}

void Worker::handle(const EndpointParameters& change) {
  const auto found = endpoints_.find(change.endpoint.value);
  endpoint::Endpoint* const replica = endpoint_table_.find(change.endpoint);
  if (found != endpoints_.end() && replica != nullptr) {
    replica->parameters = change.parameters;
    release(*found->second->parameters);
    found->second->parameters = parameters_.make();
    found->second->parameters->values = change.parameters;
  }
  post(kControlWorker, EndpointDone{change.endpoint});
}

void Worker::handle(const EndpointClose& close) {
  const auto found = endpoints_.find(close.endpoint.value);
  SLUICE_CHECK(found != endpoints_.end());
  EndpointRecord& endpoint = *found->second;
  endpoint_table_.remove(close.endpoint);
  endpoint.closing = true;
  end_associations(endpoint);
  close_if_empty(endpoint);
}

// In the turns to come: a million ABORTs at once would hold up all others, and find no room in the transmit ring.
void Worker::end_associations(EndpointRecord& endpoint) {
  endpoint.to_end = endpoint.associations.size();
  if (endpoint.to_end > 0) ending_.push_back(endpoint.id);
}

bool Worker::end_some_associations() {
  bool any = false;
  for (std::uint32_t left = stack_.config.turn.endings; left > 0 && !ending_.empty();) {
    const auto found = endpoints_.find(ending_.back().value);
    if (found == endpoints_.end() || found->second->to_end == 0 || found->second->associations.empty()) {
      ending_.pop_back();
      continue;
    }
    if (!has_room_everywhere()) break;
    end_first_association(*found->second);
    any = true;
    --left;
  }
  return any;
}

void Worker::end_first_association(EndpointRecord& endpoint) {
  AssociationRecord& record = *endpoint.associations.pop_front();
  endpoint.associations.push_back(record);
  --endpoint.to_end;
  if (record.attempt != nullptr) {
    refuse_connect(*record.application, endpoint.id, record.context, Reason::closed);
    dispose(record);  // the last one takes the endpoint with it
    return;
  }
  record.association.abort(now_, endpoint.application->leaving ? "application closed" : "endpoint closed");
  touch(record);
}

void Worker::close_if_empty(EndpointRecord& endpoint) {
  if (!endpoint.closing || !endpoint.associations.empty()) return;
  const EndpointId id = endpoint.id;
  release(*endpoint.parameters);
  endpoints_.erase(id.value);
  post(kControlWorker, EndpointDone{id});
}

void Worker::release(SharedParameters& parameters) {
  if (--parameters.users == 0) parameters_.destroy(&parameters);
}

void Worker::handle(const EndpointDone& done) {
  coordinator_->done(done.endpoint);
}

void Worker::handle(const endpoint::CookieKeys& keys) {
  cookies_.install(keys);
}

}  // namespace sluice::worker
