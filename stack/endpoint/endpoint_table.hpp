#pragma once

#include <sluice/ids.hpp>
#include <sluice/ip_address.hpp>

#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/random.hpp"
#include "stack/endpoint/endpoint.hpp"

namespace sluice::endpoint {

/// The endpoints of a stack, one worker's replica. Several may have one port if they have no address in common.
class EndpointTable {
 public:
  enum class AddStatus : std::uint8_t {
    added,
    in_use,  ///< another endpoint has the port on one of the addresses
    full,
  };

  explicit EndpointTable(std::uint16_t limit = 4096);

  AddStatus add(const Endpoint& endpoint);
  /// False if there is none with this id.
  bool remove(EndpointId id);
  /// Null if there is none. Valid until the next add() or remove().
  Endpoint* find(EndpointId id);
  const Endpoint* find(std::uint16_t port, const IpAddress& local) const;
  /// Some endpoint has the port.
  bool has_port(std::uint16_t port) const { return first_[port] != kNone; }
  /// An ephemeral port that no endpoint has, sought from a random start; nothing if there is none.
  std::optional<std::uint16_t> free_port(base::Random& random) const;
  std::uint32_t size() const { return size_; }

 private:
  static constexpr std::uint16_t kNone = 0xffff;
  struct Entry {
    Endpoint endpoint{};         // id zero: free
    std::uint16_t next = kNone;  // of the same port, or free
  };

  std::vector<Entry> entries_;
  std::vector<std::uint16_t> first_;  // by port
  std::uint16_t free_ = kNone;
  std::uint32_t size_ = 0;
};

}  // namespace sluice::endpoint
