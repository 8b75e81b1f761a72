#pragma once

#include <sluice/export.hpp>
#include <sluice/ip_address.hpp>

namespace sluice {

/// An IP address and an SCTP port (host byte order).
struct SLUICE_API TransportAddress {
  IpAddress address;
  std::uint16_t port = 0;

  /// Reads `198.18.0.1:2905` or `[2001:db8::1]:2905`; nothing if `text` is neither.
  static std::optional<TransportAddress> parse(std::string_view text);
  /// The form that parse() reads.
  std::string to_string() const;

  friend constexpr auto operator<=>(const TransportAddress&, const TransportAddress&) = default;
};

}  // namespace sluice
