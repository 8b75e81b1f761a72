#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "drivers/pcap_writer.hpp"
#include "tests/sim/application.hpp"

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
/// a while; then all that was promised must have come, and nothing may be left behind.
class Simulation {
 public:
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

  void make_stacks();
  void open_endpoints();
  void plan_openings();
  bool open_what_is_due();
  void change_faults();
  drivers::WireConditions faulty_conditions();
  void end_faults();
  bool step_all();
  void advance();
  void observe_states();
  void check_flight();
  void check_nothing_lost();
  void check_nothing_left();
  void note(const char* what);
  void on_wire(const drivers::WireEvent& event);
  bool over() const;

  std::uint64_t seed_;
  RunOptions options_;
  Totals& totals_;
  base::SimClock clock_;
  base::SeededRandom random_;
  base::SeededRandom wire_random_;
  drivers::MemoryWire wire_;
  std::unique_ptr<SimStack> stacks_[2];
  std::unique_ptr<Application> applications_[2];
  EndpointId listening_[2];
  EndpointId calling_[2];
  std::vector<Opening> openings_;
  Behaviour behaviour_;
  Timestamp next_fault_;
  Timestamp faults_end_;
  bool faults_over_ = false;
  bool gentle_ = false;                                         ///< no fault of this run may cost an association
  std::vector<std::pair<std::uint32_t, std::uint16_t>> order_;  ///< of the workers in one step
  std::map<std::uint64_t, assoc::State> states_[2];
  std::uint32_t steps_ = 0;
};

}  // namespace sluice::sim
