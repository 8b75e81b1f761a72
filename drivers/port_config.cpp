#include "drivers/port_config.hpp"

#include <array>
#include <utility>

namespace sluice::drivers {
namespace {

constexpr std::array<std::pair<PortKind, std::string_view>, 10> kKinds{{
    {PortKind::af_packet, "af_packet"},
    {PortKind::af_xdp, "af_xdp"},
    {PortKind::tap, "tap"},
    {PortKind::memif, "memif"},
    {PortKind::virtio_user, "virtio_user"},
    {PortKind::vhost, "vhost"},
    {PortKind::ring, "ring"},
    {PortKind::pcap, "pcap"},
    {PortKind::null, "null"},
    {PortKind::pci, "pci"},
}};

}  // namespace

std::string_view to_string(PortKind kind) {
  for (const auto& [known, name] : kKinds)
    if (known == kind) return name;
  return "unknown";
}

std::optional<PortKind> parse_port_kind(std::string_view text) {
  for (const auto& [kind, name] : kKinds)
    if (name == text) return kind;
  return std::nullopt;
}

}  // namespace sluice::drivers
