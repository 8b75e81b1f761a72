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

std::span<const std::byte> cookie_of(const Received& received) {
  const auto chunk = wire::chunks_of(received.packet).next();
  const auto echo = chunk ? wire::CookieEchoChunk::parse(*chunk) : std::nullopt;
  return echo ? echo->cookie : std::span<const std::byte>();
}

void count_refused(Counters& counters, CookieVerdict verdict) {
  switch (verdict) {
    case CookieVerdict::good:
    case CookieVerdict::stale:
      return;
    case CookieVerdict::bad_mac:
      ++counters.cookie_bad_mac;
      return;
    case CookieVerdict::unknown_key:
      ++counters.cookie_unknown_key;
      return;
    case CookieVerdict::malformed:
      ++counters.cookie_malformed;
      return;
  }
}

}  // namespace

bool refuse_forged_cookie(const Services& services, Timestamp now, const Received& received) {
  if (services.forged.empty(now)) {
    ++services.counters.cookie_rate_limited;
    return true;
  }
  const CookieVerdict verdict = services.cookies.check(cookie_of(received));
  if (verdict == CookieVerdict::good) return false;
  static_cast<void>(services.forged.take(now));
  ++services.counters.cookie_echoes_received;
  count_refused(services.counters, verdict);
  return true;
}

OpenedCookie open_received_cookie(const Services& services, Timestamp now, const Received& received) {
  Counters& counters = services.counters;
  ++counters.cookie_echoes_received;
  OpenedCookie opened = services.cookies.open(cookie_of(received), now);
  const bool authentic = opened.verdict == CookieVerdict::good || opened.verdict == CookieVerdict::stale;
  if (authentic && !made_for(opened.cookie.handshake, received)) {
    ++counters.cookie_mismatch;
    opened.verdict = CookieVerdict::malformed;
  } else {
    count_refused(counters, opened.verdict);
  }
  return opened;
}

}  // namespace sluice::endpoint
