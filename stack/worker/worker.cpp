#include "stack/worker/worker.hpp"

#include <sched.h>

#include <algorithm>

namespace sluice::worker {
namespace {

std::vector<TransmitRoute> routes_of(StackState& stack, endpoint::WorkerId self) {
  std::vector<TransmitRoute> routes;
  for (std::uint16_t port = 0; port < stack.ports.size(); ++port) {
    TransmitRoute route{stack.ports[port], self.value};
    for (std::uint16_t other = 0; other < stack.workers(); ++other) {
      if (other == self.value) continue;
      for (const auto& ring : stack.mailbox(self, endpoint::WorkerId(other)).frames)
        if (ring->port == port) route.through = ring.get();
      for (const auto& ring : stack.mailbox(endpoint::WorkerId(other), self).frames)
        if (ring->port == port) route.from_others.push_back(ring.get());
    }
    routes.push_back(std::move(route));
  }
  return routes;
}

endpoint::TagTable::Limits tag_limits(const StackState& stack, base::Random& random) {
  endpoint::TagTable::Limits limits;
  limits.hash_key = random.u64() | 1;
  limits.associations = stack.config.limits.associations;
  limits.retired = stack.config.limits.retired_tags;
  limits.quarantine = std::max<Duration>(limits.quarantine, 2 * stack.config.parameters.valid_cookie_life);
  return limits;
}

endpoint::Directory::Limits directory_limits(const StackState& stack) {
  endpoint::Directory::Limits limits;
  const std::uint32_t wished = stack.config.limits.directory_addresses;
  limits.addresses = wished != 0 ? wished : std::max(stack.config.limits.associations, limits.addresses);
  return limits;
}

}  // namespace

Worker::Worker(StackState& stack, endpoint::WorkerId self, const WorkerResources& resources)
    : stack_(stack),
      self_(self),
      resources_(resources),
      alone_(stack.workers() == 1),
      now_(resources.clock.now()),
      last_turn_(now_),
      transmitter_(routes_of(stack, self), resources.transmit, counters_),
      ip_(stack.config.ip, *this, resources.reassembly, resources.random, {self.value, stack.workers()}),
      overflow_(stack.workers()),
      pools_(stack.config.limits.pools),
      association_services_{*this,  resources.random,      resources.copies, resources.receive,
                            pools_, association_counters_, stack.addresses},
      store_(self, stack.config.limits.associations),
      attempts_(stack.config.limits.opening_attempts),
      parked_(stack.config.limits.parked_sends),
      parameters_(UINT32_MAX, 16),
      wheel_(now_),
      steering_(stack.tag_key, stack.workers()),
      endpoint_table_(stack.config.limits.endpoints),
      cookies_(stack.cookie_keys),
      inits_(stack.config.limits.inits_per_second, stack.config.limits.inits_per_second),
      // Beyond their rate even a MAC is too much; a short burst, so that the cookies of others come through again soon.
      forged_(stack.config.limits.forged_cookies_per_second, stack.config.limits.forged_cookies_per_second / 100 + 1),
      answers_(stack.config.limits.answers_per_second, stack.config.limits.answers_per_second),
      tags_(tag_limits(stack, resources.random)),
      directory_({resources.random.u64(), resources.random.u64()}, directory_limits(stack)),
      endpoint_services_{self,   *this,   resources.random, steering_,          endpoint_table_, cookies_,
                         inits_, forged_, answers_,         endpoint_counters_, stack.addresses},
      responder_(endpoint_services_, directory_),
      owner_role_(endpoint_services_, tags_),
      commands_(64) {
  nobody_.leaving = true;
  add_application(kInlineApplications);
  for (std::uint16_t port = 0; port < stack.ports.size(); ++port)
    for (std::uint32_t queue = self.value; queue < stack.ports[port]->info().receive_queues; queue += stack.workers())
      receive_queues_.push_back({port, static_cast<std::uint16_t>(queue)});
  batch_.reserve(kBatch);
  port_watches_.resize(stack.ports.size());
  for (std::size_t port = 0; port < port_watches_.size(); ++port)
    port_watches_[port].link = stack.config.ip.interfaces[port].link_up;
  if (self != kControlWorker) return;
  coordinator_ = std::make_unique<EndpointCoordinator>(static_cast<EndpointCoordinator::Outlet&>(*this),
                                                       stack.workers(), stack.config.limits.endpoints);
  for (const ip::Interface& interface : stack.config.ip.interfaces) links_.push_back(interface.link_up);
  next_link_watch_ = now_;
  next_key_rotation_ = now_ + stack.config.cookie_key_life;
  transmitter_.begin_turn(now_, true);
  ip_.start(now_);
}

Worker::~Worker() {
  // Each from where the last one was: from the front, the search would pass all that went before.
  AssocId after = encode({self_, 0, 0});
  while (AssociationRecord* const record = store_.next(after)) {
    after = record->association.id();
    dispose(*record);
  }
  for (const auto& application : applications_)
    if (application != nullptr && application->events != nullptr) application->events->abandon();
  for (auto& [id, endpoint] : endpoints_) release(*endpoint->parameters);
  for (auto& queue : overflow_)
    for (const ControlMessage& message : queue)
      if (const auto* const create = std::get_if<CreateMessage>(&message)) base::Buffer::adopt(*create->block).reset();
}

bool Worker::poll_once() {
  const bool late = begin_turn();
  if (!alone_) worked_ |= transmitter_.take_frames();
  // Before a timer may say that the peer did not answer, what it answered must have been read (RFC 9260 §8.1-§8.3 count
  // errors by it): all that waited when this turn began.
  const bool everything = late || wheel_.next_expiry() <= now_;
  worked_ |= receive_ports(everything);
  if (!alone_) worked_ |= take_forwarded(everything);
  follow_icmp();
  worked_ |= take_commands();
  watch_transmit_rings();
  worked_ |= follow_links();
  worked_ |= end_some_associations();
  worked_ |= fire_timers();
  worked_ |= resume_waiting();
  worked_ |= flush_dirty();
  end_turn();
  if (!worked_) ++counters_.idle_turns;
  return worked_;
}

// True if it is late.
bool Worker::begin_turn() {
  ++counters_.turns;
  worked_ = false;
  now_ = resources_.clock.now();
  const bool late = now_ - std::exchange(last_turn_, now_) >= stack_.config.turn.late;
  if (late) ++counters_.late_turns;
  transmitter_.begin_turn(now_, late);
  take_attachments();
  return late;
}

void Worker::take_attachments() {
  base::SpscRing<Attachment>& waiting = *stack_.attachments[self_.value];
  if (waiting.empty()) return;
  std::array<Attachment, 4> taken;
  while (const std::size_t n = waiting.pop(taken))
    for (std::size_t i = 0; i < n; ++i) attach(taken[i].application, *taken[i].channel);
  worked_ = true;
}

void Worker::end_turn() {
  ip_.poll(now_);
  if (coordinator_ != nullptr) {
    if (now_ >= next_link_watch_) watch_links();
    if (now_ >= next_key_rotation_) rotate_cookie_keys();
  }
  tags_.expire(now_);
  transmitter_.end_turn(ip_, now_);
  for (const auto& application : applications_)
    if (application != nullptr && application->channel != nullptr) application->channel->publish();
  if (!alone_) hand_over();
  watch_leaving();
}

void Worker::hand_over() {
  for (std::uint16_t to = 0; to < stack_.workers(); ++to) {
    if (to == self_.value) continue;
    push_overflow(endpoint::WorkerId(to));
    if (!stack_.mailbox(self_, endpoint::WorkerId(to)).publish()) continue;
    stack_.wake_ups[to]->wake_if_sleeping();
    worked_ = true;  // if the other has had its turn already, somebody must give it another
  }
}

void Worker::watch_links() {
  next_link_watch_ = now_ + stack_.config.link_interval;
  for (std::uint16_t port = 0; port < links_.size(); ++port) {
    const bool up = stack_.ports[port]->link().up;
    if (up == links_[port]) continue;
    links_[port] = up;
    send_to_all(LinkChange{port, up});
  }
}

void Worker::rotate_cookie_keys() {
  next_key_rotation_ = now_ + stack_.config.cookie_key_life;
  stack_.cookie_keys = stack_.cookie_keys.rotated(resources_.random);
  send_to_all(stack_.cookie_keys);
}

Timestamp Worker::next_deadline() const {
  if (!dirty_.empty() || !ending_.empty() || has_output()) return now_;
  const auto telling = [](const PortWatch& watch) { return watch.telling; };
  if (std::any_of(port_watches_.begin(), port_watches_.end(), telling)) return now_;
  Timestamp next = std::min(wheel_.next_expiry(), ip_.next_deadline());
  bool waits = waits_for_rings();
  for (std::uint16_t port = 0; port < port_watches_.size(); ++port) {
    if (transmitter_.idle(port)) continue;
    if (!port_watches_[port].stalled) return now_;
    waits = true;
  }
  if (waits) next = std::min(next, now_ + stack_.config.turn.blocked);
  if (coordinator_ != nullptr) next = std::min({next, next_link_watch_, next_key_rotation_});
  return next;
}

bool Worker::has_work() const {
  return has_input() || waits_for_rings() || next_deadline() <= resources_.clock.now();
}

// What an application's call between two turns had for other workers leaves with the next one.
bool Worker::has_output() const {
  for (std::uint16_t to = 0; to < stack_.workers(); ++to)
    if (to != self_.value && stack_.mailbox(self_, endpoint::WorkerId(to)).control.holds_back()) return true;
  return false;
}

// Others have not taken what was there before.
bool Worker::waits_for_rings() const {
  return std::any_of(overflow_.begin(), overflow_.end(), [](const auto& queue) { return !queue.empty(); });
}

bool Worker::has_input() const {
  if (!stack_.attachments[self_.value]->empty() || transmitter_.has_frames_to_take()) return true;
  for (const auto& application : applications_) {
    if (application == nullptr) continue;
    if (application->channel != nullptr && application->channel->has_work()) return true;
    if (!application->waiting.empty() && application->has_room() && application->may_lend()) return true;
  }
  for (std::uint16_t from = 0; from < stack_.workers(); ++from) {
    if (from == self_.value) continue;
    const Mailbox& mailbox = stack_.mailbox(endpoint::WorkerId(from), self_);
    if (!mailbox.packets.empty() || !mailbox.control.empty()) return true;
  }
  return false;
}

void Worker::sleep(Duration limit) {
  WakeUp& wake_up = *stack_.wake_ups[self_.value];
  wake_up.announce();
  // One queue's interrupt is enough for a worker with one; with several, the limit bounds the wait.
  int interrupt = -1;
  if (receive_queues_.size() == 1)
    interrupt = stack_.ports[receive_queues_[0].port]->arm_receive_interrupt(receive_queues_[0].queue);
  if (!has_input() && !poll_once()) {
    const Timestamp deadline = next_deadline();
    if (deadline != kNever) limit = std::min(limit, deadline - now_);
    if (limit > Duration::zero() && !has_input()) {
      ++counters_.sleeps;
      wake_up.sleep(limit, interrupt);
    }
  }
  if (interrupt >= 0) stack_.ports[receive_queues_[0].port]->disarm_receive_interrupt(receive_queues_[0].queue);
  wake_up.withdraw();
}

void Worker::back_off(std::uint32_t idle_turns, const IdlePolicy& policy) {
  if (idle_turns <= policy.busy_turns) {
    __builtin_ia32_pause();
  } else if (policy.sleep == Duration::zero() || idle_turns - policy.busy_turns <= policy.yield_turns) {
    if (policy.yield_turns > 0) sched_yield();
  } else {
    sleep(policy.sleep);
  }
}

ApplicationRecord& Worker::add_application(ApplicationId id) {
  if (applications_.size() <= id.value) applications_.resize(id.value + std::size_t{1});
  applications_[id.value] = std::make_unique<ApplicationRecord>();
  applications_[id.value]->id = id;
  return *applications_[id.value];
}

void Worker::attach(InlineEvents& events) {
  application(kInlineApplications)->events = &events;
}

void Worker::attach(ApplicationId application, Channel& channel) {
  add_application(application).channel = std::make_unique<ChannelEnd>(channel, channel_counters_);
}

WorkerCounters Worker::counters() const {
  drivers::QueueCounters queues;
  for (drivers::Port* const port : stack_.ports) {
    const std::uint16_t count = std::max(port->info().receive_queues, port->info().transmit_queues);
    for (std::uint32_t queue = self_.value; queue < count; queue += stack_.workers())
      queues += port->queue_counters(static_cast<std::uint16_t>(queue));
  }
  return {counters_, association_counters_, endpoint_counters_, ip_.counters(), channel_counters_, queues};
}

// assoc::Host and ip::FrameSink

base::Buffer Worker::allocate_packet(std::uint32_t bytes, std::uint16_t port) noexcept {
  // What is for a port without a link is dropped below, and waits for nothing.
  if (ip_.link_up(port) && !transmitter_.has_room(port)) {
    ++counters_.tx_back_pressure;
    return {};
  }
  return transmitter_.allocate(bytes);
}

bool Worker::has_room_everywhere() const {
  for (std::uint16_t port = 0; port < stack_.ports.size(); ++port)
    if (ip_.link_up(port) && !transmitter_.has_room(port)) return false;
  return true;
}

void Worker::transmit(base::OutboundPacket&& packet) noexcept {
  transmitter_.send(std::move(packet), ip_, now_);
}

bool Worker::resolve(base::Departure& route, std::uint16_t& mtu, std::uint16_t& port) noexcept {
  route.next_hop = ip_.resolve(route.destination, route.source);
  if (route.next_hop == 0) return false;
  mtu = ip_.mtu(route.next_hop);
  port = ip_.port(route.next_hop);
  // What is answered to another port's address would need that port's way, too: two ports are two ways.
  if (!ip_.has_address(port, route.source))
    if (const auto source = ip_.source_for(route.destination)) route.source = *source;
  return true;
}

bool Worker::send_frame(std::uint16_t port, base::Buffer&& frame) noexcept {
  return transmitter_.send_frame(port, std::move(frame));
}

base::Buffer Worker::allocate_frame(std::uint16_t, std::uint32_t bytes) noexcept {
  return transmitter_.allocate_frame(bytes);
}

}  // namespace sluice::worker
