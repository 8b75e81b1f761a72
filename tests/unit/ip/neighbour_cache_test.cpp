#include "stack/ip/neighbour_cache.hpp"

#include "tests/unit/ip/support.hpp"

namespace sluice::ip::testing {
namespace {

using Evidence = NeighbourCache::Evidence;
using Queued = NeighbourCache::Queued;

IpAddress nth(unsigned n) {
  return IpAddress::v4(0xc6120000 + n);
}

class NeighbourCacheTest : public ::testing::Test, public NeighbourCache::Actions {
 protected:
  NeighbourCacheTest() {
    config.limits.neighbours = 8;
    config.limits.pending_per_neighbour = 3;
    config.limits.pending_packets = 5;
    reset();
  }
  void reset() { cache = std::make_unique<NeighbourCache>(config, *this, counters, 99); }
  Queued enqueue(unsigned n, std::size_t length = 1) {
    return cache->enqueue(0, nth(n), {{}, buffers.copy_of(pattern(length))}, now);
  }
  void learn(unsigned n, const MacAddress& mac = kPeerMac, Evidence evidence = Evidence::answer) {
    cache->learn(0, nth(n), mac, evidence, now);
  }
  bool usable(unsigned n) {
    const Neighbour* const neighbour = cache->find(0, nth(n));
    return neighbour != nullptr && neighbour->usable();
  }
  void use(unsigned n) { cache->use(*cache->find(0, nth(n)), now); }
  void advance(Duration by) {
    now += by;
    cache->poll(now);
  }
  static NeighbourUpdate update(unsigned n, bool reachable, std::uint64_t generation,
                                const MacAddress& mac = kPeerMac) {
    NeighbourUpdate u;
    u.address = nth(n);
    u.mac = mac;
    u.reachable = reachable;
    u.generation = generation;
    return u;
  }

  struct Asked {
    IpAddress who;
    bool broadcast;
  };
  void solicit(const Neighbour& neighbour, bool broadcast) override { asked.push_back({neighbour.address, broadcast}); }
  void send_pending(const Neighbour& neighbour, base::OutboundPacket&& packet) override {
    EXPECT_TRUE(neighbour.usable());
    sent.push_back(packet.buffer.size());
    packet.buffer.reset();
  }
  void report(const NeighbourUpdate& u) override { reports.push_back(u); }

  Timestamp now{1h};
  Config config = one_port();
  Counters counters;
  base::HeapBuffers buffers;
  std::vector<Asked> asked;
  std::vector<std::uint32_t> sent;
  std::vector<NeighbourUpdate> reports;
  std::unique_ptr<NeighbourCache> cache;
};

TEST_F(NeighbourCacheTest, AsksOnceForManyPackets) {
  EXPECT_EQ(enqueue(1, 1), Queued::queued);
  EXPECT_EQ(enqueue(1, 2), Queued::queued);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_TRUE(asked[0].broadcast);
  EXPECT_EQ(cache->next_deadline(), now + 1s);
  learn(1);
  EXPECT_EQ(sent, (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(cache->pending_packets(), 0U);
}

TEST_F(NeighbourCacheTest, TheOldestPacketOfANeighbourGivesWay) {
  for (std::size_t length = 1; length <= 5; ++length) EXPECT_EQ(enqueue(1, length), Queued::queued);
  EXPECT_EQ(buffers.out(), 3U);
  EXPECT_EQ(counters.drop_tx_pending_full, 2U);
  learn(1);
  EXPECT_EQ(sent, (std::vector<std::uint32_t>{3, 4, 5}));
}

TEST_F(NeighbourCacheTest, BoundsPendingPacketsInAll) {
  for (unsigned n = 1; n <= 5; ++n) EXPECT_EQ(enqueue(n), Queued::queued);
  EXPECT_EQ(enqueue(6), Queued::full);
  EXPECT_EQ(buffers.out(), 5U);
  EXPECT_EQ(counters.drop_tx_pending_full, 1U);
  learn(1);
  EXPECT_EQ(enqueue(6), Queued::queued);
}

TEST_F(NeighbourCacheTest, NothingWaitsWhenNothingMay) {
  config.limits.pending_per_neighbour = 0;
  reset();
  EXPECT_EQ(enqueue(1), Queued::full);
  EXPECT_EQ(asked.size(), 1U);
  learn(1);
  EXPECT_TRUE(usable(1));
}

TEST_F(NeighbourCacheTest, AsksThreeTimesThenFailsThenForgets) {
  enqueue(1);
  advance(999ms);
  EXPECT_EQ(asked.size(), 1U);
  advance(1ms);
  EXPECT_EQ(asked.size(), 2U);
  advance(1s);
  EXPECT_EQ(asked.size(), 3U);
  EXPECT_TRUE(reports.empty());
  advance(1s);
  EXPECT_EQ(asked.size(), 3U);
  EXPECT_EQ(buffers.out(), 0U);
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_FALSE(reports[0].reachable);
  EXPECT_EQ(enqueue(1), Queued::failed);
  advance(2s);
  EXPECT_EQ(cache->size(), 0U);
  EXPECT_EQ(enqueue(1), Queued::queued);
}

TEST_F(NeighbourCacheTest, AFailedNeighbourThatSpeaksIsBack) {
  enqueue(1);
  advance(1s);
  advance(1s);
  advance(1s);
  learn(1, kPeerMac, Evidence::statement);
  EXPECT_TRUE(usable(1));
}

TEST_F(NeighbourCacheTest, UseRefreshesBeforeAnythingIsLost) {
  learn(1);
  advance(29s);
  use(1);
  EXPECT_TRUE(asked.empty());
  advance(1s);
  use(1);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_FALSE(asked[0].broadcast);
  EXPECT_TRUE(usable(1));
  use(1);
  EXPECT_EQ(asked.size(), 1U);
  learn(1);
  advance(29s);
  use(1);
  EXPECT_EQ(asked.size(), 1U);
}

TEST_F(NeighbourCacheTest, AProbeGoesOnByBroadcastAndThenFails) {
  learn(1);
  reports.clear();
  advance(30s);
  use(1);
  advance(1s);
  advance(1s);
  ASSERT_EQ(asked.size(), 3U);
  EXPECT_FALSE(asked[0].broadcast);
  EXPECT_TRUE(asked[1].broadcast);
  EXPECT_TRUE(usable(1));
  advance(1s);
  EXPECT_FALSE(usable(1));
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_FALSE(reports[0].reachable);
}

TEST_F(NeighbourCacheTest, ForgetsWhatIsNotUsed) {
  learn(1);
  learn(2);
  use(2);
  advance(10min);
  EXPECT_EQ(cache->find(0, nth(1)), nullptr);
  EXPECT_TRUE(usable(2));
  advance(10min);
  EXPECT_EQ(cache->size(), 0U);
  EXPECT_EQ(cache->next_deadline(), kNever);
}

TEST_F(NeighbourCacheTest, EvidenceCountsForWhatItIs) {
  learn(1, kPeerMac, Evidence::statement);
  EXPECT_EQ(cache->size(), 0U);
  learn(1);
  learn(1, kGatewayMac, Evidence::hint);
  EXPECT_EQ(destination_of(cache->find(0, nth(1))->link), kPeerMac);
  EXPECT_EQ(asked.size(), 1U);
  learn(1, kGatewayMac, Evidence::statement);
  EXPECT_EQ(destination_of(cache->find(0, nth(1))->link), kGatewayMac);
  enqueue(2);
  learn(2, kGatewayMac, Evidence::hint);
  EXPECT_TRUE(usable(2));
}

TEST_F(NeighbourCacheTest, ReportsChangesAtOnceAndConfirmationsNowAndThen) {
  learn(1);
  learn(1);
  learn(1);
  EXPECT_EQ(reports.size(), 1U);
  learn(1, kGatewayMac);
  EXPECT_EQ(reports.size(), 2U);
  now += 500ms;
  learn(1, kGatewayMac);
  EXPECT_EQ(reports.size(), 3U);
  EXPECT_LT(reports[0].generation, reports[1].generation);
  EXPECT_LT(reports[1].generation, reports[2].generation);
}

TEST_F(NeighbourCacheTest, TheHigherGenerationCounts) {
  cache->apply(update(1, true, 10), now);
  EXPECT_TRUE(usable(1));
  cache->apply(update(1, false, 9), now);
  EXPECT_TRUE(usable(1));
  cache->apply(update(1, false, 11), now);
  EXPECT_FALSE(usable(1));
  cache->apply(update(1, true, 10), now);
  EXPECT_FALSE(usable(1));
  cache->apply(update(1, true, 12, kGatewayMac), now);
  EXPECT_EQ(destination_of(cache->find(0, nth(1))->link), kGatewayMac);
  cache->apply(update(2, false, 5), now);
  EXPECT_EQ(cache->find(0, nth(2)), nullptr);
  NeighbourUpdate elsewhere = update(3, true, 5);
  elsewhere.port = 7;
  cache->apply(elsewhere, now);
  EXPECT_EQ(cache->size(), 1U);
  EXPECT_TRUE(reports.empty());
}

TEST_F(NeighbourCacheTest, UpdatesOfOneGenerationEndTheSameInAnyOrder) {
  std::vector<NeighbourUpdate> updates{update(1, true, 10, kPeerMac), update(1, true, 10, kGatewayMac),
                                       update(1, false, 10)};
  const auto order = [](const NeighbourUpdate& a, const NeighbourUpdate& b) {
    return std::tuple(a.reachable, a.mac) < std::tuple(b.reachable, b.mac);
  };
  std::sort(updates.begin(), updates.end(), order);
  do {
    reset();
    for (const NeighbourUpdate& u : updates) cache->apply(u, now);
    ASSERT_TRUE(usable(1));
    EXPECT_EQ(destination_of(cache->find(0, nth(1))->link), kGatewayMac);
  } while (std::next_permutation(updates.begin(), updates.end(), order));
}

TEST_F(NeighbourCacheTest, AnUpdateReleasesWhatWaits) {
  enqueue(1, 7);
  cache->apply(update(1, true, 1), now);
  EXPECT_EQ(sent, std::vector<std::uint32_t>{7});
}

TEST_F(NeighbourCacheTest, WhatIsNotUsedGivesWayFirst) {
  for (unsigned n = 1; n <= 8; ++n) learn(n);
  for (unsigned n = 1; n <= 8; ++n)
    if (n != 5) use(n);
  learn(20);
  EXPECT_EQ(cache->size(), 8U);
  EXPECT_EQ(cache->find(0, nth(5)), nullptr);
  EXPECT_TRUE(usable(20));
  EXPECT_EQ(counters.neighbours_evicted, 1U);
}

TEST_F(NeighbourCacheTest, AFloodOfUnknownDestinationsEvictsItself) {
  learn(1);
  for (unsigned n = 100; n < 200; ++n) {
    use(1);
    enqueue(n);
  }
  EXPECT_TRUE(usable(1));
  EXPECT_EQ(cache->size(), 8U);
  EXPECT_LE(buffers.out(), 5U);
  EXPECT_EQ(counters.drop_tx_pending_full + cache->pending_packets(), 100U);
}

TEST_F(NeighbourCacheTest, LinkDownDropsWhatWaitsAndDoubtsTheRest) {
  learn(1);
  enqueue(2);
  cache->link_down(0, now);
  EXPECT_EQ(buffers.out(), 0U);
  EXPECT_EQ(counters.drop_tx_link_down, 1U);
  asked.clear();
  use(1);
  EXPECT_EQ(asked.size(), 1U);
}

TEST_F(NeighbourCacheTest, PortsAreApart) {
  config.interfaces.push_back(config.interfaces[0]);
  reset();
  cache->learn(1, nth(1), kPeerMac, Evidence::answer, now);
  EXPECT_EQ(cache->find(0, nth(1)), nullptr);
  EXPECT_NE(cache->find(1, nth(1)), nullptr);
}

TEST_F(NeighbourCacheTest, OnePollDoesABoundedPortion) {
  config.limits.neighbours = 1000;
  reset();
  for (unsigned n = 0; n < 1000; ++n) enqueue(n);
  asked.clear();
  advance(1s);
  EXPECT_EQ(asked.size(), 64U);
  EXPECT_LE(cache->next_deadline(), now);
  while (cache->next_deadline() <= now) cache->poll(now);
  EXPECT_EQ(asked.size(), 1000U);
}

}  // namespace
}  // namespace sluice::ip::testing
