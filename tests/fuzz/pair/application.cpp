#include "tests/fuzz/pair/application.hpp"

#include <algorithm>
#include <string>

#include "tests/fuzz/pair/fail.hpp"

namespace sluice::fuzz {
namespace {

using sim::Message;

Ppid ppid_of(std::uint16_t stream) {
  return Ppid(std::uint32_t{stream} ^ 0x12345678u);
}

}  // namespace

void Application::wrong(const Event& event, const std::string& what) const {
  fail("side " + stack_->name() + ", association " + std::to_string(event.association.value) + ", event " +
       std::to_string(static_cast<int>(event.type)) + ": " + what);
}

void Application::connect(EndpointId endpoint, std::span<const IpAddress> peers, std::uint16_t port,
                          std::uint16_t worker) {
  worker::ConnectArguments arguments;
  for (const IpAddress& peer : peers) static_cast<void>(arguments.peers.push_back(peer));
  arguments.port = port;
  ++connecting_;
  stack_->worker(static_cast<std::uint16_t>(worker % stack_->workers())).connect(sim::kInline, endpoint, arguments, 1);
}

Flow* Application::flow(std::uint8_t choice) {
  if (live_.empty()) return nullptr;
  return std::next(live_.begin(), static_cast<std::ptrdiff_t>(choice % live_.size()))->second;
}

// Sending

assoc::SendStatus Application::send(Flow& flow, std::uint16_t stream, std::uint32_t length, bool unordered) {
  return send_part(flow, stream, length, length, unordered, true);
}

assoc::SendStatus Application::send_part(Flow& flow, std::uint16_t stream, std::uint32_t length, std::uint32_t part,
                                         bool unordered, bool end) {
  stream = static_cast<std::uint16_t>(stream % flow.streams);
  const auto found = flow.begun.find(stream);
  if (found != flow.begun.end()) {
    Flow::Begun& begun = found->second;
    const std::uint32_t left = begun.message.length - begun.sent;
    return send_slice(flow, begun, end ? left : std::min(part, left));
  }
  Flow::Begun begun;
  begun.message.flow = flow.name;
  begun.message.stream = stream;
  begun.message.length = std::max(1u, length);
  begun.message.unordered = unordered && begun.message.tells_itself();
  begun.message.index = begun.message.unordered ? flow.next_unordered++ : flow.next_out[stream];
  return send_slice(flow, begun, end ? begun.message.length : std::clamp(part, 1u, begun.message.length));
}

assoc::SendStatus Application::send_slice(Flow& flow, Flow::Begun& begun, std::uint32_t length) {
  const Message message = begun.message;
  const std::vector<std::byte> contents = message.contents();
  const bool last = begun.sent + length == message.length;
  assoc::SendRequest request;
  request.payload = stack_->messages().copy_of(std::span(contents).subspan(begun.sent, length));
  request.stream = StreamId(message.stream);
  request.ppid = ppid_of(message.stream);
  request.unordered = message.unordered;
  request.end = last;
  request.context = message.index;
  const assoc::SendStatus status =
      stack_->worker(worker::owner_of(flow.association)).send(flow.association, std::move(request));
  if (status == assoc::SendStatus::wrong_part || status == assoc::SendStatus::invalid_stream)
    on_refused(flow, message.stream, last, status);
  if (status != assoc::SendStatus::queued) return status;
  if (!last) {
    begun.sent += length;
    flow.begun[message.stream] = begun;
    return status;
  }
  ++(message.unordered ? flow.unordered_out : flow.next_out[message.stream]);
  flow.tells_itself |= message.tells_itself();
  flow.begun.erase(message.stream);
  return status;
}

/// Once a restart broke a message, the rest of it is refused; also while the application does not know of that yet.
void Application::on_refused(Flow& flow, std::uint16_t stream, bool last, assoc::SendStatus status) {
  const bool broken = flow.broken.count(stream) != 0;
  if (!broken && status == assoc::SendStatus::wrong_part && flow.begun.count(stream) == 0)
    fail("side " + stack_->name() + ": a message was refused as a part of another");
  if (!broken || status == assoc::SendStatus::invalid_stream) {
    if (stack_->counter("association.restarts") <= restarts_)
      fail("side " + stack_->name() + ": a part was refused, and there was no restart");
    flow.restart_due = true;
  }
  if (!last) return;
  flow.broken.erase(stream);
  flow.begun.erase(stream);
}

void Application::send_wrong_part(Flow& flow, std::uint16_t stream) {
  const auto found = flow.begun.find(static_cast<std::uint16_t>(stream % flow.streams));
  if (found == flow.begun.end()) return;
  assoc::SendRequest request;
  const std::byte one[1] = {};
  request.payload = stack_->messages().copy_of(one);
  request.stream = StreamId(found->first);
  request.ppid = Ppid(~ppid_of(found->first).value);
  request.unordered = found->second.message.unordered;
  if (stack_->worker(worker::owner_of(flow.association)).send(flow.association, std::move(request)) ==
      assoc::SendStatus::queued)
    fail("side " + stack_->name() + ": a part with another PPID was taken");
}

// Events

bool Application::take_events(std::uint16_t index) {
  if (paused_) return false;
  Event events[16];
  const std::size_t n = stack_->events(index).poll(events);
  for (std::size_t i = 0; i < n; ++i) on_event(index, events[i]);
  return n > 0;
}

void Application::release(std::size_t count, bool newest_first) {
  for (; count > 0 && !held_.empty(); --count) {
    const Held held = newest_first ? held_.back() : held_.front();
    newest_first ? held_.pop_back() : held_.pop_front();
    if (!stack_->events(held.worker).release(held.handle)) fail("a buffer that was lent could not be given back");
  }
}

void Application::move_to(sim::SimStack& anew) {
  stack_ = &anew;
  exact_ = false;
  restarts_ = 0;
  for (const auto& [association, flow] : live_) flow->ended = true;
  live_.clear();
  held_.clear();
  connecting_ = 0;
}

void Application::on_event(std::uint16_t index, const Event& event) {
  if (event.data != nullptr) {
    // A byte of memory that is not there any more would be seen here.
    volatile std::byte seen{};
    for (const std::byte byte : event.bytes()) seen = byte;
    static_cast<void>(seen);
    held_.push_back({index, event.handle});
  }
  const auto found = live_.find(event.association.value);
  switch (event.type) {
    case EventType::connect_failed:
      if (found != live_.end()) wrong(event, "it is up");
      if (connecting_-- == 0) wrong(event, "nobody asked for it");
      break;
    case EventType::association_up:
      if (found != live_.end()) wrong(event, "it came up twice");
      if (event.active && connecting_-- == 0) wrong(event, "nobody asked for it");
      begin(event);
      break;
    default:
      if (found == live_.end()) wrong(event, "the association is not up");
      if (event.type == EventType::restarted) {
        restart(event, *found->second);
      } else if (event.type == EventType::closed || event.type == EventType::association_lost) {
        end(event);
      } else if (event.type == EventType::message) {
        on_message(*found->second, event);
      } else if (event.type == EventType::delivery_aborted) {
        found->second->pieces.erase(event.stream.value);
      } else if (event.type == EventType::send_failed) {
        found->second->failed_sends = true;
      }
  }
  if (event.data != nullptr && !holding_) release(1, true);
}

void Application::begin(const Event& event) {
  Flow& flow = flows_.emplace_back();
  flow.association = event.association;
  flow.name = side_ << 16 | ++names_;
  flow.streams = event.streams_out;
  if (event.streams_out == 0 || event.streams_in == 0) wrong(event, "without streams");
  live_[event.association.value] = &flow;
}

void Application::restart(const Event& event, Flow& before) {
  ++restarts_;
  before.ended = true;
  begin(event);
  Flow& after = *live_[event.association.value];
  after.broken = before.broken;
  for (const auto& [stream, begun] : before.begun) after.broken.insert(stream);
}

void Application::end(const Event& event) {
  Flow& flow = *live_[event.association.value];
  flow.ended = true;
  flow.graceful = event.type == EventType::closed;
  if (flow.restart_due && flow.graceful) wrong(event, "it refused a part, and there was no restart");
  if (exact_ && flow.graceful && !flow.pieces.empty()) wrong(event, "it closed in the middle of a message");
  live_.erase(event.association.value);
}

void Application::on_message(Flow& flow, const Event& event) {
  if (event.length == 0 || event.data == nullptr) wrong(event, "an empty piece");
  const auto found = flow.pieces.find(event.stream.value);
  if (!sim::may_come(event, found == flow.pieces.end() ? nullptr : &found->second))
    wrong(event, "a piece that does not continue its message");
  sim::Pieces& pieces = flow.pieces[event.stream.value];
  pieces.add(event);
  if (!event.end) return;
  if (exact_) check(flow, event, pieces.bytes);
  flow.pieces.erase(event.stream.value);
}

void Application::check(Flow& flow, const Event& event, std::span<const std::byte> bytes) {
  Message message;
  message.length = static_cast<std::uint32_t>(bytes.size());
  message.stream = event.stream.value;
  if (message.tells_itself()) {
    if (!Message::read(bytes, message)) wrong(event, "a message that nobody sent");
    if (flow.from == 0) flow.from = message.flow;
    if (message.flow != flow.from) wrong(event, "a message of another association");
    if (message.stream != event.stream.value || message.unordered != event.unordered)
      wrong(event, "a message of another stream");
  } else {
    message.index = flow.next_in[message.stream];
  }
  const std::vector<std::byte> contents = message.contents();
  if (!std::equal(contents.begin(), contents.end(), bytes.begin(), bytes.end())) wrong(event, "a corrupted message");
  if (event.ppid != ppid_of(message.stream)) wrong(event, "another PPID");
  if (event.unordered) {
    if (!flow.unordered_in.insert(message.index).second) wrong(event, "an unordered message came twice");
  } else if (message.index != flow.next_in[message.stream]++) {
    wrong(event, "message " + std::to_string(message.index) + " of stream " + std::to_string(message.stream) +
                     " came out of order");
  }
}

void check_nothing_lost(const Application& sender, const Application& receiver) {
  for (const Flow& sent : sender.flows()) {
    if (!sent.graceful || !sent.tells_itself || sent.failed_sends) continue;
    const auto came = std::find_if(receiver.flows().begin(), receiver.flows().end(),
                                   [&](const Flow& flow) { return flow.from == sent.name; });
    const bool known = came != receiver.flows().end();
    for (const auto& [stream, messages] : sent.next_out) {
      if (messages == 0) continue;
      const auto found = known ? came->next_in.find(stream) : std::map<std::uint16_t, std::uint32_t>::const_iterator{};
      if (!known || found == came->next_in.end() || found->second != messages)
        fail("messages of stream " + std::to_string(stream) + " were acknowledged and did not come");
    }
    if (sent.unordered_out > 0 && (!known || came->unordered_in.size() != sent.unordered_out))
      fail("unordered messages were acknowledged and did not come");
  }
}

}  // namespace sluice::fuzz
