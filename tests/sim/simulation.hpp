#pragma once

#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "drivers/pcap_writer.hpp"
#include "tests/sim/application.hpp"
#include "tests/sim/mtu_router.hpp"
#include "tests/sim/path_faults.hpp"
#include "tests/sim/path_watch.hpp"
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

/// One run: two whole stacks joined by up to three wires, their applications, and a plan of faults, all from one seed.
/// Faults end after a while; then all that was promised must have come, and nothing may be left behind. In gentle runs
/// no fault may cost an association: with several paths one is usable at any time, with one path outages are short. At
/// least kLeastMessages arrive or kLeastTime passes: until then more associations are opened.
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
  /// What is remembered of an association from one step to the next.
  struct Seen {
    assoc::State state = assoc::State::closed;
    VTag local_tag;
    std::vector<std::pair<IpAddress, PathState>> paths;
    std::uint32_t step = 0;
    Timestamp heartbeats_flowed = kNever;  // when they were seen to last; kNever: not looked at yet
    std::uint64_t flight = 0;              // what flight_of() said when the scoreboard was checked last
  };

  static constexpr std::uint16_t kPort = 5000;
  static constexpr std::uint16_t kLeastPathMtu = 1280;  // what IPv6 wants of every link
  static constexpr std::uint16_t kAllWorkers = UINT16_MAX;
  static constexpr Duration kLeastStep = std::chrono::microseconds(50);

  // simulation.cpp: two stacks and their time
  void make_stacks();
  void choose_ports();
  SimStackOptions stack_options(std::uint32_t side, bool quick);
  void set_path_thresholds(Parameters& parameters);
  void open_endpoints(std::uint32_t side);
  bool held_up(std::uint32_t side, std::uint16_t worker);
  bool step_all();
  void advance(Duration least = kLeastStep);
  bool over();
  bool moved_enough();
  std::uint64_t messages() const { return all_messages_ - messages_before_; }
  template <class Visit>
  void for_each_association(std::uint32_t side, Visit&& visit);

  // simulation_faults.cpp: the plan
  void plan();
  void plan_opening(Duration in);
  void sort_openings();
  bool open_what_is_due();
  assoc::AddressList addresses_of(std::uint32_t side, const Opening& opening);
  void note(Fault fault, bool lasting = false);
  void heal();
  void change_faults();
  Duration begin_fault(Fault fault, std::uint32_t path, std::uint32_t side);
  void change_outage();
  drivers::WireConditions faulty_conditions();
  void end_faults();
  void restart_stack();

  // simulation_checks.cpp: what must be true
  void observe_states();
  void observe_paths(Seen& seen, const assoc::Association& association);
  void check_heartbeats(Seen& seen, const assoc::Association& association);
  void check_given_up(const Application& sender, std::span<const std::uint32_t> flows);
  void check_nothing_lost();
  void check_nothing_left();
  void count_counters(std::uint32_t side);
  std::optional<std::uint32_t> side_of(std::uint16_t port) const;
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
  std::vector<std::unique_ptr<MtuRouter>> routers_;  ///< by path
  PathFaults paths_;
  PathWatch watch_;
  EndpointId listening_[2];
  EndpointId calling_[2];
  std::vector<Opening> openings_;
  Behaviour behaviour_;
  std::uint16_t mtu_ = 1500;
  Timestamp start_;
  const std::uint64_t& all_messages_;  ///< in totals_: of earlier runs, too
  std::uint64_t messages_before_ = 0;
  Timestamp next_fault_;
  Timestamp next_outage_ = kNever;  ///< of one path of several, for longer
  Timestamp faults_end_;
  Timestamp restart_at_ = kNever;
  bool faults_over_ = false;
  bool restarted_ = false;
  bool router_tells_ = false;
  bool stalled_ = false;
  bool outage_ = false;
  bool bound_v4_ = true;  ///< endpoints have addresses of this family
  bool bound_v6_ = true;
  bool gentle_ = false;                                         ///< no fault of this run may cost an association
  std::vector<std::pair<std::uint32_t, std::uint16_t>> order_;  ///< of the workers in one step
  std::pair<std::uint32_t, std::uint16_t> held_up_;             ///< the worker, or all of a side, that does not run
  Timestamp held_up_until_{};
  Timestamp last_disturbed_{};  ///< when something last kept stacks from sending in time
  Duration idle_step_{};
  std::map<std::uint64_t, Seen> seen_[2];  ///< by association
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
