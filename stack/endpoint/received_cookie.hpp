#pragma once

#include <sluice/time.hpp>

#include "stack/endpoint/cookie.hpp"
#include "stack/endpoint/reply.hpp"
#include "stack/endpoint/services.hpp"

namespace sluice::endpoint {

/// True, and counted: the cookie of this COOKIE ECHO was sealed with no key of ours, or so many of those came that it
/// was not looked at.
bool refuse_forged_cookie(const Services& services, Timestamp now, const Received& received);
/// Opens the cookie of a packet that begins with a COOKIE ECHO and compares it with the packet's ports, tag and
/// addresses (RFC 9260 §5.1.5 rules 1 to 3). What is neither good nor stale was counted, and is to be dropped without a
/// word.
OpenedCookie open_received_cookie(const Services& services, Timestamp now, const Received& received);

}  // namespace sluice::endpoint
