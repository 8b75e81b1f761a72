#pragma once

#include <array>
#include <memory>
#include <vector>

#include "tests/fuzz/pair/application.hpp"
#include "tests/fuzz/pair/input.hpp"
#include "tests/sim/mtu_router.hpp"
#include "tests/sim/sim_stack.hpp"

namespace sluice::fuzz {

/// Two live stacks on a wire, with their applications, in virtual time. What they are like is read from the input's
/// first bytes; from then on nothing happens but what is called here. Breaks off with fail() when something is wrong.
class Pair {
 public:
  static constexpr std::uint16_t kPort = 5000;
  static constexpr std::size_t kCaptured = 16;
  static constexpr std::uint32_t kStrangers = 0xc61200c8;  ///< 198.18.0.200

  explicit Pair(Input& input);
  ~Pair();

  sim::SimStack& stack(std::uint32_t side) { return *stacks_[side]; }
  Application& application(std::uint32_t side) { return *applications_[side]; }
  drivers::MemoryWire& wire() { return wire_; }
  base::SimClock& clock() { return clock_; }
  sim::MtuRouter& router() { return *router_; }

  // Endpoints: [0] listens at kPort, [1] opens each association from a port of its own.
  EndpointId endpoint(std::uint32_t side, std::uint32_t which) const { return endpoints_[side][which]; }
  /// Closes it, or opens it again.
  void toggle_endpoint(std::uint32_t side, std::uint32_t which);
  /// The stack is gone without a word, and a new one stands in its place.
  void restart(std::uint32_t side);
  void set_held_up(std::uint32_t side, std::uint16_t worker, bool held_up);

  /// One turn of every worker, in an order that changes; false if nobody had anything to do.
  bool step_all();
  /// Turns until nobody has anything to do; time stands still.
  void settle();
  /// Turns until nobody has anything to do, then to the next deadline.
  void advance();
  /// Through every deadline until `time` from now, or as many of them as are allowed for one input.
  void run_for(Duration time);
  /// Time passes and nobody runs.
  void jump(Duration time) { clock_.advance(time); }

  drivers::WireConditions conditions(std::uint32_t from) const;
  void set_conditions(std::uint32_t from, const drivers::WireConditions& conditions);
  /// The router tells the sender when a frame is lost for its length.
  void set_router_tells(bool tells) { router_tells_ = tells; }
  /// The wire, the ports, the applications are as they should be.
  void heal();

  /// A frame to `side`, from somebody who has no stack. From now on messages may be others than were sent.
  void inject(std::uint32_t side, std::span<const std::byte> frame);
  void set_inexact();
  /// A frame that one of the stacks sent lately; empty if there are not so many.
  std::span<const std::byte> captured(std::uint32_t back) const;
  /// TSNs seen last on the way to `side`: of DATA, and acknowledged by SACK. Before the first, those in front of them.
  Tsn last_tsn(std::uint32_t side) const { return last_tsn_[side]; }
  Tsn last_acknowledged(std::uint32_t side) const { return last_acknowledged_[side]; }

  template <class Visit>
  void for_each_association(std::uint32_t side, Visit&& visit);
  std::uint32_t associations() { return stacks_[0]->associations() + stacks_[1]->associations(); }

  /// What must be true at any time between two turns.
  void check();
  /// Ends everything gracefully, and then by abort; all must end in time, and nothing may be left.
  void drain();
  /// So much was done that the input has had its share.
  bool exhausted() const { return turns_ > kMostTurns || steps_ > kMostSteps; }

 private:
  static constexpr std::uint32_t kMostTurns = 60'000;
  static constexpr std::uint32_t kMostSteps = 6'000;
  // As many turns without time passing mean that somebody works for nothing: what is queued fits into far fewer.
  static constexpr std::uint32_t kMostIdleTurns = 3'000;
  static constexpr std::uint32_t kMostBuffers = 20'000;

  sim::SimStackOptions read_options(Input& input, std::uint32_t side);
  EndpointId open_endpoint(std::uint32_t side, std::uint32_t which);
  bool listen_as_attacker();
  void on_wire(const drivers::WireEvent& event);
  void note_tsns(std::uint32_t to, std::span<const std::byte> frame);
  void check_flight(std::uint32_t side);
  void check_deadlines();
  bool ended_by(Timestamp limit);
  void check_nothing_left();

  std::uint64_t seed_;
  base::SimClock clock_;
  base::SeededRandom random_;
  drivers::MemoryWire wire_;
  sim::SimStackOptions options_[2];
  std::unique_ptr<sim::SimStack> stacks_[2];
  std::unique_ptr<Application> applications_[2];
  std::unique_ptr<sim::MtuRouter> router_;
  base::HeapBuffers forged_;  // what the attacker sends
  drivers::Port* attacker_ = nullptr;
  EndpointId endpoints_[2][2];
  bool open_[2][2] = {};
  std::uint32_t held_up_[2] = {};  // a bit a worker
  std::vector<std::pair<std::uint32_t, std::uint16_t>> order_;
  std::array<std::vector<std::byte>, kCaptured> captured_;
  std::size_t frames_ = 0;
  Tsn last_tsn_[2];
  Tsn last_acknowledged_[2];
  std::uint32_t turns_ = 0;
  std::uint32_t steps_ = 0;
  Duration idle_step_{};
  bool router_tells_ = false;
  bool exact_ = true;
};

template <class Visit>
void Pair::for_each_association(std::uint32_t side, Visit&& visit) {
  for (std::uint16_t i = 0; i < stacks_[side]->workers(); ++i) {
    AssocId after = worker::encode({endpoint::WorkerId(i), 0, 0});
    while (const assoc::Association* const association = stacks_[side]->worker(i).next_association(after)) {
      after = association->id();
      visit(*association);
    }
  }
}

}  // namespace sluice::fuzz
