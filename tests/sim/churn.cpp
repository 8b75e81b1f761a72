#include "tests/sim/churn.hpp"

#include <algorithm>
#include <stdexcept>

#include "tests/sim/trace.hpp"

namespace sluice::sim {
namespace {

constexpr std::uint16_t kPort = 5000;
constexpr std::uint32_t kAtOnce = 300;
constexpr Duration kPatience = std::chrono::hours(24);

class Churn {
 public:
  Churn(std::uint64_t seed, const RunOptions& run_options, Totals& totals)
      : totals_(totals), random_(seed), wire_(clock_, random_) {
    if (run_options.trace != nullptr)
      wire_.set_tap([trace = run_options.trace](const drivers::WireEvent& event) {
        std::fprintf(trace, "%s\n", describe(event).c_str());
      });
    drivers::WireConditions conditions;
    conditions.loss = 10'000;
    conditions.delay = std::chrono::milliseconds(1);
    Behaviour behaviour;
    behaviour.messages = 2;
    behaviour.largest = 500;
    behaviour.huge_percent = behaviour.abort_percent = 0;
    for (std::uint32_t side = 0; side < 2; ++side) {
      SimStackOptions options;
      options.name = side == 0 ? "a" : "b";
      options.host = static_cast<std::uint8_t>(side + 1);
      options.workers = static_cast<std::uint16_t>(side + 1);
      options.config.parameters.association_max_retransmissions = 30;
      options.config.parameters.path_max_retransmissions = 30;
      stacks_[side] = std::make_unique<SimStack>(wire_, clock_, random_.u64(), options);
      applications_[side] =
          std::make_unique<Application>(*stacks_[side], clock_, side + 1, random_.u64(), behaviour, totals.counts);
    }
    wire_.set_conditions(conditions);
  }

  void run(std::uint32_t associations) {
    const Timestamp start = clock_.now();
    // Each family has its own endpoints: two associations between the same ports must not share an address.
    const IpAddress called[] = {stacks_[1]->v4(), stacks_[1]->v6()};
    const EndpointId calling[] = {open(called[0], stacks_[0]->v4()), open(called[1], stacks_[0]->v6())};
    const Timestamp end = clock_.now() + kPatience;
    for (std::uint32_t opened = 0; opened < associations || !idle();) {
      if (clock_.now() > end) throw std::runtime_error("a day of virtual time passed without an end");
      for (; opened < associations && stacks_[0]->associations() < kAtOnce; ++opened)
        applications_[0]->connect(calling[opened % 2], {called[opened % 2]}, kPort);
      if (!step()) advance();
    }
    check(associations);
    totals_.virtual_time += clock_.now() - start;
    totals_.frames += wire_.counters().sent;
    ++totals_.runs;
  }

 private:
  /// A listening endpoint at `called`, and one at `calling` that is returned.
  EndpointId open(const IpAddress& called, const IpAddress& calling) {
    worker::OpenEndpointArguments arguments;
    arguments.addresses = {called};
    arguments.port = kPort;
    arguments.listen = true;
    stacks_[1]->open(arguments);
    arguments.addresses = {calling};
    arguments.port = 0;
    arguments.listen = false;
    return stacks_[0]->open(arguments);
  }
  bool idle() const {
    return applications_[0]->idle() && applications_[1]->idle() &&
           stacks_[0]->associations() + stacks_[1]->associations() == 0;
  }
  bool step() {
    bool any = false;
    for (std::uint32_t side = 0; side < 2; ++side)
      for (std::uint16_t i = 0; i < stacks_[side]->workers(); ++i) {
        any |= stacks_[side]->worker(i).poll_once();
        any |= applications_[side]->step(i);
      }
    return any;
  }
  void advance() {
    const Timestamp next =
        std::min({stacks_[0]->group().next_deadline(), stacks_[1]->group().next_deadline(), wire_.next_event()});
    clock_.advance_to(std::max(next, clock_.now() + std::chrono::microseconds(50)));
  }
  void check(std::uint32_t associations) {
    const Timestamp settled = clock_.now() + std::chrono::minutes(1);
    while (clock_.now() < settled)
      if (!step()) advance();
    for (const auto& stack : stacks_) {
      if (stack->buffers_out() != 0) throw std::runtime_error("buffers did not come back: " + stack->buffers_by_pool());
      stack->check_pools();
      if (stack->counter("worker.associations_opened") < associations)
        throw std::runtime_error("side " + stack->name() + " had fewer associations than were opened");
    }
    for (const auto& [flow, sent] : applications_[0]->sent())
      if (!sent.graceful) throw std::runtime_error("an association was lost");
  }

  Totals& totals_;
  base::SimClock clock_;
  base::SeededRandom random_;
  drivers::MemoryWire wire_;
  std::unique_ptr<SimStack> stacks_[2];
  std::unique_ptr<Application> applications_[2];
};

}  // namespace

void churn(std::uint64_t seed, std::uint32_t associations, const RunOptions& options, Totals& totals) {
  // What fails is left behind: its stacks hold buffers of each other's.
  auto* const running = new Churn(seed, options, totals);
  running->run(associations);
  delete running;
}

}  // namespace sluice::sim
