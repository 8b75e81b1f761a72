#include <map>
#include <set>

#include "tests/unit/assoc/rx_fixture.hpp"

// Random traffic against a reference so plain that it cannot be wrong.

namespace sluice::assoc {
namespace {

struct Sent {
  Data chunk;
  std::uint32_t message;
};

class RxModelTest : public RxTest, public testing::WithParamInterface<std::uint64_t> {
 protected:
  static constexpr std::uint16_t kStreams = 7;
  static constexpr std::uint32_t kMessages = 400;

  /// All chunks that the peer will ever send, in TSN order.
  void make_traffic(base::Random& dice, std::uint32_t first_tsn) {
    std::uint16_t next_ssn[kStreams];
    for (auto& ssn : next_ssn) ssn = 0;
    std::uint32_t tsn = first_tsn;
    for (std::uint32_t message = 0; message < kMessages; ++message) {
      const auto stream = static_cast<std::uint16_t>(dice.below(kStreams));
      const bool unordered = dice.below(4) == 0;
      const std::uint32_t count = dice.below(3) == 0 ? 1 + dice.below(9) : 1;
      for (std::uint32_t i = 0; i < count; ++i) {
        std::string payload = std::to_string(message) + "." + std::to_string(i) + ";";
        if (dice.below(5) == 0) payload.resize(1 + dice.below(1200), 'p');
        static constexpr const char* kFlags[] = {"", "E", "B", "BE", "U", "EU", "BU", "BEU"};
        const int flags = (i == 0 ? 2 : 0) + (i + 1 == count ? 1 : 0) + (unordered ? 4 : 0);
        const auto ssn = unordered ? static_cast<std::uint16_t>(dice.u32()) : next_ssn[stream];
        sent_.push_back({{tsn++, payload, kFlags[flags], stream, ssn}, message});
        expected_[message].text += payload;
      }
      expected_[message].stream = stream;
      expected_[message].unordered = unordered;
      if (!unordered) ++next_ssn[stream];
    }
  }

  /// What the SACK must say, from the set of TSN offsets that were accepted and not given back.
  void check_sack(std::uint32_t first_tsn) {
    const auto report = sack(65000);
    const std::uint32_t cumulative = report->cumulative + 1 - first_tsn;  // as an offset: the next one missing
    ASSERT_GE(cumulative, reported_cumulative_);
    reported_cumulative_ = cumulative;
    for (std::uint32_t at = 0; at < cumulative; ++at) ASSERT_TRUE(accepted_.contains(at)) << at;
    std::set<std::uint32_t> reported;
    for (const auto& [first, last] : report->gaps) {
      ASSERT_LE(first, last);
      for (int at = first; at <= last; ++at) reported.insert(cumulative - 1 + static_cast<std::uint32_t>(at));
      ASSERT_FALSE(reported.contains(cumulative - 1 + static_cast<std::uint32_t>(last) + 1)) << "blocks that touch";
    }
    if (counters.data_chunks_reneged == 0) {
      ASSERT_FALSE(accepted_.contains(cumulative));
      for (const std::uint32_t at : accepted_) ASSERT_TRUE(at < cumulative || reported.contains(at)) << at;
    } else {  // only what is still reported counts as received
      std::erase_if(accepted_, [&](std::uint32_t at) { return at >= cumulative && !reported.contains(at); });
    }
    for (const std::uint32_t at : reported) ASSERT_TRUE(accepted_.contains(at)) << at;
  }

  void check_deliveries() {
    std::map<std::uint16_t, Message> open;
    std::map<std::uint16_t, std::uint32_t> next_id;
    for (const Piece& piece : host.pieces) {
      const std::uint16_t stream = piece.event.stream.value;
      ASSERT_EQ(open.contains(stream), !piece.event.begin) << "the pieces of a stream's messages must not mix";
      if (piece.event.begin) open[stream] = {"", stream, piece.event.unordered};
      ASSERT_EQ(open[stream].unordered, piece.event.unordered);
      ASSERT_EQ(next_id[stream], piece.event.message_id);
      open[stream].text += piece.data;
      if (!piece.event.end) continue;
      ++next_id[stream];
      finished_.push_back(open[stream]);
      open.erase(stream);
    }
    ASSERT_TRUE(open.empty());
    ASSERT_EQ(finished_.size(), expected_.size());
    // Ordered messages of a stream in the order sent; unordered ones each once.
    for (std::uint16_t stream = 0; stream < kStreams; ++stream) {
      std::vector<std::string> want, got;
      for (const auto& [message, each] : expected_)
        if (each.stream == stream && !each.unordered) want.push_back(each.text);
      for (const auto& each : finished_)
        if (each.stream == stream && !each.unordered) got.push_back(each.text);
      ASSERT_EQ(got, want) << "stream " << stream;
    }
    std::multiset<std::string> want, got;
    for (const auto& [message, each] : expected_)
      if (each.unordered) want.insert(each.text);
    for (const auto& each : finished_)
      if (each.unordered) got.insert(each.text);
    ASSERT_EQ(got, want);
  }

  struct Message {
    std::string text;
    std::uint16_t stream = 0;
    bool unordered = false;
  };
  std::vector<Sent> sent_;
  std::map<std::uint32_t, Message> expected_;
  std::vector<Message> finished_;
  std::set<std::uint32_t> accepted_;
  std::uint32_t reported_cumulative_ = 0;
};

TEST_P(RxModelTest, EveryMessageOnceAndInOrder) {
  base::SeededRandom dice(GetParam());
  const std::uint32_t first_tsn = dice.below(2) == 0 ? dice.u32() : 0xffffff00;
  parameters.pin_limit = dice.below(2) == 0 ? 40000 : 4 << 20;
  parameters.receive_window = dice.below(2) == 0 ? 16000 : 1 << 20;
  parameters.partial_delivery_point = dice.below(2) == 0 ? 1500 : 1 << 18;
  block_capacity = dice.below(2) == 0 ? 2176 : 0;
  host.keep = true;
  make_traffic(dice, first_tsn);
  restart(first_tsn, kStreams);
  std::uint32_t turns = 0;
  while (accepted_.size() < sent_.size() && ++turns < 200000) {
    // A lossy, reordering, duplicating path, with a sender that keeps a flight of 60 chunks.
    std::uint32_t lowest = 0;
    while (accepted_.contains(lowest)) ++lowest;
    std::vector<Data> bundle;
    std::vector<std::uint32_t> offsets;
    for (std::uint32_t n = 1 + dice.below(3); n > 0; --n) {
      const std::uint32_t at = dice.below(6) == 0 ? lowest : lowest + dice.below(60);
      if (at >= sent_.size()) continue;
      bundle.push_back(sent_[at].chunk);
      offsets.push_back(at);
    }
    if (bundle.empty()) continue;
    const auto verdicts = packet(bundle);
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
      ASSERT_TRUE(verdicts[i] == DataVerdict::accepted || verdicts[i] == DataVerdict::duplicate ||
                  verdicts[i] == DataVerdict::out_of_window);
      if (verdicts[i] == DataVerdict::accepted) accepted_.insert(offsets[i]);
      ASSERT_TRUE(verdicts[i] != DataVerdict::duplicate || accepted_.contains(offsets[i]));
    }
    ASSERT_LE(receiver().pinned(), parameters.pin_limit);
    check_sack(first_tsn);
    if (HasFatalFailure()) return;
    // The application reads now and then, and its ring is full now and then.
    if (dice.below(4) == 0 && !host.kept.empty()) {
      const auto read = 1 + dice.below(static_cast<std::uint32_t>(host.kept.size()));
      host.kept.erase(host.kept.begin(), host.kept.begin() + read);
    }
    host.room = dice.below(8) == 0 ? dice.below(3) : 1000;
    if (dice.below(3) == 0) receiver().resume_delivery(now);
  }
  ASSERT_EQ(accepted_.size(), sent_.size());
  host.room = UINT32_MAX;
  ASSERT_TRUE(receiver().resume_delivery(now));
  host.kept.clear();
  EXPECT_EQ(pools.held_chunks.out(), 0U);
  EXPECT_EQ(pools.held_pages.out(), 0U);
  EXPECT_EQ(pools.tsn_maps.out(), 0U);
  EXPECT_LE(receiver().pinned(), 2048U) << "at most the block for copies";
  check_deliveries();
}

INSTANTIATE_TEST_SUITE_P(Rx, RxModelTest, testing::Range<std::uint64_t>(1, 61));

}  // namespace
}  // namespace sluice::assoc
