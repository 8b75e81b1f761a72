#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include "stack/assoc/handshake.hpp"
#include "stack/base/arrival.hpp"
#include "stack/base/bounded_vector.hpp"
#include "stack/wire/chunk_init.hpp"

namespace sluice::endpoint {

/// Parameters that one INIT ACK reports as unrecognised; those after them go unreported.
inline constexpr std::size_t kMaxReports = 16;

/// What an INIT asks for. Valid as long as its packet is.
struct InitRequest {
  wire::InitHeader header;
  assoc::AddressList peers;  ///< the source of the packet, then those usable of the addresses listed (§5.1.2)
  wire::SupportedAddressTypes supported{.ipv4 = true, .ipv6 = true};
  std::chrono::milliseconds cookie_preservative{};
  base::BoundedVector<wire::Parameter, kMaxReports> unrecognized;  ///< to report (§3.2.1)
  wire::Parameter host_name;                                       ///< with InitProblem::host_name
  std::uint32_t ignored_addresses = 0;                             ///< listed, but too many or not usable
};

/// What is wrong with an INIT. The first four are to be dropped without a word, the others answered with ABORT.
enum class InitProblem : std::uint8_t {
  none,
  too_short,             ///< not even its fixed fields
  not_alone,             ///< other chunks in the packet (RFC 9260 §8.5.1 A)
  zero_tag,              ///< Initiate Tag 0 (§3.3.2)
  bad_values,            ///< no streams, or a window below 1500 (§3.3.2)
  malformed_parameters,  ///< lengths that do not add up
  host_name,             ///< Host Name Address (§3.3.2.1.4)
};

/// Reads `packet`, whose first chunk is an INIT. `request.header` is filled from zero_tag on. None of the stack's own
/// addresses, `ours`, can be the peer's.
InitProblem read_init(std::span<const std::byte> packet, const base::Arrival& arrival, std::span<const IpAddress> ours,
                      InitRequest& request);
/// Ignores the peer's addresses of a family in which there is none of `ours` (§5.1.2).
void keep_families_of(const assoc::AddressList& ours, InitRequest& request);

}  // namespace sluice::endpoint
