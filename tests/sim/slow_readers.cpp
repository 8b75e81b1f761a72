#include "tests/sim/slow_readers.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "tests/sim/sim_stack.hpp"

namespace sluice::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr std::uint16_t kBusyPort = 5000;
constexpr std::uint16_t kSlowPort = 6000;
constexpr std::uint32_t kWindow = 16'384;
constexpr std::uint32_t kSendBuffer = 65'536;
constexpr Duration kFillingTime = seconds(30);

/// One stack sends to two applications of the other, each behind rings of its own; one of them never takes an event.
class SlowReaders {
 public:
  explicit SlowReaders(std::uint64_t seed) : random_(seed), wire_(clock_, random_) {
    SimStackOptions options;
    options.config.parameters.receive_window = kWindow;
    options.config.parameters.send_buffer = kSendBuffer;
    options.events = 4096;
    sender_ = std::make_unique<SimStack>(wire_, clock_, random_.u64(), options);
    options.name = "b";
    options.host = 2;
    receiver_ = std::make_unique<SimStack>(wire_, clock_, random_.u64(), options);
    worker::ApplicationRings::Options rings;
    rings.send_arena = worker::ArenaLayout::kLeastBytes;
    busy_ = std::make_unique<worker::ApplicationRings>(receiver_->group(), rings);
    slow_ = std::make_unique<worker::ApplicationRings>(receiver_->group(), rings);
    drivers::WireConditions conditions;
    conditions.delay = microseconds(500);
    conditions.bits_per_second = 20'000'000;
    conditions.queue_refuses = true;
    wire_.set_conditions(conditions);
  }

  /// Bytes that the busy association's application took in `time`, after the others have filled up.
  std::uint64_t run(std::uint32_t readers, bool send_to_readers, Duration time) {
    open(*busy_, kBusyPort);
    open(*slow_, kSlowPort);
    calling_ = sender_->open({});
    for (std::uint32_t i = 0; i < readers; ++i) connect(kSlowPort);
    step_for(seconds(2));
    slow_flows_ = up_;
    up_.clear();
    if (slow_flows_.size() != readers) throw std::runtime_error("not every association came up");
    connect(kBusyPort);
    step_for(seconds(1));
    busy_flow_ = up_.at(0);
    sending_ = true;
    send_to_readers_ = send_to_readers;
    step_for(kFillingTime);
    if (send_to_readers) check_readers_are_full();
    taken_ = 0;
    step_for(time);
    if (send_to_readers) check_readers_are_full();
    sending_ = false;
    const std::uint64_t result = taken_;
    leave();
    return result;
  }

 private:
  void open(worker::ApplicationRings& rings, std::uint16_t port) {
    worker::OpenEndpointArguments arguments;
    arguments.port = port;
    arguments.listen = true;
    const auto piece = rings.arena().allocate(sizeof arguments);
    std::memcpy(piece->bytes.data(), &arguments, sizeof arguments);
    worker::CommandRecord record;
    record.type = worker::CommandType::open_endpoint;
    record.block = piece->block;
    record.length = sizeof arguments;
    if (!rings.channel(0).command(record)) throw std::runtime_error("no room for a command");
    rings.publish();
  }
  void connect(std::uint16_t port) {
    worker::ConnectArguments arguments;
    arguments.peers = {receiver_->v4()};
    arguments.port = port;
    sender_->worker().connect(kInline, calling_, arguments, 0);
  }
  void step_for(Duration time) {
    const Timestamp end = clock_.now() + time;
    while (clock_.now() < end) {
      bool any = sender_->group().poll_all();
      any |= receiver_->group().poll_all();
      any |= take_sender_events();
      any |= take_busy_events();
      if (sending_) any |= send();
      if (any) continue;
      const Timestamp next =
          std::min({sender_->group().next_deadline(), receiver_->group().next_deadline(), wire_.next_event(), end});
      clock_.advance_to(std::max(next, clock_.now() + microseconds(20)));
    }
  }
  bool take_sender_events() {
    std::vector<Event> events(64);
    const std::size_t n = sender_->events().poll(events);
    for (std::size_t i = 0; i < n; ++i) {
      if (events[i].type == EventType::association_up) up_.push_back(events[i].association);
      if (events[i].type == EventType::writable && events[i].association == busy_flow_) busy_blocked_ = false;
    }
    return n > 0;
  }
  bool take_busy_events() {
    std::vector<worker::EventRecord> records(64);
    const std::size_t n = busy_->channel(0).poll(records);
    for (std::size_t i = 0; i < n; ++i) {
      if (records[i].lent == worker::EventRecord::kNotLent) continue;
      taken_ += records[i].length;
      busy_->channel(0).give_back(records[i].lent);
    }
    busy_->publish();
    return n > 0;
  }
  bool send() {
    const std::vector<std::byte> message(1000);
    bool any = false;
    for (int i = 0; i < 16 && !busy_blocked_; ++i) {
      busy_blocked_ = sender_->send(busy_flow_, message) == assoc::SendStatus::would_block;
      any |= !busy_blocked_;
    }
    // Each of the others is filled up once; what it takes later is nothing, for nobody reads it.
    for (std::uint32_t i = 0; send_to_readers_ && i < 4 && filled_ < slow_flows_.size(); ++i) {
      if (sender_->send(slow_flows_[filled_], message) == assoc::SendStatus::would_block) ++filled_;
      any = true;
    }
    return any;
  }
  /// What they were sent fills their windows, and behind those their senders' buffers.
  void check_readers_are_full() {
    if (filled_ < slow_flows_.size()) throw std::runtime_error("not every reader's sender was filled up");
    for (const AssocId flow : slow_flows_) {
      assoc::Snapshot snapshot;
      if (!sender_->worker().snapshot(flow, snapshot)) throw std::runtime_error("a reader's association is gone");
      if (snapshot.buffered_bytes < kSendBuffer / 2 || snapshot.peer_window >= kWindow / 2)
        throw std::runtime_error("a reader's application took what it was not to take");
    }
  }
  void leave() {
    sender_->worker().abort_all("done");
    busy_->close();
    slow_->close();
    step_for(seconds(10));
    if (!busy_->detached() || !slow_->detached()) throw std::runtime_error("an application could not leave");
    if (receiver_->buffers_out() != 0)
      throw std::runtime_error("buffers did not come back: " + receiver_->buffers_by_pool());
  }

  base::SimClock clock_;
  base::SeededRandom random_;
  drivers::MemoryWire wire_;
  std::unique_ptr<SimStack> sender_;
  std::unique_ptr<SimStack> receiver_;
  std::unique_ptr<worker::ApplicationRings> busy_;
  std::unique_ptr<worker::ApplicationRings> slow_;
  EndpointId calling_;
  std::vector<AssocId> up_;
  std::vector<AssocId> slow_flows_;
  std::size_t filled_ = 0;
  AssocId busy_flow_;
  bool busy_blocked_ = false;
  bool sending_ = false;
  bool send_to_readers_ = false;
  std::uint64_t taken_ = 0;
};

std::uint64_t measure(std::uint64_t seed, std::uint32_t readers, bool send_to_readers) {
  // What fails is left behind: its stacks hold buffers of each other's.
  auto* const running = new SlowReaders(seed);
  const std::uint64_t bytes = running->run(readers, send_to_readers, seconds(60));
  delete running;
  return bytes;
}

}  // namespace

SlowReaderResult slow_readers(std::uint64_t seed, std::uint32_t readers) {
  return {measure(seed, readers, false), measure(seed, readers, true)};
}

}  // namespace sluice::sim
