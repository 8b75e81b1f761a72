#include <sluice/ip_address.hpp>

#include <arpa/inet.h>

#include <cstring>

namespace sluice {

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  char copy[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof copy) return std::nullopt;
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  in_addr four{};
  if (inet_pton(AF_INET, copy, &four) == 1) return v4(ntohl(four.s_addr));
  Bytes six{};
  if (inet_pton(AF_INET6, copy, six.data()) == 1) return v6(six);
  return std::nullopt;
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN];
  const void* from = is_v4() ? bytes_.data() + 12 : bytes_.data();
  return inet_ntop(is_v4() ? AF_INET : AF_INET6, from, text, sizeof text);
}

}  // namespace sluice
