#pragma once

#include <sluice/ip_address.hpp>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "stack/assoc/association.hpp"
#include "tests/sim/application.hpp"

namespace sluice::sim {

/// Sees on the wire what associations with several paths do. Checks that nothing but probes goes to an address before
/// it is confirmed (RFC 9260 §5.4): it was given by the application, the INIT ACK went there, or a HEARTBEAT to it was
/// answered. Counts what moves from path to path.
class PathWatch {
 public:
  using Visit = std::function<void(const assoc::Association&)>;
  /// Visits every association of one side.
  using ForEach = std::function<void(std::uint32_t side, const Visit&)>;

  PathWatch(Tally& tally, ForEach for_each) : tally_(tally), for_each_(std::move(for_each)) {}

  /// An association that is being opened: all its addresses are those that the application gave.
  void opening(std::uint32_t side, const assoc::Association& association);
  void on_sent(std::uint32_t side, std::span<const std::byte> frame);
  void on_delivered(std::uint32_t side, std::span<const std::byte> frame);
  /// The side's stack is gone.
  void forget(std::uint32_t side);
  /// Throws std::runtime_error with the first thing that was wrong.
  void check() const;

 private:
  /// A side, and a tag that it gave out or was given.
  using Key = std::pair<std::uint32_t, std::uint32_t>;
  struct Known {
    std::vector<IpAddress> confirmed;
    std::vector<IpAddress> used;     // where DATA went
    std::vector<std::uint8_t> went;  // by TSN, beginning with first_tsn: where it was sent last, an index of `used`
    Tsn first_tsn;
    std::uint8_t latest = kNowhere;  // where new data went last
    std::uint8_t left = kNowhere;    // the primary path that it had to leave
    bool given = false;
  };
  struct Probe {
    Key of;
    IpAddress to;
  };
  static constexpr std::uint8_t kNowhere = UINT8_MAX;

  static void confirm(Known& known, const IpAddress& address);
  bool find_owner(const Key& peer, Key& owner);
  void on_chunk(const Key& owner, const IpAddress& to, const wire::Chunk& chunk);
  void on_data(const Key& owner, Known& known, const IpAddress& to, Tsn tsn);
  bool is_primary(const Key& owner, const IpAddress& address) const;

  Tally& tally_;
  ForEach for_each_;
  std::map<Key, Known> known_;           // by the tag of the sender's own
  std::map<Key, Key> owners_;            // by the peer's tag: what packets bear
  std::map<std::string, Probe> probes_;  // HEARTBEATs not answered yet, by what is in them
  std::string wrong_;
};

}  // namespace sluice::sim
