#include "stack/socket/ring_application.hpp"

#include <sluice/error.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <thread>
#include <utility>

#include "stack/assoc/snapshot.hpp"
#include "stack/socket/association_status.hpp"
#include "stack/socket/open_endpoint.hpp"

namespace sluice::socket {
namespace {

using worker::CommandRecord;
using worker::CommandStatus;
using worker::CommandType;
using worker::EventRecord;

/// How long a call that asks a worker waits for the answer before it takes the worker for stuck.
constexpr auto kPatience = std::chrono::seconds(10);

constexpr const char* kNoAnswer =
    "the stack's workers did not answer for 10 s; are they starved of processor time, or does this application keep "
    "more messages than it may, which it should release()?";
constexpr const char* kNoSendMemory = "no send memory is free for what a worker is asked; raise limits.send_arena";

/// Event::handle: which worker lent the buffer, and its number there. Never 0 for a buffer.
std::uint64_t make_handle(std::uint16_t worker, std::uint32_t lent) {
  return (static_cast<std::uint64_t>(worker) + 1) << 32 | lent;
}

worker::ApplicationRings::Options ring_options(const StackConfig& config) {
  worker::ApplicationRings::Options options;
  options.events = config.limits.events;
  options.send_arena = config.limits.send_arena;
  return options;
}

CommandRecord command_about(CommandType type, AssocId association, std::uint32_t value = 0) {
  CommandRecord command;
  command.type = type;
  command.association = association;
  command.value = value;
  return command;
}

template <class Value>
std::span<const std::byte> bytes_of(const Value& value) {
  return std::as_bytes(std::span(&value, 1));
}

}  // namespace

RingApplication::RingApplication(const StackConfig& config, worker::WorkerGroup& group)
    : rings_(group, ring_options(config)), ledger_(rings_.arena()) {}

RingApplication::~RingApplication() {
  rings_.close();
  // The workers still send what was queued; every event that comes now goes back unread.
  std::array<Event, 64> events;
  while (!rings_.detached()) {
    release(std::span(events.data(), poll(events)));
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

std::optional<worker::SendArena::Piece> RingApplication::allocate(std::size_t bytes) {
  const auto size = static_cast<std::uint32_t>(bytes);
  if (const auto piece = rings_.arena().allocate(size)) return piece;
  reclaim_all();
  return rings_.arena().allocate(size);
}

std::optional<std::uint32_t> RingApplication::block_with(std::span<const std::byte> bytes) {
  const auto piece = allocate(bytes.size());
  if (!piece) return std::nullopt;
  std::memcpy(piece->bytes.data(), bytes.data(), bytes.size());
  return piece->block;
}

// A worker takes no command while an answer of its own waits for room among the events.
void RingApplication::push(worker::Channel& channel, const CommandRecord& command) {
  if (channel.command(command)) return;
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  do {
    channel.publish();
    if (!await_events(give_up)) throw Error(kNoAnswer);
  } while (!channel.command(command));
}

bool RingApplication::await_events(std::chrono::steady_clock::time_point give_up) {
  const bool late = std::chrono::steady_clock::now() > give_up;
  std::array<Event, 64> events;
  std::size_t taken = 0;
  for (std::uint16_t i = 0; i < rings_.workers(); ++i) {
    const std::size_t n = take(i, events.size(), events.data());
    waiting_.insert(waiting_.end(), events.data(), events.data() + n);
    taken += n;
  }
  if (taken == 0) std::this_thread::yield();
  return taken > 0 || !late;
}

EventRecord RingApplication::ask(std::uint16_t worker, const CommandRecord& wanted) {
  CommandRecord command = wanted;
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  command.request = awaited_ = next_request_++;
  answer_.reset();
  push(rings_.channel(worker), command);
  rings_.publish();
  while (!answer_)
    if (!await_events(give_up) && !answer_) throw Error(kNoAnswer);
  awaited_ = 0;
  reclaim_all();
  return *answer_;
}

EndpointId RingApplication::open(const EndpointOptions& options) {
  const worker::OpenEndpointArguments arguments = open_endpoint_arguments(options);
  CommandRecord command;
  command.type = CommandType::open_endpoint;
  const auto block = block_with(bytes_of(arguments));
  if (!block) throw Error(kNoSendMemory);
  command.block = *block;
  command.length = sizeof arguments;
  const EventRecord record = ask(0, command);
  check_opened(static_cast<CommandStatus>(record.error), options.port);
  endpoints_.push_back({record.endpoint, static_cast<std::uint16_t>(record.message_id)});
  return record.endpoint;
}

void RingApplication::close(EndpointId endpoint) {
  CommandRecord command;
  command.type = CommandType::close_endpoint;
  command.endpoint = endpoint;
  ask(0, command);
  std::erase_if(endpoints_, [&](const Endpoint& one) { return one.id == endpoint; });
}

std::uint16_t RingApplication::local_port(EndpointId endpoint) const {
  for (const Endpoint& one : endpoints_)
    if (one.id == endpoint) return one.port;
  return 0;
}

bool RingApplication::connect(EndpointId endpoint, std::span<const IpAddress> peers, std::uint16_t port,
                              std::uint64_t context, const std::optional<Parameters>& parameters) {
  const worker::ConnectArguments arguments = connect_arguments(peers, port, parameters);
  worker::Channel& channel = rings_.channel(next_connect_);
  if (channel.room() == 0) return false;
  const auto block = block_with(bytes_of(arguments));
  if (!block) return false;
  CommandRecord command;
  command.type = CommandType::connect;
  command.endpoint = endpoint;
  command.context = context;
  command.request = next_request_++;
  command.block = *block;
  command.length = sizeof arguments;
  attempts_.push_back({command.request, endpoint, context});
  push(channel, command);
  channel.publish();
  next_connect_ = static_cast<std::uint16_t>((next_connect_ + 1) % rings_.workers());
  return true;
}

SendResult RingApplication::send(AssocId association, StreamId stream, Ppid ppid, std::span<const std::byte> message,
                                 const SendOptions& options) {
  SendLedger::Account* const account = ledger_.find(association);
  if (account == nullptr) return SendResult::not_connected;
  if (message.empty()) return SendResult::empty;
  if (stream.value >= account->streams) return SendResult::invalid_stream;
  if (message.size() > kMaxSendBytes) return SendResult::too_large;
  worker::Channel& channel = rings_.channel(account->worker);
  const auto bytes = static_cast<std::uint32_t>(message.size());
  if (!ledger_.may_send(*account, bytes, stream)) reclaim_all();
  const bool may = channel.room() > 0 && ledger_.may_send(*account, bytes, stream);
  const auto block = may ? block_with(message) : std::nullopt;
  if (!block) {
    channel.publish();
    ledger_.block(*account, bytes, stream);
    return SendResult::would_block;
  }
  CommandRecord command;
  command.type = CommandType::send;
  command.flags = static_cast<std::uint8_t>((options.unordered ? CommandRecord::kUnordered : 0) |
                                            (options.end ? CommandRecord::kEnd : 0) |
                                            (options.sack_immediately ? CommandRecord::kSackImmediately : 0));
  command.stream = stream;
  command.ppid = ppid;
  command.association = association;
  command.context = options.context;
  command.block = *block;
  command.length = bytes;
  command.value = options.path ? options.path->value + 1u : 0;
  command.lifetime = options.lifetime.count();
  ledger_.charge(*account, *block, command.length, stream, options.end);
  push(channel, command);
  return SendResult::queued;
}

void RingApplication::shutdown(AssocId association) {
  const SendLedger::Account* const account = ledger_.find(association);
  if (account == nullptr) return;
  worker::Channel& channel = rings_.channel(account->worker);  // the account may go while push() takes events
  push(channel, command_about(CommandType::shutdown, association));
  channel.publish();
}

void RingApplication::abort(AssocId association, std::string_view reason) {
  const SendLedger::Account* const account = ledger_.find(association);
  if (account == nullptr) return;
  worker::Channel& channel = rings_.channel(account->worker);  // the account may go while push() takes events
  CommandRecord command = command_about(CommandType::abort, association);
  const auto text = std::as_bytes(std::span(reason.substr(0, 256)));
  if (!text.empty()) {
    if (const auto block = block_with(text)) {
      command.block = *block;
      command.length = static_cast<std::uint32_t>(text.size());
    }
  }
  push(channel, command);
  channel.publish();
}

void RingApplication::reclaim_all() {
  rings_.reclaim([this](std::uint32_t block) { ledger_.credit(block); });
}

void RingApplication::on_reply(const EventRecord& record) {
  if (record.context == awaited_) {
    answer_ = record;
    return;
  }
  const auto found = std::find_if(attempts_.begin(), attempts_.end(),
                                  [&](const Attempt& attempt) { return attempt.request == record.context; });
  if (found == attempts_.end()) return;
  if (static_cast<CommandStatus>(record.error) != CommandStatus::done) {
    Event failed;
    failed.type = EventType::connect_failed;
    failed.endpoint = found->endpoint;
    failed.context = found->context;
    failed.error = static_cast<std::uint16_t>(Reason::no_resources);
    waiting_.push_back(failed);
  }
  attempts_.erase(found);
}

void RingApplication::note(std::uint16_t worker, Event& event) {
  // The worker says with it how much the association may queue.
  const std::uint64_t limit = event.type == EventType::association_up ? std::exchange(event.message_id, 0) : 0;
  ledger_.keep(event, worker, limit);
  if (event.type != EventType::connect_failed && (event.type != EventType::association_up || !event.active)) return;
  const auto attempt = std::find_if(attempts_.begin(), attempts_.end(), [&](const Attempt& one) {
    return one.endpoint == event.endpoint && one.context == event.context;
  });
  if (attempt != attempts_.end()) attempts_.erase(attempt);
}

std::size_t RingApplication::take(std::uint16_t worker, std::size_t limit, Event* out) {
  std::array<EventRecord, 64> records;
  worker::Channel& channel = rings_.channel(worker);
  std::size_t made = 0;
  while (made < limit) {
    const std::size_t asked = std::min(records.size(), limit - made);
    const std::size_t n = channel.poll(std::span(records.data(), asked));
    for (std::size_t i = 0; i < n; ++i) {
      if (records[i].kind == EventRecord::Kind::reply) {
        on_reply(records[i]);
        continue;
      }
      Event& event = out[made++] = channel.event(records[i]);
      event.handle = records[i].lent == EventRecord::kNotLent ? 0 : make_handle(worker, records[i].lent);
      if (event.type != EventType::message) note(worker, event);
    }
    if (n < asked) break;
  }
  return made;
}

void RingApplication::look_for_writable() {
  reclaim_all();
  while (const SendLedger::Account* const account = ledger_.take_writable()) waiting_.push_back(writable(*account));
}

std::size_t RingApplication::take_waiting(std::span<Event> events) {
  const std::size_t n = std::min(events.size(), waiting_.size());
  std::copy_n(waiting_.begin(), n, events.begin());
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(n));
  return n;
}

std::size_t RingApplication::look(std::span<Event> events) {
  look_for_writable();
  std::size_t n = take_waiting(events);
  for (std::uint16_t i = 0; i < rings_.workers() && n < events.size(); ++i)
    n += take(static_cast<std::uint16_t>((next_channel_ + i) % rings_.workers()), events.size() - n, events.data() + n);
  next_channel_ = static_cast<std::uint16_t>((next_channel_ + 1) % rings_.workers());
  return n + take_waiting(events.subspan(n));  // a reply may have made one
}

std::size_t RingApplication::poll(std::span<Event> events) {
  rings_.wake_up().withdraw();
  rings_.publish();
  std::size_t n = look(events);
  if (n > 0 || !descriptor_used_) return n;
  // What came before the announcement is signalled by nobody: it has to be found by another look.
  rings_.wake_up().announce();
  n = look(events);
  if (n > 0)
    rings_.wake_up().withdraw();
  else if (!waiting_.empty() || rings_.has_events())
    rings_.wake_up().wake_if_sleeping();  // there was no place to put them
  return n;
}

void RingApplication::release(std::span<const Event> events) {
  for (const Event& event : events)
    if (event.handle != 0)
      rings_.channel(static_cast<std::uint16_t>((event.handle >> 32) - 1))
          .give_back(static_cast<std::uint32_t>(event.handle));
}

void RingApplication::wait(Duration timeout) {
  rings_.publish();
  rings_.wake_up().announce();
  look_for_writable();
  if (waiting_.empty() && !rings_.has_events()) rings_.wake_up().sleep(timeout);
  rings_.wake_up().withdraw();
}

int RingApplication::wait_descriptor() {
  // An event may have come since the last poll(), which announced nothing: the next one is called for once.
  if (!std::exchange(descriptor_used_, true)) {
    rings_.wake_up().announce();
    rings_.wake_up().wake_if_sleeping();
  }
  return rings_.wake_up().descriptor();
}

bool RingApplication::ask_owner(const CommandRecord& wanted, std::span<const std::byte> arguments) {
  CommandRecord command = wanted;
  const SendLedger::Account* const account = ledger_.find(command.association);
  if (account == nullptr) return false;
  if (!arguments.empty()) {
    const auto block = block_with(arguments);
    if (!block) throw Error(kNoSendMemory);
    command.block = *block;
    command.length = static_cast<std::uint32_t>(arguments.size());
  }
  return static_cast<CommandStatus>(ask(account->worker, command).error) == CommandStatus::done;
}

template <class Answer>
std::optional<Answer> RingApplication::ask_for(CommandType type, AssocId association) {
  const SendLedger::Account* const account = ledger_.find(association);
  if (account == nullptr) return std::nullopt;
  const auto piece = allocate(sizeof(Answer));
  if (!piece) throw Error(kNoSendMemory);
  CommandRecord command = command_about(type, association);
  command.block = piece->block;
  command.length = sizeof(Answer);
  const EventRecord record = ask(account->worker, command);
  if (static_cast<CommandStatus>(record.error) != CommandStatus::done || record.length != sizeof(Answer))
    return std::nullopt;
  Answer answer;
  std::memcpy(static_cast<void*>(&answer), piece->bytes.data(), sizeof answer);
  return answer;
}

bool RingApplication::set_primary(AssocId association, PathId path) {
  return ask_owner(command_about(CommandType::set_primary, association, path.value));
}

bool RingApplication::request_heartbeat(AssocId association, PathId path) {
  return ask_owner(command_about(CommandType::request_heartbeat, association, path.value));
}

bool RingApplication::set_path(AssocId association, PathId path, const PathOptions& options) {
  check_range(options);
  const worker::SetPathArguments arguments = worker::as_arguments(path, options);
  return ask_owner(command_about(CommandType::set_path, association), bytes_of(arguments));
}

bool RingApplication::set_parameters(AssocId association, const Parameters& parameters) {
  check_range(parameters);
  const CommandRecord command = command_about(CommandType::set_association_parameters, association);
  if (!ask_owner(command, bytes_of(parameters))) return false;
  if (SendLedger::Account* const account = ledger_.find(association)) account->limit = parameters.send_buffer;
  return true;
}

void RingApplication::set_parameters(EndpointId endpoint, const Parameters& parameters) {
  check_range(parameters);
  const auto block = block_with(bytes_of(parameters));
  if (!block) throw Error(kNoSendMemory);
  CommandRecord command;
  command.type = CommandType::set_parameters;
  command.endpoint = endpoint;
  command.block = *block;
  command.length = sizeof parameters;
  check_parameters_set(static_cast<CommandStatus>(ask(0, command).error));
}

std::optional<Parameters> RingApplication::parameters(AssocId association) {
  return ask_for<Parameters>(CommandType::parameters, association);
}

std::optional<AssociationStatus> RingApplication::status(AssocId association) {
  const SendLedger::Account* const account = ledger_.find(association);
  if (account == nullptr) return std::nullopt;
  const std::uint16_t owner = account->worker;
  const auto snapshot = ask_for<assoc::Snapshot>(CommandType::status, association);
  return snapshot ? std::optional(association_status(*snapshot, owner)) : std::nullopt;
}

}  // namespace sluice::socket
