#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace sluice::sim {

/// What a simulated application sends: messages that say what they are, so that the receiver can check each byte. Those
/// too short for that hold bytes that follow from the stream, the index and the length alone.
struct Message {
  std::uint32_t flow = 0;  ///< of whom: the sending side and its connection
  std::uint16_t stream = 0;
  bool unordered = false;
  std::uint32_t index = 0;  ///< within the stream's ordered messages, or the flow's unordered ones
  std::uint32_t length = 0;

  static constexpr std::uint32_t kHeader = 20;
  static constexpr std::uint32_t kMagic = 0x736c6369;

  bool tells_itself() const { return length >= kHeader; }

  /// Fills `bytes`, which are `length`. No word waits for the one before it, since runs make and check many.
  void write(std::span<std::byte> bytes) const {
    const std::uint64_t whose = tells_itself() ? flow : length;
    const std::uint64_t key = (std::uint64_t{stream} << 32 ^ index ^ whose << 48) * 0x9e3779b97f4a7c15u;
    const auto word = [key](std::size_t at) {
      const std::uint64_t mixed = (key + at) * 0xa0761d6478bd642fu;
      return (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93u;
    };
    std::size_t at = 0;
    for (; at + sizeof key <= bytes.size(); at += sizeof key) {
      const std::uint64_t value = word(at);
      std::memcpy(&bytes[at], &value, sizeof value);
    }
    const std::uint64_t last = word(at);
    std::memcpy(bytes.data() + at, &last, bytes.size() - at);
    if (!tells_itself()) return;
    const std::uint32_t words[5] = {kMagic, flow, std::uint32_t{stream} << 16 | std::uint32_t{unordered}, index,
                                    length};
    std::memcpy(bytes.data(), words, kHeader);
  }

  std::vector<std::byte> contents() const {
    std::vector<std::byte> bytes(length);
    write(bytes);
    return bytes;
  }

  /// What a received message of at least kHeader bytes says it is. False: it is none of ours.
  static bool read(std::span<const std::byte> bytes, Message& message) {
    std::uint32_t words[5];
    std::memcpy(words, bytes.data(), kHeader);
    message = {words[1], static_cast<std::uint16_t>(words[2] >> 16), (words[2] & 1) != 0, words[3], words[4]};
    return words[0] == kMagic;
  }
};

}  // namespace sluice::sim
