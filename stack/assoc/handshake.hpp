#pragma once

#include <sluice/ids.hpp>
#include <sluice/ip_address.hpp>

#include <cstdint>

#include "stack/base/bounded_vector.hpp"
#include "stack/base/serial.hpp"

namespace sluice::assoc {

/// Addresses of one side of an association; more than this in an INIT are counted and left out.
inline constexpr std::size_t kMaxAddresses = 8;
/// The number of a path, for sets of paths in one byte.
constexpr std::uint8_t path_bit(PathId path) {
  return static_cast<std::uint8_t>(1u << path.value);
}
static_assert(kMaxAddresses <= 8);
using AddressList = base::BoundedVector<IpAddress, kMaxAddresses>;

/// Extensions of the peer and of ours that both sides have; one struct, so that a cookie can carry it.
struct Extensions {
  bool forward_tsn = false;    ///< RFC 3758, not offered yet
  bool ecn = false;            ///< RFC 9260 Appendix A, not offered yet
  bool zero_checksum = false;  ///< RFC 9653, not offered yet
};

/// Random numbers by which a cookie says which association was there when it was made (RFC 9260 §5.2.2). Both 0: none.
struct TieTags {
  std::uint32_t local = 0;
  std::uint32_t peer = 0;
  bool none() const { return local == 0 && peer == 0; }
  friend bool operator==(const TieTags&, const TieTags&) = default;
};

/// All that the two INITs agreed on: what a cookie carries and an association starts from (RFC 9260 §5.1.3).
struct Handshake {
  std::uint16_t local_port = 0;
  std::uint16_t peer_port = 0;
  VTag local_tag;  ///< the tag the peer puts into packets to us
  VTag peer_tag;   ///< the tag we put into packets to the peer
  Tsn local_initial_tsn;
  Tsn peer_initial_tsn;
  std::uint32_t peer_window = 0;  ///< the a_rwnd of the peer's INIT
  std::uint16_t outbound_streams = 0;
  std::uint16_t inbound_streams = 0;
  AddressList local_addresses;  ///< the first is the one the INIT was sent to or from
  AddressList peer_addresses;   ///< the first is the one the INIT came from or was sent to: the primary path
  Extensions extensions;
};

}  // namespace sluice::assoc
