#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "stack/assoc/association.hpp"
#include "stack/assoc/pools.hpp"
#include "stack/base/clock.hpp"
#include "stack/endpoint/association_table.hpp"
#include "stack/endpoint/cookie.hpp"
#include "stack/endpoint/owner_role.hpp"
#include "stack/endpoint/responder.hpp"
#include "stack/ip/layer.hpp"
#include "stack/worker/application.hpp"
#include "stack/worker/association_record.hpp"
#include "stack/worker/association_store.hpp"
#include "stack/worker/counters.hpp"
#include "stack/worker/endpoint_coordinator.hpp"
#include "stack/worker/stack_state.hpp"
#include "stack/worker/timer_wheel.hpp"
#include "stack/worker/transmitter.hpp"

namespace sluice::worker {

/// What one worker is given; outlives it. Nothing of it is used by another worker, except that blocks of the transmit
/// and receive pools may be released there.
struct WorkerResources {
  base::Clock& clock;
  base::Random& random;
  base::BufferSource& transmit;    ///< for packets that it sends
  base::BufferSource& receive;     ///< where received packets come from: asked only how much is left
  base::BufferSource& copies;      ///< where received data that must wait is copied to
  base::BufferSource& reassembly;  ///< blocks of ip::Layer::kReassemblyBytes
};

/// All counters of one worker, by room.
struct WorkerCounters {
  const Counters& worker;
  const assoc::Counters& association;
  const endpoint::Counters& endpoint;
  const ip::Counters& ip;
  const ChannelCounters& channel;
  drivers::QueueCounters queue;  ///< of all its ports together
};

/// Calls visit("room.name", help, value) for every counter of a worker, always in the same order.
template <class Visit>
void visit_counters(const WorkerCounters& counters, Visit&& visit) {
  const auto visit_room = [&](const char* room, const auto& of) {
    of.for_each([&](const char* name, const char* help, std::uint64_t value) { visit(room, name, help, value); });
  };
  visit_room("worker", counters.worker);
  visit_room("association", counters.association);
  visit_room("endpoint", counters.endpoint);
  visit_room("ip", counters.ip);
  visit_room("channel", counters.channel);
  visit_room("queue", counters.queue);
}

/// The loop of one core, and all that it owns: its share of the associations, a replica of every endpoint and of the
/// network layer, its part of the directory. One thread's, except where it says so.
///
/// An application that runs in the worker's own thread calls the same functions that commands from rings come to,
/// between poll turns; events never call the application back, they wait in its InlineEvents.
class Worker final : private assoc::Host, private ip::FrameSink, private EndpointCoordinator::Outlet {
 public:
  Worker(StackState& stack, endpoint::WorkerId self, const WorkerResources& resources);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  endpoint::WorkerId id() const { return self_; }

  /// One turn of the loop: reads the clock; receives; takes what other workers and applications want; lets timers fire;
  /// lets every association that was touched send; transmits. False if there was nothing to do.
  bool poll_once();
  /// When poll_once() has something to do at the latest if nothing arrives.
  Timestamp next_deadline() const;
  /// Whether poll_once() would find something to do now, besides what the ports have received.
  bool has_work() const;
  /// Sleeps until something arrives, `limit` has passed or a deadline comes.
  void sleep(Duration limit);
  /// Counts a turn of the thread that had nothing to do, and backs off as the policy says.
  void back_off(std::uint32_t idle_turns, const IdlePolicy& policy);

  /// The application that runs workers' loops takes the events of this one in this thread from now on, those that
  /// waited for it included.
  void attach(InlineEvents& events);
  /// An application behind rings; see WorkerGroup::attach().
  void attach(ApplicationId application, Channel& channel);

  // Commands. Those with a request are answered by a Reply; `application` asks.
  void open_endpoint(ApplicationId application, const OpenEndpointArguments& arguments, std::uint64_t request);
  /// Aborts its associations, each with an association_lost event.
  void close_endpoint(ApplicationId application, EndpointId endpoint, std::uint64_t request);
  void set_parameters(ApplicationId application, EndpointId endpoint, const Parameters& parameters,
                      std::uint64_t request);
  /// The answer is an association_up or a connect_failed event with this context; the association belongs to this
  /// worker.
  void connect(ApplicationId application, EndpointId endpoint, const ConnectArguments& arguments,
               std::uint64_t context);
  assoc::SendStatus send(AssocId association, assoc::SendRequest&& request);
  /// When what has this life time from now on is over; kNever: 0 is no limit.
  Timestamp expiry(Duration lifetime) const;
  /// False if there is no such association, or it ends already.
  bool shutdown(AssocId association);
  bool abort(AssocId association, std::string_view reason);
  bool set_primary(AssocId association, PathId path);
  bool request_heartbeat(AssocId association, PathId path);
  /// `options` are in range. False: there is no such path.
  bool set_path(AssocId association, PathId path, const PathOptions& options);
  /// As for an endpoint, but of one association from now on. False: there is no such association.
  bool set_parameters(AssocId association, const Parameters& parameters);
  /// Null if there is no such association; valid until its parameters change.
  const Parameters* parameters(AssocId association) const;
  /// False if there is no such association.
  bool snapshot(AssocId association, assoc::Snapshot& out) const;
  /// Snapshots of the associations whose ids follow `after`; returns how many.
  std::size_t snapshots(AssocId after, std::span<assoc::Snapshot> out) const;

  /// Aborts every association of this worker, so that the peers know; one more turn sends what there is to say.
  void abort_all(std::string_view reason);
  std::uint32_t associations() const { return store_.size(); }
  /// The association whose id follows `after`, for whoever looks on from the same thread; null when there is none.
  const assoc::Association* next_association(AssocId after) const {
    const AssociationRecord* const record = store_.next(after);
    return record != nullptr ? &record->association : nullptr;
  }
  WorkerCounters counters() const;
  const assoc::Pools& pools() const { return pools_; }
  const ip::Layer& ip() const { return ip_; }
  std::uint32_t directory_size() const { return directory_.size(); }

 private:
  struct ReceiveQueue {
    std::uint16_t port;
    std::uint16_t queue;
  };
  static constexpr std::size_t kBatch = drivers::kMaxBurst;
  static constexpr std::size_t kMostIcmpNotices = 16;  // that one turn heeds
  /// A port as associations see it: without a link, or with a transmit ring that stands still, it leads nowhere. When
  /// that changes they are told, some in each turn.
  struct PortWatch {
    bool link = true;
    bool stalled = false;
    bool telling = false;
    AssocId told;  // last
    bool up() const { return link && !stalled; }
  };

  bool has_room_everywhere() const;

  // assoc::Host
  base::Buffer allocate_packet(std::uint32_t bytes, std::uint16_t port) noexcept override;
  void transmit(base::OutboundPacket&& packet) noexcept override;
  bool deliver(const Event& event, base::Buffer& buffer) noexcept override;
  bool resolve(base::Departure& route, std::uint16_t& mtu, std::uint16_t& port) noexcept override;
  void addresses_gone(AssocId association, const assoc::AddressList& addresses) noexcept override;
  void wants_flush(AssocId association) noexcept override;
  // ip::FrameSink
  bool send_frame(std::uint16_t port, base::Buffer&& frame) noexcept override;
  base::Buffer allocate_frame(std::uint16_t port, std::uint32_t bytes) noexcept override;
  void on_icmp(const ip::IcmpNotice& notice) noexcept override;
  void on_neighbour(const ip::NeighbourUpdate& update) noexcept override;
  // EndpointCoordinator::Outlet
  void send_to_all(const ControlMessage& change) override;
  void answer(const EndpointReply& reply) override;

  // worker.cpp: the turn
  bool begin_turn();
  ApplicationRecord& add_application(ApplicationId id);
  void take_attachments();
  void end_turn();
  /// What the other workers are to have.
  void hand_over();
  void watch_links();
  void rotate_cookie_keys();
  bool has_input() const;
  bool has_output() const;
  bool waits_for_rings() const;

  // worker_receive.cpp: packets in
  bool receive_ports(bool everything);
  bool receive_queue(const ReceiveQueue& from, bool everything);
  void take_frame(std::uint16_t port, base::Buffer&& frame);
  void add_to_batch(base::InboundPacket&& packet);
  void process_batch();
  bool beyond_limits(std::span<const std::byte> packet);
  bool directory_is_here(std::span<const std::byte> packet) const;
  void verify_batch();
  void steer(base::InboundPacket&& packet, const endpoint::Route& route);
  void on_own_tag(base::InboundPacket&& packet, const endpoint::Route& route, endpoint::WorkerId received_by);
  void to_directory(base::InboundPacket&& packet, const endpoint::Route& route, endpoint::WorkerId received_by);
  void on_directory_packet(base::InboundPacket&& packet, endpoint::WorkerId received_by);
  void on_setup_packet(AssociationRecord& record, base::InboundPacket&& packet);
  void hand_to(AssociationRecord& record, base::InboundPacket&& packet);
  endpoint::WorkerId owner_for_new(const base::Arrival& arrival, endpoint::WorkerId received_by);
  void forward(endpoint::WorkerId to, PacketRecord::Kind kind, endpoint::WorkerId received_by, VTag tag,
               base::InboundPacket&& packet);
  bool take_forwarded(bool everything);
  bool take_packets(base::SpscRing<PacketRecord>& from, bool everything);
  void on_forwarded(PacketRecord& record);

  // worker_control.cpp: messages between workers, and endpoints
  void post(endpoint::WorkerId to, const ControlMessage& message);
  bool take_control();
  bool take_control(base::SpscRing<ControlMessage>& from);
  void offer(endpoint::WorkerId to, const ControlMessage& message, std::uint64_t& dropped);
  void push_overflow(endpoint::WorkerId to);
  void handle(const CreateMessage& message);
  void handle(const endpoint::DirectoryRequest& request);
  void handle(const endpoint::DirectoryReply& reply);
  void handle(const endpoint::DirectoryRelease& release);
  void handle(const endpoint::DirectoryRetag& retag);
  void handle(const OpenEndpointRequest& request);
  void handle(const CloseEndpointRequest& request);
  void handle(const SetParametersRequest& request);
  void handle(const EndpointReply& reply);
  void handle(const EndpointOpen& open);
  void handle(const EndpointListen& listen);
  void handle(const EndpointClose& close);
  void handle(const EndpointParameters& change);
  void handle(const EndpointDone& done);
  void handle(const endpoint::CookieKeys& keys);
  bool port_is_free(std::uint16_t port, const assoc::AddressList& addresses) const;
  bool addresses_are_ours(const assoc::AddressList& addresses) const;
  void end_associations(EndpointRecord& endpoint);
  bool end_some_associations();
  void end_first_association(EndpointRecord& endpoint);
  void close_if_empty(EndpointRecord& endpoint);
  void release(SharedParameters& parameters);

  // worker_network.cpp: what the network below tells
  void handle(const LinkChange& change);
  void watch_transmit_rings();
  void follow_port(std::uint16_t port, bool was_up);
  bool follow_links();
  void follow_icmp();
  void handle(const ip::NeighbourUpdate& update);
  void handle(const ip::IcmpNotice& notice);
  void handle(const IcmpMessage& message);

  // worker_associations.cpp: the life of associations
  AssociationRecord* make_association(EndpointRecord& endpoint, SharedParameters& parameters);
  SharedParameters& own_parameters(const Parameters& parameters);
  void begin_connect(AssociationRecord& record);
  std::optional<assoc::Handshake> handshake_for(const AssociationRecord& record);
  std::optional<IpAddress> source_for(const endpoint::Endpoint& endpoint, const IpAddress& peer) const;
  void refuse_connect(ApplicationRecord& application, EndpointId endpoint, std::uint64_t context, Reason reason);
  void follow_tag(AssociationRecord& record);
  void follow_addresses(AssociationRecord& record);
  void release_addresses(AssociationRecord& record);
  endpoint::WorkerId directory_of(const AssociationRecord& record) const;
  void touch(AssociationRecord& record);
  bool settle(AssociationRecord& record);
  bool flush_dirty();
  bool fire_timers();
  bool resume_waiting();
  void came_up(AssociationRecord& record);
  void park(AssociationRecord& record, assoc::SendRequest&& request);
  void send_parked(AssociationRecord& record);
  void fail_send(AssociationRecord& record, assoc::SendRequest&& request, Reason reason);
  void fail_parked(AssociationRecord& record);
  void dispose(AssociationRecord& record);

  // worker_commands.cpp: what applications ask through rings
  bool take_commands();
  void execute(ApplicationRecord& application, const CommandRecord& command);
  void send_command(ApplicationRecord& application, const CommandRecord& command, base::Buffer&& payload);
  void control_command(ApplicationRecord& application, const CommandRecord& command, const base::Buffer& payload);
  bool adjust(const CommandRecord& command, const base::Buffer& payload);
  void report_command(ApplicationRecord& application, const CommandRecord& command, const base::Buffer& payload);
  AssociationRecord* find_for(const ApplicationRecord& application, AssocId association) const;
  ApplicationRecord* application(ApplicationId id) const;
  void watch_leaving();
  void leave(ApplicationRecord& application);

  StackState& stack_;
  const endpoint::WorkerId self_;
  const WorkerResources resources_;
  const bool alone_;  // the only worker
  Timestamp now_;
  Timestamp last_turn_;

  Counters counters_;
  assoc::Counters association_counters_;
  endpoint::Counters endpoint_counters_;
  ChannelCounters channel_counters_;

  Transmitter transmitter_;
  ip::Layer ip_;
  std::vector<ReceiveQueue> receive_queues_;
  std::array<base::Buffer, drivers::kMaxBurst> frames_;  // of one burst
  std::vector<base::InboundPacket> batch_;
  std::vector<std::deque<ControlMessage>> overflow_;  // by worker
  bool worked_ = false;

  assoc::Pools pools_;
  assoc::Services association_services_;
  AssociationStore store_;
  base::ObjectPool<OpeningAttempt> attempts_;
  base::ObjectPool<ParkedSend> parked_;
  base::ObjectPool<SharedParameters> parameters_;
  TimerWheel wheel_;
  base::IntrusiveList<AssociationRecord, Dirty> dirty_;

  endpoint::Steering steering_;
  endpoint::EndpointTable endpoint_table_;
  endpoint::CookieSealer cookies_;
  endpoint::RateLimit inits_;
  endpoint::RateLimit forged_;
  endpoint::RateLimit answers_;
  endpoint::AssociationTable<AssociationRecord> tags_;
  endpoint::Directory directory_;
  endpoint::Services endpoint_services_;
  endpoint::Responder responder_;
  endpoint::OwnerRole owner_role_;
  endpoint::CreateOrder order_;  // the last one: too large to be made for every packet that turns out to be none

  std::map<std::uint32_t, std::unique_ptr<EndpointRecord>> endpoints_;
  std::vector<std::unique_ptr<ApplicationRecord>> applications_;  // by ApplicationId
  std::vector<EndpointId> ending_;                                // whose associations are being ended
  ApplicationRecord nobody_;  // whose endpoints are those of an application that left before they were here
  std::vector<CommandRecord> commands_;
  std::vector<PortWatch> port_watches_;  // by port
  base::BoundedVector<ip::IcmpNotice, kMostIcmpNotices> icmp_notices_;
  std::uint32_t next_owner_ = 0;  // where the search for the least loaded worker begins

  // The control worker's.
  std::unique_ptr<EndpointCoordinator> coordinator_;
  std::vector<bool> links_;
  Timestamp next_link_watch_;
  Timestamp next_key_rotation_ = kNever;
};

}  // namespace sluice::worker
