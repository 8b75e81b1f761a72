#pragma once

#include <sluice/ip_address.hpp>

#include <cstdint>
#include <optional>
#include <vector>

#include "stack/ip/config.hpp"

namespace sluice::ip {

/// Where packets to a prefix go. Made once from a Config; only link state changes. Routes are named by handles that
/// follow from the Config alone, so all replicas agree on them; 0 names none.
class RouteTable {
 public:
  struct Entry {
    Prefix destination;
    IpAddress gateway;  ///< meaningless without via_gateway
    bool via_gateway = false;
    std::uint16_t port = 0;
    std::uint16_t mtu = 0;
  };

  /// `config` outlives the table.
  explicit RouteTable(const Config& config);

  /// See Layer::resolve().
  std::uint32_t resolve(const IpAddress& destination, const IpAddress& source_hint) const;
  /// See Layer::source_for().
  std::optional<IpAddress> source_for(const IpAddress& destination) const;
  /// Our address on `port` to speak to `destination` from, by way of `neighbour`; nothing if there is none of the
  /// family.
  std::optional<IpAddress> source_on(std::uint16_t port, const IpAddress& neighbour,
                                     const IpAddress& destination) const;

  /// The route that `handle` names, or null.
  const Entry* find(std::uint32_t handle) const {
    return handle - 1 < entries_.size() ? &entries_[handle - 1] : nullptr;  // 0 wraps past every size
  }

  bool is_local(const IpAddress& address) const { return owner(address).has_value(); }
  bool is_local_on(std::uint16_t port, const IpAddress& address) const { return owner(address) == port; }
  /// `address` may be a neighbour on `port`: a prefix there holds it.
  bool on_link(std::uint16_t port, const IpAddress& address) const;
  /// `address` is all hosts of a prefix on `port`'s link, or that prefix itself: no single station.
  bool is_subnet_broadcast(std::uint16_t port, const IpAddress& address) const;

  void set_link(std::uint16_t port, bool up) { up_[port] = up; }
  bool link_up(std::uint16_t port) const { return up_[port]; }

 private:
  struct Local {
    IpAddress address;
    std::uint16_t port;
  };
  std::optional<std::uint16_t> owner(const IpAddress& address) const;
  std::uint32_t longest(const IpAddress& destination, std::optional<std::uint16_t> port) const;
  bool has_route(const IpAddress& destination, std::uint16_t port) const;

  const Config& config_;
  std::vector<Entry> entries_;  // longest prefix first
  std::vector<Local> locals_;   // in order of address
  std::vector<bool> up_;
};

}  // namespace sluice::ip
