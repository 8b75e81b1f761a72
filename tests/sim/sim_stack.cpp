#include "tests/sim/sim_stack.hpp"

#include <cstring>
#include <stdexcept>

namespace sluice::sim {
namespace {

drivers::MemoryPortConfig port_config(const SimStackOptions& options, std::uint16_t port) {
  drivers::MemoryPortConfig config;
  config.name = options.name;
  if (port > 0) config.name += std::to_string(port);
  config.mac = base::MacAddress{{0x02, 0, 0, 0, static_cast<std::uint8_t>(port), options.host}};
  config.mtu = options.mtu;
  config.queues = options.queues != 0 ? options.queues : options.workers;
  config.steering = options.steering;
  config.receive_ring = options.receive_ring;
  config.receive_burst = options.receive_burst;
  config.segment = port;
  return config;
}

}  // namespace

SimStack::SimStack(drivers::MemoryWire& wire, base::SimClock& clock, std::uint64_t seed, const SimStackOptions& options)
    : wire_(wire),
      clock_(clock),
      name_(options.name),
      random_(seed),
      host_(options.host),
      first_port_(options.port.value_or(wire.ports())) {
  worker::Config config = options.config;
  config.ip.interfaces.clear();
  for (std::uint16_t i = 0; i < options.ports; ++i) {
    ports_.push_back(options.port ? &wire.port(port_number(i)) : &wire.add_port(port_config(options, i)));
    ip::Interface interface;
    interface.mac = ports_[i]->info().mac;
    interface.mtu = options.mtu;
    interface.addresses = {{v4(i), 24}, {v6(i), 64}};
    if (options.link_local)
      interface.addresses.insert(interface.addresses.begin(), {{link_local(i, true), 16}, {link_local(i, false), 64}});
    config.ip.interfaces.push_back(interface);
  }
  std::vector<worker::WorkerResources> resources;
  for (std::uint16_t i = 0; i < options.workers; ++i)
    resources.push_back({clock, random_, transmit_, ports_[0]->receive_pool(0), copies_, reassembly_});
  group_ = std::make_unique<worker::WorkerGroup>(config, ports_, resources, random_);
  for (std::uint16_t i = 0; i < options.workers; ++i) {
    events_.push_back(std::make_unique<worker::InlineEvents>(options.events, options.lent));
    if (i < options.attached) group_->worker(i).attach(*events_[i]);
  }
}

IpAddress SimStack::address_on(std::uint16_t port, bool is_v4) const {
  const auto net = static_cast<std::uint8_t>(port);
  if (is_v4) return IpAddress::v4(0xc6120000u | std::uint32_t{net} << 8 | host_);
  return IpAddress::v6({0x20, 0x01, 0x0d, 0xb8, 0, net, 0, 0, 0, 0, 0, 0, 0, 0, 0, host_});
}

IpAddress SimStack::link_local(std::uint16_t port, bool is_v4) const {
  const auto net = static_cast<std::uint8_t>(port);
  if (is_v4) return IpAddress::v4(0xa9fe0000u | std::uint32_t{net} << 8 | host_);
  return IpAddress::v6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, net, 0, host_});
}

EndpointId SimStack::open(const worker::OpenEndpointArguments& arguments, std::uint16_t* port) {
  worker(0).open_endpoint(kInline, arguments, ++requests_);
  for (int turn = 0; turn < 100; ++turn) {
    worker::Reply reply;
    if (events(0).poll_reply(reply)) {
      SLUICE_CHECK(reply.request == requests_ && reply.status == worker::CommandStatus::done);
      if (port != nullptr) *port = static_cast<std::uint16_t>(reply.value);
      return reply.endpoint;
    }
    group_->poll_all();
  }
  SLUICE_CHECK(false && "no reply to open_endpoint");
  return {};
}

assoc::SendStatus SimStack::send(AssocId association, std::span<const std::byte> bytes, StreamId stream, Ppid ppid,
                                 bool unordered, std::uint64_t context) {
  assoc::SendRequest request;
  request.payload = messages_.copy_of(bytes);
  request.stream = stream;
  request.ppid = ppid;
  request.unordered = unordered;
  request.context = context;
  return worker(worker::owner_of(association)).send(association, std::move(request));
}

std::uint64_t SimStack::counter(const std::string& name) const {
  std::uint64_t sum = 0;
  bool found = false;
  for (std::uint16_t i = 0; i < group_->workers(); ++i)
    worker::visit_counters(group_->worker(i).counters(),
                           [&](const char* room, const char* counter_name, const char*, std::uint64_t value) {
                             if (name != std::string(room) + '.' + counter_name) return;
                             sum += value;
                             found = true;
                           });
  SLUICE_CHECK(found);
  return sum;
}

void SimStack::check_pools() const {
  for (std::uint16_t i = 0; i < group_->workers(); ++i) {
    const assoc::Pools& pools = group_->worker(i).pools();
    const std::uint32_t out = pools.message_parts.out() + pools.outbound_streams.out() + pools.stream_pages.out() +
                              pools.sent_segments.out() + pools.congestion_controllers.out() + pools.pin_ledgers.out() +
                              pools.held_chunks.out() + pools.held_pages.out() + pools.tsn_maps.out() +
                              pools.inbound_stream_leaves.out() + pools.inbound_stream_branches.out() +
                              pools.inbound_stream_roots.out() + pools.local_addresses.lists();
    if (out != 0) throw std::runtime_error("side " + name_ + ": objects did not come back to their pools");
    if (group_->worker(i).directory_size() != 0)
      throw std::runtime_error("side " + name_ + ": the directory still has addresses");
  }
}

bool SimStack::step(std::uint16_t index) {
  return (worker(index).has_work() || frames_wait_for(index)) && worker(index).poll_once();
}

bool SimStack::frames_wait_for(std::uint16_t index) const {
  for (std::uint16_t port = 0; port < ports(); ++port)
    for (std::uint16_t queue = index; queue < ports_[port]->info().receive_queues; queue += workers())
      if (wire_.next_event(port_number(port), queue) <= clock_.now()) return true;
  return false;
}

std::uint32_t SimStack::associations() const {
  std::uint32_t sum = 0;
  for (std::uint16_t i = 0; i < group_->workers(); ++i) sum += group_->worker(i).associations();
  return sum;
}

}  // namespace sluice::sim
