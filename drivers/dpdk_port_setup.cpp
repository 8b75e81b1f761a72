#include <fmt/format.h>
#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "drivers/dpdk_port.hpp"
#include "drivers/interrupt_pause.hpp"
#include "drivers/open_port.hpp"
#include "drivers/unix_socket.hpp"
#include "stack/base/siphash.hpp"

namespace sluice::drivers {
namespace {

constexpr std::uint64_t kRxChecksums = RTE_ETH_RX_OFFLOAD_SCTP_CKSUM | RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
constexpr std::uint64_t kTxChecksums = RTE_ETH_TX_OFFLOAD_SCTP_CKSUM | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
// Fragments and what is no SCTP spread by address; UDP by port, for encapsulated SCTP.
constexpr std::uint64_t kSpreadBy = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_SCTP |
                                    RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV4_OTHER | RTE_ETH_RSS_IPV6 |
                                    RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_SCTP |
                                    RTE_ETH_RSS_NONFRAG_IPV6_UDP | RTE_ETH_RSS_NONFRAG_IPV6_OTHER;

/// An address of its own for a device that has none, the same in each run.
base::MacAddress mac_for(const std::string& name) {
  const std::uint64_t hash = base::siphash({}, std::as_bytes(std::span(name)));
  base::MacAddress mac;
  std::memcpy(mac.octets.data(), &hash, mac.octets.size());
  mac.octets[0] = 2;  // locally administered, one station
  return mac;
}

/// Enough blocks for all descriptors of each pool, and a burst on its way besides.
void check_pools(const PortConfig& config, std::span<PacketPool* const> pools, std::uint16_t descriptors) {
  std::map<std::string, std::uint32_t> needed;  // by name: never by address
  for (const PacketPool* pool : pools) {
    std::uint32_t& blocks = needed[pool->name()];
    blocks += descriptors + kMaxBurst;
    if (pool->total() < blocks)
      pmd::refuse(config, fmt::format("its receive queues need {} blocks and pool '{}' has {}; give the pool more, or "
                                      "lower receive_descriptors",
                                      blocks, pool->name(), pool->total()));
  }
}

}  // namespace

std::unique_ptr<Port> open_port(const Eal& eal, const PortConfig& config, std::span<PacketPool* const> receive_pools) {
  pmd::Device device = pmd::describe(config);
  if (!device.socket.empty() && !remove_stale_socket(device.socket))
    pmd::refuse(config, fmt::format("'{}' is in use by another process, or is no socket; use another path, or end that "
                                    "process",
                                    device.socket));
  return std::make_unique<DpdkPort>(eal, config, std::move(device), receive_pools);
}

DpdkPort::DpdkPort(const Eal& eal, const PortConfig& config, pmd::Device device,
                   std::span<PacketPool* const> receive_pools)
    : eal_(eal), config_(config), device_(std::move(device)) {
  eal_.forget_last_error();
  try {
    make_device();
    configure(receive_pools);
    start();
  } catch (...) {
    close();
    throw;
  }
}

DpdkPort::~DpdkPort() {
  close();
}

void DpdkPort::fail(const std::string& what, int error) const {
  const std::string detail = eal_.last_error();
  pmd::refuse(config_, fmt::format("{} ({}{}{}); check the port's settings, and its device arguments: \"{}\"", what,
                                   std::strerror(error), detail.empty() ? "" : ": ", detail, device_.arguments));
}

void DpdkPort::make_device() {
  const char* const name = device_.name.c_str();
  if (rte_eth_dev_get_port_by_name(name, &port_) == 0) {
    found_ = true;  // by --vdev, by the program, or by the scan of the PCI bus
    return;
  }
  const int result = rte_eal_hotplug_add(device_.bus.c_str(), name, device_.arguments.c_str());
  if (result != 0)
    fail(fmt::format("{} device '{}' could not be set up", to_string(config_.kind), device_.name), -result);
  found_ = made_ = true;
  // Probing may succeed and yet make no port.
  if (rte_eth_dev_get_port_by_name(name, &port_) != 0) {
    found_ = false;
    fail(fmt::format("{} device '{}' made no port", to_string(config_.kind), device_.name), ENODEV);
  }
}

void DpdkPort::configure(std::span<PacketPool* const> receive_pools) {
  rte_eth_dev_info limits{};
  if (const int result = rte_eth_dev_info_get(port_, &limits); result != 0)
    fail("its device does not say what it can do", -result);
  const std::uint16_t queues = std::min({config_.queues, limits.max_rx_queues, limits.max_tx_queues});
  if (queues == 0) fail("its device has no queues", ENODEV);
  SLUICE_CHECK(receive_pools.size() >= queues);
  queues_.resize(queues);
  for (std::uint16_t i = 0; i < queues; ++i) queues_[i].pool = receive_pools[i];
  const bool interrupts = device_.may_interrupt && try_configure(limits, true) == 0;
  if (!interrupts) {
    if (const int result = try_configure(limits, false); result != 0)
      fail(fmt::format("{} queues and an MTU of {} are not possible", queues, config_.mtu), -result);
  }
  info_.name = config_.name;
  info_.mtu = config_.mtu;
  info_.receive_queues = info_.transmit_queues = queues;
  for (Queue& queue : queues_)
    if (interrupts) queue.interrupt_set = epoll_create1(EPOLL_CLOEXEC);
  info_.offloads.receive_interrupt = interrupts;
  set_up_queues(limits);
}

int DpdkPort::try_configure(const rte_eth_dev_info& limits, bool interrupts) {
  const auto queues = static_cast<std::uint16_t>(queues_.size());
  rte_eth_conf wish{};
  wish.rxmode.offloads = limits.rx_offload_capa & kRxChecksums;
  wish.txmode.offloads = limits.tx_offload_capa & kTxChecksums;
  // Blocks too short for a frame: it comes in several, and is put together in one of a pool that has room for it.
  wish.rxmode.mtu = device_.knows_mtu ? config_.mtu : 0;
  wish.intr_conf.rxq = interrupts ? 1 : 0;
  const std::uint64_t spread_by = device_.bus == "pci" ? limits.flow_type_rss_offloads & kSpreadBy : 0;
  if (queues > 1 && spread_by != 0) {
    wish.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    wish.rx_adv_conf.rss_conf.rss_hf = spread_by;
  }
  Offloads& offloads = info_.offloads;
  offloads.rx_sctp_checksum = (wish.rxmode.offloads & RTE_ETH_RX_OFFLOAD_SCTP_CKSUM) != 0;
  offloads.rx_ipv4_checksum = (wish.rxmode.offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM) != 0;
  offloads.tx_sctp_checksum = (wish.txmode.offloads & RTE_ETH_TX_OFFLOAD_SCTP_CKSUM) != 0;
  offloads.tx_ipv4_checksum = (wish.txmode.offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0;
  offloads.spreads_flows = queues > 1 && (device_.spreads_flows || spread_by != 0);
  prepares_ = wish.txmode.offloads != 0;
  return rte_eth_dev_configure(port_, queues, queues, &wish);
}

void DpdkPort::set_up_queues(const rte_eth_dev_info& limits) {
  std::uint16_t receive = config_.receive_descriptors;
  std::uint16_t transmit = config_.transmit_descriptors;
  if (const int result = rte_eth_dev_adjust_nb_rx_tx_desc(port_, &receive, &transmit); result != 0)
    fail("its queues cannot have that many descriptors", -result);
  std::vector<PacketPool*> pools;
  for (const Queue& queue : queues_) pools.push_back(queue.pool);
  check_pools(config_, pools, receive);
  for (std::uint16_t i = 0; i < info_.receive_queues; ++i) {
    rte_eth_rxconf receive_wish = limits.default_rxconf;
    receive_wish.offloads = limits.rx_queue_offload_capa & kRxChecksums;
    int result = rte_eth_rx_queue_setup(port_, i, receive, SOCKET_ID_ANY, &receive_wish, queues_[i].pool->native());
    if (result != 0)
      fail(fmt::format("receive queue {} of {} descriptors and blocks of {} bytes is not possible", i, receive,
                       queues_[i].pool->block_bytes()),
           -result);
    rte_eth_txconf transmit_wish = limits.default_txconf;
    transmit_wish.offloads = limits.tx_queue_offload_capa & kTxChecksums;
    result = rte_eth_tx_queue_setup(port_, i, transmit, SOCKET_ID_ANY, &transmit_wish);
    if (result != 0) fail(fmt::format("transmit queue {} of {} descriptors is not possible", i, transmit), -result);
    queues_[i].transmit_room = transmit;
  }
  info_.receive_descriptors = receive;
  info_.transmit_descriptors = transmit;
}

void DpdkPort::start() {
  if (const int result = rte_eth_dev_start(port_); result != 0) fail("its device did not start", -result);
  started_ = true;
  set_address();
  const auto wanted = [&](int result, const char* what) {
    if (result != 0 && result != -ENOTSUP) fail(what, -result);
  };
  // Neighbour discovery sends to solicited-node groups. A device without the switch filters nothing.
  wanted(rte_eth_allmulticast_enable(port_), "it cannot be made to receive multicast frames");
  if (config_.promiscuous) wanted(rte_eth_promiscuous_enable(port_), "it cannot be made promiscuous");
  if (!device_.kernel_interface.empty()) kernel_ = std::make_unique<KernelInterface>(device_.kernel_interface);
}

void DpdkPort::set_address() {
  rte_ether_addr native{};
  rte_eth_macaddr_get(port_, &native);
  std::memcpy(info_.mac.octets.data(), native.addr_bytes, info_.mac.octets.size());
  if (!config_.mac && !info_.mac.is_zero()) return;
  const base::MacAddress wish = config_.mac ? *config_.mac : mac_for(device_.name);
  if (wish == info_.mac) return;
  std::memcpy(native.addr_bytes, wish.octets.data(), wish.octets.size());
  const int result = rte_eth_dev_default_mac_addr_set(port_, &native);
  // A virtual device that cannot be told does not filter either.
  if (result != 0 && (result != -ENOTSUP || device_.bus != "vdev"))
    fail(fmt::format("it does not take the MAC address {}", base::to_string(wish)), -result);
  info_.mac = wish;
}

void DpdkPort::close() noexcept {
  for (const Queue& queue : queues_)
    if (queue.interrupt_set >= 0) ::close(queue.interrupt_set);
  if (!found_ && !made_) return;
  const InterruptPause pause;
  if (started_) rte_eth_dev_stop(port_);
  if (found_) rte_eth_dev_close(port_);
  if (made_) rte_eal_hotplug_remove(device_.bus.c_str(), device_.name.c_str());
}

}  // namespace sluice::drivers
