#pragma once

#include <sluice/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "stack/assoc/handshake.hpp"
#include "stack/endpoint/cookie_keys.hpp"

namespace sluice::endpoint {

/// What a state cookie says (RFC 9260 §5.1.3): all that an association is made from, since nothing else is kept.
struct Cookie {
  assoc::Handshake handshake;
  assoc::TieTags tie_tags;     ///< of the association that was there when the INIT came (§5.2.2), or none
  std::uint16_t udp_port = 0;  ///< not 0: the peer is encapsulated in UDP, from this port (RFC 6951)
  Timestamp created;
  std::chrono::milliseconds lifetime{};  ///< 0 to 2^32 - 1
};

/// Bytes of the largest cookie: 8 IPv6 addresses on each side.
inline constexpr std::uint32_t kMaxCookieSize = 328;

enum class CookieVerdict : std::uint8_t {
  good,
  stale,        ///< authentic, but older than its lifetime
  bad_mac,      ///< not ours, or changed on its way
  unknown_key,  ///< sealed with a key that is gone
  malformed,    ///< too short, too long, another version
};

struct OpenedCookie {
  CookieVerdict verdict = CookieVerdict::malformed;
  std::chrono::microseconds staleness{};  ///< of a stale one: how long ago it expired, at least 1
  Cookie cookie;                          ///< of a good or stale one
};

/// Seals and opens state cookies. One worker's copy of the process's keys; neither call allocates.
///
/// The MAC is SipHash-2-4 with a 128-bit key and a 128-bit tag. A cookie lives for a minute and its key for an hour, so
/// what matters is that nobody can forge one meanwhile, and what refusing a forged one costs (RFC 9260 §5.1.3). For the
/// 96 bytes of a usual cookie it takes some 80 cycles on any CPU; HMAC-SHA-256 by
/// libcrypto's EVP_MAC took 440 with the CPU's SHA instructions, and allocates twice a call.
///
/// Layout, all numbers big-endian: version, key number, flags, counts of addresses (4 + 4 bits), creation time (8, ns),
/// lifetime (4, ms), ports, tags, initial TSNs, window, streams, tie-tags, UDP port, then one bit an address for its
/// family (2 bytes), the addresses (4 or 16 bytes each, ours first), and the MAC (16) of everything before it.
class CookieSealer {
 public:
  explicit CookieSealer(const CookieKeys& keys) : keys_(keys) {}
  /// After a rotation.
  void install(const CookieKeys& keys) { keys_ = keys; }

  /// Writes the cookie to the front of `out`, which has kMaxCookieSize bytes at least. Returns its length.
  std::uint32_t seal(const Cookie& cookie, std::span<std::byte> out) const;
  /// Whether a cookie was sealed with a key that we have: then `good`, whatever it says and however old it is. What
  /// refusing a forged one takes.
  CookieVerdict check(std::span<const std::byte> bytes) const;
  /// Reads whatever came in a COOKIE ECHO; nothing of it is believed before its MAC was found right.
  OpenedCookie open(std::span<const std::byte> bytes, Timestamp now) const;

 private:
  const CookieKeys::Key* key(std::uint8_t number) const;

  CookieKeys keys_;
};

}  // namespace sluice::endpoint
