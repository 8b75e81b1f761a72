// COOKIE ECHOs by the thousand that are forged, changed, replayed or late: each dropped under the one counter that says
// why, with nothing kept. What is decoded behind a good MAC: see cookie_test.cpp.

#include <gmock/gmock.h>

#include <map>
#include <string>

#include "tests/unit/endpoint/worker_fixture.hpp"

namespace sluice::endpoint::test {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::Pair;

class HostileCookies : public WorkerFixture {
 protected:
  using Reasons = std::map<std::string, std::uint64_t>;

  Reasons count() const {
    Reasons values;
    counters.for_each([&](const char* name, const char*, std::uint64_t value) { values[name] = value; });
    return values;
  }
  void mark() { before = count(); }
  /// What was counted since mark(), the COOKIE ECHOs themselves left out.
  Reasons reasons() const {
    Reasons reasons;
    for (const auto& [name, value] : count())
      if (value != before.at(name) && name != "cookie_echoes_received") reasons[name] = value - before.at(name);
    return reasons;
  }
  void expect_nothing_kept() {
    EXPECT_TRUE(host.sent.empty());
    EXPECT_EQ(directory.size(), 0u);
    EXPECT_EQ(backlog.waiting(), 0u);
  }
  void expect_dropped(const base::InboundPacket& packet, const char* counter) {
    mark();
    EXPECT_EQ(receive(packet).next, Verdict::Next::done);
    EXPECT_THAT(reasons(), ElementsAre(Pair(counter, 1u)));
    expect_nothing_kept();
  }
  /// The association of `ack` begins: the caller may let it end again.
  void begin(const InitAck& ack) {
    const base::InboundPacket packet = echo_of(ack);
    ASSERT_EQ(receive(packet).next, Verdict::Next::create);
    ASSERT_EQ(owner_role.admit(now, order, packet, true), Admission::admitted);
    ASSERT_EQ(tags.insert(ack.header.init_tag, &association), TagTable::InsertStatus::inserted);
    backlog.leave();
  }
  void end(const InitAck& ack) {
    tags.retire(ack.header.init_tag, now);
    responder.apply(release_of(order));
  }

  Reasons before = count();
  int association = 0;
};

TEST_F(HostileCookies, EveryBitThatFlipsIsNoticed) {
  const InitAck ack = exchange_init({.addresses = {kPeer2}});
  for (std::size_t bit = 0; bit < ack.cookie.size() * 8; ++bit) {
    SCOPED_TRACE(bit);
    InitAck forged = ack;
    forged.cookie[bit / 8] ^= std::byte{1} << bit % 8;
    const bool version = bit < 8;
    const bool key = !version && bit < 16;
    expect_dropped(echo_of(forged), version ? "cookie_malformed" : key ? "cookie_unknown_key" : "cookie_bad_mac");
  }
  EXPECT_EQ(receive(echo_of(ack)).next, Verdict::Next::create);
}

TEST_F(HostileCookies, EveryOtherLengthIsNoticed) {
  const InitAck ack = exchange_init();
  constexpr std::size_t kLeast = 72;
  for (std::size_t length = 0; length < kMaxCookieSize + 8; ++length) {
    if (length == ack.cookie.size()) continue;
    SCOPED_TRACE(length);
    InitAck forged = ack;
    forged.cookie.resize(length);
    const bool possible = length >= kLeast && length <= kMaxCookieSize;
    expect_dropped(echo_of(forged), possible ? "cookie_bad_mac" : "cookie_malformed");
  }
  EXPECT_EQ(receive(echo_of(ack)).next, Verdict::Next::create);
}

TEST_F(HostileCookies, AChunkThatIsShorterOrLongerThanItsCookieIsNoticed) {
  const InitAck ack = exchange_init();
  const base::InboundPacket good = echo_of(ack);
  const auto with_length = [&](std::uint16_t length) {
    base::InboundPacket packet = echo_of(ack);
    base::store_be(packet.buffer.data() + wire::kCommonHeaderSize + 2, length);
    return packet;
  };
  const auto whole = static_cast<std::uint16_t>(good.buffer.size() - wire::kCommonHeaderSize);
  for (std::uint16_t length = 0; length < whole; ++length) {
    SCOPED_TRACE(length);
    const bool possible = length >= wire::kChunkHeaderSize + 72;
    expect_dropped(with_length(length), possible ? "cookie_bad_mac" : "cookie_malformed");
  }
  for (const std::uint16_t length : {whole + 1, whole + 4, 0x7fff, 0xffff}) {
    SCOPED_TRACE(length);
    expect_dropped(with_length(length), "cookie_malformed");
  }
  // Cut short, so that the length counts what is not there.
  for (std::uint32_t size = wire::kCommonHeaderSize + wire::kChunkHeaderSize; size < good.buffer.size(); ++size) {
    base::InboundPacket packet = echo_of(ack);
    packet.buffer = host.buffers.copy_of(packet.buffer.bytes().first(size));
    expect_dropped(packet, "cookie_malformed");
  }
  EXPECT_EQ(receive(good).next, Verdict::Next::create);
}

TEST_F(HostileCookies, AFloodOfForgedOnesKeepsNothingAndSaysNothing) {
  const InitAck ack = exchange_init();
  mark();
  constexpr std::uint32_t kFlood = 20'000;
  for (std::uint32_t i = 0; i < kFlood; ++i) {
    InitAck forged = ack;
    for (std::size_t at = 2; at < forged.cookie.size(); at += 4)
      base::store_be(forged.cookie.data() + std::min(at, forged.cookie.size() - 4), random.u32());
    forged.header.init_tag = VTag(random.u32());
    receive(echo_of(forged, {.source = IpAddress::v4(random.u32() >> 1 | 1),
                             .source_port = static_cast<std::uint16_t>(random.u32())}));
  }
  std::uint64_t dropped = 0;
  for (const auto& [name, value] : reasons()) {
    EXPECT_TRUE(name == "cookie_bad_mac" || name == "not_unicast") << name;
    dropped += value;
  }
  EXPECT_EQ(dropped, kFlood);
  expect_nothing_kept();
  EXPECT_EQ(host.buffers.out(), 0u);
  EXPECT_EQ(receive(echo_of(ack)).next, Verdict::Next::create);
}

TEST_F(HostileCookies, AGoodOneAThousandTimesReservesOnce) {
  const InitAck ack = exchange_init();
  begin(ack);
  mark();
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(receive(echo_of(ack)).next, Verdict::Next::to_owner);
  EXPECT_THAT(reasons(), ElementsAre(Pair("forwarded_to_owner", 1000u)));
  EXPECT_EQ(directory.size(), 1u);
  EXPECT_EQ(backlog.waiting(), 0u);
  EXPECT_TRUE(host.sent.empty());
}

TEST_F(HostileCookies, ReplaysAfterTheEndBringNothingBackAsLongAsTheCookieLives) {
  const InitAck ack = exchange_init();
  begin(ack);
  end(ack);
  mark();
  for (int i = 0; i < 1000; ++i) {
    const base::InboundPacket packet = echo_of(ack);
    ASSERT_EQ(receive(packet).next, Verdict::Next::create);
    ASSERT_EQ(owner_role.admit(now, order, packet, true), Admission::replayed);
    responder.apply(release_of(order));
    backlog.leave();
  }
  EXPECT_EQ(reasons()["cookie_replayed"], 1000u);
  expect_nothing_kept();
  now += seconds(61);
  mark();
  receive(echo_of(ack));
  EXPECT_THAT(reasons(), ElementsAre(Pair("cookie_stale", 1u), Pair("stale_errors_sent", 1u)));
}

TEST_F(HostileCookies, AStormOfExpiredOnesIsAnsweredAtALimitedRateWithLess) {
  const InitAck ack = exchange_init();
  now += seconds(61);
  mark();
  for (int i = 0; i < 1000; ++i) receive(echo_of(ack));
  EXPECT_EQ(host.sent.size(), 10u);
  for (const base::OutboundPacket& answer : host.sent) EXPECT_EQ(answer.buffer.size(), 24u);
  EXPECT_THAT(reasons(), ElementsAre(Pair("answers_rate_limited", 990u), Pair("cookie_stale", 1000u),
                                     Pair("stale_errors_sent", 10u)));
  EXPECT_EQ(directory.size(), 0u);
}

TEST_F(HostileCookies, OneThatSomebodySawPassIsOfNoUseFromElsewhere) {
  const InitAck ack = exchange_init({.addresses = {kPeer2}});
  for (const char* const source : {"198.18.0.3", "198.18.1.3", "10.0.0.1", "2001:db8::2"})
    expect_dropped(echo_of(ack, {.source = ip(source)}), "cookie_mismatch");
  for (const std::uint16_t port : {std::uint16_t{0}, std::uint16_t{1}, std::uint16_t{kPeerPort + 1}})
    expect_dropped(echo_of(ack, {.source_port = port}), "cookie_mismatch");
  for (const VTag tag : {VTag(1), VTag(ack.header.init_tag.value ^ 1), kPeerTag})
    expect_dropped(cookie_echo({}, tag, ack.cookie), "cookie_mismatch");
  EXPECT_EQ(receive(echo_of(ack)).next, Verdict::Next::create);
}

}  // namespace
}  // namespace sluice::endpoint::test
