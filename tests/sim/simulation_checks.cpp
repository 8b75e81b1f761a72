// What must be true at every step and at the end of a run.
#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "stack/assoc/tx/chunk_size.hpp"
#include "tests/sim/simulation.hpp"
#include "tests/sim/trace.hpp"

namespace sluice::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

void mix(std::uint64_t& digest, std::uint64_t value) {
  digest = (digest ^ value) * 0x100000001b3u;
  digest ^= digest >> 29;
}

/// Four sums side by side: one alone would wait for each multiplication.
std::uint64_t sum_of(std::span<const std::byte> bytes) {
  constexpr std::uint64_t kFactor = 0x9e3779b97f4a7c15u;
  std::uint64_t sums[4] = {1, 2, 3, 4};
  for (; bytes.size() >= sizeof sums; bytes = bytes.subspan(sizeof sums)) {
    std::uint64_t words[4];
    std::memcpy(words, bytes.data(), sizeof words);
    for (int i = 0; i < 4; ++i) sums[i] = sums[i] * kFactor + words[i];
  }
  std::uint64_t sum = ((sums[0] * kFactor + sums[1]) * kFactor + sums[2]) * kFactor + sums[3];
  for (const std::byte byte : bytes) sum = sum * 31 + static_cast<std::uint8_t>(byte);
  return sum;
}

/// What the scoreboard has in flight, by path.
struct Flight {
  std::uint32_t bytes = 0;  // whole chunks, padding and all
  std::uint32_t chunks = 0;
  Tsn lowest;
};

/// What each path has in flight, the scoreboard and the association's own sums agree.
void check_flight(const assoc::Association& association) {
  const assoc::Sender& sender = association.sender();
  Flight flights[assoc::kMaxAddresses];
  std::uint32_t user_bytes = 0;
  std::uint32_t chunks = 0;
  std::uint32_t marked = 0;
  sender.for_each_chunk([&](const assoc::SentChunk& chunk) {
    if (chunk.state == assoc::ChunkState::marked) ++marked;
    if (chunk.state != assoc::ChunkState::in_flight) return;
    Flight& flight = flights[chunk.path.value];
    if (flight.chunks++ == 0) flight.lowest = chunk.tsn;
    flight.bytes += assoc::chunk_size(chunk.length);
    user_bytes += chunk.length;
    ++chunks;
  });
  if (user_bytes != sender.outstanding_bytes() || chunks != sender.outstanding_chunks() ||
      marked != sender.marked_chunks())
    throw std::runtime_error("bytes in flight: " + std::to_string(user_bytes) + " on the scoreboard, " +
                             std::to_string(sender.outstanding_bytes()) + " in all");
  for (const assoc::Path& path : association.paths()) {
    const Flight& flight = flights[path.id.value];
    const std::string where = " to " + path.route.destination.to_string();
    if (flight.bytes != path.outstanding)
      throw std::runtime_error("bytes in flight" + where + ": " + std::to_string(flight.bytes) +
                               " on the scoreboard, " + std::to_string(path.outstanding) + " by the path");
    if (flight.chunks > 0 && flight.lowest != path.lowest_outstanding)
      throw std::runtime_error("the earliest chunk in flight" + where + " is another");
    if ((path.t3_deadline != kNever) != (flight.chunks > 0))
      throw std::runtime_error("T3-rtx" + where + (flight.chunks > 0 ? " does not run" : " runs for nothing"));
  }
}

/// Of all that check_flight() compares but for the scoreboard: while it stays as it was, nothing moved there.
std::uint64_t flight_of(const assoc::Association& association) {
  const assoc::Sender& sender = association.sender();
  std::uint64_t digest = std::uint64_t{sender.next_tsn().value()} << 32 | sender.cumulative_tsn().value();
  mix(digest, std::uint64_t{sender.outstanding_bytes()} << 32 | sender.outstanding_chunks());
  mix(digest, std::uint64_t{sender.marked_chunks()} << 32 | sender.gap_acked_chunks());
  mix(digest, sender.retransmitted_chunks());
  for (const assoc::Path& path : association.paths()) {
    mix(digest, std::uint64_t{path.outstanding} << 32 | path.lowest_outstanding.value());
    mix(digest, static_cast<std::uint64_t>(path.t3_deadline.time_since_epoch().count()));
  }
  return digest;
}

/// All that was sent came, and its receiver ended in order.
bool all_arrived(const Application::Sent& sent, const Application::Sent& received) {
  return received.graceful && sent.failed == 0 && sent.ordered == received.ordered &&
         sent.unordered == received.unordered;
}

}  // namespace

void Simulation::observe_states() {
  watch_.check();
  for (std::uint32_t side = 0; side < 2; ++side) {
    for_each_association(side, [&](const assoc::Association& association) {
      Seen& seen = seen_[side][association.id().value];
      seen.step = steps_;
      if (association.state() == assoc::State::cookie_wait) watch_.opening(side, association);
      if (seen.state != association.state()) {
        ++totals_.counts[transition_name(seen.state, association.state())];
        seen.state = association.state();
      }
      if (seen.state == assoc::State::closed) return;  // only its last events wait to be taken
      observe_paths(seen, association);
      check_heartbeats(seen, association);
      const std::uint64_t flight = flight_of(association);
      if (std::exchange(seen.flight, flight) != flight || steps_ % 64 == 0) check_flight(association);
    });
    for (auto next = seen_[side].begin(); next != seen_[side].end();) {
      const auto at = next++;
      if (at->second.step == steps_) continue;
      if (at->second.state != assoc::State::closed)
        ++totals_.counts[transition_name(at->second.state, assoc::State::closed)];
      seen_[side].erase(at);
    }
  }
}

void Simulation::observe_paths(Seen& seen, const assoc::Association& association) {
  const std::span<const assoc::Path> paths = association.paths();
  // After a restart they are others.
  if (std::exchange(seen.local_tag, association.local_tag()) != association.local_tag()) seen.paths.clear();
  const auto unchanged = [&](std::size_t i) {
    return seen.paths[i] == std::pair(paths[i].route.destination, paths[i].state);
  };
  std::size_t same = 0;
  while (same < seen.paths.size() && same < paths.size() && unchanged(same)) ++same;
  if (same == seen.paths.size() && same == paths.size()) return;
  const auto before = std::exchange(seen.paths, {});
  for (const assoc::Path& path : paths) {
    seen.paths.emplace_back(path.route.destination, path.state);
    for (const auto& [destination, state] : before) {
      if (destination != path.route.destination || state == path.state) continue;
      const std::string transition = transition_name(state, path.state);
      ++totals_.counts[transition];
      if (options_.trace != nullptr)
        std::fprintf(options_.trace, "%s association %08x %u > %u to %s: %s\n", format(clock_.now()).c_str(),
                     association.local_tag().value, association.local_port(), association.peer_port(),
                     destination.to_string().c_str(), transition.c_str());
    }
  }
}

/// HEARTBEATs flow on every confirmed path, in use or not (RFC 9260 §8.3): the next one is due at some time, and leaves
/// then, or as soon as a transmit ring has room for it, unless something keeps the stack from sending.
void Simulation::check_heartbeats(Seen& seen, const assoc::Association& association) {
  constexpr Duration kSlack = seconds(1);
  const auto paths = association.paths();
  const auto late = std::find_if(paths.begin(), paths.end(), [&](const assoc::Path& path) {
    return path.state != PathState::unconfirmed &&
           (path.heartbeat_deadline == kNever || path.heartbeat_deadline < clock_.now());
  });
  const bool exempt = clock_.now() - last_disturbed_ <= kSlack || association.state() != assoc::State::established;
  if (late == paths.end() || exempt || seen.heartbeats_flowed == kNever)
    seen.heartbeats_flowed = clock_.now();
  else if (clock_.now() - seen.heartbeats_flowed > kSlack)
    throw std::runtime_error("no HEARTBEAT goes to " + late->route.destination.to_string());
}

/// Each of `flows` came to a bad end at `sender`, whose ABORT was lost, or died with its stack; those that never told
/// their name may be connects that failed.
void Simulation::check_given_up(const Application& sender, std::span<const std::uint32_t> flows) {
  const auto ended = [](const Application::Sent& sent) { return !sent.graceful || sent.cut_off; };
  const auto possible =
      std::count_if(sender.sent().begin(), sender.sent().end(), [&](const auto& flow) { return ended(flow.second); });
  const auto wrong = std::find_if(flows.begin(), flows.end(),
                                  [&](std::uint32_t flow) { return flow != 0 && !ended(sender.sent().at(flow)); });
  if (wrong != flows.end())
    throw std::runtime_error("flow " + std::to_string(*wrong) + ": restarted, though nobody did");
  if (!restarted_ && static_cast<std::size_t>(possible) + sender.unanswered() < flows.size())
    throw std::runtime_error("more restarts than flows that came to a bad end");
}

void Simulation::check_nothing_lost() {
  // A stack that stands in another's place does not know the cookies of that one (§5.1.5).
  if (gentle_ && !restarted_ && applications_[0]->unanswered() + applications_[1]->unanswered() > 0)
    throw std::runtime_error("nobody answered an INIT, though no fault was that bad");
  std::uint32_t unanswered[2] = {};  // flows all of which arrived, and whose shutdown nobody answered
  std::uint32_t unheard[2] = {};     // flows that the other side never heard of
  for (std::uint32_t side = 0; side < 2; ++side) {
    check_given_up(*applications_[side], applications_[1 - side]->given_up());
    for (const auto& [flow, sent] : applications_[side]->sent()) {
      const auto& received = applications_[1 - side]->received();
      const auto found = received.find(flow);
      if (sent.cut_off) {
        ++totals_.counts["associations cut off by a restart"];
        continue;
      }
      if (!sent.graceful) {
        const bool heard = found != received.end();
        if (!heard) ++unheard[side];
        if (heard && !sent.aborted && all_arrived(sent, found->second))
          ++unanswered[side];
        else if (gentle_ && !sent.aborted)
          throw std::runtime_error("flow " + std::to_string(flow) + ": lost, though no fault was that bad");
        ++totals_.counts["associations not ended gracefully"];
        continue;
      }
      ++totals_.counts["associations ended gracefully"];
      if (sent.failed != 0)
        throw std::runtime_error("flow " + std::to_string(flow) + ": messages failed, though it ended gracefully");
      for (const auto& [stream, messages] : sent.ordered) {
        const bool known = found != received.end() && found->second.ordered.count(stream) != 0;
        const std::uint32_t came = known ? found->second.ordered.at(stream) : 0;
        if (came != messages && (sent.told || found != received.end()))
          throw std::runtime_error("flow " + std::to_string(flow) + ", stream " + std::to_string(stream) + ": " +
                                   std::to_string(messages) + " messages sent, " + std::to_string(came) + " came");
      }
      if ((found != received.end() ? found->second.unordered : 0) != sent.unordered)
        throw std::runtime_error("flow " + std::to_string(flow) + ": unordered messages were lost");
    }
  }
  // When both sides connect at once, a COOKIE ECHO of the second handshake that comes late, after an association that
  // is over for one side, makes another one there. If SHUTDOWN COMPLETE was lost, too, neither side understands the
  // other until one has given up (§8.5: tags differ).
  for (std::uint32_t side = 0; side < 2; ++side)
    if (gentle_ && unanswered[side] > unheard[1 - side])
      throw std::runtime_error("a shutdown was not answered, though no fault was that bad");
}

void Simulation::check_nothing_left() {
  // Late frames, fragments and packets that wait for a neighbour have their time too, and nothing else is to come.
  constexpr Duration kStep = std::chrono::milliseconds(250);
  const Timestamp settled = clock_.now() + minutes(1);
  while (clock_.now() < settled)
    if (!step_all()) advance(kStep);
  for (const auto& stack : stacks_) {
    if (stack->buffers_out() != 0)
      throw std::runtime_error("side " + stack->name() + ": buffers did not come back: " + stack->buffers_by_pool());
    stack->check_pools();
  }
  count_counters(0);
  count_counters(1);
  for (const auto& router : routers_) {
    totals_.counts["wire told the path MTU"] += router->told();
    totals_.counts["wire cut into fragments"] += router->cut();
  }
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

std::optional<std::uint32_t> Simulation::side_of(std::uint16_t port) const {
  for (std::uint32_t side = 0; side < 2; ++side) {
    const SimStackOptions& options = stack_options_[side];
    if (options.port && port >= *options.port && port < *options.port + options.ports) return side;
  }
  return std::nullopt;
}

void Simulation::on_wire(const drivers::WireEvent& event) {
  if (event.fate == drivers::WireFate::sent) ++totals_.frames;
  mix(totals_.digest, static_cast<std::uint64_t>(event.time.time_since_epoch().count()));
  mix(totals_.digest,
      sum_of(event.frame) ^ static_cast<std::uint64_t>(event.fate) << 56 ^ std::uint64_t{event.to} << 48);
  if (event.fate == drivers::WireFate::lost && router_tells_) {
    const std::uint16_t mtu = wire_.conditions(event.from, event.to).mtu;
    if (mtu != 0 && event.frame.size() > mtu + 14u) routers_[wire_.segment(event.from)]->dropped(event.frame, mtu);
  }
  if (event.fate == drivers::WireFate::sent && side_of(event.from)) watch_.on_sent(*side_of(event.from), event.frame);
  if (event.fate == drivers::WireFate::delivered && side_of(event.to))
    watch_.on_delivered(*side_of(event.to), event.frame);
  if (options_.trace != nullptr) std::fprintf(options_.trace, "%s\n", describe(event).c_str());
  if (options_.pcap != nullptr && event.fate == drivers::WireFate::sent) options_.pcap->write(event.time, event.frame);
}

}  // namespace sluice::sim
