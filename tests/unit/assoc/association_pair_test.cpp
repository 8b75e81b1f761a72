#include "tests/unit/assoc/association_pair.hpp"

namespace sluice::assoc {
namespace {

/// The text of message `i`: of many lengths, some of several chunks.
std::string text(std::uint32_t i) {
  std::string text = std::to_string(i) + ":";
  text.resize(text.size() + (i * 7919) % (i % 10 == 0 ? 6000 : 200), static_cast<char>('a' + i % 26));
  return text;
}

/// Messages put together from the pieces in which they were delivered, by stream.
std::map<std::uint16_t, std::vector<std::string>> received(const TestSide& side) {
  std::map<std::uint16_t, std::vector<std::string>> streams;
  std::map<std::pair<std::uint16_t, std::uint32_t>, std::string> partial;
  for (const SeenEvent& seen : side.host.seen(EventType::message)) {
    std::string& message = partial[{seen.event.stream.value, seen.event.message_id}];
    if (seen.event.begin) message.clear();
    message += seen.data;
    if (seen.event.end) streams[seen.event.stream.value].push_back(message);
  }
  return streams;
}

std::size_t count(const std::map<std::uint16_t, std::vector<std::string>>& streams) {
  std::size_t n = 0;
  for (const auto& [stream, messages] : streams) n += messages.size();
  return n;
}

TEST(AssociationPairs, SetUpTransferAndShutDown) {
  AssociationPair pair(1);
  pair.connect();
  ASSERT_TRUE(pair.run([&] { return pair.both_established(); }));
  ASSERT_EQ(pair.send(pair.left, "ping"), SendStatus::queued);
  ASSERT_EQ(pair.send(pair.right, "pong"), SendStatus::queued);
  ASSERT_TRUE(pair.run([&] { return count(received(pair.left)) == 1 && count(received(pair.right)) == 1; }));
  EXPECT_TRUE(pair.left.association->shutdown(pair.now));
  ASSERT_TRUE(pair.run([&] { return pair.finished(pair.left) && pair.finished(pair.right); }));
  EXPECT_EQ(pair.left.host.events.back().event.type, EventType::closed);
  EXPECT_EQ(pair.right.host.events.back().event.type, EventType::closed);
}

TEST(AssociationPairs, PeersThatDieAreNoticedWithinTheRetransmissionLimits) {
  AssociationPair pair(2);
  pair.connect();
  ASSERT_TRUE(pair.run([&] { return pair.both_established(); }));
  pair.right.association.reset();
  ASSERT_TRUE(pair.run([&] { return pair.finished(pair.left); }, 24h));
  EXPECT_EQ(pair.left.host.events.back().event.reason(), Reason::retransmissions);
}

TEST(AssociationPairs, SimultaneousShutdownEndsBothSides) {
  AssociationPair pair(3);
  pair.connect();
  ASSERT_TRUE(pair.run([&] { return pair.both_established(); }));
  pair.left.association->shutdown(pair.now);
  pair.right.association->shutdown(pair.now);
  ASSERT_TRUE(pair.run([&] { return pair.finished(pair.left) && pair.finished(pair.right); }));
  EXPECT_EQ(pair.left.host.events.back().event.type, EventType::closed);
  EXPECT_EQ(pair.right.host.events.back().event.type, EventType::closed);
}

TEST(AssociationPairs, AbortReachesTheOtherSide) {
  AssociationPair pair(4);
  pair.connect();
  ASSERT_TRUE(pair.run([&] { return pair.both_established(); }));
  pair.left.association->abort(pair.now, "enough");
  ASSERT_TRUE(pair.run([&] { return pair.finished(pair.left) && pair.finished(pair.right); }));
  EXPECT_EQ(pair.right.host.events.back().event.reason(), Reason::peer_abort);
}

/// Both ways, over a bad wire, from the handshake to the graceful end: each message once, in order on its stream, and
/// nothing left behind.
void exercise(std::uint64_t seed, const Faults& faults) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  constexpr std::uint32_t kMessages = 200;
  constexpr std::uint16_t kStreams = 10;
  AssociationPair pair(seed, faults);
  for (TestSide* const side : {&pair.left, &pair.right}) {
    side->parameters.max_init_retransmissions = 50;
    side->parameters.association_max_retransmissions = 50;
    side->parameters.rto_max = 4s;
  }
  pair.connect();
  ASSERT_TRUE(pair.run([&] { return pair.both_established(); }, 1h));
  for (std::uint32_t i = 0; i < kMessages; ++i)
    for (TestSide* const side : {&pair.left, &pair.right})
      ASSERT_EQ(pair.send(*side, text(i), StreamId(static_cast<std::uint16_t>(i % kStreams))), SendStatus::queued);
  const auto arrived = [](const TestSide& side) { return count(received(side)) >= kMessages; };
  ASSERT_TRUE(pair.run([&] { return arrived(pair.left) && arrived(pair.right); }, 2h));
  pair.left.association->shutdown(pair.now);
  const auto over = [](const TestSide& side) { return AssociationPair::finished(side); };
  ASSERT_TRUE(pair.run([&] { return over(pair.left) && (over(pair.right) || pair.now > Timestamp(10h)); }, 2h));

  for (const TestSide* const side : {&pair.left, &pair.right}) {
    const auto streams = received(*side);
    ASSERT_EQ(count(streams), kMessages);
    for (const auto& [stream, messages] : streams)
      for (std::uint32_t k = 0; k < messages.size(); ++k) ASSERT_EQ(messages[k], text(k * kStreams + stream));
    EXPECT_EQ(side->host.seen(EventType::association_up).size(), 1u);
    EXPECT_EQ(side->payloads.out(), 0u);
    EXPECT_EQ(side->copies.out(), 0u);
    EXPECT_EQ(side->host.packets.out(), 0u);
  }
}

TEST(AssociationPairs, EveryMessageArrivesOnceAndInOrderOverLoss) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) exercise(seed, {.lost = 50});
}

TEST(AssociationPairs, EveryMessageArrivesOnceAndInOrderOverDuplication) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) exercise(seed, {.duplicated = 300});
}

TEST(AssociationPairs, EveryMessageArrivesOnceAndInOrderOverReordering) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) exercise(seed, {.reordered = 300});
}

TEST(AssociationPairs, EveryMessageArrivesOnceAndInOrderOverEverythingAtOnce) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) exercise(seed, {.lost = 100, .duplicated = 100, .reordered = 200});
}

TEST(AssociationPairs, TheSameSeedGivesTheSameRun) {
  const auto run = [](std::uint64_t seed) {
    AssociationPair pair(seed, {.lost = 100, .duplicated = 100, .reordered = 100});
    pair.connect();
    EXPECT_TRUE(pair.run([&] { return pair.both_established(); }, 1h));
    for (std::uint32_t i = 0; i < 50; ++i) pair.send(pair.left, text(i));
    EXPECT_TRUE(pair.run([&] { return count(received(pair.right)) == 50; }, 1h));
    return std::pair(pair.now, pair.packets);
  };
  EXPECT_EQ(run(77), run(77));
}

TEST(AssociationPairs, BackPressureLosesNothing) {
  AssociationPair pair(5);
  pair.connect();
  ASSERT_TRUE(pair.run([&] { return pair.both_established(); }));
  for (std::uint32_t i = 0; i < 100; ++i) ASSERT_EQ(pair.send(pair.left, text(i)), SendStatus::queued);
  for (int turn = 0; turn < 2000 && count(received(pair.right)) < 100; ++turn) {
    pair.left.host.packet_room = turn % 2;  // at most one packet a turn, every other turn none
    pair.run([] { return false; }, 10ms);
  }
  EXPECT_EQ(count(received(pair.right)), 100u);
  EXPECT_EQ(pair.left.counters.chunks_retransmitted, 0u);
}

// §6.1 A, in spirit, between two associations: an application that does not read for a long time loses nothing.
TEST(AssociationPairs, AReaderThatStopsForHoursKeepsItsAssociation) {
  AssociationPair pair(5);
  pair.right.parameters.pin_limit = 3 * pair.right.parameters.receive_window / 2;
  pair.connect();
  ASSERT_TRUE(pair.run([&] { return pair.both_established(); }));
  pair.right.host.event_room = 0;
  const Timestamp stop = pair.now + std::chrono::hours(2);
  pair.run(
      [&] {
        while (AssociationPair::state(pair.left) == State::established &&
               pair.send(pair.left, std::string(60, 'x')) == SendStatus::queued) {
        }
        return pair.now >= stop || AssociationPair::state(pair.left) == State::closed;
      },
      std::chrono::hours(3));
  EXPECT_EQ(AssociationPair::state(pair.left), State::established)
      << "after " << pair.left.counters.t3_expired << " timeouts, each answered by a SACK";
}

}  // namespace
}  // namespace sluice::assoc
