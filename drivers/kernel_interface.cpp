#include "drivers/kernel_interface.hpp"

#include <fmt/format.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "drivers/pmd/device.hpp"
#include "drivers/setup_error.hpp"

namespace sluice::drivers {
namespace {

using pmd::refuse;

ifreq request_for(const std::string& interface) {
  ifreq request{};
  interface.copy(request.ifr_name, IF_NAMESIZE - 1);
  return request;
}

void check_raw_sockets(const PortConfig& config) {
  const Descriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (socket.get() < 0)
    refuse(config, fmt::format("{} needs the right to open raw sockets: {}; run as root, or grant it with 'setcap "
                               "cap_net_raw,cap_net_admin+ep PROGRAM'",
                               to_string(config.kind), std::strerror(errno)));
}

void bring_up(const PortConfig& config, int socket, ifreq& request) {
  if (ioctl(socket, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0) return;
  request.ifr_flags |= IFF_UP;
  if (ioctl(socket, SIOCSIFFLAGS, &request) != 0)
    refuse(config, fmt::format("interface '{0}' is down and cannot be brought up: {1}; run 'ip link set {0} up'",
                               config.interface, std::strerror(errno)));
}

/// What is in `address`, which is of `family`; the unspecified one for other families.
IpAddress address_in(const sockaddr& address, sa_family_t family) {
  if (family == AF_INET) return IpAddress::v4(ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr));
  IpAddress::Bytes bytes{};
  if (family == AF_INET6)
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, bytes.size());
  return IpAddress::v6(bytes);
}

std::uint32_t prefix_length_of(const sockaddr& netmask, sa_family_t family) {
  const IpAddress mask = address_in(netmask, family);
  if (mask.is_v4()) return static_cast<std::uint32_t>(std::popcount(mask.v4_value()));
  return static_cast<std::uint32_t>(std::popcount(mask.words().high) + std::popcount(mask.words().low));
}

}  // namespace

void prepare_kernel_interface(const PortConfig& config) {
  if (config.interface.empty())
    refuse(config, fmt::format("{} needs a kernel interface; set interface to one that 'ip link' shows",
                               to_string(config.kind)));
  if (if_nametoindex(config.interface.c_str()) == 0)
    refuse(config, fmt::format("there is no interface '{}' in this network namespace; use one that 'ip link' shows",
                               config.interface));
  check_raw_sockets(config);
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = request_for(config.interface);
  bring_up(config, socket.get(), request);
  if (ioctl(socket.get(), SIOCGIFMTU, &request) == 0 && request.ifr_mtu < config.mtu)
    refuse(config, fmt::format("interface '{0}' has an MTU of {1}, less than the {2} asked for; run 'ip link set {0} "
                               "mtu {2}', or lower the port's mtu",
                               config.interface, request.ifr_mtu, config.mtu));
}

std::uint16_t kernel_interface_queues(const std::string& interface) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  ifreq request = request_for(interface);
  request.ifr_data = reinterpret_cast<char*>(&channels);
  if (ioctl(socket.get(), SIOCETHTOOL, &request) != 0) return 1;
  return static_cast<std::uint16_t>(std::max(1u, std::max(channels.combined_count, channels.rx_count)));
}

std::optional<KernelAddress> kernel_address(const IpAddress& address) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return std::nullopt;
  std::optional<KernelAddress> found;
  for (const ifaddrs* one = list; one != nullptr && !found; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_netmask == nullptr) continue;
    const sa_family_t family = one->ifa_addr->sa_family;
    if (address_in(*one->ifa_addr, family) == address)
      found = KernelAddress{one->ifa_name, prefix_length_of(*one->ifa_netmask, family)};
  }
  freeifaddrs(list);
  return found;
}

KernelInterface::KernelInterface(const std::string& interface)
    : index_(static_cast<int>(if_nametoindex(interface.c_str()))),
      netlink_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)),
      multicast_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {  // protocol 0: receives nothing
  const auto fail = [&](const char* what) {
    throw SetupError(fmt::format("interface '{}': {}: {}; check that it exists and that this process may use it",
                                 interface, what, std::strerror(errno)));
  };
  packet_mreq membership{};
  membership.mr_ifindex = index_;
  membership.mr_type = PACKET_MR_ALLMULTI;
  if (multicast_.get() < 0 ||
      setsockopt(multicast_.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership) != 0)
    fail("multicast frames cannot be had");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (netlink_.get() < 0 || bind(netlink_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fail("its link state cannot be watched");
  request();
  // The first answer is worth waiting for: it comes from the kernel, not from the network.
  constexpr int kMilliseconds = 1000;
  pollfd waiting{netlink_.get(), POLLIN, 0};
  if (poll(&waiting, 1, kMilliseconds) == 1) read_messages(MSG_DONTWAIT);
}

LinkState KernelInterface::link() noexcept {
  read_messages(MSG_DONTWAIT);
  return state_;
}

void KernelInterface::request() noexcept {
  struct {
    nlmsghdr header;
    ifinfomsg link;
  } message{};
  message.header.nlmsg_len = sizeof message;
  message.header.nlmsg_type = RTM_GETLINK;
  message.header.nlmsg_flags = NLM_F_REQUEST;
  message.link.ifi_index = index_;
  // Should it fail, the state stays as it was until the kernel tells of a change.
  if (send(netlink_.get(), &message, sizeof message, MSG_DONTWAIT) < 0) return;
}

void KernelInterface::read_messages(int flags) noexcept {
  alignas(nlmsghdr) char bytes[16384];
  constexpr int kMostBatches = 64;
  for (int batch = 0; batch < kMostBatches; ++batch) {
    ssize_t left = recv(netlink_.get(), bytes, sizeof bytes, flags);
    if (left < 0 && errno == ENOBUFS) {
      request();  // some changes were lost: ask how things are now
      continue;
    }
    if (left <= 0) return;
    for (auto* header = reinterpret_cast<nlmsghdr*>(bytes); NLMSG_OK(header, left); header = NLMSG_NEXT(header, left))
      read_message(header);
  }
}

void KernelInterface::read_message(const void* message) noexcept {
  const auto& header = *static_cast<const nlmsghdr*>(message);
  if (header.nlmsg_type != RTM_NEWLINK && header.nlmsg_type != RTM_DELLINK) return;
  if (header.nlmsg_len < NLMSG_LENGTH(sizeof(ifinfomsg))) return;
  const auto& link = *static_cast<const ifinfomsg*>(NLMSG_DATA(&header));
  if (link.ifi_index != index_ || link.ifi_family != AF_UNSPEC) return;
  constexpr unsigned kUp = IFF_UP | IFF_RUNNING;
  state_.up = header.nlmsg_type == RTM_NEWLINK && (link.ifi_flags & kUp) == kUp;
}

}  // namespace sluice::drivers
