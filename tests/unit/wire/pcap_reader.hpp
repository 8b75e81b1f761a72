#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/unit/wire/octets.hpp"

namespace sluice::wire::test {

/// The SCTP packets of a capture file, each from its common header to its last byte. Reads classic pcap, little-endian,
/// of Ethernet and Linux cooked (version 2) links; IPv4 and IPv6 without extension headers or fragments. What is not
/// SCTP is left out. Nothing if the file is missing or of another kind.
std::optional<std::vector<Octets>> read_sctp_packets(const std::string& path);

}  // namespace sluice::wire::test
