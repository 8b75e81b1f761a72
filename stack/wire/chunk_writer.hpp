#pragma once

#include <concepts>
#include <cstring>
#include <type_traits>

#include "stack/wire/packet_writer.hpp"

namespace sluice::wire {

/// A type number of parameters or error causes.
template <class Type>
concept TlvType = std::is_enum_v<Type> && std::same_as<std::underlying_type_t<Type>, std::uint16_t>;

/// The chunk at the end of a packet, to which parameters or error causes are added one by one. It is whole after every
/// step; its length leaves out the padding of its last parameter (RFC 9260 §3.2). Used until another chunk is begun.
class ChunkWriter {
 public:
  /// Begins a chunk with `fixed_length` bytes, a multiple of 4, in front of its parameters. If it does not fit,
  /// nothing was added to `packet`, and this writer is false and refuses all that follows.
  ChunkWriter(PacketWriter& packet, ChunkType type, std::uint8_t flags, std::uint32_t fixed_length = 0)
      : packet_(packet), fixed_(packet.append_chunk(type, flags, fixed_length)) {}

  explicit operator bool() const { return fixed_ != nullptr; }
  /// Where the caller writes the fixed fields.
  std::byte* fixed() const { return fixed_; }
  /// Bytes of value that one more parameter or cause may have; none fits if there is no room for its header.
  std::uint32_t value_room() const {
    return fixed_ == nullptr || packet_.room() < kTlvHeaderSize ? 0 : packet_.room() - kTlvHeaderSize;
  }

  /// Adds a parameter or cause and returns where its value goes, which the caller writes wholly. Null if it does not
  /// fit; nothing was added.
  template <TlvType Type>
  std::byte* append(Type type, std::uint32_t value_length) {
    return append_unit(static_cast<std::uint16_t>(type), value_length);
  }
  /// Adds a parameter or cause with this value. False if it does not fit; nothing was added.
  template <TlvType Type>
  bool append(Type type, std::span<const std::byte> value) {
    if (value.size() > value_room()) return false;
    std::byte* const at = append(type, static_cast<std::uint32_t>(value.size()));
    if (at == nullptr) return false;
    if (!value.empty()) std::memcpy(at, value.data(), value.size());
    return true;
  }

 private:
  std::byte* append_unit(std::uint16_t type, std::uint32_t value_length);

  PacketWriter& packet_;
  std::byte* fixed_;
};

}  // namespace sluice::wire
