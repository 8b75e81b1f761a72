// A third station on the link sends what it likes, under any address, to two whole stacks that talk to each other.
#include <array>
#include <deque>
#include <functional>
#include <map>

#include "stack/wire/chunk_abort.hpp"
#include "stack/wire/chunk_cookie.hpp"
#include "stack/wire/chunk_data.hpp"
#include "stack/wire/chunk_heartbeat.hpp"
#include "stack/wire/chunk_init.hpp"
#include "stack/wire/crc32c.hpp"
#include "tests/sim/run_pair.hpp"
#include "tests/unit/ip/support.hpp"

namespace sluice::worker {
namespace {

using ip::testing::Bytes;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::ChunkType;

constexpr std::uint16_t kPort = 5000;
constexpr std::uint32_t kBurst = 64;

class HostileWire : public testing::Test {
 protected:
  HostileWire() {
    drivers::MemoryPortConfig attacker;
    attacker.name = "x";
    attacker.mac = mac_;
    wire.add_port(attacker);
    options.config.limits.inits_per_second = 20000;  // more than most floods here bring
    a = std::make_unique<sim::SimStack>(wire, clock, 1, options);
    options.name = "b";
    options.host = 2;
    b = std::make_unique<sim::SimStack>(wire, clock, 2, options);
    wire.set_tap([this](const drivers::WireEvent& event) { on_frame(event); });
  }

  // The two stacks.

  void turn() {
    a->group().poll_all();
    b->group().poll_all();
    take(*a, from_a);
    take(*b, from_b);
    drain();
  }
  void run(Duration time) {
    sim::run_pair(clock, wire, *a, *b, clock.now() + time, microseconds(1), [this] {
      take(*a, from_a);
      take(*b, from_b);
      drain();
      return false;
    });
  }
  /// Messages go to `messages`, all else to `into`.
  void take(sim::SimStack& stack, std::vector<Event>& into) {
    std::array<Event, 64> events;
    for (std::size_t n = stack.events().poll(events); n > 0; n = stack.events().poll(events)) {
      for (const Event& event : std::span(events).first(n)) {
        if (event.type == EventType::message)
          messages[&stack].emplace_back(reinterpret_cast<const char*>(event.data), event.length);
        else
          into.push_back(event);
        if (event.data != nullptr) {
          EXPECT_TRUE(stack.events().release(event.handle));
        }
      }
    }
  }
  /// Lets a connect to b; both know each other's association afterwards.
  void connect() {
    OpenEndpointArguments listen;
    listen.port = kPort;
    listen.listen = true;
    listen.addresses = {b->v4()};
    b->open(listen);
    OpenEndpointArguments open;
    open.addresses = {a->v4()};
    const EndpointId endpoint = a->open(open);
    ConnectArguments arguments;
    arguments.peers = {b->v4()};
    arguments.port = kPort;
    a->worker().connect(sim::kInline, endpoint, arguments, 0);
    run(seconds(1));
    ASSERT_EQ(from_a.size(), 1u);
    ASSERT_EQ(from_b.size(), 1u);
    ASSERT_EQ(from_a[0].type, EventType::association_up);
    at_a = from_a[0].association;
    at_b = from_b[0].association;
    assoc::Snapshot snapshot;
    ASSERT_TRUE(b->worker().snapshot(at_b, snapshot));
    a_port = snapshot.peer_port;
    tag_of_b = snapshot.local_tag;
    tag_of_a = snapshot.peer_tag;
    from_a.clear();
    from_b.clear();
  }
  void send_each_way(const std::string& text) {
    const auto bytes = std::as_bytes(std::span(text));
    EXPECT_EQ(a->send(at_a, bytes), assoc::SendStatus::queued);
    EXPECT_EQ(b->send(at_b, bytes), assoc::SendStatus::queued);
    expected.push_back(text);
  }
  /// Everything sent came, once and in order, and the association is as it was.
  void expect_moved() {
    run(seconds(2));
    EXPECT_EQ(messages[a.get()], expected);
    EXPECT_EQ(messages[b.get()], expected);
    EXPECT_TRUE(from_a.empty());
    EXPECT_TRUE(from_b.empty());
    EXPECT_EQ(a->associations(), 1u);
    EXPECT_EQ(b->associations(), 1u);
    EXPECT_EQ(a->buffers_out(), 0u);
    EXPECT_EQ(b->buffers_out(), 0u);
  }

  /// What all the pools of a stack have out, and what its tables hold.
  static std::vector<std::uint32_t> held(sim::SimStack& stack) {
    const Worker& worker = stack.worker();
    const assoc::Pools& pools = worker.pools();
    return {worker.associations(),         worker.directory_size(),         pools.congestion_controllers.out(),
            pools.path_blocks.one.out(),   pools.path_blocks.two.out(),     pools.path_blocks.four.out(),
            pools.path_blocks.eight.out(), pools.held_chunks.out(),         pools.held_pages.out(),
            pools.tsn_maps.out(),          pools.inbound_stream_roots.out()};
  }

  // The attacker.

  /// An SCTP packet with a good checksum.
  static Bytes sctp(std::uint16_t from, std::uint16_t to, VTag tag,
                    const std::function<void(wire::PacketWriter&)>& chunks, std::size_t room = 1480) {
    std::vector<std::byte> memory(room);
    wire::PacketWriter writer(memory, {.source_port = from, .destination_port = to, .tag = tag});
    chunks(writer);
    Bytes packet(writer.bytes().begin(), writer.bytes().end());
    wire::crc32c_fill(packet);
    return packet;
  }
  /// From any address, to `to`.
  void attack(sim::SimStack& to, const IpAddress& source, const Bytes& packet, ip::testing::Ipv4Options ip = {}) {
    const Bytes frame = ip::testing::ip_frame(wire.port(to.port_number()).info().mac, mac_,
                                              ip::testing::ipv4_packet(source, to.v4(), packet, ip));
    base::Buffer buffer = frames_.copy_of(frame);
    ASSERT_EQ(wire.port(0).transmit(0, {&buffer, 1}), 1u);
  }
  /// From nobody that anybody knows.
  Bytes random_init() { return init_from(static_cast<std::uint16_t>(random.u32() | 1)); }
  Bytes init_from(std::uint16_t port) {
    return sctp(port, kPort, VTag(0), [&](auto& packet) {
      wire::append_init(packet, {VTag(random.u32() | 1), 65536, 10, 10, Tsn(random.u32())});
    });
  }
  /// The tag and the cookie that b offers the attacker.
  std::pair<VTag, Bytes> offered_cookie() {
    introduce(*b);
    attack(*b, address_, init_from(7));
    run(milliseconds(1));
    EXPECT_FALSE(to_attacker.empty());
    const Bytes answer = ip::testing::slice(to_attacker.back(), 34);
    const auto init_ack = wire::InitChunk::parse(*wire::chunks_of(answer).next());
    EXPECT_TRUE(init_ack && init_ack->ack());
    auto parameters = init_ack->parameters();
    while (const auto parameter = parameters.next())
      if (parameter->type == wire::ParameterType::state_cookie)
        return {init_ack->init_tag(), {parameter->value().begin(), parameter->value().end()}};
    ADD_FAILURE() << "no cookie";
    return {};
  }
  /// With one bit that is another.
  Bytes forged(Bytes cookie) {
    const std::uint32_t bit = 16 + random.below(static_cast<std::uint32_t>(cookie.size() * 8 - 16));
    cookie[bit / 8] ^= std::byte{1} << bit % 8;
    return cookie;
  }
  /// In as many IP fragments as it takes.
  void attack_in_fragments(sim::SimStack& to, const IpAddress& source, const Bytes& packet) {
    constexpr std::size_t kPiece = 1480;
    ++ip_id_;
    for (std::size_t at = 0; at < packet.size(); at += kPiece) {
      const bool more = at + kPiece < packet.size();
      attack(to, source, ip::testing::slice(packet, at, kPiece),
             {.id = ip_id_, .flags_offset = static_cast<unsigned>(at / 8) | (more ? 0x2000u : 0u)});
      turn();
    }
  }
  /// Makes the stack answer to the attacker's own address.
  void introduce(sim::SimStack& to) {
    const Bytes frame = ip::testing::ethernet(wire.port(to.port_number()).info().mac, mac_, 0x0806,
                                              ip::testing::arp_packet(1, mac_, address_, base::MacAddress{}, to.v4()));
    base::Buffer buffer = frames_.copy_of(frame);
    ASSERT_EQ(wire.port(0).transmit(0, {&buffer, 1}), 1u);
    run(milliseconds(1));
  }
  void drain() {
    std::array<base::Buffer, 64> burst;
    while (const std::uint16_t n = wire.port(0).receive(0, burst)) {
      for (std::uint16_t i = 0; i < n; ++i) {
        to_attacker.emplace_back(burst[i].bytes().begin(), burst[i].bytes().end());
        burst[i].reset();
        if (to_attacker.size() > 64) to_attacker.pop_front();
      }
    }
  }
  /// Counts SCTP packets that the stacks send, and their bytes.
  void on_frame(const drivers::WireEvent& event) {
    if (event.fate != drivers::WireFate::sent || event.from == 0) return;
    if (event.frame.size() < 34 || event.frame[12] != std::byte{8} || event.frame[13] != std::byte{0}) return;
    if (event.frame[23] != std::byte{132}) return;
    ++sctp_frames;
    sctp_bytes += event.frame.size();
  }

  void TearDown() override {
    if (!HasFailure()) return;
    for (sim::SimStack* const stack : {a.get(), b.get()})
      visit_counters(stack->worker().counters(),
                     [&](const char* room, const char* name, const char*, std::uint64_t value) {
                       if (value != 0) std::printf("%s %s.%s %lu\n", stack->name().c_str(), room, name, value);
                     });
  }

  base::SimClock clock;
  base::SeededRandom random{5};
  drivers::MemoryWire wire{clock, random};
  sim::SimStackOptions options;
  std::unique_ptr<sim::SimStack> a, b;
  std::vector<Event> from_a, from_b;
  std::map<const sim::SimStack*, std::vector<std::string>> messages;
  std::vector<std::string> expected;
  AssocId at_a, at_b;
  VTag tag_of_a, tag_of_b;
  std::uint16_t a_port = 0;
  const IpAddress address_ = IpAddress::v4(0xc61200c8);  // 198.18.0.200
  std::deque<Bytes> to_attacker;
  std::uint64_t sctp_frames = 0;
  std::uint64_t sctp_bytes = 0;

 private:
  const base::MacAddress mac_{{0x02, 0, 0, 0, 0, 0xc8}};
  base::HeapBuffers frames_;
  unsigned ip_id_ = 0;
};

TEST_F(HostileWire, AFloodOfInitsLeavesNothingBehindAndTheAssociationMoves) {
  connect();
  introduce(*b);
  const auto before = held(*b);
  constexpr std::uint32_t kBursts = 300;
  for (std::uint32_t i = 0; i < kBursts; ++i) {
    for (std::uint32_t n = 0; n < kBurst; ++n) {
      // From an address that hears the answers, and from many that nobody has.
      attack(*b, n % 2 == 0 ? address_ : IpAddress::v4(0xc6120003 + random.below(190)), random_init());
    }
    if (i % 10 == 0) send_each_way("in the flood, " + std::to_string(i));
    turn();
    ASSERT_EQ(held(*b), before);
    ASSERT_LE(b->buffers_out(), 2048u);
    clock.advance(microseconds(100));
  }
  run(seconds(30));  // until what waited for neighbours that are not there was given up
  EXPECT_EQ(b->counter("endpoint.inits_received"), kBursts * kBurst + 1);
  EXPECT_EQ(b->counter("endpoint.init_acks_sent"), kBursts * kBurst + 1);
  EXPECT_EQ(held(*b), before);
  expect_moved();
}

TEST_F(HostileWire, InitsBeyondTheLimitAreNotWorthAChecksum) {
  connect();
  const std::uint32_t limit = options.config.limits.inits_per_second;
  for (std::uint32_t sent = 0; sent < limit; ++sent) {
    attack(*b, IpAddress::v4(0xc6120003 + random.below(190)), random_init());
    if (sent % kBurst == 0) turn();
  }
  turn();
  ASSERT_GE(b->counter("endpoint.inits_received"), limit);
  for (std::uint32_t sent = 0; sent < kBurst; ++sent) {
    Bytes wrong = random_init();
    wrong[wire::kChecksumOffset] ^= std::byte{1};
    attack(*b, IpAddress::v4(0xc6120003), wrong);
  }
  turn();
  EXPECT_EQ(b->counter("endpoint.init_rate_limited"), kBurst);
  EXPECT_EQ(b->counter("worker.drop_checksum_bad"), 0u);
  run(seconds(30));  // until what waited for neighbours that are not there was given up
  send_each_way("all the same");
  expect_moved();
  EXPECT_EQ(b->counter("association.malformed_packets"), 0u);
}

TEST_F(HostileWire, ForgedCookiesBeyondTheLimitAreNotWorthAChecksum) {
  connect();
  const auto [tag, cookie] = offered_cookie();
  ASSERT_FALSE(cookie.empty());
  const auto echo = [&, &tag = tag, &cookie = cookie] {
    return sctp(7, kPort, tag, [&](auto& packet) { wire::append_cookie_echo(packet, forged(cookie)); });
  };
  const std::uint32_t bursts = options.config.limits.forged_cookies_per_second / kBurst;
  for (std::uint32_t i = 0; i < bursts && b->counter("endpoint.cookie_rate_limited") == 0; ++i) {
    for (std::uint32_t n = 0; n < kBurst; ++n) attack(*b, address_, echo());
    turn();
  }
  ASSERT_GT(b->counter("endpoint.cookie_rate_limited"), 0u);
  const std::uint64_t before = b->counter("endpoint.cookie_rate_limited");
  for (std::uint32_t n = 0; n < kBurst; ++n) {
    Bytes wrong = echo();
    wrong[wire::kChecksumOffset] ^= std::byte{1};
    attack(*b, address_, wrong);
  }
  turn();
  EXPECT_EQ(b->counter("endpoint.cookie_rate_limited"), before + kBurst);
  EXPECT_EQ(b->counter("worker.drop_checksum_bad"), 0u);
  send_each_way("all the same");
  expect_moved();
}

// The worker that receives an INIT may not be the one whose directory it is for: the limit is that one's.
TEST_F(HostileWire, ALimitThatOneWorkerReachedIsNotThatOfTheOthers) {
  options.workers = 2;
  options.port = b->port_number();
  options.config.limits.inits_per_second = 200;
  b = std::make_unique<sim::SimStack>(wire, clock, 3, options);
  OpenEndpointArguments listen;
  listen.port = kPort;
  listen.listen = true;
  b->open(listen);
  introduce(*b);
  const auto of = [&](std::uint16_t worker, const std::string& name) {
    std::uint64_t found = 0;
    visit_counters(b->worker(worker).counters(),
                   [&](const char*, const char* counter, const char*, std::uint64_t value) {
                     if (name == counter) found = value;
                   });
    return found;
  };
  // With its one queue the port's packets all arrive at the first worker. A source port for each directory:
  std::uint16_t port_of[2] = {};
  for (std::uint16_t port = 1000; port < 1040; ++port) {
    const std::uint64_t read = of(1, "inits_received");
    attack(*b, address_, init_from(port));
    run(milliseconds(10));
    port_of[of(1, "inits_received") != read] = port;
  }
  ASSERT_TRUE(port_of[0] != 0 && port_of[1] != 0);
  for (int sent = 0; sent < 300; ++sent) attack(*b, address_, init_from(port_of[0]));
  run(milliseconds(1));
  ASSERT_GT(of(0, "init_rate_limited"), 0u);
  const std::uint64_t answered = b->counter("endpoint.init_acks_sent");
  attack(*b, address_, init_from(port_of[0]));
  attack(*b, address_, init_from(port_of[1]));
  run(milliseconds(1));
  EXPECT_EQ(b->counter("endpoint.init_acks_sent"), answered + 1);
  EXPECT_EQ(of(1, "init_rate_limited"), 0u);
}

TEST_F(HostileWire, AFloodOfForgedCookiesLeavesNothingBehindAndTheAssociationMoves) {
  connect();
  const auto [tag, cookie] = offered_cookie();
  ASSERT_FALSE(cookie.empty());
  const auto before = held(*b);
  const std::uint64_t malformed = b->counter("endpoint.cookie_malformed");
  constexpr std::uint32_t kBursts = 300;
  for (std::uint32_t i = 0; i < kBursts; ++i) {
    for (std::uint32_t n = 0; n < kBurst; ++n) {
      // As somebody unknown, and as the peer of the association, under its tag.
      const bool as_peer = n % 2 == 0;
      attack(*b, as_peer ? a->v4() : address_,
             sctp(as_peer ? a_port : 7, kPort, as_peer ? tag_of_b : tag,
                  [&, &cookie = cookie](auto& packet) { wire::append_cookie_echo(packet, forged(cookie)); }));
    }
    if (i % 10 == 0) send_each_way("in the flood, " + std::to_string(i));
    const std::size_t heard = to_attacker.size();
    turn();
    ASSERT_EQ(to_attacker.size(), heard) << "no answer";
    ASSERT_EQ(held(*b), before);
    clock.advance(microseconds(100));
  }
  // Those of somebody unknown come faster than it is worth a MAC to look at.
  EXPECT_EQ(b->counter("endpoint.cookie_bad_mac") + b->counter("endpoint.cookie_rate_limited"), kBursts * kBurst);
  EXPECT_GE(b->counter("endpoint.cookie_bad_mac"), kBursts * kBurst / 2);
  EXPECT_EQ(b->counter("endpoint.cookie_malformed"), malformed);
  EXPECT_EQ(held(*b), before);
  expect_moved();
}

TEST_F(HostileWire, EveryChunkUnderAForgedSourceAndAnotherTagIsDroppedInSilence) {
  connect();
  const auto before = held(*b);
  std::uint64_t forged = 0;
  const std::uint64_t frames = sctp_frames;
  for (int type = 0; type < 256; ++type) {
    for (const std::uint8_t flags : {std::uint8_t{0}, wire::kFlagTagReflected}) {
      for (const VTag tag : {VTag(0), VTag(tag_of_b.value ^ 1), VTag(random.u32() | 1)}) {
        if (static_cast<ChunkType>(type) == ChunkType::init && tag.value == 0) continue;
        attack(*b, a->v4(), sctp(a_port, kPort, tag, [&](auto& packet) {
          std::memset(packet.append_chunk(static_cast<ChunkType>(type), flags, 16), 0, 16);
        }));
        ++forged;
      }
    }
    turn();
  }
  EXPECT_EQ(sctp_frames, frames);
  const std::uint64_t counted = b->counter("worker.drop_malformed") + b->counter("endpoint.wrong_tag") +
                                b->counter("association.wrong_tags") + b->counter("endpoint.cookie_malformed") +
                                b->counter("endpoint.init_nonzero_packet_tag");
  EXPECT_EQ(counted, forged);
  EXPECT_EQ(held(*b), before);
  send_each_way("afterwards");
  expect_moved();
}

TEST_F(HostileWire, TheRightTagFromElsewhereIsOutOfTheBlueAndTouchesNothing) {
  connect();
  introduce(*b);
  const auto before = held(*b);
  for (int type = 0; type < 256; ++type) {
    const std::uint64_t bytes = sctp_bytes;
    attack(*b, address_, sctp(a_port, kPort, tag_of_b, [&](auto& packet) {
      std::memset(packet.append_chunk(static_cast<ChunkType>(type), 0, 16), 0, 16);
    }));
    run(milliseconds(2));
    EXPECT_LE(sctp_bytes - bytes, 14u + 20 + 12 + 20) << type;
  }
  EXPECT_EQ(held(*b), before);
  send_each_way("afterwards");
  expect_moved();
}

void write_abort(wire::PacketWriter& packet) {
  wire::append_abort(packet, false);
}

void write_heartbeat(wire::PacketWriter& packet) {
  wire::append_heartbeat(packet, std::array<std::byte, 8>{});
}

// The ports belong to the association as much as its tag does (§8.4), from whichever address a packet comes.
TEST_F(HostileWire, TheRightTagBetweenOtherPortsIsOutOfTheBlueAndTouchesNothing) {
  connect();
  const auto before = held(*b);
  const auto other = [](std::uint16_t port) { return static_cast<std::uint16_t>(port ^ 1); };
  for (const auto& [from, to] : {std::pair{other(a_port), kPort}, std::pair{a_port, other(kPort)}}) {
    const std::uint64_t strangers = b->counter("endpoint.ootb_received");
    attack(*b, a->v4(), sctp(from, to, tag_of_b, write_abort));
    attack(*b, a->v4(), sctp(from, to, tag_of_b, write_heartbeat));
    turn();
    EXPECT_EQ(b->counter("endpoint.ootb_received"), strangers + 2);
  }
  EXPECT_EQ(held(*b), before);
  send_each_way("afterwards");
  expect_moved();
}

TEST_F(HostileWire, WhatComesAfterAShutdownIsOutOfTheBlueOnBothSides) {  // §8.4 rule 8
  connect();
  EXPECT_TRUE(a->worker().shutdown(at_a));
  run(seconds(1));
  ASSERT_EQ(a->associations() + b->associations(), 0u);
  attack(*b, a->v4(), sctp(a_port, kPort, tag_of_b, write_heartbeat));
  run(milliseconds(1));
  EXPECT_EQ(b->counter("endpoint.aborts_sent"), 1u);
  attack(*a, b->v4(), sctp(kPort, a_port, tag_of_a, write_heartbeat));
  run(milliseconds(1));
  EXPECT_EQ(a->counter("endpoint.aborts_sent"), 1u);
}

TEST_F(HostileWire, WhatComesAfterAnAbortIsOutOfTheBlue) {  // §8.4 rule 8
  connect();
  attack(*b, a->v4(), sctp(a_port, kPort, tag_of_b, write_abort));
  run(milliseconds(1));
  EXPECT_EQ(b->associations(), 0u);
  attack(*b, a->v4(), sctp(a_port, kPort, tag_of_b, write_heartbeat));
  run(milliseconds(1));
  EXPECT_EQ(b->counter("endpoint.aborts_sent"), 1u);
}

TEST_F(HostileWire, WhatComesWithTheAbortInOneBurstIsOutOfTheBlue) {  // §8.4 rule 8
  connect();
  attack(*b, a->v4(), sctp(a_port, kPort, tag_of_b, write_abort));
  attack(*b, a->v4(), sctp(a_port, kPort, tag_of_b, write_heartbeat));
  run(milliseconds(1));
  EXPECT_EQ(b->associations(), 0u);
  EXPECT_EQ(b->counter("endpoint.aborts_sent"), 1u);
}

TEST_F(HostileWire, AnInitThatComesWithTheAbortInOneBurstIsAnswered) {  // §5.1
  connect();
  const std::uint64_t before = b->counter("endpoint.init_acks_sent");
  attack(*b, a->v4(), sctp(a_port, kPort, tag_of_b, write_abort));
  attack(*b, a->v4(), init_from(a_port));
  run(milliseconds(1));
  EXPECT_EQ(b->associations(), 0u);
  EXPECT_EQ(b->counter("endpoint.init_acks_sent"), before + 1);
}

TEST_F(HostileWire, TwoStacksCannotBeMadeToAnswerEachOtherForLong) {
  connect();
  for (int type = 0; type < 256; ++type) {
    for (const std::uint8_t flags : {std::uint8_t{0}, wire::kFlagTagReflected}) {
      for (const bool known : {false, true}) {
        for (const VTag tag : {VTag(0), VTag(random.u32() | 1)}) {
          SCOPED_TRACE(testing::Message()
                       << "chunk " << type << ", flags " << int{flags} << ", known " << known << ", tag " << tag.value);
          const std::uint64_t frames = sctp_frames;
          attack(*b, a->v4(), sctp(known ? a_port : std::uint16_t{7777}, kPort, tag, [&](auto& packet) {
            if (static_cast<ChunkType>(type) == ChunkType::init)
              wire::append_init(packet, {VTag(9), 65536, 10, 10, Tsn(9)});
            else
              std::memset(packet.append_chunk(static_cast<ChunkType>(type), flags, 0), 0, 0);
          }));
          run(milliseconds(3));
          // At most INIT ACK and the ABORT that says that nobody asked.
          ASSERT_LE(sctp_frames - frames, 2u);
        }
      }
    }
  }
  send_each_way("afterwards");
  expect_moved();
}

TEST_F(HostileWire, PacketsOfNothingToFifteenBytesAreCountedWhereTheyEnd) {
  connect();
  const Bytes whole = sctp(a_port, kPort, tag_of_b, [](auto& packet) { packet.append_chunk(ChunkType::data, 0, 0); });
  for (std::size_t length = 0; length < 16; ++length) {
    Bytes packet = ip::testing::slice(whole, 0, length);
    if (length >= 12) wire::crc32c_fill(packet);
    attack(*b, a->v4(), packet);
    turn();
  }
  EXPECT_EQ(b->counter("ip.drop_sctp_short"), 12u);
  EXPECT_EQ(b->counter("worker.drop_malformed"), 4u);
  send_each_way("afterwards");
  expect_moved();
}

TEST_F(HostileWire, SixteenThousandChunksInOneJoinedDatagramAreLookedAtAndLetGo) {
  connect();
  for (const ChunkType type : {static_cast<ChunkType>(0xfe), static_cast<ChunkType>(0xbe), ChunkType::cookie_ack,
                               ChunkType::data, ChunkType::heartbeat}) {
    SCOPED_TRACE(static_cast<int>(type));
    const std::uint64_t bytes = sctp_bytes;
    const Bytes packet = sctp(
        a_port, kPort, tag_of_b,
        [&](auto& writer) {
          while (writer.append_chunk(type, 0, 0) != nullptr) {
          }
        },
        65500);
    attack_in_fragments(*b, a->v4(), packet);
    run(milliseconds(1));
    EXPECT_LE(sctp_bytes - bytes, 300u);
  }
  EXPECT_GE(b->counter("association.unrecognized_chunks"), 2 * 16'000u);
  EXPECT_GE(b->counter("association.malformed_chunks"), 2 * 16'000u);
  // a is told of what "it" sent that b does not recognise: the eight reports of one packet.
  EXPECT_EQ(from_a.size(), 8u);
  for (const Event& event : from_a) EXPECT_EQ(event.type, EventType::remote_error);
  from_a.clear();
  send_each_way("afterwards");
  expect_moved();
}

TEST_F(HostileWire, AStackThatSendsToItselfIsNotAnswered) {
  connect();
  const std::uint64_t frames = sctp_frames;
  attack(*b, b->v4(), sctp(kPort, kPort, VTag(0), [&](auto& packet) {
    wire::append_init(packet, {VTag(9), 65536, 10, 10, Tsn(9)});
  }));
  run(milliseconds(5));
  EXPECT_EQ(sctp_frames, frames);
  EXPECT_EQ(b->counter("ip.drop_martian"), 1u);
  send_each_way("afterwards");
  expect_moved();
}

}  // namespace
}  // namespace sluice::worker
