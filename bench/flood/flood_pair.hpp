#pragma once

#include <ctime>
#include <vector>

#include "bench/flood/flood_frame.hpp"
#include "tests/sim/sim_stack.hpp"

namespace sluice::bench {

/// Processor time of this thread: what else runs on the machine does not count.
inline Timestamp processor_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return Timestamp(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

/// What a stack holds; none of it may grow by a flood.
struct Held {
  std::uint32_t associations = 0;
  std::uint32_t buffers = 0;
  std::uint32_t directory = 0;
  std::uint32_t objects = 0;  ///< out of the pools of its associations
  friend bool operator==(const Held&, const Held&) = default;
};

/// Two stacks and a flooder on one in-memory wire, all in one thread. The clock of the stacks is the thread's processor
/// time, read once a turn: an association gets what a flood leaves of the core.
class FloodPair {
 public:
  /// The flooded stack looks at `inits_per_second` INITs; nothing: at as many as is its default.
  explicit FloodPair(std::optional<std::uint32_t> inits_per_second);

  /// From now on: frames of this kind, `per_second` of them, 0: none; nothing: as many as the wire takes.
  void set_flood(FloodKind kind, std::optional<double> per_second, std::uint32_t udp_frame_bytes);
  std::size_t frame_bytes() const { return frames_.front().size(); }
  /// Opens the association.
  void connect();
  /// Messages of `bytes` from now on, as many as the association takes; 0: none.
  void set_load(std::uint32_t bytes) { message_.assign(bytes, std::byte{'x'}); }
  /// Until all that is under way has arrived, the flood being off.
  void settle();

  struct Window {
    double seconds = 0;
    std::uint64_t messages = 0;  ///< delivered
    std::uint64_t offered = 0;   ///< frames of the flood
    std::uint64_t received = 0;  ///< frames that the flooded stack took from its port, the association's included
    double cycles = 0;           ///< of the flooded stack's turns: port, wire and all
  };
  Window run(Duration time);

  Held held() const;
  std::uint64_t counter(const std::string& name) const { return flooded_.counter(name); }

 private:
  static sim::SimStackOptions options(const char* name, std::uint8_t host);
  static sim::SimStackOptions flooded_options(std::optional<std::uint32_t> inits_per_second);
  void turn();
  void poll_flooded();
  void offer_flood();
  void send_messages();
  void take(sim::SimStack& stack);

  const double cycles_per_second_;
  base::SimClock clock_;
  base::SeededRandom random_{1};
  drivers::MemoryWire wire_{clock_, random_};
  sim::SimStack sender_;
  sim::SimStack flooded_;
  sim::SimStack gateway_;  // the floods come from behind it
  base::HeapBuffers flood_memory_;
  std::vector<std::vector<std::byte>> frames_;
  std::size_t next_frame_ = 0;
  std::optional<double> rate_ = 0;
  double allowance_ = 0;
  Timestamp last_offer_;
  std::vector<std::byte> message_;
  AssocId association_;
  std::vector<Event> events_{64};
  Window window_;
  Duration flooded_time_{};
};

}  // namespace sluice::bench
