#include <algorithm>
#include <cstring>

#include "stack/worker/worker.hpp"

namespace sluice::worker {
namespace {

/// The arguments in a block that another process can write to: copied before they are looked at.
template <class Arguments>
std::optional<Arguments> copy_of(const base::Buffer& payload) {
  if (!payload || payload.size() != sizeof(Arguments)) return std::nullopt;
  Arguments arguments;
  std::memcpy(&arguments, payload.data(), sizeof arguments);
  make_safe(arguments);
  return arguments;
}

bool is_whole(const assoc::AddressList& addresses) {
  return addresses.size() <= assoc::AddressList::capacity();
}

}  // namespace

bool Worker::take_commands() {
  bool any = false;
  for (const auto& application : applications_) {
    if (application == nullptr || application->channel == nullptr) continue;
    any |= application->channel->take_returned();
    for (std::uint32_t taken = 0; taken < stack_.config.turn.commands;) {
      const std::size_t n = application->channel->take_commands(commands_);
      if (n == 0) break;
      for (std::size_t i = 0; i < n; ++i) execute(*application, commands_[i]);
      taken += static_cast<std::uint32_t>(n);
      any = true;
    }
    if (!application->leaving && application->channel->closed()) leave(*application);
  }
  return any;
}

void Worker::execute(ApplicationRecord& application, const CommandRecord& command) {
  base::Buffer payload;
  if (command.block != CommandRecord::kNoBlock) {
    payload = application.channel->payload(command);
    if (!payload) return application.reply({command.request, CommandStatus::bad_record, {}, {}, 0, 0});
  }
  switch (command.type) {
    case CommandType::send:
      return send_command(application, command, std::move(payload));
    case CommandType::status:
    case CommandType::parameters:
    case CommandType::snapshot:
    case CommandType::counters:
      return report_command(application, command, payload);
    default:
      return control_command(application, command, payload);
  }
}

void Worker::send_command(ApplicationRecord& application, const CommandRecord& command, base::Buffer&& payload) {
  assoc::SendRequest request;
  request.payload = std::move(payload);
  request.stream = command.stream;
  request.ppid = command.ppid;
  request.unordered = (command.flags & CommandRecord::kUnordered) != 0;
  request.end = (command.flags & CommandRecord::kEnd) != 0;
  request.sack_immediately = (command.flags & CommandRecord::kSackImmediately) != 0;
  request.context = command.context;
  if (command.value - 1 < assoc::kAnyPath.value) request.path = PathId(static_cast<std::uint8_t>(command.value - 1));
  request.expires = expiry(Duration(command.lifetime));
  AssociationRecord* const record = find_for(application, command.association);
  if (record == nullptr || record->attempt != nullptr || !request.payload) {
    Event event = assoc::send_failure(request, Reason::closed);
    event.association = command.association;
    return application.post(event, std::move(request.payload));
  }
  if (!record->parked.empty()) return park(*record, std::move(request));
  const assoc::SendStatus status = record->association.send(std::move(request));
  // What is not queued is left in the request.
  if (status == assoc::SendStatus::would_block)
    return park(*record, std::move(request));  // NOLINT(bugprone-use-after-move)
  touch(*record);
  if (status != assoc::SendStatus::queued) fail_send(*record, std::move(request), reason_of(status));
}

void Worker::control_command(ApplicationRecord& application, const CommandRecord& command,
                             const base::Buffer& payload) {
  const auto answer = [&](CommandStatus status) {
    application.reply({command.request, status, command.association, command.endpoint, 0, 0});
  };
  switch (command.type) {
    case CommandType::open_endpoint: {
      const auto arguments = copy_of<OpenEndpointArguments>(payload);
      if (!arguments || !is_whole(arguments->addresses)) return answer(CommandStatus::bad_arguments);
      return open_endpoint(application.id, *arguments, command.request);
    }
    case CommandType::close_endpoint:
      return close_endpoint(application.id, command.endpoint, command.request);
    case CommandType::set_parameters: {
      const auto parameters = copy_of<Parameters>(payload);
      if (!parameters) return answer(CommandStatus::bad_arguments);
      return set_parameters(application.id, command.endpoint, *parameters, command.request);
    }
    case CommandType::connect: {
      const auto arguments = copy_of<ConnectArguments>(payload);
      if (arguments && is_whole(arguments->peers))
        return connect(application.id, command.endpoint, *arguments, command.context);
      return refuse_connect(application, command.endpoint, command.context, Reason::closed);
    }
    case CommandType::shutdown:
      if (find_for(application, command.association) != nullptr) shutdown(command.association);
      return;
    case CommandType::abort:
      if (find_for(application, command.association) != nullptr)
        abort(command.association, payload ? std::string_view(reinterpret_cast<const char*>(payload.data()),
                                                              std::min<std::size_t>(payload.size(), 128))
                                           : std::string_view());
      return;
    case CommandType::set_primary:
    case CommandType::request_heartbeat:
    case CommandType::set_path:
    case CommandType::set_association_parameters:
      if (find_for(application, command.association) == nullptr) return answer(CommandStatus::no_association);
      return answer(adjust(command, payload) ? CommandStatus::done : CommandStatus::bad_arguments);
    default:
      ++channel_counters_.bad_commands;
      return answer(CommandStatus::bad_record);
  }
}

// What changes an association that is there.
bool Worker::adjust(const CommandRecord& command, const base::Buffer& payload) {
  const PathId path(static_cast<std::uint8_t>(std::min<std::uint32_t>(command.value, UINT8_MAX)));
  switch (command.type) {
    case CommandType::set_primary:
      return set_primary(command.association, path);
    case CommandType::request_heartbeat:
      return request_heartbeat(command.association, path);
    case CommandType::set_path: {
      const auto arguments = copy_of<SetPathArguments>(payload);
      return arguments && in_range(options_of(*arguments)) &&
             set_path(command.association, PathId(arguments->path), options_of(*arguments));
    }
    default: {
      const auto parameters = copy_of<Parameters>(payload);
      return parameters && in_range(*parameters) && set_parameters(command.association, *parameters);
    }
  }
}

void Worker::report_command(ApplicationRecord& application, const CommandRecord& command, const base::Buffer& payload) {
  Reply reply{command.request, CommandStatus::done, command.association, {}, 0, 0};
  const std::uint32_t room = payload ? payload.size() : 0;
  std::uint32_t records = room / sizeof(assoc::Snapshot);
  if (command.type == CommandType::counters) {
    visit_counters(counters(), [&](const char*, const char*, const char*, std::uint64_t value) {
      if (reply.length + sizeof value > room) return;
      std::memcpy(payload.data() + reply.length, &value, sizeof value);
      reply.length += sizeof value;
    });
  } else if (command.type == CommandType::parameters) {
    const Parameters* const of = parameters(command.association);
    if (of == nullptr)
      reply.status = CommandStatus::no_association;
    else if (room < sizeof *of)
      reply.status = CommandStatus::bad_arguments;
    else
      std::memcpy(payload.data(), of, reply.length = sizeof *of);
  } else if (command.type == CommandType::status) {
    assoc::Snapshot snapshot_of;
    if (records == 0)
      reply.status = CommandStatus::bad_arguments;
    else if (!snapshot(command.association, snapshot_of))
      reply.status = CommandStatus::no_association;
    else
      std::memcpy(payload.data(), &snapshot_of, reply.length = sizeof snapshot_of);
  } else {
    records = std::min(records, command.value);
    AssocId last = command.association;
    for (assoc::Snapshot next; records > 0 && snapshots(last, {&next, 1}) == 1; --records, last = next.id) {
      std::memcpy(payload.data() + reply.length, &next, sizeof next);
      reply.length += sizeof next;
    }
  }
  application.reply(reply);
}

// Commands that both deliveries share

void Worker::open_endpoint(ApplicationId application_id, const OpenEndpointArguments& arguments,
                           std::uint64_t request) {
  if (arguments.has_parameters && !in_range(arguments.parameters))
    return application(application_id)->reply({request, CommandStatus::bad_arguments, {}, {}, 0, 0});
  post(kControlWorker, OpenEndpointRequest{{self_, application_id, request}, arguments});
}

void Worker::close_endpoint(ApplicationId application_id, EndpointId endpoint, std::uint64_t request) {
  post(kControlWorker, CloseEndpointRequest{{self_, application_id, request}, endpoint});
}

void Worker::set_parameters(ApplicationId application_id, EndpointId endpoint, const Parameters& parameters,
                            std::uint64_t request) {
  if (!in_range(parameters))
    return application(application_id)->reply({request, CommandStatus::bad_arguments, {}, endpoint, 0, 0});
  post(kControlWorker, SetParametersRequest{{self_, application_id, request}, endpoint, parameters});
}

bool Worker::set_primary(AssocId association, PathId path) {
  AssociationRecord* const record = store_.find(association);
  if (record == nullptr || record->attempt != nullptr) return false;
  touch(*record);
  return record->association.set_primary(path);
}

bool Worker::request_heartbeat(AssocId association, PathId path) {
  AssociationRecord* const record = store_.find(association);
  if (record == nullptr || record->attempt != nullptr) return false;
  touch(*record);
  return record->association.request_heartbeat(path);
}

bool Worker::set_path(AssocId association, PathId path, const PathOptions& options) {
  AssociationRecord* const record = store_.find(association);
  if (record == nullptr || record->attempt != nullptr) return false;
  touch(*record);
  return record->association.set_path(now_, path, options);
}

/// With one user.
SharedParameters& Worker::own_parameters(const Parameters& parameters) {
  SharedParameters* const own = parameters_.make();  // there may be as many as there are associations
  own->values = parameters;
  return *own;
}

bool Worker::set_parameters(AssocId association, const Parameters& parameters) {
  AssociationRecord* const record = store_.find(association);
  if (record == nullptr || record->attempt != nullptr) return false;
  SharedParameters& own = own_parameters(parameters);
  record->association.set_parameters(now_, own.values);
  release(*std::exchange(record->parameters, &own));
  touch(*record);
  return true;
}

const Parameters* Worker::parameters(AssocId association) const {
  const AssociationRecord* const record = store_.find(association);
  return record != nullptr ? &record->parameters->values : nullptr;
}

bool Worker::snapshot(AssocId association, assoc::Snapshot& out) const {
  const AssociationRecord* const record = store_.find(association);
  if (record == nullptr) return false;
  record->association.snapshot(out);
  return true;
}

std::size_t Worker::snapshots(AssocId after, std::span<assoc::Snapshot> out) const {
  std::size_t n = 0;
  for (; n < out.size(); ++n) {
    const AssociationRecord* const record = store_.next(after);
    if (record == nullptr) break;
    record->association.snapshot(out[n]);
    after = record->association.id();
  }
  return n;
}

// Applications

AssociationRecord* Worker::find_for(const ApplicationRecord& application, AssocId association) const {
  AssociationRecord* const record = store_.find(association);
  return record != nullptr && record->application == &application ? record : nullptr;
}

ApplicationRecord* Worker::application(ApplicationId id) const {
  return id.value < applications_.size() ? applications_[id.value].get() : nullptr;
}

// What it had comes to an end; the channel is let go once nothing here refers to it.
void Worker::leave(ApplicationRecord& application) {
  application.leaving = true;
  if (coordinator_ != nullptr) coordinator_->close_all(application.id);
  for (const auto& [id, endpoint] : endpoints_)
    if (endpoint->application == &application) end_associations(*endpoint);
}

void Worker::watch_leaving() {
  for (auto& application : applications_) {
    if (application == nullptr || !application->leaving || application->associations > 0) continue;
    const bool has_endpoint = std::any_of(endpoints_.begin(), endpoints_.end(), [&](const auto& endpoint) {
      return endpoint.second->application == application.get();
    });
    if (has_endpoint) continue;
    application->channel->take_all_back();
    if (!application->channel->drained()) continue;
    std::unique_ptr<ApplicationRecord> gone = std::move(application);
    Channel& channel = gone->channel->channel();
    gone.reset();
    ChannelEnd::detach(channel);
  }
}

}  // namespace sluice::worker
