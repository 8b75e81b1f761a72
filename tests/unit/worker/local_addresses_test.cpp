// Which of its addresses a stack tells the peer of in INIT and INIT ACK, and which paths come of them (RFC 9260
// §5.1.2).
#include <gtest/gtest.h>

#include <set>

#include "stack/wire/chunk_init.hpp"
#include "tests/unit/worker/stack_pair.hpp"

namespace sluice::worker {
namespace {

using std::chrono::seconds;
using wire::ChunkType;
using Addresses = std::set<IpAddress>;

constexpr std::uint16_t kPort = 5000;

class LocalAddresses : public testing::TestWithParam<std::uint16_t>, protected StackPair {
 protected:
  void make(bool link_local) {
    options.workers = GetParam();
    options.ports = 2;
    options.link_local = link_local;
    make_stacks();
  }
  void connect(EndpointId endpoint, const IpAddress& peer) {
    sent.clear();
    a.connect(UINT16_MAX, endpoint, peer, kPort);
    run(seconds(5));  // until every path is confirmed
  }
  /// Those that the first packet with a chunk of `type` lists.
  Addresses listed(ChunkType type) const {
    Addresses addresses;
    for (const SentPacket& packet : sent) {
      if (!packet.has(type)) continue;
      wire::ParameterWalker walker = wire::InitChunk::parse(*wire::chunks_of(packet.bytes).next())->parameters();
      while (const auto parameter = walker.next())
        if (const auto address = wire::read_address(*parameter)) addresses.insert(*address);
      return addresses;
    }
    ADD_FAILURE() << "nothing of that kind was sent";
    return {};
  }
  Addresses sources() const {
    Addresses addresses;
    for (const SentPacket& packet : sent) addresses.insert(packet.source);
    return addresses;
  }
  static Addresses destinations(const StackSide& side, AssocId association) {
    Addresses addresses;
    for (const assoc::PathSnapshot& path : side.state_of(association).paths) {
      addresses.insert(path.destination);
      EXPECT_EQ(path.state, PathState::active);
    }
    return addresses;
  }
};

TEST_P(LocalAddresses, AnEndpointWithoutAListHasAllThatTheStackHas) {
  make(false);
  b.open(kPort, true);
  connect(a.open(0, false), b->v4(0));
  const Addresses mine{a->v4(0), a->v6(0), a->v4(1), a->v6(1)};
  const Addresses theirs{b->v4(0), b->v6(0), b->v4(1), b->v6(1)};
  EXPECT_EQ(listed(ChunkType::init), mine);
  EXPECT_EQ(listed(ChunkType::init_ack), theirs);
  EXPECT_EQ(destinations(a, a.up()), theirs);
  EXPECT_EQ(destinations(b, b.up()), mine);
}

TEST_P(LocalAddresses, AnEndpointNamesItsOwnAlone) {
  make(false);
  b.open(kPort, true, {b->v6(0), b->v4(1)});
  connect(a.open(0, false, {a->v4(1), a->v6(0)}), b->v4(1));
  const Addresses mine{a->v4(1), a->v6(0)};
  const Addresses theirs{b->v6(0), b->v4(1)};
  EXPECT_EQ(listed(ChunkType::init), mine);
  EXPECT_EQ(listed(ChunkType::init_ack), theirs);
  EXPECT_EQ(destinations(a, a.up()), theirs);
  EXPECT_EQ(destinations(b, b.up()), mine);
  Addresses all = mine;
  all.insert(theirs.begin(), theirs.end());
  EXPECT_EQ(sources(), all) << "nothing leaves from another address";
}

TEST_P(LocalAddresses, AnEndpointIsNotReachedByAnotherAddressOfItsStack) {
  make(false);
  b.open(kPort, true, {b->v6(0), b->v4(1)});
  connect(a.open(0, false), b->v4(0));
  EXPECT_EQ(a.count(EventType::connect_failed), 1u);
  EXPECT_EQ(b->associations(), 0u);
}

TEST_P(LocalAddresses, APathLeavesFromAnAddressOfItsPort) {  // though the peer spoke to another one first
  make(false);
  b.open(kPort, true);
  connect(a.open(0, false, {a->v4(1)}), b->v4(0));
  const assoc::Snapshot state = b.state_of(b.up());
  ASSERT_EQ(state.paths.size(), 1u);
  EXPECT_EQ(state.paths[0].destination, a->v4(1));
  EXPECT_EQ(state.paths[0].port, 1);
  EXPECT_EQ(state.paths[0].source, b->v4(1));
}

TEST_P(LocalAddresses, TheAddressThatAPeerSpokeToAnswersWhicheverPortLeadsBack) {
  make(false);
  b.open(kPort, true, {b->v4(0)});
  connect(a.open(0, false, {a->v4(1)}), b->v4(0));
  const assoc::Snapshot state = b.state_of(b.up());
  ASSERT_EQ(state.paths.size(), 1u);
  EXPECT_EQ(state.paths[0].source, b->v4(0));
}

TEST_P(LocalAddresses, OneAddressIsNotListed) {  // the packet's source says it
  make(false);
  b.open(kPort, true, {b->v4(0)});
  connect(a.open(0, false, {a->v4(0)}), b->v4(0));
  EXPECT_EQ(listed(ChunkType::init_ack), Addresses{});
  EXPECT_EQ(destinations(a, a.up()), Addresses{b->v4(0)});
  EXPECT_EQ(destinations(b, b.up()), Addresses{a->v4(0)});
}

TEST_P(LocalAddresses, AGlobalPeerIsNotToldOfLinkLocalOnes) {  // RFC 4291 §2.5.6
  make(true);
  b.open(kPort, true);
  for (const IpAddress& peer : {b->v4(0), b->v6(1)}) {
    connect(a.open(0, false), peer);
    EXPECT_EQ(listed(ChunkType::init), (Addresses{a->v4(0), a->v6(0), a->v4(1), a->v6(1)}));
    EXPECT_EQ(listed(ChunkType::init_ack), (Addresses{b->v4(0), b->v6(0), b->v4(1), b->v6(1)}));
    EXPECT_EQ(b.state_of(b.up()).paths.size(), 4u);
  }
}

TEST_P(LocalAddresses, APeerOnTheLinkIsToldOfAll) {
  make(true);
  b.open(kPort, true);
  sent.clear();
  a.connect(0, a.open(0, false), b->link_local(0, true), kPort);
  run(seconds(1));
  EXPECT_EQ(listed(ChunkType::init),
            (Addresses{a->v4(0), a->v6(0), a->v4(1), a->v6(1), a->link_local(0, true), a->link_local(0, false),
                       a->link_local(1, true), a->link_local(1, false)}));
  EXPECT_EQ(a.count(EventType::association_up), 1u);
}

INSTANTIATE_TEST_SUITE_P(Workers, LocalAddresses, testing::Values(1, 4));

}  // namespace
}  // namespace sluice::worker
