// Rules of RFC 9260 that need whole stacks: checksums, tags, ICMP, INITs and cookies that come too late; see
// tests/RFC9260.md.
#include <gtest/gtest.h>

#include <set>

#include "stack/wire/chunk_cookie.hpp"
#include "stack/wire/chunk_error.hpp"
#include "stack/wire/chunk_init.hpp"
#include "stack/wire/crc32c.hpp"
#include "tests/sim/run_pair.hpp"

namespace sluice::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kEthernet = 14;
constexpr std::size_t kIpv4 = 20;
constexpr std::uint16_t kPort = 5000;
constexpr base::MacAddress kRouterMac{{0x02, 0, 0, 0, 0, 0xfe}};

/// Two stacks, `b` listening, and a third port for what neither of them sends. What leaves is kept.
class RulesWorker : public testing::TestWithParam<std::uint16_t> {
 protected:
  RulesWorker() {
    options.workers = GetParam();
    options.steering = drivers::Steering::random;
    options.config.cookie_key_life = seconds(90);
    a = std::make_unique<sim::SimStack>(wire, clock, 1, options);
    options.name = "b";
    options.host = 2;
    b = std::make_unique<sim::SimStack>(wire, clock, 2, options);
    router = &wire.add_port({.name = "router", .mac = kRouterMac, .mtu = 9000});
    wire.set_tap([this](const drivers::WireEvent& event) {
      if (event.fate == drivers::WireFate::sent && event.from != 2)
        frames.emplace_back(event.frame.begin(), event.frame.end());
    });
    OpenEndpointArguments arguments;
    arguments.port = kPort;
    arguments.listen = true;
    b->open(arguments);
    endpoint = a->open({});
  }

  /// Steps both stacks for `time`, to the next thing that happens each time.
  void run(Duration time) {
    sim::run_pair(clock, wire, *a, *b, clock.now() + time, Duration(1000), [this] {
      take(*a, from_a);
      take(*b, from_b);
      base::Buffer heard[drivers::kMaxBurst];
      router->receive(0, heard);
      return false;
    });
  }
  void take(sim::SimStack& stack, std::vector<Event>& into) {
    for (std::uint16_t i = 0; i < stack.workers(); ++i) {
      std::vector<Event> events(64);
      events.resize(stack.events(i).poll(events));
      for (const Event& event : events) {
        if (event.data != nullptr) {
          EXPECT_TRUE(stack.events(i).release(event.handle));
        }
        into.push_back(event);
      }
    }
  }
  static std::size_t count(const std::vector<Event>& events, EventType type) {
    return static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(), [type](const Event& event) { return event.type == type; }));
  }
  void start_connecting(std::uint16_t port = kPort) {
    ConnectArguments arguments;
    arguments.peers = {b->v4()};
    arguments.port = port;
    a->worker(static_cast<std::uint16_t>(a->workers() - 1)).connect(sim::kInline, endpoint, arguments, 7);
  }
  AssocId connect() {
    start_connecting();
    run(seconds(1));
    for (const Event& event : from_a)
      if (event.type == EventType::association_up) return event.association;
    ADD_FAILURE() << "did not come up";
    return {};
  }
  void send(AssocId association, std::size_t bytes) {
    const std::vector<std::byte> message(bytes, std::byte{'x'});
    EXPECT_EQ(a->send(association, message), assoc::SendStatus::queued);
  }
  assoc::Snapshot state_of(sim::SimStack& stack, AssocId association) {
    assoc::Snapshot snapshot;
    EXPECT_TRUE(stack.worker(owner_of(association)).snapshot(association, snapshot));
    return snapshot;
  }

  using Frame = std::vector<std::byte>;
  static std::span<const std::byte> sctp(const Frame& frame) { return std::span(frame).subspan(kEthernet + kIpv4); }
  static bool is_sctp(const Frame& frame) {
    return base::load_be<std::uint16_t>(&frame[12]) == 0x0800 && frame[kEthernet + 9] == std::byte{132};
  }
  /// The last SCTP packet from `source` whose first chunk is of `type`.
  Frame last(const IpAddress& source, wire::ChunkType type) const {
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame)
      if (is_sctp(*frame) && base::load_be<std::uint32_t>(&(*frame)[kEthernet + 12]) == source.v4_value() &&
          wire::first_chunk_type(sctp(*frame)) == type)
        return *frame;
    ADD_FAILURE() << "nothing of that kind was sent";
    return {};
  }
  void inject(const Frame& frame) {
    base::Buffer copy = buffers.copy_of(frame);
    EXPECT_EQ(router->transmit(0, std::span(&copy, 1)), 1);
    run(milliseconds(20));
  }

  base::SimClock clock;
  base::SeededRandom random{5};
  drivers::MemoryWire wire{clock, random};
  base::HeapBuffers buffers;
  sim::SimStackOptions options;
  std::unique_ptr<sim::SimStack> a, b;
  drivers::Port* router = nullptr;
  std::vector<Frame> frames;
  std::vector<Event> from_a, from_b;
  EndpointId endpoint;
};

TEST_P(RulesWorker, EveryPacketSentHasAGoodChecksum) {  // §6.8
  const AssocId association = connect();
  for (const std::size_t bytes : {1u, 100u, 1000u, 5000u}) send(association, bytes);
  run(seconds(1));
  a->worker(owner_of(association)).shutdown(association);
  run(seconds(1));
  std::size_t packets = 0;
  for (const Frame& frame : frames) {
    if (!is_sctp(frame)) continue;
    ++packets;
    // Ethernet pads short frames.
    const auto length = base::load_be<std::uint16_t>(&frame[kEthernet + 2]);
    EXPECT_EQ(wire::crc32c_verify(sctp(frame).first(length - kIpv4)), base::Checksum::good);
  }
  EXPECT_GE(packets, 10u);
}

TEST_P(RulesWorker, APacketWithAWrongChecksumIsDropped) {  // §6.8
  const AssocId association = connect();
  send(association, 100);
  run(seconds(1));
  ASSERT_EQ(count(from_b, EventType::message), 1u);
  Frame data = last(a->v4(), wire::ChunkType::data);
  // The same message again, with the next TSN.
  std::byte* const tsn = data.data() + kEthernet + kIpv4 + wire::kCommonHeaderSize + 4;
  base::store_be(tsn, base::load_be<std::uint32_t>(tsn) + 1);
  std::byte* const ssn = tsn + 6;
  base::store_be(ssn, static_cast<std::uint16_t>(base::load_be<std::uint16_t>(ssn) + 1));
  inject(data);
  EXPECT_EQ(count(from_b, EventType::message), 1u);
  EXPECT_EQ(b->counter("worker.drop_checksum_bad"), 1u);
  const auto length = base::load_be<std::uint16_t>(&data[kEthernet + 2]);
  wire::crc32c_fill(std::span(data).subspan(kEthernet + kIpv4, length - kIpv4));
  inject(data);
  EXPECT_EQ(count(from_b, EventType::message), 2u) << "but for the checksum it was good";
}

TEST_P(RulesWorker, TagsAndTsnsOfConnectsAreFresh) {  // §3.3.2, §5.1
  std::set<std::uint32_t> tags, tsns;
  for (int i = 0; i < 20; ++i) {
    start_connecting();
    run(milliseconds(10));
  }
  for (const Frame& frame : frames) {
    if (!is_sctp(frame) || wire::first_chunk_type(sctp(frame)) != wire::ChunkType::init) continue;
    const auto init = wire::InitChunk::parse(*wire::chunks_of(sctp(frame)).next());
    EXPECT_NE(init->init_tag().value, 0u);
    tags.insert(init->init_tag().value);
    tsns.insert(init->initial_tsn().value());
  }
  EXPECT_EQ(tags.size(), 20u);
  EXPECT_EQ(tsns.size(), 20u);
}

TEST_P(RulesWorker, AConnectToPortZeroIsRefused) {  // §3.1
  frames.clear();
  start_connecting(0);
  run(seconds(1));
  EXPECT_EQ(count(from_a, EventType::connect_failed), 1u);
  for (const Frame& frame : frames) EXPECT_FALSE(is_sctp(frame));
}

TEST_P(RulesWorker, CookieKeysChange) {  // §5.1.3
  AssocId association = connect();
  const auto key_of = [&] {  // the second byte of a cookie names its key
    const Frame init_ack = last(b->v4(), wire::ChunkType::init_ack);
    wire::ParameterWalker walker = wire::InitChunk::parse(*wire::chunks_of(sctp(init_ack)).next())->parameters();
    while (const auto parameter = walker.next())
      if (parameter->type == wire::ParameterType::state_cookie) return parameter->value()[1];
    return std::byte{0xff};
  };
  const std::byte before = key_of();
  EXPECT_TRUE(a->worker(owner_of(association)).abort(association, ""));
  run(options.config.cookie_key_life + seconds(1));
  from_a.clear();
  connect();
  EXPECT_NE(key_of(), before);
}

/// What comes late, or a second time, of a handshake.
class RulesCollision : public RulesWorker {
 protected:
  /// All that an INIT or a cookie might touch.
  static void expect_same(const assoc::Snapshot& one, const assoc::Snapshot& other) {
    EXPECT_EQ(one.state, other.state);
    EXPECT_EQ(one.local_tag, other.local_tag);
    EXPECT_EQ(one.peer_tag, other.peer_tag);
    EXPECT_EQ(one.error_count, other.error_count);
    EXPECT_EQ(one.outstanding_bytes, other.outstanding_bytes);
    ASSERT_EQ(one.paths.size(), other.paths.size());
    EXPECT_EQ(one.paths[0].cwnd, other.paths[0].cwnd);
    EXPECT_EQ(one.paths[0].rto, other.paths[0].rto);
  }
  AssocId passive() const {
    for (const Event& event : from_b)
      if (event.type == EventType::association_up) return event.association;
    return {};
  }
  Frame with_checksum(Frame frame) {
    const auto length = base::load_be<std::uint16_t>(&frame[kEthernet + 2]);
    wire::crc32c_fill(std::span(frame).subspan(kEthernet + kIpv4, length - kIpv4));
    return frame;
  }
  /// The COOKIE ECHO of a with the cookie of the INIT ACK that b sent last.
  Frame late_cookie() {
    Frame late = last(a->v4(), wire::ChunkType::cookie_echo);
    const Frame init_ack = last(b->v4(), wire::ChunkType::init_ack);
    const auto ack = wire::InitChunk::parse(*wire::chunks_of(sctp(init_ack)).next());
    wire::ParameterWalker walker = ack->parameters();
    std::span<const std::byte> cookie;
    while (const auto parameter = walker.next())
      if (parameter->type == wire::ParameterType::state_cookie) cookie = parameter->value();
    std::byte* const chunk = late.data() + kEthernet + kIpv4 + wire::kCommonHeaderSize;
    EXPECT_EQ(cookie.size(), base::load_be<std::uint16_t>(chunk + 2) - 4u);
    std::copy(cookie.begin(), cookie.end(), chunk + 4);
    base::store_be(late.data() + kEthernet + kIpv4 + 4, ack->init_tag().value);
    return with_checksum(std::move(late));
  }
  /// `frame`, an INIT, as a peer that began anew would send it.
  Frame with_tag(Frame frame, std::uint32_t tag) {
    base::store_be(frame.data() + kEthernet + kIpv4 + wire::kCommonHeaderSize + 4, tag);
    return with_checksum(std::move(frame));
  }
};

TEST_P(RulesCollision, AnInitWhenUpChangesNothing) {  // §5.2.2
  connect();
  const assoc::Snapshot before = state_of(*b, passive());
  const Frame init = last(a->v4(), wire::ChunkType::init);
  const std::uint64_t answered = b->counter("endpoint.init_acks_sent");
  inject(with_tag(init, 0x12345678));
  EXPECT_EQ(b->counter("endpoint.init_acks_sent"), answered + 1);
  expect_same(state_of(*b, passive()), before);
}

TEST_P(RulesCollision, ALateCookieChangesNothing) {  // §5.2.4 C
  connect();
  const Frame init = last(a->v4(), wire::ChunkType::init);
  // Of the same peer's tag, and another of ours: what the same INIT, sent twice, led to.
  inject(init);
  const assoc::Snapshot before = state_of(*b, passive());
  inject(late_cookie());
  EXPECT_EQ(b->counter("endpoint.cookie_discarded"), 1u);
  expect_same(state_of(*b, passive()), before);
  EXPECT_EQ(count(from_b, EventType::restarted), 0u);
}

TEST_P(RulesCollision, ARestartInShutdownAckSentIsRefused) {  // §5.2.4 A
  const AssocId association = connect();
  inject(with_tag(last(a->v4(), wire::ChunkType::init), 0x12345678));
  const Frame cookie = late_cookie();
  wire.set_conditions(1, 0, {.down = true});  // the SHUTDOWN ACK stays unanswered
  a->worker(owner_of(association)).shutdown(association);
  run(milliseconds(100));
  ASSERT_EQ(state_of(*b, passive()).state, assoc::State::shutdown_ack_sent);
  inject(cookie);
  const Frame answer = last(b->v4(), wire::ChunkType::shutdown_ack);
  wire::ChunkWalker walker = wire::chunks_of(sctp(answer));
  walker.next();
  const auto second = walker.next();
  const auto error = second ? wire::ErrorChunk::parse(*second) : std::nullopt;
  EXPECT_TRUE(error && error->has(wire::CauseCode::cookie_received_while_shutting_down));
  EXPECT_EQ(count(from_b, EventType::restarted), 0u);
}

TEST_P(RulesCollision, AnInitWhileOpeningChangesNothing) {  // §5.2.1
  const AssocId first = connect();                          // so that the neighbours know each other
  EXPECT_TRUE(a->worker(owner_of(first)).abort(first, ""));
  run(seconds(1));
  wire.set_conditions(1, 0, {.down = true});  // from now on a hears nothing but what we send it
  start_connecting();
  run(milliseconds(100));
  const assoc::Association* opening = nullptr;
  for (std::uint16_t i = 0; i < a->workers() && opening == nullptr; ++i)
    opening = a->worker(i).next_association(encode({endpoint::WorkerId(i), 0, 0}));
  ASSERT_NE(opening, nullptr);
  ASSERT_EQ(opening->state(), assoc::State::cookie_wait);
  const Timestamp deadline = opening->next_deadline();
  // The peer's INIT, which crosses ours: ours the other way round.
  Frame init = last(a->v4(), wire::ChunkType::init);
  for (std::size_t i = 0; i < 6; ++i) std::swap(init[i], init[6 + i]);
  for (std::size_t i = 0; i < 4; ++i) std::swap(init[kEthernet + 12 + i], init[kEthernet + 16 + i]);
  for (std::size_t i = 0; i < 2; ++i) std::swap(init[kEthernet + kIpv4 + i], init[kEthernet + kIpv4 + 2 + i]);
  // Without parameters: the addresses listed are a's own.
  base::store_be(init.data() + kEthernet + kIpv4 + wire::kCommonHeaderSize + 2, std::uint16_t{20});
  base::store_be(init.data() + kEthernet + 2, static_cast<std::uint16_t>(kIpv4 + wire::kCommonHeaderSize + 20));
  init.resize(std::max<std::size_t>(60, kEthernet + kIpv4 + wire::kCommonHeaderSize + 20));
  base::store_be(init.data() + kEthernet + 10, std::uint16_t{0});
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < kIpv4; i += 2) sum += base::load_be<std::uint16_t>(&init[kEthernet + i]);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  base::store_be(init.data() + kEthernet + 10, static_cast<std::uint16_t>(~sum));
  const VTag tag = opening->local_tag();
  inject(with_tag(init, 0x12345678));
  EXPECT_EQ(a->counter("endpoint.init_acks_sent"), 1u);
  EXPECT_EQ(opening->state(), assoc::State::cookie_wait);
  EXPECT_EQ(opening->next_deadline(), deadline);
  EXPECT_EQ(opening->local_tag(), tag);
  EXPECT_EQ(opening->peer_tag(), VTag(0));
}

/// Errors about packets that `a` sent.
class RulesIcmp : public RulesWorker {
 protected:
  struct Error {
    std::uint8_t type = 3;
    std::uint8_t code = 0;
    std::uint16_t mtu = 0;
  };
  /// An ICMP error about `quoted`, a frame of a's, as a router sends it.
  Frame error(const Frame& quoted, const Error& what) {
    const std::size_t quote = std::min<std::size_t>(quoted.size() - kEthernet, 128);
    Frame frame(kEthernet + kIpv4 + 8 + quote);
    std::copy_n(quoted.begin() + 6, 6, frame.begin());
    std::copy(kRouterMac.octets.begin(), kRouterMac.octets.end(), reinterpret_cast<std::uint8_t*>(&frame[6]));
    base::store_be(&frame[12], std::uint16_t{0x0800});
    std::byte* const ip = &frame[kEthernet];
    ip[0] = std::byte{0x45};
    base::store_be(ip + 2, static_cast<std::uint16_t>(frame.size() - kEthernet));
    ip[8] = std::byte{64};
    ip[9] = std::byte{1};
    base::store_be(ip + 12, std::uint32_t{0xc61200fe});
    std::copy_n(&quoted[kEthernet + 12], 4, ip + 16);
    base::store_be(ip + 10, sum_of({ip, kIpv4}));
    std::byte* const icmp = ip + kIpv4;
    icmp[0] = std::byte{what.type};
    icmp[1] = std::byte{what.code};
    base::store_be(icmp + 6, what.mtu);
    std::copy_n(&quoted[kEthernet], quote, icmp + 8);
    base::store_be(icmp + 2, sum_of({icmp, 8 + quote}));
    return frame;
  }
  static std::uint16_t sum_of(std::span<const std::byte> bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      sum += std::to_integer<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
  }
  /// A packet of DATA from an association that is up.
  Frame data_of(AssocId association) {
    send(association, 100);
    run(milliseconds(500));
    return last(a->v4(), wire::ChunkType::data);
  }
};

TEST_P(RulesIcmp, PacketTooBigReachesTheAssociation) {  // §10 ICMP5, ICMP7
  const AssocId association = connect();
  inject(error(data_of(association), {.code = 4, .mtu = 1000}));
  EXPECT_EQ(state_of(*a, association).paths[0].pmtu, 1000);
  EXPECT_EQ(a->counter("association.path_mtus_lowered"), 1u);
  frames.clear();
  send(association, 1400);
  run(seconds(1));
  for (const Frame& frame : frames) EXPECT_LE(frame.size(), kEthernet + 1000);
  EXPECT_EQ(count(from_b, EventType::message), 3u) << "one, and another in two pieces";
}

TEST_P(RulesIcmp, ProtocolUnreachableEndsTheAssociation) {  // §10 ICMP8, §12.4
  const AssocId association = connect();
  inject(error(data_of(association), {.code = 2}));
  EXPECT_EQ(count(from_a, EventType::association_lost), 1u);
  EXPECT_EQ(a->associations(), 0u);
}

TEST_P(RulesIcmp, PortUnreachableChangesNothing) {  // §10 ICMP3
  const AssocId association = connect();
  const Frame data = data_of(association);
  const assoc::Snapshot before = state_of(*a, association);
  inject(error(data, {.code = 3}));
  EXPECT_EQ(a->counter("worker.icmp_notices"), 1u);
  const assoc::Snapshot after = state_of(*a, association);
  EXPECT_EQ(after.state, before.state);
  EXPECT_EQ(after.error_count, before.error_count);
  EXPECT_EQ(after.paths[0].error_count, before.paths[0].error_count);
  EXPECT_EQ(after.paths[0].pmtu, before.paths[0].pmtu);
}

TEST_P(RulesIcmp, QuotesOfNobodyAreCountedAndIgnored) {  // §10 ICMP5, ICMP6
  const AssocId association = connect();
  const Frame data = data_of(association);
  Frame other_port = data;
  base::store_be(&other_port[kEthernet + kIpv4], std::uint16_t{9});
  inject(error(other_port, {.code = 4, .mtu = 1000}));
  EXPECT_EQ(a->counter("worker.icmp_strays"), 1u);
  Frame other_tag = data;
  other_tag[kEthernet + kIpv4 + 4] ^= std::byte{1};
  inject(error(other_tag, {.code = 2}));
  EXPECT_EQ(a->counter("association.icmp_wrong_tags"), 1u);
  EXPECT_EQ(state_of(*a, association).paths[0].pmtu, 1500);
  EXPECT_EQ(state_of(*a, association).state, assoc::State::established);
}

INSTANTIATE_TEST_SUITE_P(Workers, RulesWorker, testing::Values(1, 4));
INSTANTIATE_TEST_SUITE_P(Workers, RulesCollision, testing::Values(1, 4));
INSTANTIATE_TEST_SUITE_P(Workers, RulesIcmp, testing::Values(1, 4));

}  // namespace
}  // namespace sluice::worker
