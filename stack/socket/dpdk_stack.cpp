#include "stack/socket/dpdk_stack.hpp"

#include <sluice/error.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "drivers/capturing_port.hpp"
#include "drivers/kernel_interface.hpp"
#include "drivers/open_port.hpp"
#include "stack/base/log.hpp"
#include "stack/socket/config_check.hpp"
#include "stack/socket/stack_settings.hpp"

namespace sluice::socket {
namespace {

// Held data that is copied out is short, most of it; the large ones are for times when the receive pool is low.
constexpr std::uint32_t kSmallCopy = 512;
constexpr std::uint32_t kReassemblyBlocks = 64;
constexpr std::uint32_t kExtraThreads = 2;  // beside the workers: who made the stack, and an application

/// Frames that the receive queues must be able to refill with, whatever is held.
std::uint32_t refill_reserve(const StackConfig& config) {
  std::uint32_t reserve = 0;
  for (const PortConfig& port : config.ports) reserve += driver_port_config(config, port).receive_descriptors;
  return std::min(reserve, config.limits.receive_buffers / 2);
}

drivers::PoolConfig pool_config(const StackConfig& config, const char* what, std::uint16_t index, std::uint32_t blocks,
                                std::uint32_t reserve) {
  drivers::PoolConfig pool;
  pool.name = what + std::to_string(index);
  pool.blocks = blocks;
  pool.block_bytes = frame_block_bytes(config);
  pool.reserve = reserve;
  pool.threads = config.workers + kExtraThreads;
  return pool;
}

StackConfig checked(StackConfig config) {
  name_ports(config);
  check_ranges(config, "the configuration");
  check_whole(config, "the configuration");
  for (const std::uint16_t cpu : config.cpus)
    if (!std::filesystem::exists("/sys/devices/system/cpu/cpu" + std::to_string(cpu)))
      throw Error("cpus names processor " + std::to_string(cpu) +
                  ", which this machine does not have; 'lscpu -e' shows those that it has");
  if (config.ports.empty())
    throw Error("the configuration has no [[port]]; give the stack at least one, with a device and an address");
  bool address = false;
  for (const PortConfig& port : config.ports) {
    const bool replay = port.driver == PortDriver::pcap && !port.transmit_device.empty();
    if (port.device.empty() && port.driver != PortDriver::ring && !replay)
      throw Error("port " + port.name +
                  " has no device; name the kernel interface, socket path or PCI address that it is to open");
    address = address || !port.addresses.empty();
  }
  if (!address) throw Error("no port has an address; add addresses = [\"198.18.0.1/24\"] or the like to a [[port]]");
  base::LogLevel level = base::LogLevel::info;
  if (!base::parse_log_level(config.log_level, level))
    throw Error("log_level is '" + config.log_level + "'; it must be trace, debug, info, warning, error or off");
  base::set_log_level(level);
  return config;
}

/// Who does what, the device or this software.
void say_what_was_agreed(const drivers::PortInfo& info) {
  const auto who = [](bool device) { return device ? "device" : "software"; };
  const drivers::Offloads& offloads = info.offloads;
  base::log_info("port {}: {} receive and {} transmit queues, MTU {}, {}", info.name, info.receive_queues,
                 info.transmit_queues, info.mtu, base::to_string(info.mac));
  base::log_info("port {}: SCTP checksum in by {}, out by {}; IPv4 checksum in by {}, out by {}; {}", info.name,
                 who(offloads.rx_sctp_checksum), who(offloads.tx_sctp_checksum), who(offloads.rx_ipv4_checksum),
                 who(offloads.tx_ipv4_checksum),
                 info.receive_queues == 1 ? "one receive queue"
                 : offloads.spreads_flows ? "flows spread over the receive queues"
                                          : "flows not spread: the sender chooses the receive queue");
}

bool is_shared_with_kernel(const PortConfig& config) {
  return config.driver == PortDriver::af_packet || config.driver == PortDriver::af_xdp;
}

/// Such a device fills our packet buffers, and has those that it sends until they are sent, and often longer.
bool works_in_our_memory(PortDriver driver) {
  return driver == PortDriver::pci || driver == PortDriver::virtio_user || driver == PortDriver::af_xdp;
}

/// Packet buffers that each receive queue of `port` has while it waits for frames.
std::uint32_t held_to_receive(const StackConfig& config, const PortConfig& port) {
  if (!works_in_our_memory(port.driver)) return 0;
  constexpr std::uint32_t kLeastForAfXdp = 2048;  // its PMD fills a ring of that length, whatever is asked for
  const std::uint32_t descriptors = driver_port_config(config, port).receive_descriptors;
  return port.driver == PortDriver::af_xdp ? std::max(descriptors, kLeastForAfXdp) : descriptors;
}

/// What lets a port on a kernel interface open, and yet nothing arrive.
void warn_of_hindrances(const PortConfig& config, drivers::Port& port) {
  if (!is_shared_with_kernel(config)) return;
  if (!port.link().up)
    base::log_warning("port {}: the link of {} is down; nothing is sent or received there until it comes up",
                      config.name, config.device);
  for (const InterfaceAddress& own : config.addresses)
    if (const auto there = drivers::kernel_address(own.address))
      base::log_warning(
          "port {0}: the kernel has {1}, too, and may refuse what is for the stack; take it from the kernel "
          "with 'ip address del {1}/{2} dev {3}'",
          config.name, own.address.to_string(), there->prefix_length, there->interface);
}

}  // namespace

DpdkStack::Seat::Seat(const StackConfig& config, std::uint16_t index)
    : transmit(pool_config(config, "sluice-tx-", index, config.limits.transmit_buffers, 0)),
      receive(pool_config(config, "sluice-rx-", index, config.limits.receive_buffers, refill_reserve(config))),
      copies({{kSmallCopy, config.limits.receive_buffers},
              {frame_block_bytes(config), config.limits.receive_buffers / 4}}),
      reassembly({{ip::Layer::kReassemblyBytes, kReassemblyBlocks}}) {}

DpdkStack::DpdkStack(const StackConfig& config) : config_(checked(config)), eal_(eal_config(config_)) {
  for (std::uint16_t i = 0; i < config_.workers; ++i) seats_.push_back(std::make_unique<Seat>(config_, i));
  open_ports();
  make_workers();
  telemetry_ = std::make_unique<StackTelemetry>(
      [this] { return counters(); }, [this](AssocId after, std::size_t limit) { return associations(after, limit); });
}

void DpdkStack::open_ports() {
  check_receive_buffers();
  std::vector<drivers::PacketPool*> pools;
  for (const auto& seat : seats_) pools.push_back(&seat->receive);
  for (const PortConfig& port : config_.ports) {
    auto opened = drivers::open_port(eal_, driver_port_config(config_, port), pools);
    if (is_shared_with_kernel(port))
      for (const InterfaceAddress& own : port.addresses) claims_.emplace_back(port.device, own.address);
    say_what_was_agreed(opened->info());
    warn_of_hindrances(port, *opened);
    if (!port.capture.empty()) opened = captured(std::move(opened), port.capture);
    ports_.push_back(std::move(opened));
  }
  check_transmit_buffers();
  warn_of_few_receive_buffers();
}

// Many devices hand nothing up before they have another buffer in its place: with too few they never receive anything.
void DpdkStack::check_receive_buffers() const {
  std::uint32_t held = drivers::kMaxBurst;
  for (const PortConfig& port : config_.ports) held += held_to_receive(config_, port);
  const std::uint32_t needed = held + held / 4;  // other threads' caches hold up to a fifth of the pool
  if (config_.limits.receive_buffers >= needed) return;
  throw Error("limits.receive_buffers is " + std::to_string(config_.limits.receive_buffers) +
              ", and the ports' receive queues hold " + std::to_string(held) + " of a worker: set it to " +
              std::to_string(needed) + " or more");
}

// The receive queues hold as many as they have descriptors, and as many again are kept for them to refill with.
void DpdkStack::warn_of_few_receive_buffers() const {
  std::uint32_t reserved = 0;
  for (const auto& port : ports_) reserved += 2 * port->info().receive_descriptors;
  const std::uint32_t wanted = reserved + reserved / 4;
  if (config_.limits.receive_buffers >= wanted) return;
  base::log_warning(
      "limits.receive_buffers is {}, and {} are for the receive queues: little is left for data that waits, which is "
      "copied; set it to {} or more, or rx_descriptors of the ports lower",
      config_.limits.receive_buffers, reserved, wanted);
}

// Many devices give packets back only when their transmit ring is nearly full. A pool that is empty before that stays
// so.
void DpdkStack::check_transmit_buffers() const {
  std::uint32_t kept = drivers::kMaxBurst;
  for (std::size_t i = 0; i < ports_.size(); ++i)
    if (works_in_our_memory(config_.ports[i].driver)) kept += ports_[i]->info().transmit_descriptors;
  const std::uint32_t needed = kept + kept / 4;  // other threads' caches hold up to a fifth of the pool
  if (config_.limits.transmit_buffers >= needed) return;
  throw Error("limits.transmit_buffers is " + std::to_string(config_.limits.transmit_buffers) +
              ", and the ports' transmit queues may keep " + std::to_string(kept) + " packets of a worker: set it to " +
              std::to_string(needed) + " or more, or tx_descriptors of the ports lower");
}

std::unique_ptr<drivers::Port> DpdkStack::captured(std::unique_ptr<drivers::Port> port, const std::string& path) {
  const Duration since_epoch = std::chrono::system_clock::now().time_since_epoch() - clock_.now().time_since_epoch();
  base::log_info("port {}: frames are written to {}-*.pcap", port->info().name, path);
  return std::make_unique<drivers::CapturingPort>(std::move(port), clock_, since_epoch, path);
}

void DpdkStack::make_workers() {
  std::vector<drivers::Port*> ports;
  for (const auto& port : ports_) ports.push_back(port.get());
  std::vector<worker::WorkerResources> resources;
  for (const auto& seat : seats_)
    resources.push_back({clock_, seat->random, seat->transmit, seat->receive, seat->copies, seat->reassembly});
  group_ = std::make_unique<worker::WorkerGroup>(worker_config(config_, ports), ports, resources, random_);
  runners_ = std::make_unique<LoopRunners>(*group_);
  observer_ = std::make_unique<Observer>(*group_, *runners_);
}

DpdkStack::~DpdkStack() {
  telemetry_.reset();
  if (threads_ != nullptr) threads_->stop();
  observer_.reset();
  abort_associations();
}

void DpdkStack::abort_associations() {
  for (std::uint16_t i = 0; i < config_.workers; ++i) group_->worker(i).abort_all("the stack is closed");
  // Two turns: one sends the ABORTs, the other what a full transmit ring held back.
  for (int turn = 0; turn < 2; ++turn) group_->poll_all();
}

std::unique_ptr<Application> DpdkStack::attach_rings() {
  const std::lock_guard lock(mutex_);
  start_threads();
  return std::make_unique<RingApplication>(config_, *group_);
}

std::unique_ptr<Application> DpdkStack::run_inline(std::uint16_t worker) {
  const std::lock_guard lock(mutex_);
  if (worker >= config_.workers)
    throw Error("there is no worker " + std::to_string(worker) + "; the stack has " + std::to_string(config_.workers));
  if (threads_ != nullptr) throw Error("the workers run in threads of their own already, since attach() was called");
  Seat& seat = *seats_[worker];
  if (seat.inline_seat != nullptr)
    throw Error("worker " + std::to_string(worker) + " has been run by an application before; each can be once");
  auto inline_seat = std::make_unique<InlineSeat>(config_);
  auto application = std::make_unique<InlineApplication>(config_, *group_, *runners_, worker, *inline_seat);
  seat.inline_seat = std::move(inline_seat);  // not before: who could not be pinned may try again
  return application;
}

void DpdkStack::start_threads() {
  if (threads_ != nullptr) return;
  for (const auto& seat : seats_)
    if (seat->inline_seat != nullptr) throw Error("attach() does not go together with run_inline() in one stack");
  worker::WorkerThreads::Options options;
  options.cpus = config_.cpus;
  options.around = [this](std::uint16_t worker, const std::function<void()>& loop) {
    const drivers::ThreadRegistration registration;
    runners_->enter(worker);
    loop();
    runners_->leave(worker);
  };
  // Before the first thread runs, so that nobody takes a worker that will have one for one without.
  threads_ = std::make_unique<worker::WorkerThreads>(*group_, options);
}

std::vector<CounterStatus> DpdkStack::counters() {
  std::vector<CounterStatus> out = observer_->counters();
  const std::lock_guard lock(device_counters_mutex_);
  for (const auto& port : ports_)
    port->device_counters().for_each([&](const char* name, const char* help, std::uint64_t value) {
      out.push_back({"port." + port->info().name + '.' + name, help, value});
    });
  for (const auto& seat : seats_)
    for (const drivers::PacketPool* const pool : {&seat->transmit, &seat->receive})
      out.push_back({"pool." + pool->name() + ".used", "packet buffers in use now", pool->total() - pool->unused()});
  return out;
}

std::vector<AssociationStatus> DpdkStack::associations(AssocId after, std::size_t limit) {
  return observer_->associations(after, limit);
}

}  // namespace sluice::socket
