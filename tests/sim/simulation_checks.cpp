// What must be true at every step and at the end of a run.
#include <stdexcept>

#include "tests/sim/simulation.hpp"
#include "tests/sim/trace.hpp"

namespace sluice::sim {
namespace {

using std::chrono::minutes;

void mix(std::uint64_t& digest, std::uint64_t value) {
  digest = (digest ^ value) * 0x100000001b3u;
  digest ^= digest >> 29;
}

}  // namespace

void Simulation::observe_states() {
  for (std::uint32_t side = 0; side < 2; ++side) {
    std::map<std::uint64_t, assoc::State> now;
    for_each_association(side, [&](const assoc::Association& association) {
      const std::uint64_t id = association.id().value;
      now[id] = association.state();
      const auto before = states_[side].find(id);
      const assoc::State from = before == states_[side].end() ? assoc::State::closed : before->second;
      if (from != association.state()) ++totals_.counts[transition_name(from, association.state())];
    });
    for (const auto& [id, state] : states_[side])
      if (now.find(id) == now.end() && state != assoc::State::closed)
        ++totals_.counts[transition_name(state, assoc::State::closed)];
    states_[side] = std::move(now);
  }
}

void Simulation::check_flight() {
  for (std::uint32_t side = 0; side < 2; ++side)
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
          throw std::runtime_error("bytes in flight: " + std::to_string(sum) + " by path, " +
                                   std::to_string(snapshot.outstanding_bytes) + " in all");
      }
    }
}

void Simulation::check_nothing_lost() {
  for (std::uint32_t side = 0; side < 2; ++side)
    for (const auto& [flow, sent] : applications_[side]->sent()) {
      const auto& received = applications_[1 - side]->received();
      const auto found = received.find(flow);
      if (sent.cut_off) {
        ++totals_.counts["associations cut off by a restart"];
        continue;
      }
      if (!sent.graceful) {
        if (gentle_ && !sent.aborted)
          throw std::runtime_error("flow " + std::to_string(flow) + ": lost, though no fault was that bad");
        ++totals_.counts["associations not ended gracefully"];
        continue;
      }
      ++totals_.counts["associations ended gracefully"];
      for (const auto& [stream, messages] : sent.ordered) {
        const bool known = found != received.end() && found->second.ordered.count(stream) != 0;
        const std::uint32_t came = known ? found->second.ordered.at(stream) : 0;
        if (came != messages && !(found == received.end() && messages <= 1))
          throw std::runtime_error("flow " + std::to_string(flow) + ", stream " + std::to_string(stream) + ": " +
                                   std::to_string(messages) + " messages sent, " + std::to_string(came) + " came");
      }
      if (found != received.end() && found->second.unordered != sent.unordered)
        throw std::runtime_error("flow " + std::to_string(flow) + ": unordered messages were lost");
    }
}

void Simulation::check_nothing_left() {
  // Late frames, fragments and packets that wait for a neighbour have their time too.
  const Timestamp settled = clock_.now() + minutes(1);
  while (clock_.now() < settled)
    if (!step_all()) advance();
  for (const auto& stack : stacks_) {
    if (stack->buffers_out() != 0)
      throw std::runtime_error("side " + stack->name() + ": buffers did not come back: " + stack->buffers_by_pool());
    stack->check_pools();
  }
  count_counters(0);
  count_counters(1);
  totals_.counts["wire told the path MTU"] += router_->told();
  totals_.counts["wire cut into fragments"] += router_->cut();
  wire_.counters().for_each([&](const char* name, const char*, std::uint64_t value) {
    totals_.counts[std::string("wire ") + name] += value;
  });
}

void Simulation::count_counters(std::uint32_t side) {
  for (std::uint16_t i = 0; i < stacks_[side]->workers(); ++i)
    worker::visit_counters(stacks_[side]->worker(i).counters(),
                           [&](const char* room, const char* name, const char*, std::uint64_t value) {
                             totals_.counts[std::string("counter ") + room + '.' + name] += value;
                           });
}

void Simulation::on_wire(const drivers::WireEvent& event) {
  if (event.fate == drivers::WireFate::sent) ++totals_.frames;
  std::uint64_t sum = static_cast<std::uint64_t>(event.time.time_since_epoch().count());
  for (const std::byte byte : event.frame) sum = sum * 31 + static_cast<std::uint8_t>(byte);
  mix(totals_.digest, sum ^ static_cast<std::uint64_t>(event.fate) << 56 ^ std::uint64_t{event.to} << 48);
  if (event.fate == drivers::WireFate::lost && router_tells_) {
    const std::uint16_t mtu = wire_.conditions(event.from, event.to).mtu;
    if (mtu != 0 && event.frame.size() > mtu + 14u) router_->dropped(event.frame, mtu);
  }
  if (options_.trace != nullptr) std::fprintf(options_.trace, "%s\n", describe(event).c_str());
  if (options_.pcap != nullptr && event.fate == drivers::WireFate::sent) options_.pcap->write(event.time, event.frame);
}

}  // namespace sluice::sim
