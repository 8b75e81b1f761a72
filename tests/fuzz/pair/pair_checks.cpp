// What must be true of two stacks, whatever came over the wire.
#include "tests/fuzz/pair/fail.hpp"
#include "tests/fuzz/pair/pair.hpp"

namespace sluice::fuzz {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

}  // namespace

void Pair::check() {
  for (std::uint32_t side = 0; side < 2; ++side) {
    check_flight(side);
    if (stacks_[side]->buffers_out() > kMostBuffers)
      fail("side " + stacks_[side]->name() + " holds too much: " + stacks_[side]->buffers_by_pool());
  }
}

void Pair::check_flight(std::uint32_t side) {
  for (std::uint16_t i = 0; i < stacks_[side]->workers(); ++i) {
    assoc::Snapshot snapshot;
    for (AssocId after = worker::encode({endpoint::WorkerId(i), 0, 0});
         stacks_[side]->worker(i).snapshots(after, {&snapshot, 1}) == 1; after = snapshot.id) {
      if (snapshot.state == assoc::State::closed) continue;  // only its last events wait to be taken
      std::uint64_t sum = 0;
      for (const assoc::PathSnapshot& path : snapshot.paths) sum += path.outstanding;
      // A path counts whole chunks, padding and all; the association their user data.
      const std::uint64_t data = snapshot.outstanding_bytes;
      if (sum % 4 != 0 || sum < data || (sum == 0) != (data == 0))
        fail("bytes in flight: " + std::to_string(sum) + " by path, " + std::to_string(data) + " in all");
      if (data > snapshot.buffered_bytes) fail("more bytes in flight than in the send buffer");
    }
  }
}

/// With a sound wire nothing that could be done now may be left to be done: a worker would turn for nothing.
void Pair::check_deadlines() {
  for (const auto& stack : stacks_)
    if (stack->group().next_deadline() <= clock_.now())
      fail("side " + stack->name() + " has nothing to do and yet a deadline that has passed");
}

/// Runs until no association is left; false if some are at `limit`.
bool Pair::ended_by(Timestamp limit) {
  for (settle(); associations() > 0; settle()) {
    if (clock_.now() > limit) return false;
    check_deadlines();
    if (steps_ % 64 == 0) check();
    advance();
  }
  return true;
}

void Pair::drain() {
  heal();
  for (const auto& application : applications_) {
    application->set_paused(false);
    application->set_holding(false);
    application->release_all();
  }
  settle();
  for (std::uint32_t side = 0; side < 2; ++side)
    for_each_association(side, [&](const assoc::Association& association) {
      stacks_[side]->worker(worker::owner_of(association.id())).shutdown(association.id());
    });
  if (!ended_by(clock_.now() + minutes(2))) {
    // Whoever was lied to may wait for good for what was never sent (RFC 9260 has no limit on a closed window), and a
    // shutdown that was asked for in COOKIE-WAIT is none.
    if (exact_) fail("associations do not end");
    for (std::uint32_t side = 0; side < 2; ++side)
      for (std::uint16_t i = 0; i < stacks_[side]->workers(); ++i) stacks_[side]->worker(i).abort_all("drained");
    if (!ended_by(clock_.now() + minutes(1))) fail("associations outlive an abort");
  }
  check_nothing_left();
}

void Pair::check_nothing_left() {
  // Late frames, fragments and packets that wait for a neighbour have their time too.
  const Timestamp settled = clock_.now() + seconds(15);
  while (clock_.now() < settled) {
    advance();
    // An association that a late frame opened would be another one.
    if (associations() > 0) return;
  }
  for (const auto& stack : stacks_) {
    if (stack->buffers_out() != 0)
      fail("side " + stack->name() + ": buffers did not come back: " + stack->buffers_by_pool());
    stack->check_pools();
  }
  for (const auto& application : applications_)
    if (application->connecting() != 0) fail("a connect was never answered");
  if (!exact_) return;
  check_nothing_lost(*applications_[0], *applications_[1]);
  check_nothing_lost(*applications_[1], *applications_[0]);
}

}  // namespace sluice::fuzz
