#include "stack/socket/stack_settings.hpp"

#include <sluice/error.hpp>

#include <algorithm>

#include "drivers/packet_pool.hpp"

namespace sluice::socket {
namespace {

constexpr std::uint32_t kBlockOverhead = 384;  // of an mbuf with its Block, its place in the pool and alignment

drivers::PortKind kind_of(PortDriver driver) {
  switch (driver) {
    case PortDriver::af_packet:
      return drivers::PortKind::af_packet;
    case PortDriver::af_xdp:
      return drivers::PortKind::af_xdp;
    case PortDriver::tap:
      return drivers::PortKind::tap;
    case PortDriver::memif:
      return drivers::PortKind::memif;
    case PortDriver::virtio_user:
      return drivers::PortKind::virtio_user;
    case PortDriver::vhost:
      return drivers::PortKind::vhost;
    case PortDriver::ring:
      return drivers::PortKind::ring;
    case PortDriver::pcap:
      return drivers::PortKind::pcap;
    case PortDriver::pci:
      return drivers::PortKind::pci;
  }
  return drivers::PortKind::pci;
}

/// The driver's device is a path and no interface.
bool has_path(PortDriver driver) {
  return driver == PortDriver::memif || driver == PortDriver::virtio_user || driver == PortDriver::vhost ||
         driver == PortDriver::pcap;
}

std::uint16_t descriptors(std::uint16_t configured, PortDriver driver) {
  if (configured != 0) return configured;
  const bool shared_memory =
      driver == PortDriver::memif || driver == PortDriver::virtio_user || driver == PortDriver::vhost;
  return shared_memory ? 256 : 1024;
}

ip::Interface interface_of(const PortConfig& port, const drivers::PortInfo& info) {
  ip::Interface interface;
  interface.mac = info.mac;
  interface.mtu = std::min(port.mtu, info.mtu);
  if (port.vlan != 0) interface.vlan = port.vlan;
  for (const InterfaceAddress& address : port.addresses)
    interface.addresses.push_back({address.address, address.prefix_length});
  interface.offloads.ipv4_checksum_rx = info.offloads.rx_ipv4_checksum;
  interface.offloads.ipv4_checksum_tx = info.offloads.tx_ipv4_checksum;
  interface.offloads.sctp_checksum_rx = info.offloads.rx_sctp_checksum;
  interface.offloads.sctp_checksum_tx = info.offloads.tx_sctp_checksum;
  return interface;
}

ip::Route route_of(const RouteConfig& route, const ip::Config& config) {
  for (std::size_t port = 0; port < config.interfaces.size(); ++port)
    for (const ip::Prefix& prefix : config.interfaces[port].addresses)
      if (prefix.contains(route.via))
        return {{route.to.address, route.to.prefix_length}, route.via, static_cast<std::uint16_t>(port)};
  throw Error("the route's gateway " + route.via.to_string() +
              " is on no port's network; give one of the ports an address with a prefix that holds it");
}

}  // namespace

std::uint32_t frame_block_bytes(const StackConfig& config) {
  std::uint16_t mtu = 1500;
  for (const PortConfig& port : config.ports) mtu = std::max(mtu, port.mtu);
  return drivers::block_bytes_for_mtu(mtu);
}

drivers::EalConfig eal_config(const StackConfig& config) {
  drivers::EalConfig eal;
  for (const std::uint16_t cpu : config.cpus) eal.cores.push_back(cpu);
  const std::uint64_t blocks =
      std::uint64_t{config.workers} * (config.limits.receive_buffers + config.limits.transmit_buffers);
  const std::uint64_t derived = (blocks * (frame_block_bytes(config) + kBlockOverhead) >> 20) + 64;
  eal.memory_megabytes = config.memory_mb != 0 ? config.memory_mb : static_cast<std::uint32_t>(derived);
  eal.huge_pages = config.huge_pages == HugePages::automatic ? drivers::HugePages::automatic
                   : config.huge_pages == HugePages::always  ? drivers::HugePages::yes
                                                             : drivers::HugePages::no;
  eal.file_prefix = config.instance;
  for (const PortConfig& port : config.ports)
    if (port.driver == PortDriver::pci)
      eal.pci_devices.push_back(port.arguments.empty() ? port.device : port.device + ',' + port.arguments);
  eal.arguments = config.eal_arguments;
  base::parse_log_level(config.log_level, eal.log_level);
  return eal;
}

drivers::PortConfig driver_port_config(const StackConfig& config, const PortConfig& port) {
  drivers::PortConfig out;
  out.name = port.name;
  out.kind = kind_of(port.driver);
  (has_path(port.driver) ? out.path : out.interface) = port.device;
  out.role = port.server ? drivers::PortRole::server : drivers::PortRole::client;
  out.transmit_path = port.transmit_device;
  out.arguments = port.arguments;
  base::MacAddress mac;
  if (base::parse_mac_address(port.mac, mac)) out.mac = mac;
  out.promiscuous = port.promiscuous;
  out.queues = port.queues != 0 ? std::min(port.queues, config.workers) : config.workers;
  out.mtu = port.mtu;
  out.receive_descriptors = descriptors(port.rx_descriptors, port.driver);
  out.transmit_descriptors = descriptors(port.tx_descriptors, port.driver);
  return out;
}

worker::IdlePolicy idle_policy(const StackConfig& config) {
  worker::IdlePolicy policy;
  policy.sleep = config.idle == IdleMode::sleep ? config.idle_sleep : Duration::zero();
  if (config.idle == IdleMode::busy) policy.busy_turns = UINT32_MAX;
  return policy;
}

worker::Config worker_config(const StackConfig& config, const std::vector<drivers::Port*>& ports) {
  worker::Config out;
  for (std::size_t i = 0; i < ports.size(); ++i)
    out.ip.interfaces.push_back(interface_of(config.ports[i], ports[i]->info()));
  for (const RouteConfig& route : config.routes) out.ip.routes.push_back(route_of(route, out.ip));
  if (const auto wrong = ip::find_error(out.ip)) throw Error(*wrong);
  out.parameters = config.parameters;
  out.limits.associations = config.limits.associations;
  out.limits.opening_attempts = std::min(config.limits.opening_attempts, config.limits.associations);
  out.limits.endpoints = static_cast<std::uint16_t>(config.limits.endpoints);
  out.limits.inits_per_second = config.limits.inits_per_second;
  out.idle = idle_policy(config);
  return out;
}

}  // namespace sluice::socket
