#include "drivers/pmd/device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>

namespace sluice::drivers::pmd {
namespace {

constexpr std::size_t kLongestName = 32;
constexpr std::uint16_t kSmallestMtu = 1280;
constexpr std::uint16_t kLargestMtu = 9000;

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= kLongestName && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

void check(const PortConfig& config) {
  if (!is_name(config.name)) refuse(config, "its name must be 1 to 32 letters, digits, '_' or '-'");
  if (config.queues == 0) refuse(config, "it needs at least one queue; set queues to the number of workers");
  if (config.mtu < kSmallestMtu || config.mtu > kLargestMtu)
    refuse(config, fmt::format("MTU {} is not possible; use {} to {}", config.mtu, kSmallestMtu, kLargestMtu));
  if (config.receive_descriptors == 0 || config.transmit_descriptors == 0)
    refuse(config, "it needs receive and transmit descriptors; 1024 of each are usual");
}

Device describe_kind(const PortConfig& config) {
  switch (config.kind) {
    case PortKind::af_packet:
      return describe_af_packet(config);
    case PortKind::af_xdp:
      return describe_af_xdp(config);
    case PortKind::tap:
      return describe_tap(config);
    case PortKind::memif:
      return describe_memif(config);
    case PortKind::virtio_user:
      return describe_virtio_user(config);
    case PortKind::vhost:
      return describe_vhost(config);
    case PortKind::ring:
      return describe_ring(config);
    case PortKind::pcap:
      return describe_pcap(config);
    case PortKind::null:
      return describe_null(config);
    case PortKind::pci:
      return describe_pci(config);
  }
  refuse(config, "it is of no known kind");
}

}  // namespace

Device describe(const PortConfig& config) {
  check(config);
  Device device = describe_kind(config);
  if (!config.arguments.empty()) device.arguments += (device.arguments.empty() ? "" : ",") + config.arguments;
  return device;
}

void need_server_socket(const PortConfig& config) {
  std::error_code error;
  if (std::filesystem::is_socket(config.path, error)) return;
  refuse(config,
         fmt::format("there is no socket '{}'; start the side with the role 'server' first, or let this side be "
                     "the server and the other one the client",
                     config.path));
}

void refuse(const PortConfig& config, const std::string& what) {
  throw SetupError(fmt::format("port '{}': {}", config.name, what));
}

}  // namespace sluice::drivers::pmd
