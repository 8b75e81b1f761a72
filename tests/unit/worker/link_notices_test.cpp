// Ports that lose their link under many associations: a turn tells no more of them than it may (TurnLimits).
#include <gtest/gtest.h>

#include "tests/unit/worker/stack_pair.hpp"

namespace sluice::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint16_t kPort = 5000;
constexpr std::size_t kAssociations = 20;
constexpr std::uint32_t kNotices = 4;

class LinkNotices : public testing::Test, protected StackPair {
 protected:
  LinkNotices() {
    options.ports = 3;
    options.config.turn.link_notices = kNotices;
    make_stacks();
    b.open(kPort, true, {b->v4(0), b->v4(1), b->v4(2)});
    const EndpointId endpoint = a.open(0, false, {a->v4(0), a->v4(1), a->v4(2)});
    for (std::size_t i = 0; i < kAssociations; ++i) a.connect(0, endpoint, b->v4(0), kPort);
    run(seconds(10));  // until every path is confirmed
    EXPECT_EQ(a.count(EventType::association_up), kAssociations);
    EXPECT_EQ(in_state(0, PathState::active), kAssociations);
    EXPECT_EQ(in_state(1, PathState::active), kAssociations);
  }

  /// Associations of a's whose path by `port` is in `state`.
  std::size_t in_state(std::uint16_t port, PathState state) {
    std::size_t n = 0;
    AssocId last = encode({a->worker().id(), 0, 0});
    for (assoc::Snapshot next; a->worker().snapshots(last, {&next, 1}) == 1; last = next.id)
      for (const assoc::PathSnapshot& path : next.paths) n += path.port == port && path.state == state;
    return n;
  }
  /// A turn of a's; how many associations heard something in it.
  std::size_t turn() {
    const std::size_t before = a.events.size();
    a->worker().poll_once();
    a.take();
    std::size_t told = 0;
    for (std::size_t i = before; i < a.events.size(); ++i) told += a.events[i].type == EventType::path_changed;
    return told;
  }
  /// Lets a look at its links; what it finds it begins to tell in the turns that follow.
  void set_link(std::uint16_t port, bool up) {
    wire.set_link(a->port_number(port), up);
    clock.advance(options.config.link_interval);
  }
};

TEST_F(LinkNotices, ATurnTellsAsManyAsItMay) {
  set_link(0, false);
  std::size_t told = 0, turns = 0;
  for (; told < kAssociations && turns < 100; ++turns) {
    EXPECT_TRUE(a->worker().has_work()) << "the others still have to hear of it";
    const std::size_t in_turn = turn();
    EXPECT_LE(in_turn, kNotices);
    told += in_turn;
    EXPECT_EQ(in_state(0, PathState::inactive), told);
  }
  EXPECT_EQ(told, kAssociations);
  EXPECT_LE(turns, kAssociations / kNotices + 2);
  EXPECT_EQ(in_state(1, PathState::active), kAssociations);
}

TEST_F(LinkNotices, TwoPortsShareWhatATurnMayTell) {
  wire.set_link(a->port_number(1), false);
  set_link(2, false);
  std::size_t told = 0, turns = 0;
  for (; told < 2 * kAssociations && turns < 100; ++turns) {
    const std::size_t in_turn = turn();
    EXPECT_LE(in_turn, kNotices);
    told += in_turn;
  }
  EXPECT_EQ(told, 2 * kAssociations);
  EXPECT_EQ(in_state(1, PathState::inactive), kAssociations);
  EXPECT_EQ(in_state(2, PathState::inactive), kAssociations);
  EXPECT_EQ(in_state(0, PathState::active), kAssociations);
}

TEST_F(LinkNotices, ALinkThatIsBackWhileItsLossIsToldLeavesNobodyBehind) {
  for (std::size_t turns = 1; turns < 8; ++turns) {
    set_link(0, false);
    for (std::size_t i = 0; i < turns; ++i) turn();
    EXPECT_EQ(in_state(0, PathState::inactive), std::min((turns - 1) * kNotices, kAssociations));
    set_link(0, true);
    run(milliseconds(500));  // heartbeats are answered at once
    EXPECT_EQ(in_state(0, PathState::active), kAssociations) << "back after " << turns << " turns";
  }
}

TEST_F(LinkNotices, ALinkThatIsLostAgainWhileItsReturnIsToldLeavesNobodyBehind) {
  for (std::size_t turns = 1; turns < 8; ++turns) {
    set_link(0, false);
    run(milliseconds(500));
    EXPECT_EQ(in_state(0, PathState::inactive), kAssociations);
    set_link(0, true);
    for (std::size_t i = 0; i < turns; ++i) turn();  // b does not answer meanwhile
    set_link(0, false);
    run(milliseconds(1));
    set_link(0, true);
    turn();
    set_link(0, false);
    run(milliseconds(500));
    EXPECT_EQ(in_state(0, PathState::inactive), kAssociations) << "lost after " << turns << " turns";
    set_link(0, true);
    run(milliseconds(500));
    EXPECT_EQ(in_state(0, PathState::active), kAssociations);
  }
}

// Those that end and those that begin while others are told: nobody is passed over, nobody that is gone is told.
TEST_F(LinkNotices, AssociationsMayEndWhileOthersAreTold) {
  set_link(0, false);
  turn();
  turn();
  std::vector<AssocId> up;
  for (const Event& event : a.events)
    if (event.type == EventType::association_up) up.push_back(event.association);
  for (const std::size_t i : {1u, 3u, 4u, 5u, 19u}) EXPECT_TRUE(a.owner(up[i]).abort(up[i], ""));
  run(milliseconds(100));
  EXPECT_EQ(a->associations(), kAssociations - 5);
  EXPECT_EQ(in_state(0, PathState::inactive), kAssociations - 5);
}

}  // namespace
}  // namespace sluice::worker
