#pragma once

#include <sluice/ip_address.hpp>

#include <cstdint>
#include <optional>
#include <string>

#include "drivers/descriptor.hpp"
#include "drivers/port.hpp"
#include "drivers/port_config.hpp"

namespace sluice::drivers {

/// Checks that config.interface exists, may be used by us, and takes the port's MTU, and brings it up. Throws
/// SetupError.
void prepare_kernel_interface(const PortConfig& config);

/// Receive queues that the kernel has for `interface`; 1 when it cannot tell.
std::uint16_t kernel_interface_queues(const std::string& interface);

/// Where the kernel has an address.
struct KernelAddress {
  std::string interface;
  std::uint32_t prefix_length = 0;
};

/// Where the kernel has `address`, too, in this network namespace: it answers there beside us then, and refuses what it
/// has no socket for. Nothing also when it cannot tell.
std::optional<KernelAddress> kernel_address(const IpAddress& address);

/// What only the kernel knows or does for an interface that a PMD shares with it: the state of its link, told by
/// netlink, and reception of all multicast frames, which neighbour discovery needs and which ends with this object.
class KernelInterface {
 public:
  /// `interface` exists. Throws SetupError.
  explicit KernelInterface(const std::string& interface);
  KernelInterface(const KernelInterface&) = delete;
  KernelInterface& operator=(const KernelInterface&) = delete;
  /// As far as the kernel has told by now; never waits.
  LinkState link() noexcept;

 private:
  void request() noexcept;
  void read_messages(int flags) noexcept;
  void read_message(const void* message) noexcept;

  int index_ = 0;
  Descriptor netlink_;
  Descriptor multicast_;  // holds the membership
  LinkState state_;
};

}  // namespace sluice::drivers
