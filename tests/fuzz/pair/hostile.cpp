#include "tests/fuzz/pair/hostile.hpp"

#include <cstring>

#include "stack/base/endian.hpp"
#include "stack/ip/datagram.hpp"
#include "stack/ip/ethernet.hpp"
#include "stack/ip/ipv4.hpp"
#include "stack/ip/ipv6.hpp"
#include "stack/wire/chunk_init.hpp"
#include "stack/wire/chunk_types.hpp"
#include "stack/wire/common_header.hpp"
#include "stack/wire/error_causes.hpp"

namespace sluice::fuzz {
namespace {

using base::load_be;
using base::store_be;
using wire::CauseCode;
using wire::ChunkType;
using wire::ParameterType;

constexpr std::size_t kMostFrame = 2000;

template <class Value>
void put(Frame& to, Value value) {
  to.resize(to.size() + sizeof value);
  store_be(&to[to.size() - sizeof value], value);
}

Frame common_header(std::uint16_t source, std::uint16_t destination, VTag tag) {
  Frame packet(wire::kCommonHeaderSize);
  wire::CommonHeader{source, destination, tag, 0}.write(packet.data());
  return packet;
}

std::uint8_t number(ChunkType type) {
  return static_cast<std::uint8_t>(type);
}

}  // namespace

// Whole packets

void Hostile::send_mutation(std::uint32_t side, bool broken) {
  const std::span<const std::byte> original = pair_.captured(input_.below(Pair::kCaptured));
  Frame frame(original.begin(), original.end());
  if (frame.size() <= kEthernet) return;
  for (std::uint32_t edits = input_.below(5); edits > 0; --edits) edit(frame);
  if (!broken) mend(frame);
  pair_.inject(side, frame);
}

void Hostile::edit(Frame& frame) {
  // Counted from the end of the IPv4 header: that is where edits lead furthest.
  const std::size_t start = std::min<std::size_t>(frame.size(), kEthernet + 20);
  const std::uint8_t what = input_.u8();
  const std::size_t at = start + input_.u16() % std::max<std::size_t>(frame.size() - start, 1);
  switch (what % 8) {
    case 0:
      if (at < frame.size()) frame[at] = static_cast<std::byte>(input_.u8());
      break;
    case 1:  // a number that grows or shrinks
      if (at + 4 <= frame.size())
        store_be(&frame[at], load_be<std::uint32_t>(&frame[at]) + static_cast<std::uint32_t>(input_.i8()));
      break;
    case 2:
      frame.resize(std::min(at, frame.size()));
      break;
    case 3:
      if (frame.size() < kMostFrame) add_chunk(frame, input_.below(2));
      break;
    case 4:  // its own chunks once more
      if (frame.size() < kMostFrame) {
        const std::size_t size = frame.size();
        for (std::size_t i = at; i < size; ++i) frame.push_back(frame[i]);
      }
      break;
    case 5:  // some bytes in the middle
      if (frame.size() < kMostFrame && at <= frame.size()) {
        const std::span<const std::byte> bytes = input_.bytes(input_.below(32));
        frame.insert(frame.begin() + static_cast<std::ptrdiff_t>(at), bytes.begin(), bytes.end());
      }
      break;
    case 6:  // some out of it
      if (at < frame.size())
        frame.erase(frame.begin() + static_cast<std::ptrdiff_t>(at),
                    frame.begin() + static_cast<std::ptrdiff_t>(std::min(frame.size(), at + input_.below(32))));
      break;
    default:
      if (at < frame.size()) frame[at] ^= static_cast<std::byte>(1u << input_.below(8));
  }
}

void Hostile::send_forgery(std::uint32_t side) {
  const std::uint8_t choice = input_.u8();
  const std::uint8_t how = input_.u8();
  std::vector<const assoc::Association*> all;
  pair_.for_each_association(side, [&](const assoc::Association& association) { all.push_back(&association); });
  if (all.empty()) return;
  const assoc::Association& victim = *all[choice % all.size()];
  if (victim.paths().empty()) return;
  const assoc::Path& path = victim.paths()[how % 2 % victim.paths().size()];
  IpAddress local = path.route.source;
  if (local.is_unspecified()) local = path.route.destination.is_v4() ? pair_.stack(side).v4() : pair_.stack(side).v6();
  VTag tag = victim.local_tag();
  if ((how & 0x30) == 0x10) tag = VTag(0);
  if ((how & 0x30) == 0x20) tag = victim.peer_tag();
  Frame packet = common_header(victim.peer_port(), victim.local_port(), tag);
  add_chunks(packet, side, 1 + input_.below(4));
  Frame frame = frame_around(path.route.destination, local, ip::kProtocolSctp, packet);
  mend(frame);
  pair_.inject(side, frame);
}

void Hostile::send_stranger(std::uint32_t side) {
  const std::uint8_t how = input_.u8();
  sim::SimStack& from = pair_.stack(1 - side);
  sim::SimStack& to = pair_.stack(side);
  const bool v4 = (how & 1) != 0;
  IpAddress source = v4 ? from.v4() : from.v6();
  if ((how & 2) != 0) source = v4 ? IpAddress::v4(Pair::kStrangers + input_.below(8)) : to.v6();
  const std::uint16_t source_port = (how & 4) != 0 ? Pair::kPort : input_.u16();
  const std::uint16_t port = (how & 8) != 0 ? Pair::kPort : input_.u16();
  Frame packet = common_header(source_port, port, VTag((how & 16) != 0 ? 0 : input_.u32()));
  add_chunks(packet, side, 1 + input_.below(4));
  Frame frame = frame_around(source, v4 ? to.v4() : to.v6(), ip::kProtocolSctp, packet);
  mend(frame);
  pair_.inject(side, frame);
}

void Hostile::echo_cookie(std::uint32_t side) {
  for (std::uint32_t back = 0; back < Pair::kCaptured; ++back) {
    const std::span<const std::byte> frame = pair_.captured(back);
    const std::span<const std::byte> answer = sctp_packet_of(frame);
    const auto header = wire::CommonHeader::parse(answer);
    const auto first = wire::chunks_of(answer).next();
    const auto init_ack = first ? wire::InitChunk::parse(*first) : std::nullopt;
    if (!header || !init_ack || first->type != ChunkType::init_ack) continue;
    ip::Datagram datagram;
    const std::span<const std::byte> packet = frame.subspan(kEthernet);
    const bool v4 = load_be<std::uint16_t>(&frame[12]) == ip::kEtherTypeIpv4;
    static_cast<void>(v4 ? ip::parse_ipv4(packet, true, datagram) : ip::parse_ipv6(packet, datagram));
    Frame echo = common_header(header->destination_port, header->source_port, init_ack->init_tag());
    wire::ParameterWalker parameters = init_ack->parameters();
    while (const auto parameter = parameters.next()) {
      if (parameter->type != ParameterType::state_cookie) continue;
      const std::size_t start = begin(echo, number(ChunkType::cookie_echo), 0);
      echo.insert(echo.end(), parameter->value().begin(), parameter->value().end());
      end(echo, start);
    }
    if (const std::uint32_t more = input_.below(4)) add_chunks(echo, side, more);
    Frame whole = frame_around(datagram.destination, datagram.source, ip::kProtocolSctp, echo);
    mend(whole);
    return pair_.inject(side, whole);
  }
}

void Hostile::send_raw(std::uint32_t side) {
  const std::uint8_t how = input_.u8();
  sim::SimStack& from = pair_.stack(1 - side);
  sim::SimStack& to = pair_.stack(side);
  const std::uint8_t protocols[] = {
      ip::kProtocolSctp,     ip::kProtocolIcmp,     ip::kProtocolIcmpv6,  ip::kProtocolUdp,
      ip::kProtocolFragment, ip::kProtocolHopByHop, ip::kProtocolRouting, 99};
  const std::uint8_t protocol = protocols[input_.below(8)];
  Frame frame;
  switch (how % 4) {
    case 0:
      frame = frame_around(from.v4(), to.v4(), protocol, input_.bytes(input_.u8()));
      store_be(&frame[kEthernet + 6], input_.u16());  // fragment flags and offset
      break;
    case 1:
      frame = frame_around(from.v6(), to.v6(), protocol, input_.bytes(input_.u8()));
      break;
    case 2:
      frame.resize(kEthernet);
      store_be(&frame[12], ip::kEtherTypeArp);
      add_bytes(frame, 64);
      break;
    default:
      frame.resize(kEthernet);
      store_be(&frame[12], input_.u16());
      add_bytes(frame, 255);
  }
  if ((how & 0x80) == 0) mend(frame);
  pair_.inject(side, frame);
}

// Chunks

std::size_t Hostile::begin(Frame& packet, std::uint8_t type, std::uint8_t flags) {
  while (packet.size() % 2 != 0) packet.push_back({});
  packet.push_back(static_cast<std::byte>(type));
  packet.push_back(static_cast<std::byte>(flags));
  put<std::uint16_t>(packet, 0);
  return packet.size() - 4;
}

/// Fills the length of what began at `start` in, and pads it; at times the length is a lie.
void Hostile::end(Frame& packet, std::size_t start) {
  const std::uint8_t lie = input_.u8();
  auto length = static_cast<std::uint16_t>(packet.size() - start);
  if (lie >= 0xf0) length = static_cast<std::uint16_t>(length + input_.i8());
  store_be(&packet[start + 2], length);
  while ((packet.size() - start) % 4 != 0) packet.push_back({});
}

void Hostile::add_bytes(Frame& packet, std::size_t limit) {
  const std::span<const std::byte> bytes = input_.bytes(std::min<std::size_t>(input_.u8(), limit));
  packet.insert(packet.end(), bytes.begin(), bytes.end());
}

void Hostile::add_chunks(Frame& packet, std::uint32_t side, std::uint32_t count) {
  for (; count > 0; --count) add_chunk(packet, side);
}

void Hostile::add_chunk(Frame& packet, std::uint32_t side) {
  const std::uint8_t type = input_.u8();
  switch (static_cast<ChunkType>(type)) {
    case ChunkType::data:
      return add_data(packet, side);
    case ChunkType::sack:
      return add_sack(packet, side);
    case ChunkType::init:
      return add_init(packet, false);
    case ChunkType::init_ack:
      return add_init(packet, true);
    default:
      break;
  }
  const std::size_t start = begin(packet, type, input_.u8());
  switch (static_cast<ChunkType>(type)) {
    case ChunkType::abort:
    case ChunkType::error:
      for (std::uint32_t causes = input_.below(4); causes > 0; --causes) add_cause(packet);
      break;
    case ChunkType::heartbeat:
    case ChunkType::heartbeat_ack:
      add_parameter(packet);
      break;
    case ChunkType::shutdown:
      put(packet, pair_.last_acknowledged(side).value() + static_cast<std::uint32_t>(input_.i8()));
      break;
    case ChunkType::shutdown_ack:
    case ChunkType::shutdown_complete:
    case ChunkType::cookie_ack:
      break;
    default:  // COOKIE ECHO and everything that is not known
      add_bytes(packet, 255);
  }
  end(packet, start);
}

void Hostile::add_data(Frame& packet, std::uint32_t side) {
  const std::size_t start = begin(packet, number(ChunkType::data), input_.u8());
  std::uint32_t ahead = static_cast<std::uint32_t>(input_.i8());
  if (ahead == 127) ahead = input_.u16();
  put(packet, pair_.last_tsn(side).value() + ahead);
  put<std::uint16_t>(packet, input_.u8());               // stream
  put(packet, static_cast<std::uint16_t>(input_.i8()));  // SSN
  put<std::uint32_t>(packet, input_.u8());               // PPID
  packet.resize(packet.size() + input_.u8() * (packet.size() < 512 ? 4u : 1u));
  end(packet, start);
}

void Hostile::add_sack(Frame& packet, std::uint32_t side) {
  const std::size_t start = begin(packet, number(ChunkType::sack), 0);
  // Around what `side` sent last, or around what was acknowledged last.
  const std::uint8_t how = input_.u8();
  const Tsn base = (how & 1) != 0 ? pair_.last_tsn(1 - side) : pair_.last_acknowledged(side);
  put(packet, base.value() + static_cast<std::uint32_t>(input_.i8()));
  put(packet, (how & 2) != 0 ? std::uint32_t{input_.u8()} : 100'000u);
  const std::uint32_t gaps = input_.below(6);
  const std::uint32_t duplicates = input_.below(4);
  put<std::uint16_t>(packet, static_cast<std::uint16_t>((how & 4) != 0 ? input_.u8() : gaps));
  put<std::uint16_t>(packet, static_cast<std::uint16_t>(duplicates));
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < gaps; ++i) {
    const std::uint32_t first = ((how & 8) != 0 ? 0 : last) + input_.u8();
    last = first + input_.u8();
    put(packet, static_cast<std::uint16_t>(first));
    put(packet, static_cast<std::uint16_t>(last));
  }
  for (std::uint32_t i = 0; i < duplicates; ++i) put(packet, base.value() + static_cast<std::uint32_t>(input_.i8()));
  end(packet, start);
}

void Hostile::add_init(Frame& packet, bool ack) {
  const std::size_t start = begin(packet, number(ack ? ChunkType::init_ack : ChunkType::init), 0);
  put<std::uint32_t>(packet, input_.u8());       // tag
  put(packet, std::uint32_t{input_.u8()} << 8);  // window
  put<std::uint16_t>(packet, input_.u8());       // streams out, in
  put<std::uint16_t>(packet, input_.u8());
  put(packet, input_.u32());  // TSN
  for (std::uint32_t parameters = input_.below(12); parameters > 0; --parameters) add_parameter(packet);
  end(packet, start);
}

void Hostile::add_parameter(Frame& packet) {
  constexpr ParameterType kTypes[] = {ParameterType::heartbeat_info,
                                      ParameterType::ipv4_address,
                                      ParameterType::ipv6_address,
                                      ParameterType::state_cookie,
                                      ParameterType::unrecognized_parameter,
                                      ParameterType::cookie_preservative,
                                      ParameterType::host_name_address,
                                      ParameterType::supported_address_types,
                                      ParameterType::ecn_capable,
                                      ParameterType::zero_checksum_acceptable,
                                      ParameterType::random,
                                      ParameterType::chunk_list,
                                      ParameterType::requested_hmac,
                                      ParameterType::padding,
                                      ParameterType::supported_extensions,
                                      ParameterType::forward_tsn_supported,
                                      ParameterType::add_ip_address,
                                      ParameterType::set_primary_address,
                                      ParameterType::adaptation_layer_indication};
  const std::uint8_t choice = input_.u8();
  const auto type = choice < std::size(kTypes) ? static_cast<std::uint16_t>(kTypes[choice]) : input_.u16();
  const std::size_t start = begin(packet, static_cast<std::uint8_t>(type >> 8), static_cast<std::uint8_t>(type));
  if (type == static_cast<std::uint16_t>(ParameterType::ipv4_address)) {
    const std::uint8_t host = input_.u8();  // one of theirs, a stranger's, or anybody's
    if (host < 16)
      put(packet, host < 8 ? 0xc6120000u | host : Pair::kStrangers + host - 8);
    else
      put(packet, std::uint32_t{host} << 24 | input_.u16());
  } else if (type == static_cast<std::uint16_t>(ParameterType::ipv6_address)) {
    IpAddress::Bytes bytes = pair_.stack(0).v6().bytes();
    bytes[15] = input_.u8();
    if (input_.below(2) != 0) bytes[0] = input_.u8();
    for (const std::uint8_t byte : bytes) packet.push_back(static_cast<std::byte>(byte));
  } else {
    add_bytes(packet, 64);
  }
  end(packet, start);
}

void Hostile::add_cause(Frame& packet) {
  const std::uint8_t code = input_.u8();
  const std::size_t start = begin(packet, 0, code);
  if (code == static_cast<std::uint8_t>(CauseCode::stale_cookie))
    put(packet, input_.u32());
  else
    add_bytes(packet, 64);
  end(packet, start);
}

}  // namespace sluice::fuzz
