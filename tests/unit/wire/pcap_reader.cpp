#include "tests/unit/wire/pcap_reader.hpp"

#include <cstring>
#include <fstream>
#include <iterator>

#include "stack/base/endian.hpp"

namespace sluice::wire::test {
namespace {

constexpr std::uint32_t kMagic = 0xa1b2c3d4;
constexpr std::size_t kFileHeader = 24;
constexpr std::size_t kRecordHeader = 16;
constexpr std::uint32_t kLinkEthernet = 1;
constexpr std::uint32_t kLinkCooked2 = 276;
constexpr std::uint16_t kEtherIpv4 = 0x0800;
constexpr std::uint16_t kEtherIpv6 = 0x86dd;
constexpr auto kProtocolSctp = std::byte{132};

using Bytes = std::span<const std::byte>;

std::uint32_t load_le(Bytes bytes, std::size_t at) {
  std::uint32_t value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// The IP packet in a frame, with its Ethernet type; empty if there is none.
std::pair<std::uint16_t, Bytes> network_layer(Bytes frame, std::uint32_t link) {
  const std::size_t header = link == kLinkEthernet ? 14 : 20;
  const std::size_t type_at = link == kLinkEthernet ? 12 : 0;
  if (frame.size() < header) return {};
  return {base::load_be<std::uint16_t>(frame.data() + type_at), frame.subspan(header)};
}

/// What an IP packet carries, if that is SCTP; frames may be longer than the packet.
Bytes sctp_of(std::uint16_t type, Bytes ip) {
  if (type == kEtherIpv4 && ip.size() >= 20 && ip[9] == kProtocolSctp) {
    const std::size_t header = (std::to_integer<std::size_t>(ip[0]) & 15) * 4;
    const std::size_t total = base::load_be<std::uint16_t>(ip.data() + 2);
    if (header <= total && total <= ip.size()) return ip.first(total).subspan(header);
  }
  if (type == kEtherIpv6 && ip.size() >= 40 && ip[6] == kProtocolSctp) {
    const std::size_t length = base::load_be<std::uint16_t>(ip.data() + 4);
    if (40 + length <= ip.size()) return ip.subspan(40, length);
  }
  return {};
}

}  // namespace

std::optional<std::vector<Octets>> read_sctp_packets(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const Bytes file = std::as_bytes(std::span(text));
  if (file.size() < kFileHeader || load_le(file, 0) != kMagic) return std::nullopt;
  const std::uint32_t link = load_le(file, 20);
  if (link != kLinkEthernet && link != kLinkCooked2) return std::nullopt;

  std::vector<Octets> packets;
  Bytes rest = file.subspan(kFileHeader);
  while (rest.size() >= kRecordHeader) {
    const std::size_t length = load_le(rest, 8);
    if (length > rest.size() - kRecordHeader) return std::nullopt;
    const auto [type, ip] = network_layer(rest.subspan(kRecordHeader, length), link);
    if (const Bytes sctp = sctp_of(type, ip); !sctp.empty()) packets.emplace_back(sctp);
    rest = rest.subspan(kRecordHeader + length);
  }
  return packets;
}

}  // namespace sluice::wire::test
