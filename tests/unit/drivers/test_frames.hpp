#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "stack/base/buffer.hpp"
#include "stack/base/endian.hpp"
#include "stack/base/mac_address.hpp"

namespace sluice::drivers::test {

inline base::MacAddress mac(std::uint8_t last) {
  return {{2, 0, 0, 0, 0, last}};
}

/// An Ethernet frame of `size` bytes (14 at least) from mac(from) to mac(to), filled with `fill`, of a private type.
inline std::vector<std::byte> ethernet_frame(std::uint8_t to, std::uint8_t from, std::size_t size,
                                             std::uint8_t fill = 0) {
  std::vector<std::byte> frame(size, static_cast<std::byte>(fill));
  std::memcpy(frame.data(), mac(to).octets.data(), 6);
  std::memcpy(&frame[6], mac(from).octets.data(), 6);
  base::store_be<std::uint16_t>(&frame[12], 0x88b5);
  return frame;
}

/// An IPv4 SCTP frame between two ports of one pair of hosts.
inline std::vector<std::byte> sctp_frame(std::uint8_t to, std::uint8_t from, std::uint16_t source_port,
                                         std::uint16_t destination_port) {
  std::vector<std::byte> frame = ethernet_frame(to, from, 60);
  base::store_be<std::uint16_t>(&frame[12], 0x0800);
  frame[14] = std::byte{0x45};
  base::store_be<std::uint16_t>(&frame[16], 46);
  frame[23] = std::byte{132};
  base::store_be<std::uint32_t>(&frame[26], 0xc6120000u + from);
  base::store_be<std::uint32_t>(&frame[30], 0xc6120000u + to);
  base::store_be<std::uint16_t>(&frame[34], source_port);
  base::store_be<std::uint16_t>(&frame[36], destination_port);
  return frame;
}

inline std::vector<std::byte> bytes_of(const base::Buffer& buffer) {
  return {buffer.data(), buffer.data() + buffer.size()};
}

}  // namespace sluice::drivers::test
