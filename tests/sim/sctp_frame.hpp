#pragma once

#include <sluice/ip_address.hpp>

#include <cstddef>
#include <optional>
#include <span>

namespace sluice::sim {

/// The SCTP packet in an Ethernet frame.
struct SctpFrame {
  IpAddress source;
  IpAddress destination;
  std::span<const std::byte> packet;  ///< from the common header on
};
/// Nothing if the frame holds something else, or a fragment of one.
std::optional<SctpFrame> sctp_in(std::span<const std::byte> frame);

}  // namespace sluice::sim
