#include <algorithm>

#include "stack/endpoint/address_scope.hpp"
#include "stack/worker/worker.hpp"

namespace sluice::worker {

// Beginning

AssociationRecord* Worker::make_association(EndpointRecord& endpoint, SharedParameters& parameters) {
  AssociationRecord* const record = store_.make(association_services_, endpoint, parameters);
  if (record == nullptr) return nullptr;
  ++counters_.associations_opened;
  ++parameters.users;
  ++record->application->associations;
  endpoint.associations.push_back(*record);
  stack_.associations_of[self_.value].fetch_add(1, std::memory_order_relaxed);
  return record;
}

void Worker::connect(ApplicationId application_id, EndpointId endpoint_id, const ConnectArguments& arguments,
                     std::uint64_t context) {
  ApplicationRecord& asking = *application(application_id);
  const auto found = endpoints_.find(endpoint_id.value);
  const bool addresses_good =
      !arguments.peers.empty() && std::all_of(arguments.peers.begin(), arguments.peers.end(), endpoint::is_unicast);
  const bool parameters_good = !arguments.has_parameters || in_range(arguments.parameters);
  const bool open = found != endpoints_.end() && found->second->application == &asking && !found->second->closing;
  if (!open || !addresses_good || !parameters_good || arguments.port == 0)
    return refuse_connect(asking, endpoint_id, context, Reason::closed);
  EndpointRecord& endpoint = *found->second;
  if (!stack_.opening_attempts.take()) {
    ++counters_.refused_opening_limit;
    return refuse_connect(asking, endpoint_id, context, Reason::no_resources);
  }
  const bool room = !tags_.full() && stack_.associations.take();
  SharedParameters& parameters = arguments.has_parameters ? own_parameters(arguments.parameters) : *endpoint.parameters;
  AssociationRecord* const record = room ? make_association(endpoint, parameters) : nullptr;
  if (arguments.has_parameters) release(parameters);
  if (record == nullptr) {
    ++counters_.refused_association_limit;
    stack_.opening_attempts.give_back();
    if (room) stack_.associations.give_back();
    return refuse_connect(asking, endpoint_id, context, Reason::no_resources);
  }
  record->opening = true;
  record->context = context;
  record->attempt = attempts_.make();
  record->attempt->peers = arguments.peers;
  record->attempt->ports = {endpoint.ephemeral ? std::uint16_t{0} : endpoint_table_.find(endpoint_id)->port,
                            arguments.port};
  record->leased = endpoint.ephemeral;
  // With a port of its own the answer, or what ends the association before it, comes behind the request.
  record->reserved = !endpoint.ephemeral;
  record->tag = tags_.draw(steering_, self_, resources_.random);
  SLUICE_CHECK(tags_.insert(record->tag, *record) == endpoint::TagTable::InsertStatus::inserted);
  // A leased port is chosen so that this worker is its directory.
  const endpoint::WorkerId directory = endpoint.ephemeral ? self_ : directory_of(*record);
  post(directory,
       endpoint::DirectoryRequest{
           directory, record->attempt->ports, arguments.peers, {self_, record->tag, record->association.id()}});
}

void Worker::refuse_connect(ApplicationRecord& application, EndpointId endpoint, std::uint64_t context, Reason reason) {
  Event event;
  event.type = EventType::connect_failed;
  event.endpoint = endpoint;
  event.context = context;
  event.active = true;
  event.error = static_cast<std::uint16_t>(reason);
  application.post(event);
}

void Worker::begin_connect(AssociationRecord& record) {
  const std::optional<assoc::Handshake> ours = handshake_for(record);
  if (!ours) {
    refuse_connect(*record.application, record.endpoint->id, record.context, Reason::init_failed);
    return dispose(record);
  }
  record.association.connect(now_, *ours);
  if (record.association.paths().empty()) release_addresses(record);  // the attempt alone knows them
  attempts_.destroy(std::exchange(record.attempt, nullptr));
  touch(record);
}

std::optional<assoc::Handshake> Worker::handshake_for(const AssociationRecord& record) {
  const endpoint::Endpoint* const endpoint = endpoint_table_.find(record.endpoint->id);
  // The same INIT may go to each of them. Only the first one's family counts: of another we may have no address.
  const IpAddress& farthest = endpoint::farthest_of(record.attempt->peers);
  const auto source = source_for(*endpoint, farthest);
  if (!source) return std::nullopt;
  assoc::Handshake ours;
  ours.local_port = record.attempt->ports.local;
  ours.peer_port = record.attempt->ports.peer;
  ours.local_tag = record.tag;
  ours.local_initial_tsn = Tsn(resources_.random.u32());
  ours.outbound_streams = record.parameters->values.outbound_streams;
  ours.inbound_streams = record.parameters->values.max_inbound_streams;
  ours.local_addresses =
      endpoint::addresses_for(*endpoint, stack_.addresses, *source, farthest, {.ipv4 = true, .ipv6 = true});
  ours.peer_addresses = record.attempt->peers;
  return ours;
}

// Where the way to `peer` begins, if the endpoint has that address; else one of its own of the same family.
std::optional<IpAddress> Worker::source_for(const endpoint::Endpoint& endpoint, const IpAddress& peer) const {
  const auto best = ip_.source_for(peer);
  if (best && endpoint.has(*best)) return best;
  for (const IpAddress& address : stack_.addresses)
    if (endpoint.has(address) && address.is_v4() == peer.is_v4()) return address;
  return std::nullopt;
}

// Changes of what the tables know

void Worker::follow_tag(AssociationRecord& record) {
  const VTag tag = record.association.local_tag();
  if (tag == record.tag) return;
  const VTag old_tag = record.tag;
  tags_.retire(old_tag, now_);
  SLUICE_CHECK(tags_.insert(tag, record) == endpoint::TagTable::InsertStatus::inserted);
  record.tag = tag;
  record.association.take_addresses_changed();
  const endpoint::WorkerId directory = directory_of(record);
  post(directory, endpoint::DirectoryRetag{directory, record.ports(), record.peers(), old_tag, tag});
}

// The restarted association has none that it did not have before; so these are let go under the tag that it had.
void Worker::addresses_gone(AssocId association, const assoc::AddressList& addresses) noexcept {
  const AssociationRecord& record = *store_.find(association);
  const endpoint::WorkerId directory = directory_of(record);
  post(directory, endpoint::DirectoryRelease{directory, record.ports(), addresses, record.tag, false});
}

void Worker::follow_addresses(AssociationRecord& record) {
  const endpoint::WorkerId directory = directory_of(record);
  post(directory, endpoint::DirectoryRequest{
                      directory, record.ports(), record.peers(), {self_, record.tag, record.association.id()}});
}

void Worker::release_addresses(AssociationRecord& record) {
  if (!std::exchange(record.reserved, false)) return;
  const endpoint::WorkerId directory = directory_of(record);
  post(directory, endpoint::DirectoryRelease{directory, record.ports(), record.peers(), record.tag, record.leased});
}

endpoint::WorkerId Worker::directory_of(const AssociationRecord& record) const {
  const endpoint::PortPair ports = record.ports();
  return steering_.directory_of(ports.local, ports.peer);
}

// The poll turn

void Worker::touch(AssociationRecord& record) {
  if (!static_cast<base::ListHook<Dirty>&>(record).linked()) dirty_.push_back(record);
}

void Worker::wants_flush(AssocId association) noexcept {
  if (AssociationRecord* const record = store_.find(association)) touch(*record);
}

bool Worker::flush_dirty() {
  const std::size_t n = dirty_.size();
  bool any = false;
  for (std::size_t i = 0; i < n; ++i) {
    AssociationRecord* const record = dirty_.pop_front();
    if (record == nullptr) break;  // others were disposed of on the way
    any |= settle(*record);
  }
  return any;
}

// False if something has to wait for room in a transmit ring.
bool Worker::settle(AssociationRecord& record) {
  if (record.attempt != nullptr) return true;
  if (record.unpark) send_parked(record);
  const bool flushed = record.association.flush(now_);
  if (record.association.take_addresses_changed()) follow_addresses(record);
  if (record.association.state() == assoc::State::closed) {
    // Its end comes after all that waits; if the application has no room, resume_waiting() looks again.
    if (!record.association.finished()) record.association.resume_delivery(now_);
    if (record.association.finished()) {
      dispose(record);
      return true;
    }
  }
  // What waits for a transmit ring is looked at again each turn. What is due because of that would only fire in vain,
  // but it must not keep the timers of what went by another port from firing.
  const Timestamp deadline = record.association.next_deadline();
  wheel_.fire_by(record, flushed ? deadline : std::max(deadline, now_ + stack_.config.turn.blocked));
  if (!flushed || record.unpark) touch(record);
  return flushed;
}

bool Worker::fire_timers() {
  const std::uint32_t fired = wheel_.expire(now_, stack_.config.turn.expiries, [this](TimerEntry& entry) {
    auto& record = static_cast<AssociationRecord&>(entry);
    const Timestamp deadline = record.association.next_deadline();
    if (deadline > now_) return wheel_.fire_by(record, deadline);
    ++counters_.timers_fired;
    touch(record);
    record.association.on_deadline(now_);
  });
  return fired > 0;
}

// Events

bool Worker::deliver(const Event& event, base::Buffer& buffer) noexcept {
  AssociationRecord& record = *store_.find(event.association);
  ApplicationRecord& application = *record.application;
  if (event.type == EventType::message) {
    if (application.deliver(event, buffer)) return true;
  } else {
    // An application behind rings was not refused: its sends were parked, and go on now.
    if (event.type == EventType::writable && application.channel != nullptr) {
      record.unpark = true;
      touch(record);
      return true;
    }
    Event told = event;
    if (event.type == EventType::association_up || event.type == EventType::connect_failed)
      told.context = record.context;
    // For the ledger of an application behind rings, which takes it out.
    if (event.type == EventType::association_up) told.message_id = record.parameters->values.send_buffer;
    // The end comes behind all else.
    if (event.type == EventType::association_lost || event.type == EventType::closed) fail_parked(record);
    if (application.deliver(told, buffer)) {
      if (event.type == EventType::association_up) came_up(record);
      return true;
    }
  }
  if (!static_cast<base::ListHook<WaitingForRoom>&>(record).linked()) application.waiting.push_back(record);
  return false;
}

void Worker::came_up(AssociationRecord& record) {
  if (std::exchange(record.opening, false)) stack_.opening_attempts.give_back();
  if (std::exchange(record.in_backlog, false)) record.endpoint->backlog->leave();
}

// Associations whose application has room again, in the order in which they found it had none.
bool Worker::resume_waiting() {
  bool any = false;
  for (const auto& application : applications_) {
    if (application == nullptr || application->waiting.empty()) continue;
    const AssociationRecord* refused = nullptr;  // the first: behind it, all were looked at
    for (std::uint32_t i = 0; i < stack_.config.turn.resumptions && application->has_room(); ++i) {
      AssociationRecord* const record = application->waiting.front();
      if (record == nullptr || record == refused) break;
      application->waiting.erase(*record);
      // While the application has all that may be lent, only what has no data comes to it.
      const bool lends = application->may_lend();
      const bool done = record->association.resume_delivery(now_);
      if (lends || done) {
        touch(*record);
        any = true;
      }
      if (done) continue;
      if (refused == nullptr) refused = record;
      if (!static_cast<base::ListHook<WaitingForRoom>&>(*record).linked()) application->waiting.push_back(*record);
    }
  }
  return any;
}

// Sending

assoc::SendStatus Worker::send(AssocId association, assoc::SendRequest&& request) {
  AssociationRecord* const record = store_.find(association);
  if (record == nullptr || record->attempt != nullptr) return assoc::SendStatus::not_connected;
  const assoc::SendStatus status = record->association.send(std::move(request));
  if (status == assoc::SendStatus::queued) touch(*record);
  return status;
}

Timestamp Worker::expiry(Duration lifetime) const {
  if (lifetime == Duration::zero()) return kNever;
  const Timestamp now = resources_.clock.now();  // an application in the loop may send long after its turn began
  return lifetime > kNever - now ? kNever : now + lifetime;
}

void Worker::park(AssociationRecord& record, assoc::SendRequest&& request) {
  ParkedSend* const parked = parked_.make();
  if (parked == nullptr) {
    ++counters_.refused_parked_sends;
    return fail_send(record, std::move(request), Reason::no_resources);
  }
  ++counters_.parked_sends;
  parked->request = std::move(request);
  record.parked.push_back(*parked);
}

void Worker::send_parked(AssociationRecord& record) {
  record.unpark = false;
  while (ParkedSend* const parked = record.parked.front()) {
    const assoc::SendStatus status = record.association.send(std::move(parked->request));
    if (status == assoc::SendStatus::would_block) return;
    if (status != assoc::SendStatus::queued) fail_send(record, std::move(parked->request), reason_of(status));
    record.parked.erase(*parked);
    parked_.destroy(parked);
  }
  if (std::exchange(record.shutdown_wanted, false)) record.association.shutdown(now_);
}

void Worker::fail_send(AssociationRecord& record, assoc::SendRequest&& request, Reason reason) {
  Event event = assoc::send_failure(request, reason);
  event.association = record.association.id();
  event.endpoint = record.endpoint->id;
  record.application->post(event, std::move(request.payload));
}

void Worker::fail_parked(AssociationRecord& record) {
  while (ParkedSend* const parked = record.parked.pop_front()) {
    fail_send(record, std::move(parked->request), Reason::closed);
    parked_.destroy(parked);
  }
}

// The end

bool Worker::shutdown(AssocId association) {
  AssociationRecord* const record = store_.find(association);
  if (record == nullptr || record->attempt != nullptr) return false;
  touch(*record);
  if (record->parked.empty()) return record->association.shutdown(now_);
  record->shutdown_wanted = true;
  return true;
}

bool Worker::abort(AssocId association, std::string_view reason) {
  AssociationRecord* const record = store_.find(association);
  if (record == nullptr || record->attempt != nullptr || record->association.state() == assoc::State::closed)
    return false;
  touch(*record);
  record->association.abort(now_, reason);
  return true;
}

void Worker::abort_all(std::string_view reason) {
  AssocId last = encode({self_, 0, 0});
  while (AssociationRecord* const record = store_.next(last)) {
    last = record->association.id();
    abort(last, reason);
  }
}

void Worker::dispose(AssociationRecord& record) {
  ++counters_.associations_ended;
  came_up(record);
  fail_parked(record);
  if (static_cast<base::ListHook<Dirty>&>(record).linked()) dirty_.erase(record);
  if (static_cast<base::ListHook<WaitingForRoom>&>(record).linked()) record.application->waiting.erase(record);
  wheel_.cancel(record);
  tags_.retire(record.tag, now_);
  release_addresses(record);
  if (record.attempt != nullptr) attempts_.destroy(record.attempt);
  --record.application->associations;
  stack_.associations.give_back();
  stack_.associations_of[self_.value].fetch_sub(1, std::memory_order_relaxed);
  EndpointRecord& endpoint = *record.endpoint;
  SharedParameters& parameters = *record.parameters;
  endpoint.associations.erase(record);
  store_.destroy(record);
  release(parameters);
  close_if_empty(endpoint);
}

}  // namespace sluice::worker
