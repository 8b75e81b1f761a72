#pragma once

#include <sluice/time.hpp>

#include "stack/endpoint/reply.hpp"
#include "stack/endpoint/services.hpp"

namespace sluice::endpoint {

/// Chunks of an out-of-the-blue packet that are looked at; a packet with more is dropped, since nobody in need of an
/// answer sends such.
inline constexpr std::uint32_t kMaxOutOfTheBlueChunks = 64;

/// `packet` holds an ABORT, as far as its first kMaxOutOfTheBlueChunks chunks tell: out of the blue it is dropped,
/// whatever else is in it (RFC 9260 §8.4 rule 2).
bool holds_abort(std::span<const std::byte> packet);
/// As holds_abort(), of a SHUTDOWN ACK.
bool holds_shutdown_ack(std::span<const std::byte> packet);

/// Answers or drops a packet that no association is known for and that begins neither with an INIT whose tag is zero
/// nor with a COOKIE ECHO: rules 2 and 5 to 8 of RFC 9260 §8.4.
void answer_out_of_the_blue(const Services& services, Timestamp now, const Received& received);

}  // namespace sluice::endpoint
