#pragma once

#include <sluice/ids.hpp>

#include "tests/fuzz/pair/frames.hpp"
#include "tests/fuzz/pair/input.hpp"
#include "tests/fuzz/pair/pair.hpp"

namespace sluice::fuzz {

/// Makes packets that no sound peer sends, from the input's bytes.
class Hostile {
 public:
  Hostile(Pair& pair, Input& input) : pair_(pair), input_(input) {}

  /// A frame that was under way lately, changed, to `side`. Checksums are mended unless `broken`.
  void send_mutation(std::uint32_t side, bool broken);
  /// A packet with the ports, tag and addresses of one of `side`'s associations.
  void send_forgery(std::uint32_t side);
  /// One that belongs to no association: any ports, any tag.
  void send_stranger(std::uint32_t side);
  /// What an INIT of a stranger wants next: the cookie of the newest INIT ACK, with chunks behind it.
  void echo_cookie(std::uint32_t side);
  /// Below SCTP: any Ethernet type, any protocol, fragments, ARP and ICMP.
  void send_raw(std::uint32_t side);

 private:
  void edit(Frame& frame);
  void add_chunks(Frame& packet, std::uint32_t side, std::uint32_t count);
  void add_chunk(Frame& packet, std::uint32_t side);
  void add_data(Frame& packet, std::uint32_t side);
  void add_sack(Frame& packet, std::uint32_t side);
  void add_init(Frame& packet, bool ack);
  void add_parameter(Frame& packet);
  void add_cause(Frame& packet);
  std::size_t begin(Frame& packet, std::uint8_t type, std::uint8_t flags);
  void end(Frame& packet, std::size_t start);
  void add_bytes(Frame& packet, std::size_t limit);

  Pair& pair_;
  Input& input_;
};

}  // namespace sluice::fuzz
