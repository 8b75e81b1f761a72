#include "tests/sim/application.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace sluice::sim {

Application::Application(SimStack& stack, base::SimClock& clock, std::uint32_t side, std::uint64_t seed,
                         const Behaviour& behaviour, Tally& tally)
    : stack_(&stack),
      clock_(clock),
      side_(side),
      random_(seed),
      behaviour_(behaviour),
      tally_(tally),
      counts_{tally["message pieces"], tally["messages"], tally["message bytes"]} {}

void Application::fail(const Flow* flow, const std::string& what) const {
  std::string text = "side " + stack_->name();
  if (flow != nullptr) text += ", flow " + std::to_string(flow->name) + " from " + std::to_string(flow->from);
  throw std::runtime_error(text + ": " + what);
}

void Application::connect(EndpointId endpoint, const assoc::AddressList& peers, std::uint16_t port) {
  worker::ConnectArguments arguments;
  arguments.peers = peers;
  arguments.port = port;
  ++connecting_;
  ++tally_["application connects"];
  stack_->worker(static_cast<std::uint16_t>(random_.below(stack_->workers()))).connect(kInline, endpoint, arguments, 1);
}

void Application::move_to(SimStack& anew) {
  stack_ = &anew;
  for (const auto& [association, flow] : flows_) sent_[flow.name].cut_off = true;
  flows_.clear();
  held_.clear();
  left_alone_.clear();
  connecting_ = 0;
}

void Application::peer_died(const Application& died, const std::set<std::uint64_t>& left_alone) {
  for (auto& [name, sent] : sent_) sent.cut_off |= died.received_.count(name) == 0;
  for (auto& [association, flow] : flows_) sent_[flow.name].cut_off = true;
  left_alone_ = left_alone;
}

bool Application::step(std::uint16_t index) {
  bool any = release(index);
  if (clock_.now() >= paused_until_) {
    const std::size_t n = stack_->events(index).poll(events_);
    for (std::size_t i = 0; i < n; ++i) on_event(index, events_[i]);
    any |= n > 0;
  }
  for (auto next = flows_.begin(); next != flows_.end();) {
    Flow& flow = (next++)->second;
    if (worker::owner_of(flow.association) == index) any |= pump(flow);
  }
  return any;
}

bool Application::release(std::uint16_t index) {
  bool any = false;
  for (std::size_t i = 0; i < held_.size();) {
    if (held_[i].worker != index || held_[i].until > clock_.now()) {
      ++i;
      continue;
    }
    if (!stack_->events(index).release(held_[i].handle)) fail(nullptr, "a buffer could not be given back");
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
    any = true;
  }
  return any;
}

Timestamp Application::next_deadline() const {
  Timestamp next = kNever;
  if (paused_until_ > clock_.now()) next = paused_until_;
  for (const Held& held : held_) next = std::min(next, held.until);
  for (const auto& [association, flow] : flows_)
    if (flow.next_send > clock_.now() && !flow.blocked && !flow.closing) next = std::min(next, flow.next_send);
  return next;
}

Duration Application::some(Duration limit) {
  return limit * static_cast<std::int64_t>(random_.below(1 << 16)) / (1 << 16);
}

void Application::on_event(std::uint16_t index, const Event& event) {
  if (event.type == EventType::connect_failed) {
    --connecting_;
    ++tally_["event connect_failed"];
    if (event.reason() == Reason::init_failed) ++unanswered_;
    flows_.erase(event.association.value);
    return;
  }
  if (event.type == EventType::association_up) return begin(event);
  const auto found = flows_.find(event.association.value);
  if (found == flows_.end()) fail(nullptr, "an event of an association that is not up");
  Flow& flow = found->second;
  if (event.data != nullptr) held_.push_back({index, event.handle, clock_.now() + hold_});
  switch (event.type) {
    case EventType::message:
      return on_message(flow, event);
    case EventType::closed:
    case EventType::association_lost:
      return end(event);
    case EventType::writable:
      ++tally_["event writable"];
      flow.blocked = false;
      return;
    case EventType::send_failed:
      ++tally_["event send_failed"];
      ++sent_[flow.name].failed;
      return;
    case EventType::delivery_aborted:
      ++tally_["event delivery_aborted"];
      flow.pieces.erase(event.stream.value);
      return;
    case EventType::shutdown_received:
      ++tally_["event shutdown_received"];
      flow.closing = true;
      return;
    case EventType::path_changed:
      ++tally_["event path_changed"];
      return;
    case EventType::restarted:
      return begin_anew(event);
    default:
      ++tally_["event other"];
  }
}

void Application::begin(const Event& event) {
  Flow& flow = flows_[event.association.value];
  if (flow.name != 0) fail(&flow, "came up twice");
  flow.active = event.active;
  name_flow(flow, event);
  if (event.active) --connecting_;
  ++tally_[event.active ? "event association_up, active" : "event association_up, passive"];
}

/// The peer began anew: to the applications it is another association, which the peer opened.
void Application::begin_anew(const Event& event) {
  Flow& flow = flows_[event.association.value];
  if (left_alone_.erase(event.association.value) == 0) {
    // The peer's application gave it up and opened another one, and the ABORT was lost.
    sent_[flow.name].aborted = true;
    given_up_.push_back(flow.from);
  }
  flow = {};
  name_flow(flow, event);
  ++tally_["event restarted"];
}

void Application::name_flow(Flow& flow, const Event& event) {
  flow.association = event.association;
  flow.name = side_ << 16 | ++names_;
  flow.streams = event.streams_out;
  flow.left = random_.below(20) == 0 ? 0 : behaviour_.messages;
  flow.aborts = random_.below(100) < behaviour_.abort_percent;
  sent_[flow.name] = {};
  sent_[flow.name].cut_off = left_alone_.count(flow.association.value) != 0;
}

void Application::end(const Event& event) {
  Flow& flow = flows_[event.association.value];
  const bool graceful = event.type == EventType::closed;
  ++tally_[graceful ? "event closed" : "event association_lost, reason " + std::to_string(event.error)];
  sent_[flow.name].graceful = graceful;
  sent_[flow.name].aborted = event.reason() == Reason::local_abort || event.reason() == Reason::peer_abort;
  Sent& received = received_[flow.from];
  if (flow.from != 0) {
    received.graceful = graceful;
    received.ordered = flow.next_in;
    received.unordered = static_cast<std::uint32_t>(flow.unordered_in.size());
  }
  if (graceful && !flow.pieces.empty()) fail(&flow, "closed in the middle of a message");
  flows_.erase(event.association.value);
}

void Application::on_message(Flow& flow, const Event& event) {
  ++counts_.pieces;
  if (event.length == 0) fail(&flow, "an empty piece");
  const auto found = flow.pieces.find(event.stream.value);
  if (!may_come(event, found == flow.pieces.end() ? nullptr : &found->second))
    fail(&flow, "a piece that does not continue its message");
  if (event.begin && event.end) return check(flow, event, event.bytes());
  Pieces& pieces = flow.pieces[event.stream.value];
  pieces.add(event);
  if (!event.end) return;
  check(flow, event, pieces.bytes);
  flow.pieces.erase(event.stream.value);
}

/// Until the next call.
std::span<const std::byte> Application::contents_of(const Message& message) {
  contents_.resize(std::max<std::size_t>(contents_.size(), message.length));
  const std::span<std::byte> contents = std::span(contents_).first(message.length);
  message.write(contents);
  return contents;
}

void Application::check(Flow& flow, const Event& event, std::span<const std::byte> bytes) {
  Message message;
  message.length = static_cast<std::uint32_t>(bytes.size());
  message.stream = event.stream.value;
  if (message.tells_itself()) {
    if (!Message::read(bytes, message)) fail(&flow, "a message that nobody sent");
    if (flow.from == 0) flow.from = message.flow;
    if (message.flow != flow.from) fail(&flow, "a message of another association");
    if (message.stream != event.stream.value || message.unordered != event.unordered)
      fail(&flow, "a message on another stream");
  } else {
    message.index = flow.next_in[message.stream];
  }
  if (bytes.size() != message.length || std::memcmp(bytes.data(), contents_of(message).data(), bytes.size()) != 0)
    fail(&flow, "a corrupted message");
  if (event.unordered) {
    if (!flow.unordered_in.emplace(message.index, true).second) fail(&flow, "an unordered message came twice");
  } else if (message.index != flow.next_in[message.stream]++) {
    fail(&flow,
         "stream " + std::to_string(message.stream) + ": message " + std::to_string(message.index) + " out of order");
  }
  if (event.ppid.value != (std::uint32_t{event.stream.value} ^ 0x12345678u)) fail(&flow, "another PPID");
  ++counts_.messages;
  counts_.bytes += bytes.size();
}

bool Application::pump(Flow& flow) {
  if (std::exchange(flow.fresh, false)) return true;
  if (flow.closing || flow.blocked || left_alone_.count(flow.association.value) != 0) return false;
  if (clock_.now() < flow.next_send && !finishing_) return false;
  bool any = false;
  for (int burst = 0; burst < 8 && flow.left > 0 && !finishing_; ++burst) {
    if (!send_one(flow)) return any;
    any = true;
    if (behaviour_.pause == Duration::zero()) continue;
    flow.next_send = clock_.now() + some(behaviour_.pause) * (flow.left == 0 ? 20 : 1);
    return true;
  }
  if (flow.left > 0 && !finishing_) return true;
  // The side that opened it ends it; both could, and then the shutdowns cross.
  if (!flow.active && !finishing_) return any;
  flow.closing = true;
  worker::Worker& owner = stack_->worker(worker::owner_of(flow.association));
  if (flow.aborts) {
    ++tally_["application aborts"];
    owner.abort(flow.association, "simulated");
  } else {
    ++tally_["application shutdowns"];
    owner.shutdown(flow.association);
  }
  return true;
}

/// To any of its paths; one that is not confirmed is refused.
void Application::move_primary(const Flow& flow) {
  worker::Worker& owner = stack_->worker(worker::owner_of(flow.association));
  assoc::Snapshot snapshot;
  if (!owner.snapshot(flow.association, snapshot)) return;
  const PathId path(static_cast<std::uint8_t>(random_.below(static_cast<std::uint32_t>(snapshot.paths.size()))));
  const bool confirmed = snapshot.paths[path.value].state != PathState::unconfirmed;
  if (owner.set_primary(flow.association, path) != confirmed) fail(&flow, "the choice of a primary path went wrong");
  ++tally_[confirmed ? "application moves the primary path" : "application moves the primary path in vain"];
}

bool Application::send_one(Flow& flow) {
  Message message;
  message.flow = flow.name;
  message.stream = static_cast<std::uint16_t>(random_.below(flow.streams));
  const std::uint32_t kind = random_.below(100);
  message.length = Message::kHeader + random_.below(behaviour_.largest);
  if (kind < behaviour_.huge_percent) message.length = Message::kHeader + random_.below(150'000);
  if (kind >= 100 - behaviour_.tiny_percent) message.length = 1 + random_.below(Message::kHeader - 1);
  message.unordered = message.tells_itself() && random_.below(100) < behaviour_.unordered_percent;
  std::uint32_t& index = message.unordered ? flow.next_unordered : flow.next_out[message.stream];
  message.index = index;
  const assoc::SendStatus status =
      stack_->send(flow.association, contents_of(message), StreamId(message.stream),
                   Ppid(std::uint32_t{message.stream} ^ 0x12345678u), message.unordered, message.index);
  switch (status) {
    case assoc::SendStatus::queued:
      ++index;
      --flow.left;
      if (behaviour_.moves_primary && random_.below(200) == 0) move_primary(flow);
      ++(message.unordered ? sent_[flow.name].unordered : sent_[flow.name].ordered[message.stream]);
      sent_[flow.name].told |= message.tells_itself();
      return true;
    case assoc::SendStatus::would_block:
      ++tally_["sends that would block"];
      flow.blocked = true;
      return false;
    case assoc::SendStatus::not_connected:
      flow.closing = true;
      return false;
    default:
      fail(&flow, "send refused");
  }
}

}  // namespace sluice::sim
