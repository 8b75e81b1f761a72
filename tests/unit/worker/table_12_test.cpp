// RFC 9260 §5.2.4, Table 12, across workers: a peer that began anew, and two that open to each other at once.
#include <gtest/gtest.h>

#include "tests/unit/worker/stack_pair.hpp"

namespace sluice::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kDelay = milliseconds(10);  // one way
constexpr std::size_t kFlights = 4;            // of a handshake: INIT, INIT ACK, COOKIE ECHO, COOKIE ACK

class Table12 : public testing::TestWithParam<std::uint16_t>, protected StackPair {
 protected:
  Table12() {
    options.workers = GetParam();
    options.ports = 2;
    options.steering = drivers::Steering::random;
    options.config.link_interval = seconds(1);
    Parameters& parameters = options.config.parameters;
    parameters.rto_initial = milliseconds(200);
    parameters.rto_min = milliseconds(100);
    parameters.rto_max = milliseconds(400);
    make_stacks();
    // The neighbours know each other when a handshake begins, so that its packets leave when they should.
    for (const std::uint16_t port : {0, 1}) a.connect(0, a.open(0, false), b->v4(port), 9);
    run(seconds(1));
    wire.set_conditions({.delay = kDelay});
  }
  void listen_and_connect(bool a_opens) {
    a_endpoint = a.open(5000, true);
    b_endpoint = b.open(6000, true);
    if (a_opens)
      a.connect(UINT16_MAX - 1, a_endpoint, b->v4(), 6000);
    else
      b.connect(UINT16_MAX - 1, b_endpoint, a->v4(), 5000);
    run(seconds(1));
  }
  /// Another stack in place of b, which knows nothing of the one that was there.
  void restart_b() {
    const std::uint16_t port = b->port_number();
    b.stack.reset();
    sim::SimStackOptions again = options;
    again.port = port;
    b.stack = std::make_unique<sim::SimStack>(wire, clock, ++seed, again);
    b.events.clear();
    b.messages.clear();
    b_endpoint = b.open(6000, true);
  }
  /// Runs for the flights of a handshake that begins now; bit N of a mask loses what leaves that side in flight N.
  void run_with_losses(unsigned from_a, unsigned from_b) {
    for (std::size_t flight = 0; flight < kFlights; ++flight) {
      set_loss(a, b, (from_a >> flight & 1) != 0);
      set_loss(b, a, (from_b >> flight & 1) != 0);
      run(kDelay);
    }
    set_loss(a, b, false);
    set_loss(b, a, false);
  }
  void set_loss(const StackSide& from, const StackSide& to, bool down) {
    for (const std::uint16_t port : {0, 1})
      wire.set_conditions(from->port_number(port), to->port_number(port), {.delay = kDelay, .down = down});
  }
  void expect_data_both_ways(AssocId at_a, AssocId at_b) {
    a.messages.clear();
    b.messages.clear();
    EXPECT_EQ(a.send(at_a, "to b"), assoc::SendStatus::queued);
    EXPECT_EQ(b.send(at_b, "to a"), assoc::SendStatus::queued);
    run(seconds(1));
    EXPECT_EQ(b.messages, std::vector<std::string>{"to b"});
    EXPECT_EQ(a.messages, std::vector<std::string>{"to a"});
  }
  /// One association joins the two, and both know it by the same tags.
  void expect_one(AssocId at_a, AssocId at_b) {
    EXPECT_EQ(a->associations(), 1u);
    EXPECT_EQ(b->associations(), 1u);
    const assoc::Snapshot here = a.state_of(at_a), there = b.state_of(at_b);
    EXPECT_EQ(here.state, assoc::State::established);
    EXPECT_EQ(there.state, assoc::State::established);
    EXPECT_EQ(here.local_tag, there.peer_tag);
    EXPECT_EQ(here.peer_tag, there.local_tag);
  }

  EndpointId a_endpoint, b_endpoint;
  std::uint64_t seed = 10;
};

/// A peer that began anew.
class PeerRestart : public Table12 {
 protected:
  /// b comes back and connects; the association that a has stays, and says so.
  void restart_and_connect(AssocId association, unsigned lost) {
    const std::size_t restarts = a.count(EventType::restarted);
    const assoc::Snapshot before = a.state_of(association);
    restart_b();
    b.connect(static_cast<std::uint16_t>(seed), b_endpoint, a->v4(), 5000);
    run_with_losses(lost, lost);
    run(seconds(4));
    EXPECT_EQ(a.count(EventType::restarted), restarts + 1);
    EXPECT_EQ(a.count(EventType::association_up), 1u);
    EXPECT_EQ(a.count(EventType::association_lost), 0u);
    EXPECT_EQ(b.count(EventType::association_up), 1u);
    EXPECT_EQ(b.count(EventType::restarted), 0u);
    expect_one(association, b.up());
    EXPECT_NE(a.state_of(association).local_tag, before.local_tag);
    EXPECT_NE(a.state_of(association).peer_tag, before.peer_tag);
    expect_data_both_ways(association, b.up());
  }
};

TEST_P(PeerRestart, TheAssociationGoesOnWhoeverOpenedIt) {  // action A
  for (const bool a_opened : {true, false}) {
    SCOPED_TRACE(a_opened);
    listen_and_connect(a_opened);
    const AssocId association = a.up();
    expect_data_both_ways(association, b.up());
    for (int i = 0; i < 3; ++i) restart_and_connect(association, 0);
    EXPECT_TRUE(a.owner(association).abort(association, ""));
    a->worker().close_endpoint(sim::kInline, a_endpoint, 1);
    b->worker().close_endpoint(sim::kInline, b_endpoint, 1);
    run(seconds(1));
    EXPECT_EQ(a->associations() + b->associations(), 0u);
    a->check_pools();
    b->check_pools();
    Reply reply;
    EXPECT_TRUE(a->events(0).poll_reply(reply));
    EXPECT_TRUE(b->events(0).poll_reply(reply));
    a.events.clear();
  }
}

TEST_P(PeerRestart, ItsHandshakeMayLoseAnyPacket) {
  listen_and_connect(true);
  const AssocId association = a.up();
  for (unsigned lost = 0; lost < 1u << kFlights; ++lost) {
    SCOPED_TRACE(lost);
    restart_and_connect(association, lost);
  }
}

TEST_P(PeerRestart, WhatWasNotAcknowledgedIsGivenBackFirst) {
  listen_and_connect(false);
  const AssocId association = a.up();
  set_loss(a, b, true);
  EXPECT_EQ(a.send(association, "for the one that was there"), assoc::SendStatus::queued);
  run(milliseconds(50));
  set_loss(a, b, false);
  a.events.clear();
  restart_b();
  b.connect(0, b_endpoint, a->v4(), 5000);
  run(seconds(1));
  ASSERT_GE(a.events.size(), 2u);
  EXPECT_EQ(a.events[0].type, EventType::send_failed);
  EXPECT_EQ(a.events[0].reason(), Reason::restarted);
  EXPECT_EQ(a.events[1].type, EventType::restarted);
  EXPECT_TRUE(b.messages.empty());
  expect_one(association, b.up());
  expect_data_both_ways(association, b.up());
}

/// Both open to each other, with ports of their own that the other one names.
class SimultaneousOpen : public Table12 {
 protected:
  struct Losses {
    unsigned from_a = 0;
    unsigned from_b = 0;
  };
  /// b opens `later` than a.
  void open_both(Duration later, const Losses& lost, bool listening) {
    const auto a_port = static_cast<std::uint16_t>(10'000 + opened);
    const auto b_port = static_cast<std::uint16_t>(20'000 + opened * 3);
    a.events.clear();
    b.events.clear();
    a_endpoint = a.open(a_port, listening);
    b_endpoint = b.open(b_port, listening);
    const std::uint16_t worker = opened++;
    a.connect(worker, a_endpoint, b->v4(), b_port);
    set_loss(a, b, (lost.from_a & 1) != 0);
    run(later);
    b.connect(static_cast<std::uint16_t>(worker / a->workers()), b_endpoint, a_address, a_port);
    run_with_losses(lost.from_a, lost.from_b);
    run(seconds(2));
  }
  /// All must be as if one of them had.
  void expect_one_up(std::size_t failed_at_b = 0) {
    for (StackSide* const side : {&a, &b}) {
      ASSERT_EQ(side->count(EventType::association_up), 1u);
      EXPECT_EQ(side->count(EventType::restarted), 0u);
      EXPECT_EQ(side->count(EventType::association_lost), 0u);
      EXPECT_EQ(side->count(EventType::connect_failed), side == &b ? failed_at_b : 0u);
    }
    expect_one(a.up(), b.up());
    expect_data_both_ways(a.up(), b.up());
  }
  void close() {
    for (StackSide* const side : {&a, &b}) (*side)->worker().close_endpoint(sim::kInline, endpoint_of(*side), 1);
    run(milliseconds(100));
    for (StackSide* const side : {&a, &b}) {
      Reply reply;
      EXPECT_TRUE((*side)->events(0).poll_reply(reply));
      EXPECT_EQ((*side)->associations(), 0u);
      EXPECT_NO_THROW((*side)->check_pools());
    }
  }
  void try_all_losses() {
    for (const Duration later : {Duration(0), kDelay / 2, 3 * kDelay / 2, 5 * kDelay / 2}) {
      for (unsigned lost = 0; lost < 1u << 2 * kFlights && !HasFailure(); ++lost) {
        const Losses losses{lost & 15, lost >> kFlights};
        SCOPED_TRACE(testing::Message() << later.count() << " ns later, losses " << losses.from_a << ' '
                                        << losses.from_b);
        open_both(later, losses, true);
        expect_one_up();
        close();
      }
    }
  }
  EndpointId endpoint_of(const StackSide& side) const { return &side == &a ? a_endpoint : b_endpoint; }

  IpAddress a_address = a->v4();  // that b opens to
  std::uint16_t opened = 0;
};

TEST_P(SimultaneousOpen, WhenTheInitsCross) {  // §5.2.1, action B
  for (const bool listening : {true, false}) {
    for (int i = 0; i < 16; ++i) {
      open_both(Duration(0), {}, listening);
      expect_one_up();
      close();
    }
  }
  // Each finds its own tags in the cookie of the other, action D.
  EXPECT_EQ(a->counter("endpoint.cookie_duplicates"), 32u);
  EXPECT_EQ(b->counter("endpoint.cookie_duplicates"), 32u);
}

TEST_P(SimultaneousOpen, AtAnyMomentBeforeTheCookieArrives) {
  for (Duration later = milliseconds(1); later < 3 * kDelay; later += milliseconds(2)) {
    SCOPED_TRACE(later.count());
    open_both(later, {}, true);
    expect_one_up();
    close();
  }
}

TEST_P(SimultaneousOpen, WhoComesAfterItHasTheAssociationAlready) {
  for (Duration later = 3 * kDelay + milliseconds(1); later < 6 * kDelay; later += milliseconds(2)) {
    SCOPED_TRACE(later.count());
    open_both(later, {}, true);
    expect_one_up(1);
    close();
  }
}

TEST_P(SimultaneousOpen, EachMayLoseAnyPacketOfTheHandshake) {
  try_all_losses();
  EXPECT_GT(a->counter("endpoint.collisions"), 0u);
  EXPECT_GT(b->counter("endpoint.collisions"), 0u);
}

TEST_P(SimultaneousOpen, EachMayNameAnotherAddress) {
  a_address = a->v4(1);
  try_all_losses();
}

TEST_P(SimultaneousOpen, EachMayNameAnAddressOfAnotherFamily) {
  a_address = a->v6(0);
  try_all_losses();
}

INSTANTIATE_TEST_SUITE_P(Workers, PeerRestart, testing::Values(1, 2, 4));
INSTANTIATE_TEST_SUITE_P(Workers, SimultaneousOpen, testing::Values(1, 2, 4));

}  // namespace
}  // namespace sluice::worker
