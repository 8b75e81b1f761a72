#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "tests/sim/sim_stack.hpp"

namespace sluice::bench {

struct PairOptions {
  std::uint32_t associations = 1'000'000;
  std::uint16_t paths = 1;       ///< of each association, every one on a wire of its own
  Duration opened_over{};        ///< of virtual time
  std::uint32_t message = 1400;  ///< bytes of the busy association's messages
};

/// How evenly HEARTBEATs left both stacks.
struct HeartbeatSpread {
  std::uint64_t sent = 0;
  std::uint64_t timeouts = 0;  ///< that were not answered in time
  std::uint64_t most_in_second = 0;
  std::uint64_t most_in_10ms = 0;
  double seconds = 0;  ///< of virtual time
  double mean_per_second() const { return static_cast<double>(sent) / seconds; }
};

/// What one association carried in a second of the processor's time, with which virtual time kept pace: whatever else
/// the machine does makes no difference then.
struct BusyResult {
  double messages_per_second = 0;
  double heartbeats_per_second = 0;  ///< of the others, beside it
};

/// Two stacks of one worker each, stepped in one thread, and associations between them: one that is kept busy and any
/// number that exchange a message and then are idle. Reaches below the public API for virtual time and the wire.
class Pair {
 public:
  using Progress = std::function<void(std::uint32_t opened)>;

  /// Makes both stacks, every endpoint, and the association that will be busy.
  explicit Pair(const PairOptions& options);
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair();

  /// Opens all others, a bounded number at a time. Each carries a message there and another one back. Returns when
  /// nothing is under way any more. Calls `progress` about once a second.
  void open_all(const Progress& progress);
  /// Lets virtual time pass, as fast as the processor can.
  HeartbeatSpread idle(Duration virtual_time, const Progress& progress);
  /// Sends messages on the busy association for so much of the processor's time.
  BusyResult busy(Duration processor_time);

 private:
  static constexpr std::size_t kSides = 2;

  void make_stacks();
  EndpointId open_endpoint(std::size_t side, std::uint16_t port);
  assoc::AddressList addresses(std::size_t side) const;
  void connect_next();
  void finish_opening(std::uint32_t wanted, Timestamp patience, const Progress& progress);
  void settle();
  bool step();
  bool take_events(std::size_t side);
  void on_event(std::size_t side, const Event& event);
  void on_up(std::size_t side, AssocId association);
  void on_message(std::size_t side, const Event& event);
  void send_busy();
  void advance(Timestamp at_most);
  std::uint64_t heartbeats() const;
  std::uint64_t heartbeat_timeouts() const;

  const PairOptions options_;
  const std::uint16_t endpoints_;  // of each side, besides that of the busy association
  base::SimClock clock_;
  base::SeededRandom random_{1};
  drivers::MemoryWire wire_{clock_, random_};
  std::array<std::unique_ptr<sim::SimStack>, kSides> stacks_;
  std::vector<EndpointId> callers_;
  std::vector<std::byte> payload_;
  std::vector<Event> events_;

  std::uint32_t connected_ = 0;  // that connect() was called for
  std::uint32_t done_ = 0;       // whose messages came both ways
  AssocId busy_;                 // at the calling side
  AssocId busy_peer_;
  std::uint64_t busy_sent_ = 0;
  std::uint64_t busy_received_ = 0;
};

}  // namespace sluice::bench
