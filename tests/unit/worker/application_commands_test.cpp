// What applications ask of associations and endpoints of theirs (RFC 9260 §11.1), through rings and by a worker's
// calls.
#include <gtest/gtest.h>

#include <optional>

#include "stack/wire/chunk_init.hpp"
#include "tests/unit/worker/rings_client.hpp"
#include "tests/unit/worker/stack_pair.hpp"

namespace sluice::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::ChunkType;

constexpr std::uint16_t kPort = 5000;
constexpr Duration kLongest = std::chrono::hours(24 * 31);

PathOptions heartbeats_each(Duration interval) {
  return {interval, std::nullopt};
}

PathOptions retransmissions(std::uint16_t most) {
  return {std::nullopt, most};
}

struct Delivery {
  bool rings;
  std::uint16_t workers;
};

/// `a` listens; the application that asks is b's, and the two have two paths.
class ApplicationCommands : public testing::TestWithParam<Delivery>, protected StackPair {
 protected:
  ApplicationCommands() {
    options.workers = GetParam().workers;
    options.ports = 2;
    make_stacks();
    listening = a.open(kPort, true);
    if (GetParam().rings) client = make_client();
  }
  ~ApplicationCommands() override {
    for (const auto* each : {&client, &other})
      if (*each) (*each)->close();
    run(seconds(5));
    for (const auto* each : {&client, &other}) EXPECT_TRUE(*each == nullptr || (*each)->detached());
  }
  std::unique_ptr<RingsClient> make_client() {
    ApplicationRings::Options rings;
    rings.send_arena = ArenaLayout::kLeastBytes * 16;
    return std::make_unique<RingsClient>(b->group(), rings);
  }
  bool take() override {
    StackPair::take();
    const bool took = client != nullptr && client->take();
    return (other != nullptr && other->take()) || took;
  }

  // Through rings alone
  CommandStatus status_of(RingsClient& asking, std::uint16_t worker, const CommandRecord& record) {
    asking.command(worker, record);
    settle();
    return static_cast<CommandStatus>(asking.reply_to(record.request).error);
  }
  CommandStatus status_of(std::uint16_t worker, const CommandRecord& record) {
    return status_of(*client, worker, record);
  }
  static CommandRecord about(CommandRecord record, AssocId association) {
    record.association = association;
    return record;
  }
  static CommandRecord about(RingsClient& asking, CommandType type, AssocId association, std::uint32_t value) {
    CommandRecord record;
    record.type = type;
    record.association = association;
    record.value = value;
    record.request = ++asking.requests;
    return record;
  }
  /// The four commands that change an association, each with arguments that are in range.
  static std::vector<CommandRecord> changes_of(RingsClient& asking, AssocId association) {
    Parameters parameters;
    parameters.heartbeat_interval = seconds(77);
    return {about(asking, CommandType::set_primary, association, 1),
            about(asking, CommandType::request_heartbeat, association, 1),
            about(asking.with_block(CommandType::set_path, as_arguments(PathId(1), {seconds(2), 1})), association),
            about(asking.with_block(CommandType::set_association_parameters, parameters), association)};
  }

  // Either way
  bool done(const CommandRecord& record) {
    return status_of(owner_of(record.association), record) == CommandStatus::done;
  }
  bool set_primary(AssocId association, PathId path) {
    if (client == nullptr) return b.owner(association).set_primary(association, path);
    return done(about(*client, CommandType::set_primary, association, path.value));
  }
  bool request_heartbeat(AssocId association, PathId path) {
    if (client == nullptr) return b.owner(association).request_heartbeat(association, path);
    return done(about(*client, CommandType::request_heartbeat, association, path.value));
  }
  bool set_path(AssocId association, PathId path, const PathOptions& change) {
    if (client == nullptr) return b.owner(association).set_path(association, path, change);
    return done(about(client->with_block(CommandType::set_path, as_arguments(path, change)), association));
  }
  bool set_parameters(AssocId association, const Parameters& parameters) {
    if (client == nullptr) return b.owner(association).set_parameters(association, parameters);
    return done(about(client->with_block(CommandType::set_association_parameters, parameters), association));
  }
  std::optional<Parameters> parameters(AssocId association) {
    if (client == nullptr) {
      const Parameters* const of = b.owner(association).parameters(association);
      return of != nullptr ? std::optional(*of) : std::nullopt;
    }
    return filled<Parameters>(CommandType::parameters, association);
  }
  std::optional<assoc::Snapshot> status(AssocId association) {
    if (client != nullptr) return filled<assoc::Snapshot>(CommandType::status, association);
    assoc::Snapshot snapshot;
    return b.owner(association).snapshot(association, snapshot) ? std::optional(snapshot) : std::nullopt;
  }
  /// What a worker writes into a block of the command.
  template <class Contents>
  std::optional<Contents> filled(CommandType type, AssocId association) {
    const CommandRecord record = about(client->with_block(type, Contents{}), association);
    if (!done(record)) return std::nullopt;
    EXPECT_EQ(client->reply_to(record.request).length, sizeof(Contents));
    Contents contents;
    std::memcpy(static_cast<void*>(&contents), client->block(record).data(), sizeof contents);
    return contents;
  }

  Reply inline_reply(StackSide& side) {
    settle();
    Reply reply;
    EXPECT_TRUE(side->events(0).poll_reply(reply));
    EXPECT_EQ(reply.request, 9u);
    return reply;
  }
  CommandStatus set_parameters(EndpointId of, const Parameters& parameters) {
    if (client == nullptr) {
      b->worker().set_parameters(sim::kInline, of, parameters, 9);
      return inline_reply(b).status;
    }
    CommandRecord record = client->with_block(CommandType::set_parameters, parameters);
    record.endpoint = of;
    return status_of(0, record);
  }
  CommandStatus open(const OpenEndpointArguments& arguments) {
    if (client == nullptr) {
      b->worker().open_endpoint(sim::kInline, arguments, 9);
      const Reply reply = inline_reply(b);
      endpoint = reply.endpoint;
      return reply.status;
    }
    const CommandRecord record = client->with_block(CommandType::open_endpoint, arguments);
    const CommandStatus status = status_of(0, record);
    endpoint = client->reply_to(record.request).endpoint;
    return status;
  }
  /// From `endpoint` to a, over both paths.
  AssocId connect(std::uint16_t worker = UINT16_MAX) {
    worker = std::min<std::uint16_t>(worker, static_cast<std::uint16_t>(b->workers() - 1));
    ConnectArguments arguments;
    arguments.peers = {a->v4(0), a->v4(1)};
    arguments.port = kPort;
    if (client == nullptr) {
      b->worker(worker).connect(sim::kInline, endpoint, arguments, 0);
    } else {
      CommandRecord record = client->with_block(CommandType::connect, arguments);
      record.endpoint = endpoint;
      client->command(worker, record);
    }
    run(seconds(1));
    const std::vector<Event>& told = client != nullptr ? client->events : b.events;
    for (auto event = told.rbegin(); event != told.rend(); ++event)
      if (event->type == EventType::association_up) return event->association;
    ADD_FAILURE() << "did not come up";
    return {};
  }
  AssocId open_and_connect() {
    OpenEndpointArguments arguments;  // IPv4 alone, so that path N is by port N
    arguments.addresses = {b->v4(0), b->v4(1)};
    EXPECT_EQ(open(arguments), CommandStatus::done);
    const AssocId association = connect();
    run(seconds(5));  // until no address waits to be confirmed
    return association;
  }
  bool abort(AssocId association) {
    if (client == nullptr) return b.owner(association).abort(association, "");
    client->command(owner_of(association), about(*client, CommandType::abort, association, 0));
    return true;
  }

  /// HEARTBEATs of b's to an address of a's, within `time`.
  std::size_t heartbeats(std::uint16_t path, Duration time) {
    sent.clear();
    run(time);
    return sent_heartbeats(path);
  }
  std::size_t sent_heartbeats(std::uint16_t path) const {
    const std::vector<SentPacket> all = sent_by(b->v4(path), ChunkType::heartbeat);
    return static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [&](const SentPacket& packet) { return packet.destination == a->v4(path); }));
  }
  /// Whether `side` probes the idle paths of an association each two seconds and RTO, which is a second, and not each
  /// 30 seconds.
  bool probes_often(StackSide& side, AssocId association) {
    const VTag tag = side.state_of(association).peer_tag;
    sent.clear();
    run(seconds(60));
    const std::vector<SentPacket> all = sent_by(side->v4(0), ChunkType::heartbeat);
    const auto count =
        std::count_if(all.begin(), all.end(), [&](const SentPacket& packet) { return packet.tag() == tag; });
    EXPECT_TRUE(count <= 3 || (count >= 15 && count <= 25)) << count;
    return count > 3;
  }

  std::unique_ptr<RingsClient> client;  // null: the application runs in the workers' loops
  std::unique_ptr<RingsClient> other;   // another application on b
  EndpointId listening, endpoint;
};

TEST_P(ApplicationCommands, NewDataGoesToThePrimaryPath) {  // §11.1.6
  const AssocId association = open_and_connect();
  for (const std::uint8_t path : {1, 0}) {
    EXPECT_TRUE(set_primary(association, PathId(path)));
    EXPECT_TRUE(status(association)->paths[path].primary);
    EXPECT_FALSE(status(association)->paths[1 - path].primary);
    sent.clear();
    EXPECT_EQ(b.send(association, "x"), assoc::SendStatus::queued);
    run(seconds(1));
    const std::vector<SentPacket> data = sent_by(b->v4(path), ChunkType::data);
    ASSERT_EQ(data.size(), 1u);
    EXPECT_EQ(data[0].destination, a->v4(path));
  }
  EXPECT_FALSE(set_primary(association, PathId(2)));
  EXPECT_TRUE(status(association)->paths[0].primary);
}

TEST_P(ApplicationCommands, AHeartbeatThatIsAskedForLeavesAtOnce) {  // §11.1.10
  const AssocId association = open_and_connect();
  for (const std::uint8_t path : {1, 0, 1}) {
    run(milliseconds(100));
    sent.clear();
    const Timestamp before = clock.now();
    EXPECT_TRUE(request_heartbeat(association, PathId(path)));
    settle();
    EXPECT_EQ(clock.now(), before);
    EXPECT_EQ(sent_heartbeats(path), 1u);
    EXPECT_EQ(sent_heartbeats(1 - path), 0u);
    EXPECT_EQ(sent_by(a->v4(path), ChunkType::heartbeat_ack).size(), 1u);
  }
  sent.clear();
  EXPECT_FALSE(request_heartbeat(association, PathId(2)));
  settle();
  EXPECT_TRUE(sent.empty());
}

TEST_P(ApplicationCommands, OnePathHasAHeartbeatIntervalOfItsOwn) {  // §11.1.9
  const AssocId association = open_and_connect();
  EXPECT_LE(heartbeats(1, seconds(60)), 3u);
  EXPECT_TRUE(set_path(association, PathId(1), heartbeats_each(seconds(1))));
  const std::size_t many = heartbeats(1, seconds(60));  // one each second and RTO, which is a second, too
  EXPECT_GE(many, 25u);
  EXPECT_LE(many, 40u);
  EXPECT_LE(sent_heartbeats(0), 3u);
  EXPECT_TRUE(set_path(association, PathId(1), heartbeats_each(Duration(0))));
  run(seconds(3));
  EXPECT_EQ(heartbeats(1, seconds(120)), 0u);
  EXPECT_GE(sent_heartbeats(0), 3u);
  EXPECT_FALSE(set_path(association, PathId(2), heartbeats_each(seconds(1))));
}

TEST_P(ApplicationCommands, OnePathHasAMaximumOfRetransmissionsOfItsOwn) {  // §11.1.12
  const AssocId association = open_and_connect();
  EXPECT_TRUE(set_path(association, PathId(1), retransmissions(0)));
  // What is not named stays.
  EXPECT_TRUE(set_path(association, PathId(1), heartbeats_each(seconds(1))));
  EXPECT_TRUE(set_path(association, PathId(0), heartbeats_each(seconds(1))));
  wire.set_conditions({.down = true});
  run(seconds(6));
  EXPECT_EQ(status(association)->paths[1].state, PathState::inactive);
  EXPECT_EQ(status(association)->paths[0].state, PathState::active) << "5 may stay unanswered there";
  EXPECT_GE(status(association)->paths[0].error_count, 1u);
  EXPECT_FALSE(set_path(association, PathId(2), retransmissions(1)));
}

TEST_P(ApplicationCommands, AnAssociationGetsOtherParameters) {  // §11.1.13
  const AssocId association = open_and_connect();
  EXPECT_EQ(parameters(association), Parameters());
  EXPECT_FALSE(probes_often(b, association));
  EXPECT_TRUE(set_path(association, PathId(1), heartbeats_each(Duration(0))));
  Parameters changed;
  changed.sack_delay = milliseconds(350);
  changed.heartbeat_interval = seconds(2);
  EXPECT_TRUE(set_parameters(association, changed));
  EXPECT_EQ(parameters(association), changed);
  EXPECT_TRUE(probes_often(b, association));
  EXPECT_GE(sent_heartbeats(1), 15u) << "what a path had of its own is gone";
  // That of the same endpoint which begins later has the endpoint's.
  const AssocId later = connect();
  EXPECT_NE(later, association);
  EXPECT_EQ(parameters(later), Parameters());
  EXPECT_EQ(parameters(association), changed);
}

TEST_P(ApplicationCommands, ParametersOfAnEndpointAreThoseOfLaterAssociations) {
  const AssocId before = open_and_connect();
  Parameters changed;
  changed.heartbeat_interval = seconds(2);
  EXPECT_EQ(set_parameters(endpoint, changed), CommandStatus::done);
  for (std::uint16_t worker = 0; worker < b->workers(); ++worker) {
    const AssocId after = connect(worker);
    EXPECT_EQ(owner_of(after), worker);
    EXPECT_EQ(parameters(after), changed);
    EXPECT_TRUE(probes_often(b, after));
  }
  EXPECT_EQ(parameters(before), Parameters());
  EXPECT_FALSE(probes_often(b, before));
}

TEST_P(ApplicationCommands, ParametersOfAListeningEndpointAreThoseOfItsPeers) {
  const AssocId before = other_end(b, open_and_connect());
  Parameters changed;
  changed.heartbeat_interval = seconds(2);
  changed.receive_window = 123'456;
  a->worker().set_parameters(sim::kInline, listening, changed, 9);
  EXPECT_EQ(inline_reply(a).status, CommandStatus::done);
  sent.clear();
  const AssocId after = other_end(b, connect());
  const std::vector<SentPacket> init_acks = sent_by(a->v4(0), ChunkType::init_ack);
  ASSERT_FALSE(init_acks.empty());
  EXPECT_EQ(wire::InitChunk::parse(*wire::chunks_of(init_acks[0].bytes).next())->window(), 123'456u);
  EXPECT_EQ(*a.owner(after).parameters(after), changed);
  EXPECT_TRUE(probes_often(a, after));
  EXPECT_EQ(*a.owner(before).parameters(before), Parameters());
  EXPECT_FALSE(probes_often(a, before));
}

TEST_P(ApplicationCommands, AnEndpointIsOpenedWithParametersOfItsOwn) {
  OpenEndpointArguments arguments;
  arguments.parameters.heartbeat_interval = seconds(2);
  arguments.parameters.receive_window = 55'555;
  arguments.parameters.outbound_streams = 3;
  ASSERT_EQ(open(arguments), CommandStatus::done);
  EXPECT_EQ(parameters(connect()), Parameters()) << "it does not say that it has any";
  arguments.has_parameters = true;
  ASSERT_EQ(open(arguments), CommandStatus::done);
  sent.clear();
  const AssocId association = connect();
  const std::vector<SentPacket> inits = sent_by(b->v4(0), ChunkType::init);
  ASSERT_FALSE(inits.empty());
  const auto init = wire::InitChunk::parse(*wire::chunks_of(inits[0].bytes).next());
  EXPECT_EQ(init->window(), 55'555u);
  EXPECT_EQ(init->outbound_streams(), 3u);
  EXPECT_EQ(parameters(association), arguments.parameters);
  EXPECT_TRUE(probes_often(b, association));
  arguments.parameters.sack_delay = milliseconds(501);
  EXPECT_EQ(open(arguments), CommandStatus::bad_arguments);
}

TEST_P(ApplicationCommands, ParametersOfAnEndpointThatIsNotTheirOwnOrOutOfRangeAreRefused) {
  open_and_connect();
  Parameters bad;
  bad.sack_delay = milliseconds(501);
  EXPECT_EQ(set_parameters(endpoint, bad), CommandStatus::bad_arguments);
  EXPECT_EQ(set_parameters(EndpointId(99), Parameters()), CommandStatus::no_endpoint);
  other = make_client();
  const CommandRecord opened = other->with_block(CommandType::open_endpoint, OpenEndpointArguments());
  EXPECT_EQ(status_of(*other, 0, opened), CommandStatus::done);
  Parameters changed;
  changed.heartbeat_interval = seconds(2);
  EXPECT_EQ(set_parameters(other->reply_to(opened.request).endpoint, changed), CommandStatus::no_endpoint);
  CommandRecord record = other->with_block(CommandType::set_parameters, changed);
  record.endpoint = endpoint;
  EXPECT_EQ(status_of(*other, 0, record), CommandStatus::no_endpoint);
  EXPECT_EQ(parameters(connect()), Parameters()) << "nothing of all that was taken over";
}

TEST_P(ApplicationCommands, AnAssociationThatIsGoneHasNothingToChangeOrToTell) {
  const AssocId association = open_and_connect();
  EXPECT_TRUE(abort(association));
  run(seconds(1));
  connect();  // perhaps in the same place
  EXPECT_FALSE(set_primary(association, PathId(0)));
  EXPECT_FALSE(request_heartbeat(association, PathId(0)));
  EXPECT_FALSE(set_path(association, PathId(0), retransmissions(1)));
  EXPECT_FALSE(set_parameters(association, Parameters()));
  EXPECT_FALSE(parameters(association));
  EXPECT_FALSE(status(association));
}

TEST_P(ApplicationCommands, StatusIsThatOfTheAssociation) {  // §11.1.8
  const AssocId association = open_and_connect();
  EXPECT_EQ(a.send(other_end(b, association), "hello"), assoc::SendStatus::queued);
  run(seconds(1));
  const auto here = status(association);
  ASSERT_TRUE(here);
  const assoc::Snapshot there = a.state_of(other_end(b, association));
  EXPECT_EQ(here->id, association);
  EXPECT_EQ(here->endpoint, endpoint);
  EXPECT_EQ(here->state, assoc::State::established);
  EXPECT_EQ(here->peer_port, kPort);
  EXPECT_EQ(here->local_port, there.peer_port);
  EXPECT_EQ(here->local_tag, there.peer_tag);
  EXPECT_EQ(here->peer_tag, there.local_tag);
  EXPECT_EQ(here->inbound_streams, there.outbound_streams);
  EXPECT_EQ(here->data_chunks_received, 1u);
  ASSERT_EQ(here->paths.size(), 2u);
  for (const std::uint16_t path : {0, 1}) {
    EXPECT_EQ(here->paths[path].destination, a->v4(path));
    EXPECT_EQ(here->paths[path].source, b->v4(path));
    EXPECT_EQ(here->paths[path].state, PathState::active);
  }
}

/// What only another process can ask: records that are wrong in some way.
class RingCommands : public ApplicationCommands {};

TEST_P(RingCommands, AnAssociationOfAnotherApplicationIsNoneToChange) {
  const AssocId association = open_and_connect();
  other = make_client();
  settle();
  sent.clear();
  for (const CommandRecord& record : changes_of(*other, association))
    EXPECT_EQ(status_of(*other, owner_of(association), record), CommandStatus::no_association);
  for (const CommandType type : {CommandType::abort, CommandType::shutdown})
    other->command(owner_of(association), about(*other, type, association, 0));
  settle();
  EXPECT_TRUE(sent.empty());
  EXPECT_TRUE(status(association)->paths[0].primary);
  EXPECT_EQ(parameters(association), Parameters());
  for (const CommandRecord& record : changes_of(*client, association)) EXPECT_TRUE(done(record));
}

TEST_P(RingCommands, NoAssociationAndNoPathAreToldApart) {
  const AssocId association = open_and_connect();
  const AssocId none(association.value + 1);
  for (const CommandRecord& record : changes_of(*client, none))
    EXPECT_EQ(status_of(owner_of(none), record), CommandStatus::no_association);
  EXPECT_EQ(status_of(owner_of(none), about(client->with_block(CommandType::parameters, Parameters()), none)),
            CommandStatus::no_association);
  EXPECT_EQ(status_of(owner_of(none), about(client->with_block(CommandType::status, assoc::Snapshot()), none)),
            CommandStatus::no_association);
  for (const std::uint32_t path : {2u, 255u, 256u, 257u, UINT32_MAX})  // the low byte of one of them is a path's
    for (const CommandType type : {CommandType::set_primary, CommandType::request_heartbeat})
      EXPECT_EQ(status_of(owner_of(association), about(*client, type, association, path)),
                CommandStatus::bad_arguments);
  const CommandRecord record = client->with_block(CommandType::set_path, as_arguments(PathId(2), {seconds(1), 1}));
  EXPECT_EQ(status_of(owner_of(association), about(record, association)), CommandStatus::bad_arguments);
}

TEST_P(RingCommands, ArgumentsOutOfRangeAreRefused) {
  const AssocId association = open_and_connect();
  const std::uint16_t owner = owner_of(association);
  for (const PathOptions& bad :
       {heartbeats_each(kLongest), heartbeats_each(-seconds(1)), retransmissions(UINT16_MAX)}) {
    const CommandRecord record = client->with_block(CommandType::set_path, as_arguments(PathId(0), bad));
    EXPECT_EQ(status_of(owner, about(record, association)), CommandStatus::bad_arguments);
  }
  Parameters bad;
  bad.rto_beta_shift = 16;
  const CommandRecord record = client->with_block(CommandType::set_association_parameters, bad);
  EXPECT_EQ(status_of(owner, about(record, association)), CommandStatus::bad_arguments);
  EXPECT_EQ(parameters(association), Parameters());
}

TEST_P(RingCommands, ArgumentsOfAWrongLengthAreRefused) {
  const AssocId association = open_and_connect();
  const std::uint16_t owner = owner_of(association);
  struct Kind {
    CommandType type;
    std::size_t length;
    bool longer;  // is refused, too
  };
  const Kind kinds[] = {{CommandType::open_endpoint, sizeof(OpenEndpointArguments), true},
                        {CommandType::set_parameters, sizeof(Parameters), true},
                        {CommandType::set_association_parameters, sizeof(Parameters), true},
                        {CommandType::set_path, sizeof(SetPathArguments), true},
                        {CommandType::parameters, sizeof(Parameters), false},
                        {CommandType::status, sizeof(assoc::Snapshot), false}};
  for (const Kind& kind : kinds) {
    for (const std::size_t length : {kind.length - 1, kind.length + 1, std::size_t{1}}) {
      if (length > kind.length && !kind.longer) continue;
      CommandRecord record = client->with_bytes(kind.type, std::vector(length, std::byte{0}));
      record.endpoint = endpoint;
      EXPECT_EQ(status_of(owner, about(record, association)), CommandStatus::bad_arguments);
    }
    CommandRecord without = about(*client, kind.type, association, 0);
    without.endpoint = endpoint;
    EXPECT_EQ(status_of(owner, without), CommandStatus::bad_arguments);
  }
  EXPECT_EQ(parameters(association), Parameters());
  EXPECT_EQ(b->counter("channel.bad_commands"), 0u);
}

TEST_P(RingCommands, CountersComeInTheOrderInWhichTheyAreVisited) {
  open_and_connect();
  for (std::uint16_t worker = 0; worker < b->workers(); ++worker) {
    std::vector<std::uint64_t> expected;
    const auto note = [&](const char*, const char*, const char*, std::uint64_t value) { expected.push_back(value); };
    visit_counters(b->worker(worker).counters(), note);
    const std::size_t bytes = expected.size() * sizeof(std::uint64_t);
    const CommandRecord whole = client->with_bytes(CommandType::counters, std::vector(bytes + 100, std::byte{0xff}));
    EXPECT_EQ(status_of(worker, whole), CommandStatus::done);
    ASSERT_EQ(client->reply_to(whole.request).length, bytes);
    std::size_t i = 0;
    visit_counters(b->worker(worker).counters(), [&](const char*, const char*, const char*, std::uint64_t now) {
      std::uint64_t told = 0;
      std::memcpy(&told, client->block(whole).data() + i * sizeof told, sizeof told);
      EXPECT_GE(told, expected[i]);
      EXPECT_LE(told, now);
      ++i;
    });
    const CommandRecord part = client->with_bytes(CommandType::counters, std::vector(3 * 8 + 7, std::byte{0}));
    EXPECT_EQ(status_of(worker, part), CommandStatus::done);
    EXPECT_EQ(client->reply_to(part.request).length, 3 * sizeof(std::uint64_t)) << "whole values alone";
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, ApplicationCommands,
                         testing::Values(Delivery{false, 1}, Delivery{false, 4}, Delivery{true, 1}, Delivery{true, 4}));
INSTANTIATE_TEST_SUITE_P(Rings, RingCommands, testing::Values(Delivery{true, 1}, Delivery{true, 4}));

}  // namespace
}  // namespace sluice::worker
