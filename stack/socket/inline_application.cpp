#include "stack/socket/inline_application.hpp"

#include <sluice/error.hpp>

#include <algorithm>
#include <array>
#include <chrono>

#include "stack/socket/association_status.hpp"
#include "stack/socket/open_endpoint.hpp"
#include "stack/socket/stack_settings.hpp"
#include "stack/worker/worker_threads.hpp"

namespace sluice::socket {
namespace {

/// How long open() and close() turn the loop for the other workers' answers.
constexpr auto kPatience = std::chrono::seconds(10);
constexpr std::uint32_t kLent = 1 << 16;  // received buffers that the application may hold at once
/// The ledger's: how much an association may queue is for its sender to say, which is asked at once.
constexpr std::uint64_t kSendersLimit = UINT64_MAX;

}  // namespace

InlineSeat::InlineSeat(const StackConfig& config)
    : memory(config.limits.send_arena), events(config.limits.events, kLent) {}

InlineApplication::InlineApplication(const StackConfig& config, worker::WorkerGroup& group, LoopRunners& runners,
                                     std::uint16_t worker, InlineSeat& seat)
    : idle_(idle_policy(config)),
      runners_(runners),
      worker_(group.worker(worker)),
      id_(worker::kInlineApplications),
      seat_(seat) {
  if (worker < config.cpus.size()) {
    affinity_.emplace();
    worker::pin(config.cpus[worker]);
  }
  runners_.enter(worker);
  worker_.attach(seat_.events);
}

InlineApplication::~InlineApplication() {
  leaving_ = true;
  for (const Event& event : waiting_) release(std::span(&event, 1));
  try {
    while (!endpoints_.empty()) close(endpoints_.back().id);
  } catch (const Error&) {
    // The other loops ended already; the stack closes what is left.
    endpoints_.clear();
  }
  turn();
  runners_.leave(worker_.id().value);
}

void InlineApplication::turn() {
  idle_turns_ = worker_.poll_once() ? 0 : idle_turns_ + 1;
}

worker::Reply InlineApplication::await_reply(std::uint64_t request) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  worker::Reply reply;
  for (;;) {
    while (seat_.events.poll_reply(reply))
      if (reply.request == request) return reply;
    if (std::chrono::steady_clock::now() > give_up)
      throw Error(
          "the stack's workers did not answer for 10 s; does each have its loop run, and does this application keep "
          "more messages than it may, which it should release()?");
    runners_.advance_all();
    keep_events();
  }
}

/// Takes what was told, for poll() to give out, as an answer may have to wait behind it. Who leaves asks for nothing.
void InlineApplication::keep_events() {
  std::array<Event, 64> events;
  while (const std::size_t n = take(events)) {
    if (leaving_)
      release(std::span(events).first(n));
    else
      waiting_.insert(waiting_.end(), events.data(), events.data() + n);
  }
}

std::size_t InlineApplication::take_waiting(std::span<Event> events) {
  const std::size_t n = std::min(events.size(), waiting_.size());
  std::copy_n(waiting_.begin(), n, events.begin());
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(n));
  return n;
}

EndpointId InlineApplication::open(const EndpointOptions& options) {
  const std::uint64_t request = next_request_++;
  worker_.open_endpoint(id_, open_endpoint_arguments(options), request);
  const worker::Reply reply = await_reply(request);
  check_opened(reply.status, options.port);
  endpoints_.push_back({reply.endpoint, static_cast<std::uint16_t>(reply.value)});
  return reply.endpoint;
}

void InlineApplication::close(EndpointId endpoint) {
  std::erase_if(endpoints_, [&](const Endpoint& one) { return one.id == endpoint; });
  const std::uint64_t request = next_request_++;
  worker_.close_endpoint(id_, endpoint, request);
  await_reply(request);
}

std::uint16_t InlineApplication::local_port(EndpointId endpoint) const {
  for (const Endpoint& one : endpoints_)
    if (one.id == endpoint) return one.port;
  return 0;
}

bool InlineApplication::connect(EndpointId endpoint, std::span<const IpAddress> peers, std::uint16_t port,
                                std::uint64_t context, const std::optional<Parameters>& parameters) {
  worker_.connect(id_, endpoint, connect_arguments(peers, port, parameters), context);
  return true;
}

SendResult InlineApplication::send(AssocId association, StreamId stream, Ppid ppid, std::span<const std::byte> message,
                                   const SendOptions& options) {
  if (message.empty()) return SendResult::empty;
  if (message.size() > kMaxSendBytes) return SendResult::too_large;
  SendLedger& ledger = seat_.memory.ledger();
  SendLedger::Account* const account = ledger.find(association);
  if (account == nullptr) return SendResult::not_connected;
  const auto bytes = static_cast<std::uint32_t>(message.size());
  assoc::SendRequest request;
  if (ledger.may_send(*account, bytes, stream)) request.payload = seat_.memory.copy(message);
  if (!request.payload) {
    ledger.block(*account, bytes, stream);
    return SendResult::would_block;
  }
  const std::uint32_t block = request.payload.block().index;
  request.stream = stream;
  request.ppid = ppid;
  request.unordered = options.unordered;
  request.end = options.end;
  request.sack_immediately = options.sack_immediately;
  request.context = options.context;
  request.path = options.path.value_or(assoc::kAnyPath);
  request.expires = worker_.expiry(options.lifetime);
  switch (worker_.send(association, std::move(request))) {
    case assoc::SendStatus::queued:
      ledger.charge(*account, block, bytes, stream, options.end);
      return SendResult::queued;
    case assoc::SendStatus::would_block:
      return SendResult::would_block;
    case assoc::SendStatus::invalid_stream:
      return SendResult::invalid_stream;
    case assoc::SendStatus::wrong_part:
      return SendResult::wrong_part;
    case assoc::SendStatus::not_connected:
      break;
  }
  return SendResult::not_connected;
}

void InlineApplication::shutdown(AssocId association) {
  worker_.shutdown(association);
}

void InlineApplication::abort(AssocId association, std::string_view reason) {
  worker_.abort(association, reason);
}

std::size_t InlineApplication::take(std::span<Event> events) {
  const std::size_t n = seat_.events.poll(events);
  for (Event& event : events.first(n)) {
    event.handle = event.handle == worker::EventRecord::kNotLent ? 0 : event.handle + 1;
    if (event.type == EventType::message) continue;
    if (event.type == EventType::association_up) event.message_id = 0;  // means something behind rings alone
    seat_.memory.ledger().keep(event, worker_.id().value, kSendersLimit);
  }
  return n;
}

std::size_t InlineApplication::poll(std::span<Event> events) {
  // What waits is taken first: an application that asks for few events at a time must not make the loop spin.
  std::size_t n = take_waiting(events);
  n += take(events.subspan(n));
  if (n == events.size()) return n;
  turn();
  n += take(events.subspan(n));
  return n + take_writable(events.subspan(n));
}

/// Those that found too little send memory, and may try again.
std::size_t InlineApplication::take_writable(std::span<Event> events) {
  std::size_t n = 0;
  while (n < events.size()) {
    const SendLedger::Account* const account = seat_.memory.ledger().take_writable();
    if (account == nullptr) break;
    events[n++] = writable(*account);
  }
  return n;
}

void InlineApplication::release(std::span<const Event> events) {
  for (const Event& event : events)
    if (event.handle != 0) seat_.events.release(event.handle - 1);
}

void InlineApplication::wait(Duration timeout) {
  if (!waiting_.empty() || !seat_.events.empty() || idle_turns_ == 0) return;
  worker::IdlePolicy policy = idle_;
  policy.sleep = std::min(policy.sleep, timeout);
  worker_.back_off(idle_turns_, policy);
}

bool InlineApplication::set_primary(AssocId association, PathId path) {
  return worker_.set_primary(association, path);
}

bool InlineApplication::request_heartbeat(AssocId association, PathId path) {
  return worker_.request_heartbeat(association, path);
}

bool InlineApplication::set_path(AssocId association, PathId path, const PathOptions& options) {
  check_range(options);
  return worker_.set_path(association, path, options);
}

bool InlineApplication::set_parameters(AssocId association, const Parameters& parameters) {
  check_range(parameters);
  return worker_.set_parameters(association, parameters);
}

void InlineApplication::set_parameters(EndpointId endpoint, const Parameters& parameters) {
  check_range(parameters);
  const std::uint64_t request = next_request_++;
  worker_.set_parameters(id_, endpoint, parameters, request);
  check_parameters_set(await_reply(request).status);
}

std::optional<Parameters> InlineApplication::parameters(AssocId association) {
  const Parameters* const found = worker_.parameters(association);
  return found != nullptr ? std::optional(*found) : std::nullopt;
}

std::optional<AssociationStatus> InlineApplication::status(AssocId association) {
  assoc::Snapshot snapshot;
  if (!worker_.snapshot(association, snapshot)) return std::nullopt;
  return association_status(snapshot, worker_.id().value);
}

}  // namespace sluice::socket
