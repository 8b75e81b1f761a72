#include <sluice/ip_address.hpp>

#include <arpa/inet.h>

#include <algorithm>
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

bool IpAddress::is_unspecified() const {
  return *this == IpAddress() || *this == v4(0);
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return v4_value() >> 24 == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t b) { return b == 0; }) && bytes_[15] == 1;
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return v4_value() >> 16 == 0xa9fe;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool IpAddress::is_multicast() const {
  return is_v4() ? v4_value() >> 28 == 0xe : bytes_[0] == 0xff;
}

bool IpAddress::is_broadcast() const {
  return *this == v4(0xffffffff);
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN];
  const void* from = is_v4() ? bytes_.data() + 12 : bytes_.data();
  return inet_ntop(is_v4() ? AF_INET : AF_INET6, from, text, sizeof text);
}

}  // namespace sluice
