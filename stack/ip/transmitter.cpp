#include "stack/ip/transmitter.hpp"

#include <bit>
#include <cstring>
#include <utility>

#include "stack/base/arrival.hpp"
#include "stack/ip/fragmenter.hpp"
#include "stack/ip/ipv4.hpp"
#include "stack/ip/ipv6.hpp"

namespace sluice::ip {

Transmitter::Transmitter(const Config& config, FrameSink& sink, Counters& counters, base::Random& random,
                         Replica replica)
    : config_(config),
      sink_(sink),
      counters_(counters),
      replica_(replica),
      id_step_(std::bit_ceil(replica.count)),
      id_(random.u32()) {
  SLUICE_CHECK(replica.index < replica.count);
  id_ -= id_ % id_step_;
}

// Identifiers that replicas give out at the same time differ, as long as all of them count on from where they are
// (RFC 6864 §4.3: unique for a source, destination and protocol while fragments may be about).
std::uint32_t Transmitter::next_id() {
  id_ += id_step_;
  return id_ + replica_.index;
}

base::Buffer Transmitter::allocate(std::uint16_t port, std::uint32_t bytes) {
  base::Buffer buffer = sink_.allocate_frame(port, base::kLowerHeadroom + bytes);
  if (!buffer) {
    ++counters_.drop_tx_no_buffer;
    return buffer;
  }
  buffer.append(base::kLowerHeadroom + bytes);
  buffer.trim_front(base::kLowerHeadroom);
  return buffer;
}

SendResult Transmitter::send(std::uint16_t port, const LinkHeader& link, const OutgoingHeader& header,
                             base::Buffer&& payload, bool offload_sctp) {
  const bool is_v4 = header.source.is_v4();
  const std::uint32_t header_length = ip_header_length(is_v4);
  const std::uint32_t largest = largest_whole(is_v4, header.dont_fragment, config_.interfaces[port].mtu);
  const bool fits = header_length + payload.size() <= largest;
  if (fits && payload.headroom() >= header_length + link.length) [[likely]] {
    if (finish(port, link, header, std::move(payload), std::nullopt, offload_sctp)) return SendResult::sent;
    return SendResult::no_room;
  }
  const base::Buffer whole = std::move(payload);
  if (!fits && (header.dont_fragment || whole.size() > kMostIpPayload)) {
    ++counters_.drop_tx_too_big;
    return SendResult::too_big;
  }
  if (fits) return send_piece(port, link, header, whole.bytes(), std::nullopt) ? SendResult::sent : SendResult::no_room;
  const std::uint32_t id = next_id();
  const bool all =
      for_each_fragment(is_v4, whole.size(), largest, [&](std::uint32_t offset, std::uint32_t length, bool more) {
        if (!send_piece(port, link, header, whole.bytes().subspan(offset, length), Fragment{id, offset, more}))
          return false;
        ++counters_.tx_fragments;
        return true;
      });
  return all ? SendResult::sent : SendResult::no_room;
}

bool Transmitter::send_piece(std::uint16_t port, const LinkHeader& link, const OutgoingHeader& header,
                             std::span<const std::byte> piece, const std::optional<Fragment>& fragment) {
  base::Buffer buffer = allocate(port, static_cast<std::uint32_t>(piece.size()));
  if (!buffer) return false;
  std::memcpy(buffer.data(), piece.data(), piece.size());
  return finish(port, link, header, std::move(buffer), fragment, false);
}

bool Transmitter::finish(std::uint16_t port, const LinkHeader& link, const OutgoingHeader& header,
                         base::Buffer&& payload, const std::optional<Fragment>& fragment, bool offload_sctp) {
  base::FrameInfo info;
  const std::uint32_t length = payload.size();
  if (header.source.is_v4()) {
    const bool offload = config_.interfaces[port].offloads.ipv4_checksum_tx;
    // A datagram that cannot be cut needs no identifier (RFC 6864 §4.1).
    const std::uint32_t id = fragment ? fragment->id : header.dont_fragment ? 0 : next_id();
    write_ipv4(payload.prepend(kIpv4HeaderLength), header, length, static_cast<std::uint16_t>(id), fragment, offload);
    info.ipv4_checksum_offload = offload;
    info.l3_length = kIpv4HeaderLength;
  } else {
    const std::uint32_t headers = kIpv6HeaderLength + (fragment ? kIpv6FragmentHeaderLength : 0);
    write_ipv6(payload.prepend(headers), header, length, fragment);
    info.l3_length = static_cast<std::uint8_t>(headers);
  }
  info.l2_length = link.length;
  info.sctp_checksum = offload_sctp ? base::Checksum::offload : base::Checksum::good;
  payload.block().frame = info;
  return send_frame(port, link, std::move(payload));
}

bool Transmitter::send_frame(std::uint16_t port, const LinkHeader& link, base::Buffer&& payload) {
  base::Buffer frame = std::move(payload);
  std::memcpy(frame.prepend(link.length), link.bytes.data(), link.length);
  if (sink_.send_frame(port, std::move(frame))) return true;
  ++counters_.drop_tx_ring_full;
  return false;
}

}  // namespace sluice::ip
