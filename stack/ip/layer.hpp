#pragma once

#include <sluice/ip_address.hpp>
#include <sluice/time.hpp>

#include <cstdint>
#include <optional>
#include <span>

#include "stack/base/arrival.hpp"
#include "stack/base/buffer.hpp"
#include "stack/base/random.hpp"
#include "stack/ip/address_resolution.hpp"
#include "stack/ip/config.hpp"
#include "stack/ip/counters.hpp"
#include "stack/ip/datagram.hpp"
#include "stack/ip/frame_sink.hpp"
#include "stack/ip/icmp.hpp"
#include "stack/ip/neighbour_cache.hpp"
#include "stack/ip/reassembler.hpp"
#include "stack/ip/route_table.hpp"
#include "stack/ip/token_bucket.hpp"
#include "stack/ip/transmitter.hpp"

namespace sluice::ip {

/// One worker's replica of the network layer: frames of all ports in, SCTP packets out, and the other way round. It
/// answers ARP, neighbour discovery and echo requests itself. One thread's; allocates from the heap only when made.
///
/// A host, not a router: nothing is forwarded, router advertisements and redirects are ignored, routes are static.
/// Packets to an address of our own find no route: there is no loop back. Reception follows the weak host model
/// (RFC 1122 §3.3.4.2): an address of ours is ours on every port. Left out: duplicate address detection (RFC 4862
/// §5.4), multicast listener reports (ports must pass all multicast), source link-layer checks of any kind.
class Layer final : private NeighbourCache::Actions {
 public:
  /// `config` is sound (find_error() says nothing). `reassembly` gives blocks of kReassemblyBytes in which fragments
  /// are joined. Both references, `sink` and `random` outlive the layer.
  Layer(const Config& config, FrameSink& sink, base::BufferSource& reassembly, base::Random& random,
        Replica replica = {});
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  ~Layer() = default;

  /// The room that a joined datagram needs: a block of `reassembly` has at least this.
  static constexpr std::uint32_t kReassemblyBytes = Reassembler::kMostBytes;

  /// Announces our addresses on the ports that are up: gratuitous ARP (RFC 5227 §3), unsolicited neighbour
  /// advertisement (RFC 4861 §7.2.6). Replicas but the first leave it to
  /// that one.
  void start(Timestamp now);

  /// Takes a received Ethernet frame of `port`, in one piece, padding and all (no FCS). An SCTP packet comes back with
  /// its arrival, the buffer holding it from the common header to the end of the IP payload; everything else was
  /// answered, kept as a fragment, or dropped and counted.
  std::optional<base::InboundPacket> input(std::uint16_t port, base::Buffer&& frame, Timestamp now);

  /// Not nothing: `frame` is a fragment, and all fragments of one datagram must go to one replica: that of this hash.
  static std::optional<std::uint32_t> fragment_hash(std::span<const std::byte> frame);

  /// The way to `destination`, for Departure::next_hop; 0: none. Ways over the port that owns `source_hint` come first
  /// (two ports are two ways), none when that port's link is down; an unspecified hint, or an owner without a route to
  /// `destination`, leaves the choice to the longest prefix on any port that is up. A handle stays valid for the
  /// layer's life, whatever happens to neighbours and links; replicas of one Config give the same.
  std::uint32_t resolve(const IpAddress& destination, const IpAddress& source_hint) const;
  /// The address of ours to use towards `destination` (RFC 6724 §5, as far as it applies); nothing without a route.
  std::optional<IpAddress> source_for(const IpAddress& destination) const;
  /// `address` is one of ours, and of `port`.
  bool has_address(std::uint16_t port, const IpAddress& address) const { return routes_.is_local_on(port, address); }
  /// Bytes of the largest IP packet on the link of `next_hop`; 0 when it names nothing.
  std::uint16_t mtu(std::uint32_t next_hop) const;
  /// The port of `next_hop`; 0 when it names nothing.
  std::uint16_t port(std::uint32_t next_hop) const;

  /// An SCTP packet of `bytes` sent with `departure` leaves in fragments.
  bool will_fragment(const base::Departure& departure, std::uint32_t bytes) const;
  /// An SCTP packet of `bytes` sent with `departure` may leave its checksum to the port (Checksum::offload): the port
  /// can, and the packet is neither fragmented nor encapsulated in UDP.
  bool may_offload_checksum(const base::Departure& departure, std::uint32_t bytes) const;

  /// Sends an SCTP packet whose checksum is in place, or asked for with Checksum::offload. The buffer has at least
  /// kLowerHeadroom in front. With dont_fragment unset, IPv4 is cut by the link's MTU and leaves without DF; IPv6 is
  /// cut by 1280, which every path takes, since no router may cut it again.
  SendResult send(base::OutboundPacket&& packet, Timestamp now);

  /// The port's link came up or went down. Down: what waits for its neighbours is dropped, resolve() goes round it.
  /// Up: our addresses are announced, as by start().
  void set_link(std::uint16_t port, bool up, Timestamp now);
  bool link_up(std::uint16_t port) const { return routes_.link_up(port); }

  /// Takes what another replica learned. Older than what is known here: nothing changes.
  void apply(const NeighbourUpdate& update, Timestamp now);

  /// Does what is due: requests again, gives up neighbours and fragments. Call at next_deadline() or when convenient.
  void poll(Timestamp now);
  /// When poll() next has something to do; kNever: nothing.
  Timestamp next_deadline() const;

  /// Our addresses on `port`; empty for a port that is not configured.
  std::span<const Prefix> addresses(std::uint16_t port) const;
  std::uint16_t port_count() const { return static_cast<std::uint16_t>(config_.interfaces.size()); }
  bool is_local(const IpAddress& address) const { return routes_.is_local(address); }
  const Counters& counters() const { return counters_; }

 private:
  // A datagram on its way in.
  struct Inbound {
    std::uint16_t port;
    base::MacAddress from;  // who put it on our link
    bool group_frame;       // it was sent to more than us
    Datagram header;
    base::Buffer buffer;  // the IP packet, its link padding cut off; of a joined one, its payload
    bool joined = false;
    Timestamp now;

    std::span<std::byte> payload() const { return buffer.bytes().subspan(header.payload_offset); }
  };
  using Packet = std::optional<base::InboundPacket>;

  Packet input_ip(Inbound& in, bool is_v4);
  bool refuse(HeaderFault fault, bool is_v4);
  bool accept_addresses(const Inbound& in);
  bool look_up_addresses(const Inbound& in);
  Packet join(Inbound& in);
  Packet dispatch(Inbound& in);
  Packet sctp(Inbound& in, std::uint32_t skip, std::uint16_t udp_source_port, base::Checksum verdict);
  Packet udp(Inbound& in);
  void icmp(Inbound& in);
  void answer_echo(Inbound& in);
  void send_unreachable(const Inbound& in, Unreachable why);

  LinkHeader link_to(std::uint16_t port, const base::MacAddress& mac, bool is_v4) const;
  SendResult try_send(base::OutboundPacket& packet, Timestamp now);
  SendResult transmit(const Neighbour& neighbour, const base::Departure& departure, base::Buffer&& packet);

  void solicit(const Neighbour& neighbour, bool broadcast) override { resolution_.solicit(neighbour, broadcast); }
  void send_pending(const Neighbour& neighbour, base::OutboundPacket&& packet) override {
    transmit(neighbour, packet.departure, std::move(packet.buffer));
  }
  void report(const NeighbourUpdate& update) override { sink_.on_neighbour(update); }

  // The last unicast addresses that were looked up and found right: mostly those of the next packet too. Which
  // addresses are ours does not change while the layer lives.
  struct Accepted {
    std::uint16_t port = UINT16_MAX;
    IpAddress source;
    IpAddress destination;
  };

  const Config config_;
  FrameSink& sink_;
  const bool announces_;
  Counters counters_;
  RouteTable routes_;
  Transmitter transmitter_;
  AddressResolution resolution_;
  NeighbourCache cache_;
  Reassembler reassembler_;
  TokenBucket icmp_errors_;
  Accepted accepted_;
};

}  // namespace sluice::ip
