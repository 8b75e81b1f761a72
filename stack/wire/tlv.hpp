#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "stack/base/endian.hpp"

namespace sluice::wire {

/// Bytes in front of every value: a chunk's type, flags and length (RFC 9260 §3.2), or the type and length of a
/// parameter (§3.2.1) or an error cause (§3.3.10).
inline constexpr std::uint32_t kTlvHeaderSize = 4;

/// `length` rounded up to the 4-byte boundary where the next chunk, parameter or cause begins.
constexpr std::size_t padded(std::size_t length) {
  return (length + 3) & ~std::size_t{3};
}

/// One type-length-value unit where it was received; valid as long as those bytes are.
struct Tlv {
  std::uint16_t type = 0;            ///< the first two bytes; of a chunk its type and its flags
  std::span<const std::byte> bytes;  ///< header and value as the length field counts them, without padding

  std::span<const std::byte> value() const { return bytes.subspan(kTlvHeaderSize); }
};

/// Walks the units of a packet, a chunk body or a cause, in place: the one reader of length fields. Each step consumes
/// at least 4 bytes, so that a walk is bounded by what it walks over. Padding is skipped and not looked at; after the
/// last unit it may be missing, wholly or in part (§3.2, "Note").
class TlvWalker {
 public:
  TlvWalker() = default;
  explicit TlvWalker(std::span<const std::byte> bytes) : rest_(bytes) {}

  /// The next unit; nothing at the end, or where the bytes make no unit: malformed() tells which.
  std::optional<Tlv> next() {
    if (rest_.size() < kTlvHeaderSize) {
      malformed_ = !rest_.empty();
      return std::nullopt;
    }
    const std::size_t length = base::load_be<std::uint16_t>(rest_.data() + 2);
    if (length < kTlvHeaderSize || length > rest_.size()) {
      malformed_ = true;
      return std::nullopt;
    }
    const Tlv unit{base::load_be<std::uint16_t>(rest_.data()), rest_.first(length)};
    const std::size_t stride = padded(length);
    rest_ = rest_.subspan(stride < rest_.size() ? stride : rest_.size());
    return unit;
  }

  /// next() stopped at a length below 4, a length past the end, or 1 to 3 stray bytes. What it yielded before stands.
  bool malformed() const { return malformed_; }
  /// What was not walked yet; once malformed(), the bytes that make no unit.
  std::span<const std::byte> rest() const { return rest_; }

 private:
  std::span<const std::byte> rest_;
  bool malformed_ = false;
};

/// A TlvWalker that yields its units as `Item`s: chunks, parameters or causes. `Item` is made from a Tlv.
template <class Item>
class ItemWalker {
 public:
  ItemWalker() = default;
  explicit ItemWalker(std::span<const std::byte> bytes) : units_(bytes) {}

  /// The next item; nothing at the end or when malformed().
  std::optional<Item> next() {
    const std::optional<Tlv> unit = units_.next();
    if (!unit) return std::nullopt;
    return Item(*unit);
  }
  bool malformed() const { return units_.malformed(); }
  std::span<const std::byte> rest() const { return units_.rest(); }

 private:
  TlvWalker units_;
};

/// True if `bytes` is a sequence of whole units from first to last, the empty one included.
inline bool is_well_formed(std::span<const std::byte> bytes) {
  TlvWalker walker(bytes);
  while (walker.next()) {
  }
  return !walker.malformed();
}

}  // namespace sluice::wire
