#include "stack/endpoint/received_cookie.hpp"

#include "stack/wire/chunk_cookie.hpp"

namespace sluice::endpoint {
namespace {

// That the source is one of the peer's addresses is more than §5.1.5 asks: a cookie that somebody saw pass is then of
// no use from elsewhere.
bool made_for(const assoc::Handshake& agreed, const Received& received) {
  return agreed.local_port == received.header.destination_port && agreed.peer_port == received.header.source_port &&
         agreed.local_tag == received.header.tag && agreed.peer_addresses.contains(received.arrival.source) &&
         agreed.local_addresses.contains(received.arrival.destination);
}

}  // namespace

OpenedCookie open_received_cookie(const Services& services, Timestamp now, const Received& received) {
  Counters& counters = services.counters;
  ++counters.cookie_echoes_received;
  const auto chunk = wire::chunks_of(received.packet).next();
  const auto echo = chunk ? wire::CookieEchoChunk::parse(*chunk) : std::nullopt;
  OpenedCookie opened;
  if (echo) opened = services.cookies.open(echo->cookie, now);
  switch (opened.verdict) {
    case CookieVerdict::good:
    case CookieVerdict::stale:
      if (made_for(opened.cookie.handshake, received)) break;
      ++counters.cookie_mismatch;
      opened.verdict = CookieVerdict::malformed;
      break;
    case CookieVerdict::bad_mac:
      ++counters.cookie_bad_mac;
      break;
    case CookieVerdict::unknown_key:
      ++counters.cookie_unknown_key;
      break;
    case CookieVerdict::malformed:
      ++counters.cookie_malformed;
      break;
  }
  return opened;
}

}  // namespace sluice::endpoint
