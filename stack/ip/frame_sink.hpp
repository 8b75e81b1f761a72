#pragma once

#include <sluice/ip_address.hpp>

#include <cstdint>
#include <optional>

#include "stack/base/buffer.hpp"
#include "stack/base/mac_address.hpp"

namespace sluice::ip {

/// What an ICMP or ICMPv6 error says about a packet of ours (RFC 792, RFC 4443). Plain data: it may cross rings.
struct IcmpNotice {
  enum class Kind : std::uint8_t {
    network_unreachable,
    host_unreachable,
    protocol_unreachable,  ///< the peer's host has no SCTP (ICMPv6: next header not recognised)
    port_unreachable,      ///< with UDP encapsulation: nobody listens on that UDP port
    packet_too_big,
  };
  Kind kind = Kind::host_unreachable;
  IpAddress source;       ///< of the quoted packet: an address of ours
  IpAddress destination;  ///< of the quoted packet
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t verification_tag = 0;
  /// The Initiate Tag, when the quote begins with an INIT chunk and is long enough to tell (RFC 9260 §10).
  std::optional<std::uint32_t> initiate_tag;
  std::uint32_t mtu = 0;                   ///< packet_too_big: largest IP packet that fits; at least 68 or 1280
  std::uint16_t udp_destination_port = 0;  ///< not 0: the quoted packet was encapsulated, to this port
};

/// What one replica learned of a neighbour, for the others. Plain data: it may cross rings.
struct NeighbourUpdate {
  IpAddress address;
  base::MacAddress mac{};
  std::uint16_t port = 0;
  bool reachable = false;        ///< false: it did not answer; `mac` means nothing
  std::uint64_t generation = 0;  ///< of two updates of one neighbour the higher counts; grows with the stack's clock
};

/// What the ip layer asks of the worker around it; implemented by the worker and by tests. No call blocks, allocates
/// from the heap or calls the layer back.
class FrameSink {
 public:
  /// Takes a complete Ethernet frame for `port`. False: the transmit ring is full, the layer drops and counts the
  /// frame.
  virtual bool send_frame(std::uint16_t port, base::Buffer&& frame) noexcept = 0;
  /// An empty buffer with room for a frame of `bytes` that the layer makes itself; empty when there is none.
  virtual base::Buffer allocate_frame(std::uint16_t port, std::uint32_t bytes) noexcept = 0;
  /// An ICMP error came back for a packet of ours. Not authenticated: SCTP compares the tag (RFC 9260 §10).
  virtual void on_icmp(const IcmpNotice& notice) noexcept = 0;
  /// A neighbour was learned, confirmed, changed or lost. The worker gives it to the other replicas' apply().
  virtual void on_neighbour(const NeighbourUpdate& update) noexcept = 0;

 protected:
  ~FrameSink() = default;
};

}  // namespace sluice::ip
