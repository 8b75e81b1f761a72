#include <sluice/transport_address.hpp>

#include <charconv>

namespace sluice {

std::optional<TransportAddress> TransportAddress::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  if (!address || bracketed == address->is_v4()) return std::nullopt;
  TransportAddress result{*address};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), result.port);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return result;
}

std::string TransportAddress::to_string() const {
  const std::string host = address.is_v4() ? address.to_string() : '[' + address.to_string() + ']';
  return host + ':' + std::to_string(port);
}

}  // namespace sluice
