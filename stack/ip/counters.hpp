#pragma once

#include "stack/base/counters.hpp"

namespace sluice::ip {

// clang-format off
#define SLUICE_IP_COUNTERS(X) \
  X(rx_frames, "frames received") \
  X(rx_sctp, "SCTP packets handed up") \
  X(rx_arp, "ARP packets received") \
  X(rx_nd, "neighbour discovery messages received") \
  X(rx_echo, "echo requests answered") \
  X(rx_icmp_errors, "ICMP errors about SCTP packets of ours") \
  X(rx_fragments, "fragments received") \
  X(rx_reassembled, "datagrams joined from fragments") \
  X(drop_runt, "frames shorter than their Ethernet header") \
  X(drop_bad_port, "frames from a port that is not configured") \
  X(drop_vlan, "frames of another VLAN") \
  X(drop_ethertype, "frames that are neither IP nor ARP") \
  X(drop_other_mac, "frames to another Ethernet address") \
  X(drop_arp_malformed, "ARP packets that break RFC 826") \
  X(drop_nd_malformed, "neighbour discovery messages that break RFC 4861") \
  X(drop_ipv4_header, "IPv4 packets whose version or a length is wrong") \
  X(drop_ipv4_checksum, "IPv4 packets whose header checksum is wrong") \
  X(drop_ipv4_options, "IPv4 packets with malformed options or a source route") \
  X(drop_ipv6_header, "IPv6 packets whose version or a length is wrong") \
  X(drop_ipv6_extension, "IPv6 packets with malformed, unknown or too many extension headers") \
  X(drop_martian, "packets from an address that cannot be a source") \
  X(drop_not_ours, "packets to an address that is not ours") \
  X(drop_unknown_protocol, "packets of a protocol that is not spoken here") \
  X(drop_udp_malformed, "UDP packets whose length or checksum is wrong") \
  X(drop_udp_port, "UDP packets to a port nobody listens on") \
  X(drop_sctp_short, "IP payloads too short for an SCTP common header") \
  X(drop_icmp_malformed, "ICMP messages whose length or checksum is wrong") \
  X(drop_icmp_ignored, "ICMP messages of no use here") \
  X(drop_icmp_not_ours, "ICMP errors that quote no SCTP packet of ours") \
  X(drop_fragment_malformed, "fragments whose offset or length is wrong") \
  X(drop_fragment_overlap, "fragments of datagrams whose fragments overlap") \
  X(drop_fragment_duplicate, "fragments that were there already") \
  X(drop_fragment_too_many, "fragments past the limit for one datagram") \
  X(drop_fragment_ecn, "fragments whose ECN marks contradict (RFC 3168 5.3)") \
  X(drop_fragment_no_memory, "fragments without a block to join them in") \
  X(drop_reassembly_evicted, "unfinished datagrams that gave way to newer ones") \
  X(drop_reassembly_expired, "unfinished datagrams that ran out of time") \
  X(tx_packets, "SCTP packets handed to a port") \
  X(tx_fragmented, "SCTP packets sent as fragments") \
  X(tx_fragments, "fragments handed to a port") \
  X(tx_arp, "ARP packets sent") \
  X(tx_nd, "neighbour discovery messages sent") \
  X(tx_icmp_errors, "ICMP unreachable messages sent") \
  X(tx_queued, "SCTP packets that waited for a neighbour") \
  X(drop_tx_no_route, "packets to send without a next hop") \
  X(drop_tx_link_down, "packets to send over a port whose link is down") \
  X(drop_tx_too_big, "packets to send that do not fit the link and must not be fragmented") \
  X(drop_tx_offload, "packets to send with a checksum offload that is not possible") \
  X(drop_tx_ring_full, "frames that the transmit ring had no room for") \
  X(drop_tx_no_buffer, "frames that there was no buffer to build in") \
  X(drop_tx_pending_full, "packets beyond what may wait for a neighbour") \
  X(drop_tx_neighbour_failed, "packets to a neighbour that does not answer") \
  X(drop_icmp_rate_limited, "ICMP unreachable messages not sent for their rate") \
  X(neighbours_learned, "neighbours that entered the cache or changed their address") \
  X(neighbours_failed, "neighbours that did not answer") \
  X(neighbours_evicted, "neighbours that gave way to others")
// clang-format on

SLUICE_DEFINE_COUNTERS(Counters, SLUICE_IP_COUNTERS);

}  // namespace sluice::ip
