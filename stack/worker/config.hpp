#pragma once

#include <sluice/parameters.hpp>
#include <sluice/time.hpp>

#include <cstdint>

#include "stack/assoc/pools.hpp"
#include "stack/ip/config.hpp"

namespace sluice::worker {

/// The caps on what a stack holds; what each refuses is counted (Counters, endpoint::Counters, ip::Counters).
struct Limits {
  std::uint32_t associations = 16384;     ///< in the stack, all workers together; at most 2^24
  std::uint32_t opening_attempts = 4096;  ///< of those, ours that are not yet established
  std::uint16_t endpoints = 1024;
  std::uint32_t directory_addresses = 0;   ///< peer addresses, each worker; 0: `associations`, but 2^17 at least
  std::uint32_t retired_tags = 1 << 14;    ///< tags kept from use after their association, each worker
  std::uint32_t parked_sends = 1 << 16;    ///< messages that wait for room in send buffers, each worker
  std::uint32_t forwarded_packets = 1024;  ///< packets under way from one worker to another
  std::uint32_t inits_per_second = 10000;  ///< looked at, each worker: a flood of them leaves the core to others
  std::uint32_t forged_cookies_per_second = 50000;  ///< whose MAC is looked at, each worker
  std::uint32_t answers_per_second = 1000;  ///< ABORTs and the like to whom no association is known, each worker
  assoc::PoolLimits pools;
};

/// How much one poll turn may do of each kind before the others get theirs.
struct TurnLimits {
  std::uint16_t receive_bursts = 4;  ///< of kMaxBurst frames, each port; a late turn empties the queues
  std::uint32_t commands = 256;      ///< each application
  std::uint32_t expiries = 256;
  std::uint32_t messages = 64;                   ///< from each other worker
  std::uint32_t link_notices = 1024;             ///< associations that hear of a port's link
  std::uint32_t endings = 64;                    ///< associations that end because their endpoint closes
  std::uint32_t resumptions = 64;                ///< associations that offer waiting events again, each application
  Duration late = std::chrono::milliseconds(5);  ///< since the turn before, from which on a turn is late
  /// Between two looks at the timers of an association that waits for a transmit ring.
  Duration blocked = std::chrono::milliseconds(10);
};

/// What a worker does when nothing is to do: polls on `busy_turns` times with a pause in between, then `yield_turns`
/// times giving its core away, then sleeps for up to `sleep` or until it is woken. kNever-like huge turns keep it busy.
struct IdlePolicy {
  std::uint32_t busy_turns = 200;
  std::uint32_t yield_turns = 50;
  Duration sleep = std::chrono::microseconds(50);  ///< 0: never sleeps
};

/// What all workers of a stack are made from.
struct Config {
  ip::Config ip;
  Parameters parameters;
  Limits limits;
  TurnLimits turn;
  IdlePolicy idle;
  Duration link_interval = std::chrono::milliseconds(10);  ///< between two looks at the ports' links
  /// A port whose transmit ring took nothing for so long is as good as without a link: what is for it is lost, and
  /// associations use their other paths.
  Duration transmit_stall = std::chrono::milliseconds(500);
  Duration cookie_key_life = std::chrono::hours(1);  ///< RFC 9260 §5.1.3; longer than any cookie's life
};

}  // namespace sluice::worker
