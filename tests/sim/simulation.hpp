#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "drivers/pcap_writer.hpp"
#include "tests/sim/application.hpp"
#include "tests/sim/mtu_router.hpp"
#include "tests/sim/report.hpp"

namespace sluice::sim {

struct RunOptions {
  std::FILE* trace = nullptr;  ///< a line for every frame and everything that the plan does
  drivers::PcapWriter* pcap = nullptr;
};

/// What one run or many came to.
struct Totals {
  std::uint64_t runs = 0;
  std::uint64_t frames = 0;
  Duration virtual_time{};
  std::uint64_t digest = 0;  ///< of everything that happened on the wire
  Tally counts;
};

/// One run: two whole stacks on a wire, their applications, and a plan of faults, all from one seed. Faults end after
/// a while; then all that was promised must have come, and nothing may be left behind. At least kLeastMessages arrive
/// or kLeastTime passes: until then more associations are opened.
class Simulation {
 public:
  static constexpr std::uint64_t kLeastMessages = 1000;
  static constexpr Duration kLeastTime = std::chrono::minutes(1);

  Simulation(std::uint64_t seed, const RunOptions& options, Totals& totals);
  /// Throws std::runtime_error when something is wrong.
  void run();

 private:
  struct Opening {
    Timestamp at;
    std::uint32_t side;
    bool ipv6;
    bool fixed_port;  ///< from the listening endpoint's own port: openings of both sides meet
  };

  static constexpr std::uint16_t kPort = 5000;
  static constexpr std::uint16_t kLeastPathMtu = 1280;  // what IPv6 wants of every link

  // simulation.cpp: two stacks and their time
  void make_stacks();
  void open_endpoints(std::uint32_t side);
  bool step_all();
  void advance();
  bool over();
  bool moved_enough();
  std::uint64_t messages() const { return totals_.counts["messages"] - messages_before_; }
  template <class Visit>
  void for_each_association(std::uint32_t side, Visit&& visit);

  // simulation_faults.cpp: the plan
  void plan();
  void plan_opening(Duration in);
  void sort_openings();
  bool open_what_is_due();
  void note(Fault fault);
  void heal();
  void change_faults();
  drivers::WireConditions faulty_conditions();
  void end_faults();
  void restart_stack();

  // simulation_checks.cpp: what must be true
  void observe_states();
  void check_flight();
  void check_nothing_lost();
  void check_nothing_left();
  void count_counters(std::uint32_t side);
  void on_wire(const drivers::WireEvent& event);

  std::uint64_t seed_;
  RunOptions options_;
  Totals& totals_;
  base::SimClock clock_;
  base::SeededRandom random_;
  base::SeededRandom wire_random_;
  drivers::MemoryWire wire_;
  SimStackOptions stack_options_[2];
  std::unique_ptr<SimStack> stacks_[2];
  std::unique_ptr<Application> applications_[2];
  std::unique_ptr<MtuRouter> router_;
  EndpointId listening_[2];
  EndpointId calling_[2];
  std::vector<Opening> openings_;
  Behaviour behaviour_;
  std::uint16_t mtu_ = 1500;
  Timestamp start_;
  std::uint64_t messages_before_ = 0;
  Timestamp next_fault_;
  Timestamp faults_end_;
  Timestamp restart_at_ = kNever;
  bool faults_over_ = false;
  bool router_tells_ = false;
  bool gentle_ = false;                                         ///< no fault of this run may cost an association
  std::vector<std::pair<std::uint32_t, std::uint16_t>> order_;  ///< of the workers in one step
  std::pair<std::uint32_t, std::uint16_t> held_up_;             ///< the worker that does not run until then
  Timestamp held_up_until_{};
  Duration idle_step_{};
  std::map<std::uint64_t, assoc::State> states_[2];
  std::uint32_t steps_ = 0;
};

template <class Visit>
void Simulation::for_each_association(std::uint32_t side, Visit&& visit) {
  for (std::uint16_t i = 0; i < stacks_[side]->workers(); ++i) {
    AssocId after = worker::encode({endpoint::WorkerId(i), 0, 0});
    while (const assoc::Association* const association = stacks_[side]->worker(i).next_association(after)) {
      after = association->id();
      if (worker::owner_of(after) != i) break;
      visit(*association);
    }
  }
}

}  // namespace sluice::sim
