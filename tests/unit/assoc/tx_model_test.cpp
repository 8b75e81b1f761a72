// The sender against a naive receiver over a network that loses, repeats and reorders; every step is checked.

#include <map>
#include <set>

#include "stack/assoc/tx/round_robin_scheduler.hpp"
#include "tests/unit/assoc/tx_fixture.hpp"

namespace sluice::assoc {
namespace {

/// Keeps what came by TSN and says so; forgets some of it now and then, as a receiver short of memory may.
class NaiveReceiver {
 public:
  explicit NaiveReceiver(Tsn first) : cumulative_(first - 1) {}

  void take(const SentData& chunk) {
    if (chunk.tsn > cumulative_) held_.emplace(chunk.tsn - cumulative_base(), chunk);
    while (true) {
      const auto next = held_.find(cumulative_ + 1 - cumulative_base());
      if (next == held_.end()) break;
      accept(next->second);
      held_.erase(next);
      ++cumulative_;
    }
  }
  void renege() { held_.clear(); }
  Tsn cumulative() const { return cumulative_; }
  std::vector<wire::GapAckBlock> gaps() const {
    std::vector<wire::GapAckBlock> blocks;
    const std::int64_t base = cumulative_ - cumulative_base();
    for (const auto& [at, chunk] : held_) {
      const auto offset = static_cast<std::uint16_t>(at - base);
      if (!blocks.empty() && blocks.back().end + 1 == offset)
        blocks.back().end = offset;
      else
        blocks.push_back({offset, offset});
    }
    if (blocks.size() > 100) blocks.resize(100);
    return blocks;
  }
  /// Messages of each stream in the order of arrival; unordered ones apart.
  std::map<std::uint16_t, std::vector<std::string>> ordered, unordered;

 private:
  // TSNs of one run span far less than half the space, so that distances from a fixed point sort them.
  Tsn cumulative_base() const { return base_; }
  void accept(const SentData& chunk) {
    EXPECT_EQ(chunk.begin, !open_) << "fragments of a message have consecutive TSNs";
    if (chunk.begin) {
      message_.clear();
      first_ = chunk;
    }
    EXPECT_EQ(chunk.stream, first_.stream);
    EXPECT_EQ(chunk.unordered, first_.unordered);
    if (!chunk.unordered) {
      EXPECT_EQ(chunk.ssn, Ssn(static_cast<std::uint16_t>(ordered[chunk.stream.value].size())));
    }
    message_ += chunk.text;
    open_ = !chunk.end;
    if (chunk.end) (chunk.unordered ? unordered : ordered)[chunk.stream.value].push_back(message_);
  }

  Tsn cumulative_;
  Tsn base_ = cumulative_;
  std::map<std::int64_t, SentData> held_;
  std::string message_;
  SentData first_;
  bool open_ = false;
};

class ModelTest : public SenderTest, public ::testing::WithParamInterface<std::uint64_t> {
 protected:
  struct Flight {
    Timestamp arrives;
    SentPacket packet;
  };
  struct SackFlight {
    Timestamp arrives;
    Sack sack;
  };

  std::uint32_t below(std::uint32_t n) { return seeded.below(n); }
  bool chance(std::uint32_t percent) { return below(100) < percent; }

  void submit() {
    const auto stream = static_cast<std::uint16_t>(below(5));
    auto& part = open[stream];
    std::string text(1 + (chance(20) ? below(6000) : below(120)), ' ');
    for (char& c : text) c = static_cast<char>(' ' + below(90));
    SendRequest r = request(text, stream);
    if (part.text.empty()) part.unordered = chance(20);
    r.unordered = part.unordered;
    r.end = !chance(10);
    const bool end = r.end;
    if (sender->send(std::move(r)) != SendStatus::queued) {
      r.payload.reset();
      return;
    }
    part.text += text;
    if (!end) return;
    (part.unordered ? unordered : ordered)[stream].push_back(part.text);
    part = {};
    ++messages;
  }
  /// Ends the messages that are open, whatever the buffer says.
  void close_open() {
    for (auto& [stream, part] : open) {
      if (part.text.empty()) continue;
      SendRequest r = request("!", stream);
      r.unordered = part.unordered;
      if (sender->send(std::move(r)) != SendStatus::queued) {
        r.payload.reset();
        continue;
      }
      (part.unordered ? unordered : ordered)[stream].push_back(part.text + "!");
      part = {};
    }
  }
  bool all_closed() const {
    for (const auto& [stream, part] : open)
      if (!part.text.empty()) return false;
    return true;
  }
  void transmit(Path& path) {
    for (SentPacket& packet : flush(path)) {
      if (chance(loss)) continue;
      const auto delay = [this] { return 1ms + std::chrono::microseconds(below(chance(10) ? 40000 : 3000)); };
      if (chance(5)) packets.push_back({now + delay(), packet});
      packets.push_back({now + delay(), std::move(packet)});
    }
  }
  void receive(NaiveReceiver& receiver) {
    bool came = false;
    for (auto it = packets.begin(); it != packets.end();) {
      if (it->arrives > now) {
        ++it;
        continue;
      }
      for (const SentData& chunk : it->packet)
        if (window > 0 || chunk.tsn <= receiver.cumulative()) receiver.take(chunk);
      came = true;
      it = packets.erase(it);
    }
    if (loss > 0 && chance(1)) receiver.renege();
    if (came && !chance(loss))
      sacks.push_back({now + 1ms + std::chrono::microseconds(below(4000)),
                       {.cumulative = receiver.cumulative().value(), .gaps = receiver.gaps(), .window = window}});
  }
  void acknowledge() {
    for (auto it = sacks.begin(); it != sacks.end();) {
      if (it->arrives > now) {
        ++it;
        continue;
      }
      EXPECT_TRUE(sack(it->sack).valid);
      it = sacks.erase(it);
    }
  }
  void fire_timers() {
    for (Path& path : paths)
      if (path.t3_deadline <= now) {
        sender->on_t3_expired(now, path);
        if (chance(50)) primary = 1 - primary;
      }
    if (sender->probe_deadline() <= now) sender->on_probe_deadline(now);
  }

  base::SeededRandom seeded{GetParam()};
  struct Open {
    std::string text;
    bool unordered = false;
  };
  std::map<std::uint16_t, Open> open;
  std::map<std::uint16_t, std::vector<std::string>> ordered, unordered;
  std::deque<Flight> packets;
  std::deque<SackFlight> sacks;
  std::size_t messages = 0;
  std::size_t primary = 0;
  std::uint32_t loss = 0;
  std::uint32_t window = 100000;
};

TEST_P(ModelTest, EveryMessageArrivesOnceIntactAndInOrder) {
  loss = below(3) * 10;
  handshake.local_initial_tsn = Tsn(0u - below(2000));
  parameters.send_buffer = 20000 + below(200000);
  parameters.rto_min = 50ms;
  parameters.rto_max = 1s;
  RoundRobinScheduler round_robin;
  start();
  if (chance(50)) sender->set_scheduler(round_robin);
  NaiveReceiver receiver(handshake.local_initial_tsn);
  int step = 0;
  for (; step < 200000 && !(messages >= 1000 && all_closed() && sender->drained()); ++step) {
    if (messages < 1000)
      for (std::uint32_t n = below(4); n > 0; --n) submit();
    else
      close_open();
    if (chance(1)) window = chance(30) ? 0 : 1500 + below(100000);
    fire_timers();
    transmit(paths[primary]);
    receive(receiver);
    acknowledge();
    check_scoreboard();
    ASSERT_FALSE(HasFailure()) << "step " << step;
    now += std::chrono::microseconds(200 + below(2000));
  }
  EXPECT_TRUE(sender->drained()) << "after " << step << " steps";
  EXPECT_EQ(receiver.ordered, ordered);
  EXPECT_EQ(receiver.unordered, unordered);
  EXPECT_EQ(sender->buffered_bytes(), 0u);
  EXPECT_EQ(sender->message_parts(), 0u);
  EXPECT_EQ(sender->retransmitted_chunks() > 0, counters.chunks_retransmitted > 0);
  sender.reset();
}

INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, ::testing::Range<std::uint64_t>(1, 13));

}  // namespace
}  // namespace sluice::assoc
