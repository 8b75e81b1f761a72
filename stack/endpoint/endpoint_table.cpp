#include "stack/endpoint/endpoint_table.hpp"

#include <algorithm>

#include "stack/base/check.hpp"
#include "stack/endpoint/ephemeral_ports.hpp"

namespace sluice::endpoint {
namespace {

bool share_an_address(const Endpoint& a, const Endpoint& b) {
  return std::any_of(a.addresses.begin(), a.addresses.end(),
                     [&](const IpAddress& address) { return b.has(address); }) ||
         a.addresses.empty();
}

}  // namespace

EndpointTable::EndpointTable(std::uint16_t limit) : entries_(limit), first_(65536, kNone) {
  SLUICE_CHECK(limit > 0 && limit < kNone);
  for (std::uint16_t i = limit; i-- > 0;) {
    entries_[i].next = free_;
    free_ = i;
  }
}

EndpointTable::AddStatus EndpointTable::add(const Endpoint& endpoint) {
  SLUICE_CHECK(endpoint.port != 0 && endpoint.id.value != 0);
  for (std::uint16_t i = first_[endpoint.port]; i != kNone; i = entries_[i].next)
    if (share_an_address(entries_[i].endpoint, endpoint)) return AddStatus::in_use;
  if (free_ == kNone) return AddStatus::full;
  const std::uint16_t i = free_;
  free_ = entries_[i].next;
  entries_[i] = {.endpoint = endpoint, .next = first_[endpoint.port]};
  first_[endpoint.port] = i;
  ++size_;
  return AddStatus::added;
}

bool EndpointTable::remove(EndpointId id) {
  const Endpoint* const endpoint = find(id);
  if (endpoint == nullptr) return false;
  std::uint16_t* link = &first_[endpoint->port];
  while (&entries_[*link].endpoint != endpoint) link = &entries_[*link].next;
  const std::uint16_t i = *link;
  *link = entries_[i].next;
  entries_[i] = {.next = free_};
  free_ = i;
  --size_;
  return true;
}

Endpoint* EndpointTable::find(EndpointId id) {
  if (id.value == 0) return nullptr;
  for (Entry& entry : entries_)
    if (entry.endpoint.id == id) return &entry.endpoint;
  return nullptr;
}

const Endpoint* EndpointTable::find(std::uint16_t port, const IpAddress& local) const {
  for (std::uint16_t i = first_[port]; i != kNone; i = entries_[i].next)
    if (entries_[i].endpoint.has(local)) return &entries_[i].endpoint;
  return nullptr;
}

std::optional<std::uint16_t> EndpointTable::free_port(base::Random& random) const {
  const std::uint32_t start = random.below(kEphemeralPorts);
  for (std::uint32_t i = 0; i < kEphemeralPorts; ++i)
    if (const std::uint16_t port = ephemeral_port(start + i); !has_port(port)) return port;
  return std::nullopt;
}

}  // namespace sluice::endpoint
